"""The card of a published dataset: the run's card, with what the publication adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from pipelines.auditing.findings import STATUSES
from pipelines.card import CardFacts, dataset_card
from pipelines.licences import OTHER
from pipelines.publishing.files import PREVIEW
from pipelines.publishing.publication import Publication
from pipelines.publishing.verdict import Verdict
from synth.errors import ShardError
from synth.exporters.base import PLACE, Card

_LAYOUT: Final = ("configs", "dataset_info")  # of the front matter: what the exporter knows about its files
_PROMPT: Final = (
    "These are synthetic faces for research on and training of face recognisers. By asking for them you agree not to "
    "use them to identify or track real people without a legal basis, for impersonation, or as photographs of real "
    "people, and to say that they are synthetic wherever you show them."
)


def published_card(facts: CardFacts, publication: Publication, verdict: Verdict | None, assembled: Path) -> str:
    """Returns README.md of a published dataset.

    Args:
        facts: of the run.
        publication: where it goes.
        verdict: what the audit says; None where there is none.
        assembled: README.md of the run's dataset, which knows the layout of the files.

    Raises:
        ShardError: `assembled` has no front matter.
    """
    further = {
        "Preview": f"![Some identities, one a row, and some of their samples]({PREVIEW})",
        "Audit": _audit(verdict),
    }
    card = dataset_card(
        replace(facts, name=publication.name, loading=_loading(facts.loading, publication), further=further)
    )
    front_matter = {**card.front_matter, **_link(facts, publication), **_gate(publication)}
    return Card(front_matter=front_matter, text=card.text).render(_layout(assembled))


def _loading(loading: str, publication: Publication) -> str:
    """Returns how the published dataset is loaded; the run's own words, with the repository in the folder's place."""
    asked = "once your request was granted and you ran `hf auth login`" if publication.gated else "from the hub"
    name = publication.repo_id
    return (
        f"{loading.replace(PLACE, name)}\n\n"
        f"`datasets` fetches it {asked}. What reads files needs a copy of them first: "
        f"`hf download {name} --repo-type dataset --revision {publication.tag} --local-dir {name}`."
    )


def _audit(verdict: Verdict | None) -> str:
    if verdict is None:
        return (
            "No audit was made of this dataset: nothing is known about likeness to real people, duplicates or poisoned "
            "samples."
        )
    rows = "\n".join(f"| {subject} | {status}: {STATUSES[status]} |" for subject, status in verdict.subjects.items())
    leakage = "\n".join(f"- {sentence}" for sentence in verdict.leakage)
    return (
        f"`synth audit` examined {verdict.examined:,} of these {verdict.samples:,} samples one by one.\n\n"
        f"| subject | verdict |\n|---|---|\n{rows}\n\n"
        f"Likeness to real people:\n\n{leakage}"
    )


def _link(facts: CardFacts, publication: Publication) -> dict[str, str]:
    """Returns the front-matter field that a licence unknown to the hub needs."""
    return {"license_link": f"{publication.url}#licences"} if facts.license == OTHER else {}


def _gate(publication: Publication) -> dict[str, Any]:
    """Returns the front-matter fields of what the hub asks of those who want the files."""
    if not publication.gated:
        return {}
    fields = {"Name": "text", "Affiliation": "text", "Intended use": "text", "I agree": "checkbox"}
    return {"extra_gated_prompt": _PROMPT, "extra_gated_fields": fields}


def _layout(assembled: Path) -> Mapping[str, Any]:
    """Returns the front-matter fields that the exporter wrote."""
    try:
        fields = yaml.safe_load(assembled.read_text(encoding="utf-8").split("---\n", 2)[1])
        return {name: fields[name] for name in _LAYOUT if name in fields}
    except (IndexError, TypeError, yaml.YAMLError) as error:
        raise ShardError(f"{assembled}: has no front matter; remove {assembled.parent} and run again") from error

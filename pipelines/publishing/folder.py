"""Makes the folder that is published, out of an assembled dataset."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from pipelines.card_facts import card_facts
from pipelines.dataset import assembled_files
from pipelines.publishing.card import published_card
from pipelines.publishing.croissant import croissant
from pipelines.publishing.files import CARD, CROISSANT, PREVIEW, PublishedFile, in_order
from pipelines.publishing.publication import Publication
from pipelines.publishing.verdict import Verdict
from pipelines.reporting.pictures import contact_sheet
from pipelines.reporting.run_tables import RunTables
from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from synth import components
from synth.dataset_folders.links import link_file
from synth.digests import sha256_of


def write_folder(
    run: RunDirectory,
    config: RunConfig,
    publication: Publication,
    verdict: Verdict | None,
    folder: Path,
    day: datetime.date,
) -> list[PublishedFile]:
    """Fills an empty folder with all that is published; returns its files in the order they are sent.

    The dataset's own files are hard links where the file system allows it, so that they take no room. They must have
    been verified: size and hash are those of when they were assembled.

    Args:
        run: with an assembled dataset.
        config: of the run.
        publication: where it goes.
        verdict: what the audit says; None where there is none.
        folder: empty.
        day: of the publication.

    Raises:
        ShardError: a file is missing.
    """
    files = [
        PublishedFile(
            name=name, path=link_file(run.dataset / name, folder / name), size=record.size, sha256=record.sha256
        )
        for name, record in assembled_files(run).items()
        if name != CARD
    ]
    facts = card_facts(config, run, components.build(config.exporter_spec))
    (folder / PREVIEW).write_bytes(contact_sheet(RunTables(run.root)))
    card = published_card(facts, publication, verdict, run.dataset / CARD)
    (folder / CARD).write_text(card, encoding="utf-8")
    description = croissant(facts, publication, config.export.type, files, day)
    (folder / CROISSANT).write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return in_order([*files, *(_described(folder / name) for name in (PREVIEW, CARD, CROISSANT))])


def _described(path: Path) -> PublishedFile:
    return PublishedFile(name=path.name, path=path, size=path.stat().st_size, sha256=sha256_of(path))

"""What a run must be like before its dataset may be published."""

from __future__ import annotations

import json
from typing import Final

import numpy as np

from pipelines.card_terms import OF_NOBODY
from pipelines.dataset import is_assembled
from pipelines.exporting import MARKER
from pipelines.inspection import damages
from pipelines.publishing.verdict import Verdict, read_verdict
from pipelines.reporting.run_tables import RunTables
from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from synth.errors import RunError, ShardError

# Exporters whose files the description knows. A file an image is not among them: the hub takes 10,000 files a folder.
_FORMATS: Final = ("webdataset", "parquet", "record_io")


def require_run(run: RunDirectory) -> None:
    """Checks that there is a run at all.

    Raises:
        RunError: there is none, or it is a folder that `synth export` made.
    """
    if (run.root / MARKER).is_file() and not (run.root / "run.json").exists():
        raise RunError(
            f"{run.root}: is an export, and nothing here tells whether it is intact; name the run it was made of. To "
            "publish another format, set export.type in the run's configuration and run it again: only export repeats"
        )
    run.read_run()


def require_publishable(
    run: RunDirectory, config: RunConfig, *, without_audit: bool = False, vectors_are_synthetic: bool = False
) -> Verdict | None:
    """Checks everything that speaks against publishing a run's dataset; what takes long comes last.

    Args:
        run: a run.
        config: of the run.
        without_audit: whether it may be published without an audit; a bad one is never passed over.
        vectors_are_synthetic: whether the user answers for identity vectors that may come from a file.

    Returns:
        What the audit says; None where there is none.

    Raises:
        RunError: the dataset is not finished, cannot be published in its format, was not audited, or its vectors may be
            those of real people.
        AuditFailedError: the audit found real people in it.
        ShardError: something is damaged, or images were freed that the dataset needs.
    """
    if not is_assembled(run):
        raise RunError(f"{run.root}: its dataset is not finished; run its configuration to the end first")
    if config.export.type not in _FORMATS:
        raise RunError(
            f"{run.root}: is exported as {config.export.type}; {', '.join(_FORMATS)} can be published. Set export.type "
            "to one of them and run again: only export repeats"
        )
    sampler = config.identities.sampler.type
    if sampler not in OF_NOBODY and not vectors_are_synthetic:
        raise RunError(
            f"{run.root}: nobody but you knows whose the identity vectors of the sampler {sampler} are. If they were "
            "computed from photographs, they are biometric data of real people, as is what was made of them; if not, "
            "say so with --vectors-are-synthetic"
        )
    verdict = read_verdict(run)
    if verdict is None and not without_audit:
        raise RunError(
            f"{run.root}: no audit was made; run `synth audit {run.root}` first, with a --gallery of real people where "
            "you have one, or add --without-audit: the card will say that nothing is known about leaks"
        )
    _require_right_cleaning(run)
    if found := damages(run):
        raise ShardError("\n".join([*found, f"{run.root}: damaged data are not published; `synth verify` says more"]))
    return verdict


def _require_right_cleaning(run: RunDirectory) -> None:
    """Checks that no image of the dataset is among those that were freed."""
    if not run.cleaned.exists():
        return
    try:
        freed_for = json.loads(run.cleaned.read_text())["select"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{run.cleaned}: cannot be read ({error!r}); restore it, or run `synth clean` again") from error
    if freed_for != run.stage_digest("select"):
        raise ShardError(
            f"{run.cleaned}: images were freed for another selection than the dataset's; make the run anew in a new "
            "folder"
        )
    tables = RunTables(run.root)
    kept = np.flatnonzero(tables.decisions.kept)
    if missing := int((~tables.have_pictures(kept)).sum()):
        raise ShardError(f"{run.root}: {missing} images of kept samples were freed; make the run anew in a new folder")

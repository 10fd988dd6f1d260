"""What `synth publish` does: a run's dataset, checked and described, on the hub or in a folder."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines.config import stored_config
from pipelines.publishing.checks import require_publishable, require_run
from pipelines.publishing.files import PublishedFile
from pipelines.publishing.folder import write_folder
from pipelines.publishing.hub import HubRepository
from pipelines.publishing.publication import Publication
from pipelines.publishing.upload import upload
from pipelines.publishing.verdict import Verdict
from pipelines.quantities import storage
from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from synth.errors import RunError
from synth.shards.commit import replace_directory


def publish(
    run: RunDirectory,
    publication: Publication,
    connect: Callable[[Publication], HubRepository] = HubRepository,
    say: Callable[[str], None] = lambda line: None,
    *,
    to: Path | None = None,
    dry_run: bool = False,
    without_audit: bool = False,
    vectors_are_synthetic: bool = False,
) -> None:
    """Publishes the dataset of a finished run; nothing is sent before the whole run was verified.

    The run stays as it is. Nobody else can work on it meanwhile.

    Args:
        run: finished.
        publication: where it goes.
        connect: opens the repository.
        say: told in a line what is done.
        to: new or empty folder that gets all that would be sent; the hub is left alone.
        dry_run: whether to say what would be sent, and stop.
        without_audit: whether a run may be published that was not audited.
        vectors_are_synthetic: whether the user answers for identity vectors that may come from a file.

    Raises:
        ComponentError: huggingface_hub is not installed.
        RunError: it is no run, or not fit to be published.
        AuditFailedError: the audit found real people in it.
        ShardError: something in the run is damaged.
        HubError: the hub refused something or cannot be reached.
        ConfigError: the tag is published already, with other files.
    """
    require_run(run)
    repository = None if dry_run or to is not None else connect(publication)
    if to is not None:
        _require_empty(to, run)
    with run.lock():
        config = stored_config(run)
        say(f"{run.root}: verifying all of it")
        verdict = require_publishable(
            run, config, without_audit=without_audit, vectors_are_synthetic=vectors_are_synthetic
        )
        if to is not None and not dry_run:
            with replace_directory(to.resolve()) as folder:
                files = _write(run, config, publication, verdict, folder)
            say(f"{to}: {_total(files)}; nothing was sent")
            return
        folder = run.scratch / "publish"
        folder.mkdir(parents=True)
        try:
            files = _write(run, config, publication, verdict, folder)
            if repository is None:
                _list(files, publication, say)
            else:
                upload(repository, publication, files, say)
        finally:
            shutil.rmtree(folder)


def _write(
    run: RunDirectory, config: RunConfig, publication: Publication, verdict: Verdict | None, folder: Path
) -> list[PublishedFile]:
    today = datetime.datetime.now(datetime.UTC).date()
    return write_folder(run, config, publication, verdict, folder, today)


def _list(files: Sequence[PublishedFile], publication: Publication, say: Callable[[str], None]) -> None:
    for file in files:
        say(f"{storage(file.size):>10}  {file.name}")
    place = f"{publication.url}, {publication.visibility}, tagged {publication.tag}"
    say(f"{_total(files)} would go to {place}; nothing was sent")


def _total(files: Sequence[PublishedFile]) -> str:
    return f"{len(files)} files, {storage(sum(file.size for file in files))}"


def _require_empty(to: Path, run: RunDirectory) -> None:
    """Raises RunError where writing to a folder could cost somebody something."""
    if to.resolve().is_relative_to(run.root.resolve()):
        raise RunError(f"{to}: lies in the run itself, which must stay as it is; name a folder outside {run.root}")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise RunError(f"{to}: is not empty; name a new or an empty folder")

"""What `synth export` does: the selection of a finished run once more, in another format."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.card import dataset_card
from pipelines.card_facts import card_facts
from pipelines.config import stored_config
from pipelines.fingerprint import STAGES
from pipelines.run_directory import RunDirectory, disk_errors, write_json
from pipelines.runner import Observer
from pipelines.schema import ExportSection, RunConfig
from pipelines.source_map import SourceMap, apply_overrides
from pipelines.stages.export import Export
from synth import components
from synth.errors import ConfigError, RunError
from synth.plain_json import read_plain_json
from synth.shards.commit import replace_directory
from synth.shards.manifest import ShardRecord

MARKER = "export.json"  # in each folder made here: what it was made from

_WAYS_OUT = {"type": "use --type", "crop": "use --crop"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to.

    Attributes:
        place: of the dataset, an absolute path or a URL.
        samples: in it.
        identities: with at least one sample.
    """

    place: Path | str
    samples: int
    identities: int


def export_run(
    run: RunDirectory,
    out: Path,
    kind: str,
    observer: Observer,
    *,
    crop: Literal["aligned", "generated"] | None = None,
    options: Sequence[str] = (),
    replace: bool = False,
) -> Exported:
    """Writes the selected samples of a run into a folder of another format; encoded images are passed through.

    The run stays as it is, and `out` appears as a whole or not at all. Shards are those of the run's selection: one is
    held in memory at a time, and all of them lie beside `out` until it is done. A run with the same export section
    makes the same dataset.

    Args:
        run: its stages up to `select` are done.
        out: a new or empty folder; or one that was made here before, with `replace`.
        kind: type of the exporter.
        observer: who is told of each shard.
        crop: which images; None: those of the run's own export.
        options: `name=value` pairs, arguments of the exporter; values are YAML.
        replace: whether an earlier export may be replaced.

    Raises:
        ConfigError: exporter or option do not exist, or the option's value does not fit.
        RunError: it is no run, its selection is not made, it is worked on, or `out` must not be written.
        ShardError: the run lacks a shard, or one is damaged.
    """
    out = out.resolve()
    _refuse_folder(out, run, replace=replace)
    with disk_errors(out), run.shared_lock():
        stored = stored_config(run)
        config = stored.model_copy(update={"export": _section(stored.export, kind, crop, options)})
        counts = _selection_counts(run)
        exporter = components.build(config.exporter_spec)
        with _folder_beside(out) as scratch, replace_directory(out) as folder:
            shards = _write_shards(Export(config, run), scratch, observer)
            exporter.assemble(shards, folder, dataset_card(card_facts(config, run, exporter, STAGES[:-1])))
            _mark(folder, run, config)
    return Exported(out, counts["kept"], counts["identities"])


def _section(
    stored: ExportSection, kind: str, crop: Literal["aligned", "generated"] | None, options: Sequence[str]
) -> ExportSection:
    """Returns the export section that makes the dataset, checked."""
    read: dict[Any, Any] = {}
    apply_overrides(read, options, SourceMap("the options of the exporter"))
    given = {str(name): value for name, value in read.items()}  # numbers in a path are positions in lists
    for name in given:
        if name in ExportSection.model_fields:
            way_out = _WAYS_OUT.get(name, "shards are those of the run's selection")
            raise ConfigError(f"--set: {name}: not an option of an exporter; {way_out}")
    components.check(components.ComponentSpec("exporter", kind, given))
    section = {name: getattr(stored, name) for name in ("shard_size", "crop") if name in stored.model_fields_set}
    if crop is not None:
        section["crop"] = crop
    return ExportSection.model_validate(section | {"type": kind} | given)


def _selection_counts(run: RunDirectory) -> dict[str, int]:
    records = run.committed("select")
    if not records:
        raise RunError(f"{run.root}: its selection is not made yet; run its configuration to the end first")
    return dict(records[0].counts)


def _write_shards(stage: Export, scratch: Path, observer: Observer) -> list[Path]:
    """Runs the export stage into folders of no run; returns them."""
    tasks = stage.tasks()
    stage.open("cpu")
    shards = []
    observer.stage_started(stage, tasks, [])
    try:
        for task in tasks:
            shard = scratch / f"{task.shard:06d}"
            shard.mkdir()
            counts = stage.process(task, shard)
            shards.append(shard)
            observer.shard_committed(stage.name, ShardRecord(task=task, fingerprint="", counts=counts, files={}))
    finally:
        observer.stage_ended(stage.name)
    return shards


def _mark(folder: Path, run: RunDirectory, config: RunConfig) -> None:
    """Says in a finished folder what it was made from, and what belongs to it."""
    content = {
        "run": run.root.resolve().name,
        "fingerprint": run.stage_digest("select"),
        "export": config.export.model_dump(mode="json"),
        "entries": sorted([MARKER, *(path.name for path in folder.iterdir())]),
    }
    write_json(folder / MARKER, content)


def _refuse_folder(out: Path, run: RunDirectory, *, replace: bool) -> None:
    """Raises RunError where writing to `out` could cost somebody something."""
    root = run.root.resolve()
    if out.is_relative_to(root):
        raise RunError(f"{out}: lies in the run itself, which must stay as it is; name a folder outside {root}")
    if not out.exists():
        return
    if not out.is_dir():
        raise RunError(f"{out}: is a file; name a new or an empty folder")
    found = {path.name for path in out.iterdir()}
    if not found:
        return
    if strangers := sorted(found - _entries(out)):
        raise RunError(f"{out}: holds '{strangers[0]}', which no earlier export made; name a new or an empty folder")
    if not replace:
        raise RunError(f"{out}: holds an earlier export; add --replace to replace it, or name another folder")


def _entries(out: Path) -> set[str]:
    """Returns the names in a folder that an earlier export made; none if there was none."""
    try:
        return set(read_plain_json((out / MARKER).read_text())["entries"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()


@contextmanager
def _folder_beside(out: Path) -> Iterator[Path]:
    """Yields an empty folder on the file system of `out` for what is removed in the end; a crash's is removed first."""
    folder = out.with_name(f".{out.name}.shards")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

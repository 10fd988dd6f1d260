"""What `synth export` does where OUT is a URL: the dataset is made here and sent to an object store."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace as replaced
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from pipelines.exporting import MARKER, Exported, export_run
from pipelines.run_directory import RunDirectory
from pipelines.runner import Observer
from synth.errors import RunError
from synth.shards.object_store import ObjectFolder

_LAST: Final = ("README.md", "index.json", MARKER)  # a reader that finds card and index finds all they speak of


def export_to_store(
    run: RunDirectory,
    url: str,
    kind: str,
    observer: Observer,
    *,
    crop: Literal["aligned", "generated"] | None = None,
    options: Sequence[str] = (),
    replace: bool = False,
) -> Exported:
    """Writes the selected samples of a run into a folder of an object store.

    The dataset is made beside the run first, where its files take no room if they can be links, and sent, card and
    index last. Stopped in between, the same command with `replace` sends it again: a note of what is made here, or was
    before, comes first.

    Args:
        run: its stages up to `select` are done.
        url: of a new or empty folder; or of one that was made here before, with `replace`.
        kind: type of the exporter.
        observer: who is told of each shard.
        crop: which images; None: those of the run's own export.
        options: `name=value` pairs, arguments of the exporter.
        replace: whether an earlier export may be replaced.

    Raises:
        SynthError: as `export_run`; or the store cannot be used, or holds something else.
    """
    store = ObjectFolder(url)
    before = store.sizes()
    _refuse(store, before, replace=replace)
    with TemporaryDirectory(prefix=".", dir=run.root.resolve().parent) as beside:
        folder = Path(beside) / "dataset"
        made = export_run(run, folder, kind, observer, crop=crop, options=options)
        note = json.loads((folder / MARKER).read_text())
        made_here = {*note["entries"], *(name.partition("/")[0] for name in before)}
        store.put_json(MARKER, note | {"entries": sorted(made_here)})
        store.remove([name for name in before if name in _LAST and name != MARKER])
        store.send(folder, last=_LAST)
        store.remove(sorted(set(before) - {str(path.relative_to(folder)) for path in folder.rglob("*")}))
    return replaced(made, place=store.url)


def _refuse(store: ObjectFolder, names: Collection[str], *, replace: bool) -> None:
    """Raises RunError where writing could cost somebody something."""
    if not names:
        return
    marker = store.json(MARKER)
    entries = marker.get("entries") if isinstance(marker, dict) else None
    strangers = sorted(name for name in names if name.partition("/")[0] not in (entries or []))
    if strangers:
        raise RunError(f"{store.url}: holds '{strangers[0]}', which no earlier export made; name a new or empty folder")
    if not replace:
        raise RunError(f"{store.url}: holds an earlier export; add --replace to replace it, or name another folder")

"""The encoded images of a dataset, byte for byte as they are exported, and their faces."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.auditing.material import Kept
from pipelines.reporting.pictures import Picture, as_source
from pipelines.run_directory import RunDirectory, require_shard
from synth.images import decode_image
from synth.shards.tar import TarReader

MOST_OPEN: Final = 8  # tar files; a class lies in one shard, unless somebody changed its labels

_TARS: Final = {"generated": ("generate", "images.tar", "tar"), "aligned": ("measure", "aligned.tar", "aligned")}


class ExportedImages:
    """Reads images of kept samples from the shards that the export copies them from.

    Args:
        run: the run.
        kept: its kept samples.
        crop: 'aligned' for the aligned faces, 'generated' for the images as they were generated.
        extension: 'jpg' or 'png', what the images are encoded as.
    """

    def __init__(self, run: RunDirectory, kept: Kept, crop: str, extension: str) -> None:
        self.extension = extension
        self._run = run
        self._kept = kept
        self._stage, self._file, self._prefix = _TARS[crop]
        self._open: OrderedDict[int, TarReader] = OrderedDict()

    def __enter__(self) -> ExportedImages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._open:
            self._open.popitem()[1].__exit__(kind, error, trace)

    def read(self, rows: npt.NDArray[np.int64]) -> list[bytes]:
        """Returns the encoded images of kept samples, rows (B,) of `Kept`.

        Raises:
            ShardError: a tar file is missing or damaged.
        """
        offsets, sizes = (self._kept.places[f"{self._prefix}_{what}"][rows].tolist() for what in ("offset", "size"))
        shards = self._kept.shards[rows].tolist()
        return [self._tar(shard).read(offset, size) for shard, offset, size in zip(shards, offsets, sizes, strict=True)]

    def pictures(self, rows: Sequence[int], notes: Sequence[str] = ()) -> list[Picture]:
        """Returns images of kept samples for the page; what does not decode is left out.

        Args:
            rows: of `Kept`.
            notes: written below each; none if empty.
        """
        found = []
        for at, (row, data) in enumerate(zip(rows, self.read(np.array(rows, dtype=np.int64)), strict=True)):
            try:
                source = as_source(decode_image(data))
            except ValueError:
                continue
            kept = self._kept
            text = f"Sample {kept.indices[row]} of identity {kept.identities[row]}, label {kept.labels[row]}"
            found.append(Picture(source=source, text=text, note=notes[at] if notes else ""))
        return found

    def _tar(self, shard: int) -> TarReader:
        if shard not in self._open:
            self._open[shard] = TarReader(require_shard(self._run, self._stage, shard) / self._file)
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)[1].__exit__(None, None, None)
        self._open.move_to_end(shard)
        return self._open[shard]


def decoded(data: bytes, shape: tuple[int, ...] | None) -> npt.NDArray[Any] | None:
    """Returns an image, uint8 (H, W, 3) RGB; None where it does not decode or has another shape."""
    try:
        image = decode_image(data)
    except ValueError:
        return None
    return image if shape is None or image.shape == shape else None

"""One pass over the images of a dataset: the bytes of all of them, the pixels of the drawn ones."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from pipelines.auditing.exported_images import ExportedImages, decoded
from pipelines.auditing.material import Drawn, Kept
from pipelines.reporting.similarities import spread
from synth.audits.classes import classes
from synth.audits.diversity import luminance
from synth.audits.duplicates import difference_hash
from synth.audits.poison.file_bytes import findings
from synth.audits.poison.frequencies import high_frequency_share
from synth.audits.poison.patches import (
    LEAST_IMAGES,
    DetailStatistics,
    Window,
    fine_detail,
    patch_bound,
    strongest_window,
)
from synth.types import Images

Shape: TypeAlias = tuple[int, ...]

UNREADABLE: Final = "does not decode, or not to the size of the others"
_REFERENCE_IMAGES: Final = 2000  # that the mean of all is estimated from before classes are compared with it
_CHUNK: Final = 64  # images decoded at once


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPatch:
    """The strongest window of a class.

    Attributes:
        label: of the class.
        window: where its mean image stands out from that of all.
        num_images: of the class that were decoded, LEAST_IMAGES or more.
    """

    label: int
    window: Window
    num_images: int

    @property
    def bound(self) -> float:
        """The ratio above which the window is no chance."""
        return patch_bound(self.num_images)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageScan:
    """What the images of a dataset are like.

    Attributes:
        digests: uint64 (N,), of the bytes of each kept sample.
        unusual: rows of kept samples by what is unusual about their bytes, increasing.
        seen: int64 (S,), positions in the drawn samples of those that were decoded, increasing.
        luminance: float64 (S,), 0..255.
        hashes: bool (S, 64), difference hash.
        high_frequencies: float64 (S,), as `high_frequency_share` returns it.
        patches: of the drawn classes with enough images, in order of their labels.
        common: mean and variance of the fine detail of all seen images.
        reference: float64 (H, W), mean detail that classes were compared with.
    """

    digests: npt.NDArray[np.uint64]
    unusual: dict[str, list[int]]
    seen: npt.NDArray[np.int64]
    luminance: npt.NDArray[np.float64]
    hashes: npt.NDArray[np.bool_]
    high_frequencies: npt.NDArray[np.float64]
    patches: Sequence[ClassPatch]
    common: DetailStatistics
    reference: npt.NDArray[np.float64]


@dataclass(slots=True)
class _Pixels:
    """What is gathered from decoded images, chunk by chunk."""

    seen: list[int] = field(default_factory=list)
    luminance: list[npt.NDArray[np.float64]] = field(default_factory=list)
    hashes: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    high_frequencies: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add(self, images: Images) -> None:
        self.luminance.append(luminance(images))
        self.hashes.append(difference_hash(images))
        self.high_frequencies.append(high_frequency_share(images))


def scan_images(images: ExportedImages, kept: Kept, drawn: Drawn) -> ImageScan:
    """Reads every image once, and the drawn ones a second time.

    Args:
        images: as they are exported.
        kept: all samples.
        drawn: those whose pixels are looked at.

    Raises:
        ShardError: a tar file is missing or damaged.
    """
    digests, unusual = _scan_bytes(images, kept)
    shape = _usual_shape(images, drawn)
    reference = detail_statistics(images, drawn.rows[spread(len(drawn.rows), _REFERENCE_IMAGES)], shape)
    pixels, common, patches = _Pixels(), DetailStatistics(), []
    for members in classes(drawn.labels):
        of_class = DetailStatistics()
        for part in _chunks(members):
            good, found = _decode(images, drawn.rows[part], shape)
            unreadable = drawn.rows[part[~good]].tolist()
            if unreadable:
                unusual.setdefault(UNREADABLE, []).extend(unreadable)
            if len(found) == 0:
                continue
            pixels.seen.extend(part[good].tolist())
            pixels.add(found)
            details = fine_detail(found)
            of_class.add(details)
            common.add(details)
        if of_class.count >= LEAST_IMAGES:
            window = strongest_window(of_class.mean - reference.mean, of_class.variance)
            label = int(drawn.labels[members[0]])
            patches.append(ClassPatch(label=label, window=window, num_images=of_class.count))
    return ImageScan(
        digests=digests,
        unusual=unusual,
        seen=np.array(pixels.seen, dtype=np.int64),
        luminance=np.concatenate([np.empty(0), *pixels.luminance]),
        hashes=np.concatenate([np.empty((0, 64), dtype=np.bool_), *pixels.hashes]),
        high_frequencies=np.concatenate([np.empty(0), *pixels.high_frequencies]),
        patches=patches,
        common=common,
        reference=reference.mean,
    )


def detail_statistics(images: ExportedImages, rows: npt.NDArray[np.int64], shape: Shape) -> DetailStatistics:
    """Returns mean and variance of the fine detail of some kept samples' images of a shape (H, W, 3)."""
    statistics = DetailStatistics()
    for part in _chunks(rows):
        found = _decode(images, part, shape)[1]
        if len(found):
            statistics.add(fine_detail(found))
    return statistics


def _scan_bytes(images: ExportedImages, kept: Kept) -> tuple[npt.NDArray[np.uint64], dict[str, list[int]]]:
    """Hashes the bytes of all images and looks at what they carry besides pictures."""
    digests = np.empty(len(kept.labels), dtype=np.uint64)
    unusual: dict[str, list[int]] = defaultdict(list)
    for part in _chunks(np.arange(len(kept.labels), dtype=np.int64)):
        for row, data in zip(part.tolist(), images.read(part), strict=True):
            digests[row] = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
            for name in findings(data, images.extension):
                unusual[name].append(row)
    return digests, dict(unusual)


def _usual_shape(images: ExportedImages, drawn: Drawn) -> Shape:
    """Returns the shape most of some images have; one that no image has where none of them decodes."""
    some = drawn.rows[spread(len(drawn.rows), _CHUNK)]
    shapes = [image.shape for image in (decoded(data, None) for data in images.read(some)) if image is not None]
    return max(sorted(set(shapes)), key=shapes.count) if shapes else (0, 0, 3)


def _decode(images: ExportedImages, rows: npt.NDArray[np.int64], shape: Shape) -> tuple[npt.NDArray[np.bool_], Images]:
    """Returns which images decode to a shape, bool (B,), and those, uint8 RGB (G, H, W, 3)."""
    found = [decoded(data, shape) for data in images.read(rows)]
    good = np.array([image is not None for image in found], dtype=np.bool_)
    whole = [image for image in found if image is not None]
    return good, np.stack(whole) if whole else np.empty((0, 0, 0, 3), dtype=np.uint8)


def _chunks(rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]

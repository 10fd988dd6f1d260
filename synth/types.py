"""The arrays that travel between components, and the only place that checks their shapes.

Legend: B samples of a batch, D identity-vector size, E embedding size, H W image height and width in px.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Images: TypeAlias = npt.NDArray[np.uint8]  # (B, H, W, 3), RGB, 0..255
Vectors: TypeAlias = npt.NDArray[np.float32]  # (B, D), norm as the vector store says
Embeddings: TypeAlias = npt.NDArray[np.float32]  # (B, E), unit L2 norm
Landmarks: TypeAlias = npt.NDArray[np.float32]  # (B, 5, 2), x y in px: eyes, nose, mouth corners

ALIGNED_SIZE = 112  # px, side of the ArcFace template


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """What a recogniser sees in a batch of images.

    Attributes:
        found: bool (B,); where False the other fields of the row are zero.
        scores: float32 (B,), detector confidence, 0..1.
        counts: int32 (B,), number of faces found; the largest one is described.
        boxes: float32 (B, 4), x0 y0 x1 y1 in px of the image.
        landmarks: float32 (B, 5, 2), x y in px: eyes, nose, mouth corners; the viewer's left one first.
        aligned: uint8 (B, 112, 112, 3), RGB, on the ArcFace template.
        embeddings: float32 (B, E), unit L2 norm.

    Raises:
        TypeError: a field has another dtype.
        ValueError: a field has another rank or batch size.
    """

    found: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.float32]
    landmarks: Landmarks
    aligned: Images
    embeddings: Embeddings

    def __post_init__(self) -> None:
        size = ALIGNED_SIZE
        shapes: dict[str, tuple[type, tuple[int | None, ...]]] = {
            "found": (np.bool_, ()),
            "scores": (np.float32, ()),
            "counts": (np.int32, ()),
            "boxes": (np.float32, (4,)),
            "landmarks": (np.float32, (5, 2)),
            "aligned": (np.uint8, (size, size, 3)),
            "embeddings": (np.float32, (None,)),
        }
        _check_rows(self, shapes)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceBatch:
    """Whole identities, identity-major: what a filter measures.

    Attributes:
        identities: int64 (B,).
        indices: int32 (B,), 0.. within the identity.
        vectors: float32 (B, D), what the generator was given.
        images: uint8 (B, H, W, 3), RGB, decoded from the encoded image a trainer will see.
        faces: what the recogniser found in `images`.
    """

    identities: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    vectors: Vectors
    images: Images
    faces: Faces

    def __post_init__(self) -> None:
        _check_rows(
            self,
            {
                "identities": (np.int64, ()),
                "indices": (np.int32, ()),
                "vectors": (np.float32, (None,)),
                "images": (np.uint8, (None, None, 3)),
            },
        )
        if len(self.faces.found) != len(self.identities):
            raise ValueError(f"FaceBatch.faces: {len(self.faces.found)} rows, identities has {len(self.identities)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What a generator returns.

    Attributes:
        images: uint8 (B, H, W, 3), RGB.
        truth: what the generator knows for sure, a column per name: (B,) or (B, K) arrays; names, dtypes and
            widths are the ones the generator's class declares in `truth`.
    """

    images: Images
    truth: Mapping[str, npt.NDArray[Any]]

    def __post_init__(self) -> None:
        _check_rows(self, {"images": (np.uint8, (None, None, 3))})
        for name, column in self.truth.items():
            if len(column) != len(self.images):
                raise ValueError(f"Generated.truth[{name!r}]: {len(column)} rows for {len(self.images)} images")


def _check_rows(batch: Any, shapes: Mapping[str, tuple[type, tuple[int | None, ...]]]) -> None:  # noqa: ANN401
    """Checks dtype, shape behind the batch axis (None: any length) and equal batch size of named fields."""
    kind = type(batch).__name__
    names = [field.name for field in fields(batch) if field.name in shapes]
    rows = len(getattr(batch, names[0]))
    for name in names:
        dtype, tail = shapes[name]
        array = getattr(batch, name)
        if array.dtype != dtype:
            raise TypeError(f"{kind}.{name}: expected {np.dtype(dtype).name}, got {array.dtype}")
        fits = array.ndim == 1 + len(tail) and all(
            want is None or want == got for want, got in zip(tail, array.shape[1:], strict=True)
        )
        if not fits or len(array) != rows:
            want_shape = ", ".join(["B", *("any" if n is None else str(n) for n in tail)])
            raise ValueError(f"{kind}.{name}: expected shape ({want_shape}) with B = {rows}, got {array.shape}")

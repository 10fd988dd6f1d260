"""Turns the outputs of the YuNet face detector into boxes, landmarks and scores.

YuNet: Wu, Peng and Yu (2023), "YuNet: A Tiny Millisecond-level Face Detector". It has no anchor boxes: each cell of
three grids (strides 8, 16 and 32 px) says whether a face is centred there, and where its box and landmarks lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

STRIDES: Final = (8, 16, 32)  # px; sides of the input are multiples of the largest
OUTPUTS: Final = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES)

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """The faces of one image, best score first.

    Attributes:
        scores: float32 (F,), 0..1.
        boxes: float32 (F, 4), x0 y0 x1 y1, px of the detector's input.
        landmarks: float32 (F, 5, 2), x y, px: eyes, nose, mouth corners; the viewer's left one first.
    """

    scores: Float32
    boxes: Float32
    landmarks: Float32

    def largest(self) -> int:
        """Returns the row of the face with the largest box."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        return int(np.argmax(sides[:, 0] * sides[:, 1]))


def decode(
    outputs: Mapping[str, Float32], image: int, columns: int, min_score: float, max_overlap: float = 0.3
) -> Detections:
    """Reads the faces of one image of a batch out of YuNet's outputs.

    Args:
        outputs: the arrays named in `OUTPUTS`, (B, cells, K) each.
        image: row of the batch.
        columns: width of the detector's input, px.
        min_score: the geometric mean of class and objectness must reach it.
        max_overlap: intersection over union above which the weaker of two boxes goes (0.3 as in OpenCV).
    """
    found = [_decode_grid(outputs, image, stride, columns // stride, min_score) for stride in STRIDES]
    scores, boxes, landmarks = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(-scores, kind="stable")
    kept = order[_suppress(boxes[order], max_overlap)]
    return Detections(scores=scores[kept], boxes=boxes[kept], landmarks=landmarks[kept])


def _decode_grid(
    outputs: Mapping[str, Float32], image: int, stride: int, columns: int, min_score: float
) -> tuple[Float32, Float32, Float32]:
    """Returns scores (F,), boxes (F, 4) and landmarks (F, 5, 2) of one grid."""
    face = np.clip(outputs[f"cls_{stride}"][image, :, 0], 0, 1)
    centred = np.clip(outputs[f"obj_{stride}"][image, :, 0], 0, 1)
    scores = np.sqrt(face * centred)
    cells = np.flatnonzero(scores >= min_score)
    corner = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32)
    box = outputs[f"bbox_{stride}"][image, cells]
    centre = (corner + box[:, :2]) * stride
    half = np.exp(box[:, 2:]) * (stride / 2)
    points = outputs[f"kps_{stride}"][image, cells].reshape(-1, 5, 2)
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    return scores[cells], boxes.astype(np.float32), ((points + corner[:, None]) * stride).astype(np.float32)


def _suppress(boxes: Float32, max_overlap: float) -> list[int]:
    """Returns the rows that stay when each box removes the later ones that overlap it (boxes sorted by score)."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    kept: list[int] = []
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        left = rest[shared <= max_overlap * (areas[best] + areas[rest] - shared)]
    return kept

"""The YuNet face detector: boxes, landmarks and scores.

YuNet: Wu, Peng and Yu (2023), "YuNet: A Tiny Millisecond-level Face Detector". It has no anchor boxes: each cell of
three grids (strides 8, 16 and 32 px) says whether a face is centred there, and where its box and landmarks lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from synth.faces.detection import Detections, Float32, check_min_score, framed, unframed
from synth.onnx_runtime import open_session
from synth.types import Images

WEIGHTS: Final = Path(__file__).parents[1] / "recognisers" / "weights" / "yunet.onnx"
SHA256: Final = "20e62bdb3b723e063583237fbbbee0b28e644d02ddd8b6945ee52140e992f027"

STRIDES: Final = (8, 16, 32)  # px; sides of the input are multiples of the largest
OUTPUTS: Final = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES)

_BORDER = 32  # px of black around what the detector sees, so that a face may fill its image
_BATCH = 16  # images a session computes at once; more gains nothing on one core


class Yunet:
    """The detector that comes with synth.

    As published in OpenCV Zoo, int8 block-quantised; `recognisers/weights/README.md` says what was repaired. Each
    image is scaled to `detection_size` and framed with 32 px of black before detection: faces of 10 to 300 px are
    what YuNet was trained on, and aligned crops, where the face fills the frame, are found too.

    Args:
        min_score: detector confidence from which a face counts, 0..1.
        detection_size: longer side of what the detector sees, px.
        device: 'cpu', 'cuda' or 'cuda:N'; CUDA takes an onnxruntime that was built with it.

    Raises:
        ValueError: an argument is out of range.
        WeightsError: the weights file is missing or altered, or the device cannot be used.
    """

    def __init__(self, *, min_score: float = 0.5, detection_size: int = 160, device: str = "cpu") -> None:
        check_min_score(min_score)
        if detection_size < STRIDES[-1]:
            raise ValueError(f"detection_size {detection_size}: expected at least {STRIDES[-1]} px")
        self._min_score = min_score
        self._detection_size = detection_size
        self._session = open_session(WEIGHTS, device, SHA256)

    def detect(self, images: Images) -> list[Detections]:
        """Returns the faces of each uint8 RGB image (B, H, W, 3), in px of the image."""
        detections: list[Detections] = []
        for start in range(0, len(images), _BATCH):
            frames, scale = framed(images[start : start + _BATCH], self._detection_size, _BORDER, STRIDES[-1])
            pixels = frames[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)  # YuNet takes BGR
            outputs = dict(zip(OUTPUTS, self._session.run(list(OUTPUTS), {"input": pixels}), strict=True))
            for row in range(len(frames)):
                faces = decode(outputs, row, frames.shape[2], self._min_score)
                detections.append(unframed(faces, scale, _BORDER))
        return detections


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

"""The five landmarks of a turned head, as aligned crops show them, and the picture of them that Vec2Face+ is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from synth.alignment import ARCFACE_TEMPLATE, similarity_transform
from synth.types import ALIGNED_SIZE, Landmarks

if TYPE_CHECKING:
    from torch import Tensor

_DEPTHS: Final = np.array([0.0, 0.0, 16.0, 4.0, 4.0])
"""px towards the viewer, of eyes, nose and mouth corners: the mean of heads of our renderer, scaled to the template."""


def turned_landmarks(yaw_degrees: npt.NDArray[np.floating], pitch_degrees: npt.NDArray[np.floating]) -> Landmarks:
    """Returns where an aligned crop of a turned head shows its landmarks.

    The ArcFace template, given depth, is turned (pitch about the horizontal axis after yaw about the vertical one),
    seen from afar, and aligned to the flat template again, as the crops of the training set are.

    Args:
        yaw_degrees: (B,), positive to the person's left, which is the picture's right.
        pitch_degrees: (B,), positive up.

    Returns:
        float32 (B, 5, 2), x y in px of the 112 px crop.
    """
    yaw, pitch = np.radians(yaw_degrees)[:, None], np.radians(pitch_degrees)[:, None]
    centre = ARCFACE_TEMPLATE.mean(axis=0)
    x, down = (ARCFACE_TEMPLATE - centre).T
    depths = _DEPTHS - _DEPTHS.mean()
    across = np.cos(yaw) * x + np.sin(yaw) * depths
    ahead = np.cos(yaw) * depths - np.sin(yaw) * x
    seen = np.stack([across, np.cos(pitch) * down - np.sin(pitch) * ahead], axis=-1)
    aligning = similarity_transform(seen.astype(np.float32))
    aligned = np.einsum("bij,bkj->bki", aligning[:, :, :2], seen) + aligning[:, None, :, 2]
    landmarks: Landmarks = aligned.astype(np.float32)
    return landmarks


def dots(landmarks: Tensor, radius_px: float, colours: Sequence[tuple[int, int, int]]) -> Tensor:
    """Draws landmarks as coloured dots on black, with edges one px soft.

    Args:
        landmarks: float32 (B, 5, 2), x y in px.
        radius_px: of a dot.
        colours: RGB of each landmark, 0..255.

    Returns:
        float32 (B, 3, 112, 112), RGB, -1..1, on the landmarks' device.
    """
    import torch  # here, since landmarks are computed without it

    side = torch.arange(ALIGNED_SIZE, device=landmarks.device)
    across = side - landmarks[:, :, 0, None]
    down = side - landmarks[:, :, 1, None]
    distance = (down.square()[..., :, None] + across.square()[..., None, :]).sqrt()
    cover = (radius_px + 0.5 - distance).clamp(0, 1)
    tints = landmarks.new_tensor(colours) / 127.5
    return (cover.unsqueeze(2) * tints[:, :, None, None]).amax(dim=1) - 1

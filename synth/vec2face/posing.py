"""The poses that Vec2Face+ is asked for: drawn for each sample, drawn as dots, turned into tokens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from synth.errors import WeightsError
from synth.networks.vec2face_pose import PoseCondition
from synth.noise import seeds_to, uniform
from synth.types import ALIGNED_SIZE, Images
from synth.vec2face.landmarks import dots, turned_landmarks
from synth.vec2face.options import Poses
from synth.vec2face.weight_files import picture_paths

Float32 = npt.NDArray[np.float32]

_PICTURES_AT_ONCE: Final = 8  # always, so that no token depends on its batch: kernels round differently for others


@dataclass(frozen=True, slots=True)
class AskedPoses:
    """What a batch is asked for.

    Attributes:
        tokens: float32 (B, 1, C).
        yaw: float32 (B,), degrees; 0 where published pictures ask.
        pitch: float32 (B,), degrees; 0 where published pictures ask.
    """

    tokens: Tensor
    yaw: Float32
    pitch: Float32


class PoseAsker:
    """Draws a pose for each sample and tells it to the network.

    Args:
        poses: what may be asked.
        network: that reads pictures of landmarks; stays in float32.
        device: to compute on.

    Raises:
        WeightsError: a picture cannot be read or has another size.
    """

    def __init__(self, poses: Poses, network: PoseCondition, device: torch.device) -> None:
        self._poses = poses
        self._network = network.to(device).eval().requires_grad_(False)
        self._device = device
        self._pictures: Tensor | None = None
        if poses.pictures is not None:
            pictures = torch.from_numpy(read_pictures(Path(poses.pictures))).permute(0, 3, 1, 2)
            self._pictures = (pictures / 127.5 - 1).to(device)

    def ask(self, seeds: npt.NDArray[np.uint64], stream: int) -> AskedPoses:
        """Draws poses from seeds, uint64 (B,), on the named stream of each."""
        # Two numbers a sample, drawn where the landmarks are computed: the device has nothing to wait for.
        drawn = uniform(seeds_to(seeds, torch.device("cpu")), stream, (2,))
        if self._pictures is not None:
            chosen = (drawn[:, 0].to(torch.float64) * len(self._pictures)).to(torch.int64)
            none = np.zeros(len(seeds), dtype=np.float32)
            return AskedPoses(self._tokens(self._pictures[chosen.to(self._device)]), none, none)
        yaw = _between(self._poses.yaw_degrees, drawn[:, 0])
        pitch = _between(self._poses.pitch_degrees, drawn[:, 1])
        landmarks = torch.from_numpy(turned_landmarks(yaw, pitch)).to(self._device)
        pictures = dots(landmarks, self._poses.dot_radius_px, self._poses.dot_colours)
        return AskedPoses(self._tokens(pictures), yaw, pitch)

    def _tokens(self, pictures: Tensor) -> Tensor:
        """Returns the tokens (B, 1, C) of pictures (B, 3, 112, 112)."""
        places = torch.arange(-(-len(pictures) // _PICTURES_AT_ONCE) * _PICTURES_AT_ONCE, device=pictures.device)
        filled = pictures[places % len(pictures)]
        return torch.cat([self._network(part) for part in torch.split(filled, _PICTURES_AT_ONCE)])[: len(pictures)]


def read_pictures(folder: Path) -> Images:
    """Reads the pictures of landmarks in a folder, sorted by name, uint8 RGB (P, 112, 112, 3).

    Raises:
        WeightsError: there are none, or one cannot be read or has another size.
    """
    pictures = []
    for path in picture_paths(folder):
        try:
            with Image.open(path) as image:
                picture = np.asarray(image.convert("RGB"))
        except OSError as error:
            raise WeightsError(f"{path}: no picture can be read from it ({error}); expected .png or .jpg") from error
        if picture.shape != (ALIGNED_SIZE, ALIGNED_SIZE, 3):
            raise WeightsError(f"{path}: is {picture.shape[1]}x{picture.shape[0]} px, expected 112x112 px")
        pictures.append(picture)
    return np.stack(pictures)


def _between(limits: tuple[float, float], share: Tensor) -> Float32:
    low, high = limits
    return (low + (high - low) * share.numpy()).astype(np.float32)

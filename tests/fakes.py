"""A generator that paints its vector into the image, and a recogniser that reads it back.

With them similarities, filters, selection and export have true answers within milliseconds. A configuration names
them `type: tests.fakes.PaintedVector` and `type: tests.fakes.PaintedRecogniser`.
"""

from __future__ import annotations

import numpy as np

from synth.generators.base import Generator, TruthColumn
from synth.recognisers.base import Recogniser
from synth.similarity import unit
from synth.types import ALIGNED_SIZE, Faces, Generated

GRID = 8  # blocks a side; each number of a vector takes two blocks
DIMENSION = GRID * GRID // 2
LANDMARKS = np.array([[0.34, 0.46], [0.66, 0.46], [0.5, 0.64], [0.37, 0.82], [0.63, 0.82]])  # of the image's side


class PaintedVector(Generator):
    """Paints each number of a unit vector as a grey block and its negative as another one.

    An image shows the identity's vector plus noise that follows from the sample's seed, so samples of one identity
    have a cosine near 1 / (1 + noise**2).

    Args:
        size: side of the square images, px, a multiple of 8.
        noise: length of the noise that is added to the vector.
        black_every: every n-th index of an identity is black, which the recogniser does not find; 0: none.
    """

    vector_size = DIMENSION
    vector_space = "painted"
    truth = {"yaw": TruthColumn("float32", unit="degrees"), "tint": TruthColumn("float32", width=3)}  # noqa: RUF012
    license = "cc0-1.0"

    def __init__(self, *, size: int = 64, noise: float = 0.3, black_every: int = 0) -> None:
        if size < GRID or size % GRID:
            raise ValueError(f"size {size}: must be a multiple of {GRID} px")
        self.size = size
        self.noise = noise
        self.black_every = black_every

    def generate(self, vectors, indices, seeds):
        randoms = [np.random.default_rng(int(seed)) for seed in seeds]
        noise = unit(np.array([random.standard_normal(DIMENSION) for random in randoms]).reshape(-1, DIMENSION))
        shown = unit(vectors + self.noise * noise)
        blocks = np.concatenate([shown, -shown], axis=1).reshape(-1, GRID, GRID)
        grey = np.round(128 + 127 * blocks).astype(np.uint8)
        side = self.size // GRID
        images = grey.repeat(side, axis=1).repeat(side, axis=2)[..., None].repeat(3, axis=3)
        if self.black_every:
            images[indices % self.black_every == self.black_every - 1] = 0
        yaw = np.array([random.uniform(-45, 45) for random in randoms], dtype=np.float32)
        tint = np.array([random.uniform(size=3) for random in randoms], dtype=np.float32).reshape(-1, 3)
        return Generated(images=images, truth={"yaw": yaw, "tint": tint})


class PaintedRecogniser(Recogniser):
    """Reads the vector that `PaintedVector` painted; finds a face in every image that is not black."""

    embedding_size = DIMENSION
    space = "painted"
    license = "cc0-1.0"

    def recognise(self, images):
        height, width = images.shape[1:3]
        grey = images.mean(axis=3)
        found = grey.max(axis=(1, 2)) > 16
        box = np.array([width / 8, height / 8, width * 7 / 8, height * 7 / 8])
        points = LANDMARKS * [width, height]
        rows = np.arange(ALIGNED_SIZE) * height // ALIGNED_SIZE
        columns = np.arange(ALIGNED_SIZE) * width // ALIGNED_SIZE
        aligned = images[:, rows][:, :, columns]
        return Faces(
            found=found,
            scores=np.where(found, 0.99, 0).astype(np.float32),
            counts=found.astype(np.int32),
            boxes=np.where(found[:, None], box, 0).astype(np.float32),
            landmarks=np.where(found[:, None, None], points, 0).astype(np.float32),
            aligned=np.where(found[:, None, None, None], aligned, 0).astype(np.uint8),
            embeddings=self.embed(images) * found[:, None],
        )

    def embed(self, aligned):
        blocks = _block_means(aligned.mean(axis=3)).reshape(-1, 2, DIMENSION)
        return unit(blocks[:, 0] - blocks[:, 1])


def _block_means(grey):
    """Returns the mean of the inner part of each block, (B, GRID, GRID): the edges suffer from JPEG."""
    height, width = grey.shape[1:]
    means = np.empty((len(grey), GRID, GRID))
    for row in range(GRID):
        for column in range(GRID):
            top, bottom = (row + 0.25) * height / GRID, (row + 0.75) * height / GRID
            left, right = (column + 0.25) * width / GRID, (column + 0.75) * width / GRID
            means[:, row, column] = grey[:, round(top) : round(bottom), round(left) : round(right)].mean(axis=(1, 2))
    return means

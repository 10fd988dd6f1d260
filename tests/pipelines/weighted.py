"""The fakes again, with weight files that decide their images and embeddings."""

from pathlib import Path

import numpy as np

from synth.weights.files import WeightFile, require_files
from tests.fakes import DIMENSION, PaintedRecogniser, PaintedVector
from tests.toy import CONFIG

WEIGHTED = (
    CONFIG.replace("tests.fakes.PaintedVector, size: 64", "tests.pipelines.weighted.WeightedVector, weights: GENERATOR")
    .replace("black_every: 6", "size: 64")
    .replace("tests.fakes.PaintedRecogniser", "tests.pipelines.weighted.WeightedRecogniser, weights: RECOGNISER")
)


def weighted_config(folder):
    """Returns a configuration whose weights are looked for in a folder."""
    return WEIGHTED.replace("GENERATOR", f"{folder}/generator").replace("RECOGNISER", f"{folder}/recogniser.bin")


def write_weights(folder):
    """Writes all files the configuration needs."""
    (folder / "generator" / "unet").mkdir(parents=True)
    (folder / "generator" / "unet" / "model.bin").write_bytes(b"u" * 2_000_000)
    (folder / "generator" / "encoder.bin").write_bytes(b"e" * 500)
    (folder / "recogniser.bin").write_bytes(b"r" * 100)


class WeightedVector(PaintedVector):
    """Paints vectors; its noise follows from the sum of its weights.

    Args:
        weights: folder.
        size: side of the images, px.
    """

    vector_size = DIMENSION
    vector_space = "painted"
    truth = PaintedVector.truth

    def __init__(self, *, weights: str, size: int = 64) -> None:
        files = self.weight_files({"weights": weights})
        require_files(files)
        total = sum(np.frombuffer(file.path.read_bytes(), np.uint8).sum(dtype=np.int64) for file in files)
        super().__init__(size=size, noise=0.2 + 0.01 * float(total % 10))

    @classmethod
    def weight_files(cls, options):
        folder = Path(options["weights"])
        if not folder.parts:
            raise ValueError("weights: name a folder")
        terms = {"origin": "https://example.org/painted", "license": "MIT; trained on paint (non-commercial)"}
        return [
            WeightFile(
                path=folder / "unet" / "model.bin", repo="owner/painted", name="unet/model.bin", size=2_000_000, **terms
            ),
            WeightFile(path=folder / "encoder.bin", repo="owner/painted", name="encoder.bin", size=500, **terms),
        ]


class WeightedRecogniser(PaintedRecogniser):
    """Reads painted vectors and needs a file for it.

    Args:
        weights: path of a file.
    """

    def __init__(self, *, weights: str) -> None:
        require_files(self.weight_files({"weights": weights}))

    @classmethod
    def weight_files(cls, options):
        return [
            WeightFile(path=Path(options["weights"]), origin="a form on https://example.org", license="CC BY-NC 4.0")
        ]

"""Stage 1: identity vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from pipelines.stage import Stage
from synth import components
from synth.errors import VectorsError
from synth.samplers.base import IdentitySampler
from synth.seeding import sample_seed
from synth.shards.array import write_array
from synth.shards.manifest import Task


class Sample(Stage):
    """One task; writes vectors.npy, float32 (N, D), and vectors.json, what the vectors are."""

    name = "sample"
    unit = "identities"

    def __init__(self, config: RunConfig, run: RunDirectory) -> None:
        self._config = config
        self._sampler: IdentitySampler | None = None

    def tasks(self) -> list[Task]:
        """Returns the one task, over all identities."""
        return [Task(0, 0, self._config.identities.count)]

    def open(self, device: str) -> None:
        """Builds the sampler."""
        self._sampler = components.build(self._config.sampler_spec, device)

    def process(self, task: Task, out: Path) -> dict[str, int]:
        """Samples all vectors.

        Raises:
            VectorsError: the sampler gave vectors of another shape or dtype, or numbers that are not finite, or
                vectors that the generator does not take: better here than after days of generating.
        """
        sampler = self._sampler
        assert sampler is not None
        vectors = sampler.sample(task.stop, sample_seed(self._config.seed, self.name))
        expected = (task.stop, sampler.dimension)
        if vectors.shape != expected or vectors.dtype != np.float32 or not np.isfinite(vectors).all():
            raise VectorsError(
                f"{self._config.identities.sampler.type}: expected finite float32 {expected}, "
                f"got {vectors.dtype} {vectors.shape}"
            )
        components.resolve("generator", self._config.generator.type).check_vectors(vectors)
        write_array(out / "vectors.npy", vectors)
        about = {
            "count": task.stop,
            "dimension": sampler.dimension,
            "norm": sampler.norm,
            "space": sampler.space,
        }
        (out / "vectors.json").write_text(json.dumps(about, indent=1) + "\n")
        return {self.unit: task.stop}

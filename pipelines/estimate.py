"""What a configuration will make, before anything is made."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from pipelines.plan import even_tasks, identity_tasks
from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from synth import components
from synth.types import ALIGNED_SIZE

# Bytes a pixel, measured on rendered faces of 112 to 512 px; sharp or noisy images take more.
JPEG_BYTES_PER_PIXEL = 0.6
PNG_BYTES_PER_PIXEL = 1.8
TABLE_BYTES = 250  # a candidate, all tables, without its embedding


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """Planned work of a stage.

    Attributes:
        name: of the stage.
        tasks: how many; for `export` an upper bound.
        committed: how many of them are done.
        amount: like '1,300 images'.
        size: bytes on disk when done.
    """

    name: str
    tasks: int
    committed: int
    amount: str
    size: int


def estimate(config: RunConfig, run: RunDirectory) -> list[StageEstimate]:
    """Returns the plan of each stage; sizes are rough."""
    images = config.images
    identities = config.identities.count
    candidates = identities * images.per_identity
    kept = identities * (config.selection.images_per_identity or images.per_identity)
    generated = _image_bytes(config)
    crop = int(JPEG_BYTES_PER_PIXEL * ALIGNED_SIZE**2)
    copies = 1 + components.resolve("exporter", config.export.type).copies_images
    exported = copies * (crop if config.export.crop == "aligned" else generated)
    dimension = components.resolve("generator", config.generator.type).vector_size
    embedding = components.resolve("recogniser", config.recogniser.type).embedding_size_of(config.recogniser.options)
    shards = len(identity_tasks(identities, images.identities_per_shard, images.max_rounds))
    candidates_said = f"{candidates:,} images" + ", and more for who is short of some" * (images.max_rounds > 1)
    rows = [
        ("sample", 1, f"{identities:,} identities", identities * dimension * 4),
        ("generate", shards, candidates_said, candidates * (generated + TABLE_BYTES // 2)),
        ("measure", shards, candidates_said, candidates * (crop + 2 * embedding + TABLE_BYTES // 2)),
        ("select", 1, f"{candidates:,} candidates", candidates * TABLE_BYTES // 2),
        (
            "export",
            len(even_tasks(kept, config.export.shard_size)),
            f"at most {kept:,} samples",
            kept * (exported + 2 * embedding + 3 * TABLE_BYTES),
        ),
    ]
    return [StageEstimate(name, tasks, len(run.shards(name)), amount, size) for name, tasks, amount, size in rows]


def _image_bytes(config: RunConfig) -> int:
    """Returns the rough size of one encoded image."""
    per_pixel = PNG_BYTES_PER_PIXEL if config.images.encoding == "png" else JPEG_BYTES_PER_PIXEL
    generator = components.resolve("generator", config.generator.type)
    parameter = inspect.signature(generator).parameters.get("size")
    size = config.generator.options.get("size", parameter.default if parameter else generator.image_size)
    return int(per_pixel * size**2)

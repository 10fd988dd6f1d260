"""A small dataset made by an exporter, for its tests."""

import numpy as np

from synth.exporters.base import Card, Sample
from synth.images import encode_jpeg
from synth.shards.table import write_table

CARD = Card(front_matter={"license": "cc0-1.0", "tags": ["synthetic"]}, text="# Faces\n\nMade by a test.")


def make_samples(count=12, first=0, **changes):
    """Makes samples whose `score` is 1.0 at first and 0.5 later: the trap that cuts 0.5 to 0 in untyped loaders."""
    random = np.random.default_rng(first)
    samples = []
    for number in range(first, first + count):
        metadata = {
            "identity": number // 3,
            "score": 1.0 if number < 6 else 0.5,
            "sharp": np.float32(0.1) * np.float32(number),
            "synthetic": True,
            "generator": "painted",
            "landmarks": np.array([1, 2.5], np.float32),
            "bins": [number, 2],
        }
        image = encode_jpeg(random.integers(0, 255, (16, 16, 3), dtype=np.uint8))
        key = f"{number // 3:08d}_{number % 3:04d}"
        samples.append(Sample(key=key, label=number // 3, image=image, extension="jpg", metadata=metadata | changes))
    return samples


def write_shard(exporter, folder, shard, samples):
    """Writes a shard and its sidecar table as the pipeline does; returns its directory."""
    out = folder / "export" / f"{shard:06d}"
    out.mkdir(parents=True)
    exporter.write_shard(samples, shard, out)
    columns = {"label": [sample.label for sample in samples], "identity": [sample.label + 100 for sample in samples]}
    write_table(out / "samples.parquet", {name: np.array(column) for name, column in columns.items()})
    return out


def make_dataset(exporter, folder, num_shards=2, per_shard=12):
    """Returns the assembled folder and all samples in it."""
    batches = [make_samples(per_shard, shard * per_shard) for shard in range(num_shards)]
    shards = [write_shard(exporter, folder, shard, batch) for shard, batch in enumerate(batches)]
    exporter.assemble(shards, folder / "dataset", CARD)
    return folder / "dataset", [sample for batch in batches for sample in batch]

"""Small datasets of painted faces in the real format, which a small network can learn in seconds."""

import numpy as np

from synth.exporters.base import Sample
from synth.exporters.webdataset import WebDatasetExporter
from synth.images import encode_jpeg, encode_png
from tests.fakes import PaintedVector

SIZE = 112


def painted_images(identities, per_identity, seed=0):
    """Returns uint8 (identities * per_identity, 112, 112, 3), identity-major: an identity's pattern, lit at random."""
    generator = PaintedVector(size=SIZE)
    vectors = np.random.default_rng(seed).standard_normal((identities, generator.vector_size)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = np.repeat(np.arange(identities), per_identity)
    seeds = np.arange(len(rows), dtype=np.uint64)
    images = generator.generate(vectors[rows], np.zeros(len(rows), np.int32), seeds).images
    light = 0.6 + 0.4 * np.random.default_rng(seed + 1).random((len(rows), 1, 1, 1))
    return (images * light).astype(np.uint8)


def write_dataset(folder, identities=6, per_identity=4, shards=2, encode=encode_jpeg, labels=None):
    """Writes tars as the exporter does, shuffled over the shards; returns the images and labels by row."""
    folder.mkdir(parents=True, exist_ok=True)
    images = painted_images(identities, per_identity)
    own_labels = np.repeat(np.arange(identities), per_identity) if labels is None else np.asarray(labels)
    order = np.random.default_rng(3).permutation(len(images))
    extension = "png" if encode is encode_png else "jpg"
    for shard, rows in enumerate(np.array_split(order, shards)):
        samples = [
            Sample(
                key=f"{own_labels[row]:08d}_{row:04d}",
                label=int(own_labels[row]),
                image=encode(images[row]),
                extension=extension,
                metadata={"row": int(row)},
            )
            for row in rows
        ]
        WebDatasetExporter().write_shard(samples, shard, folder)
    return images[order], own_labels[order]

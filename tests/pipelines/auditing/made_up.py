"""What audits look at, made of embeddings and hashes instead of a run."""

import numpy as np

from pipelines.auditing.image_scan import ImageScan
from pipelines.auditing.material import Drawn, Kept, Material
from synth.audits.poison.patches import DetailStatistics
from synth.similarity import centroids


class NoPictures:
    """Stands in for the images of a run: there are none to show."""

    extension = "jpg"

    def pictures(self, rows, notes=()):
        return []


def material_of(embeddings, labels):
    """Returns a dataset of which everything is drawn; its configuration is missing."""
    count, indices = len(labels), np.zeros(len(labels), dtype=np.int32)
    kept = Kept(labels=labels, identities=np.arange(count), indices=indices, shards=indices, places={})
    drawn = Drawn(
        rows=np.arange(count),
        labels=labels,
        embeddings=embeddings,
        landmarks=np.zeros((count, 5, 2), dtype=np.float32),
        measured={},
        truth={},
    )
    centres = centroids(embeddings, labels)
    return Material(config=None, kept=kept, drawn=drawn, centre_labels=np.unique(labels), centres=centres)


def scan_of(hashes, patches=()):
    """Returns a scan of images with such hashes, bool (N, 64), no two of which have the same bytes."""
    count = len(hashes)
    return ImageScan(
        digests=np.arange(count, dtype=np.uint64),
        unusual={},
        seen=np.arange(count),
        luminance=np.zeros(count),
        hashes=hashes,
        high_frequencies=np.arange(count, dtype=np.float64),
        patches=patches,
        common=DetailStatistics(),
        reference=np.zeros((0, 0)),
    )

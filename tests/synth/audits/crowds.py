"""Embeddings of made-up people, with what is known about them."""

import numpy as np

from synth.similarity import unit


def crowd(num_classes=20, per_class=6, *, noise=0.3, dimension=64, seed=0):
    """Returns embeddings and labels of people whose samples have a cosine near 1 / (1 + noise**2)."""
    random = np.random.default_rng(seed)
    people = unit(random.standard_normal((num_classes, dimension)))
    labels = np.repeat(np.arange(num_classes), per_class)
    jitter = unit(random.standard_normal((len(labels), dimension)))
    return unit(people[labels] + noise * jitter), labels


def faces(count=6, side=48, *, seed=0):
    """Returns smooth pictures that differ from each other everywhere, uint8 (count, side, side, 3)."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] / side
    pictures = np.empty((count, side, side, 3))
    for picture in pictures:
        waves = random.uniform(-1, 1, (6, 3))
        total = sum(np.sin(2 * np.pi * (2 * a * rows + 2 * b * columns + c)) for a, b, c in waves)
        picture[...] = 128 + 18 * total[..., None] + random.uniform(-20, 20, 3)
        picture += random.normal(0, 3, picture.shape)
    return np.clip(np.round(pictures), 0, 255).astype(np.uint8)

"""Speed of the embedded generator: pictures per CPU-second of one core, and where the time goes.

Run: python benchmarks/rendered_speed.py [--identities 4] [--images 20] [--size 112] [--framing aligned]
The last line is `images_per_cpu_second <x>`, building the identities included.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from synth.generators.rendered import Rendered
from synth.images import encode_jpeg
from synth.rendering import identity, scene
from synth.seeding import sample_seed

STEPS: dict[str, tuple[tuple[object, str], ...]] = {
    "identity build": ((identity, "build_face"), (scene, "Scene")),
    "geometry": ((scene.Scene, "_set_up"),),
    "raster": ((scene.Scene, "_raster"),),
    "shadow": ((scene.Scene, "_shadows"),),
    "shade": ((scene.Scene, "_shade"),),
    "background and sensor": ((scene.Scene, "_finish"),),
}


def main() -> None:
    """Warms up on one person, then times others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=4)
    parser.add_argument("--images", type=int, default=20, help="per identity")
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--framing", choices=["aligned", "portrait"], default="aligned")
    options = parser.parse_args()
    rng = np.random.default_rng(7)
    vectors = rng.standard_normal((options.identities + 1, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    generator = Rendered(size=options.size, framing=options.framing)
    render_identity(generator, vectors[-1], 3, defaultdict(float))

    seconds: dict[str, float] = defaultdict(float)
    with timed_steps(seconds):
        start = time.process_time()
        for vector in vectors[:-1]:
            render_identity(generator, vector, options.images, seconds)
        total = time.process_time() - start
    count = options.identities * options.images
    print(f"{options.identities} identities x {options.images} images, {options.size} px {options.framing}")
    seconds["rest"] = total - sum(seconds.values())
    for step, spent in seconds.items():
        print(f"{step:24s} {1000 * spent / count:7.2f} ms an image")
    print(f"{'one identity':24s} {seconds['identity build'] / options.identities:7.3f} s")
    print(f"images_per_cpu_second {count / total:.2f}")


def render_identity(generator: Rendered, vector: np.ndarray, count: int, seconds: dict[str, float]) -> None:
    """Renders and encodes the pictures of one person; adds the encoding's CPU seconds to `JPEG`."""
    seeds = np.array([sample_seed(7, "generate", 0, i) for i in range(count)], dtype=np.uint64)
    indices = np.arange(count, dtype=np.int32)
    images = generator.generate(np.tile(vector, (count, 1)), indices, seeds).images
    start = time.process_time()
    for image in images:
        encode_jpeg(image)
    seconds["JPEG"] += time.process_time() - start


@contextmanager
def timed_steps(seconds: dict[str, float]) -> Iterator[None]:
    """Wraps the functions of `STEPS` so that their CPU seconds are added up by step."""
    originals = [(owner, name, getattr(owner, name)) for places in STEPS.values() for owner, name in places]
    for step, places in STEPS.items():
        for owner, name in places:
            setattr(owner, name, timed(getattr(owner, name), step, seconds))
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def timed(function: Callable[..., object], step: str, seconds: dict[str, float]) -> Callable[..., object]:
    """Returns the function with its CPU seconds added to a step."""

    def call(*arguments: object, **options: object) -> object:
        start = time.process_time()
        result = function(*arguments, **options)
        seconds[step] += time.process_time() - start
        return result

    return call


if __name__ == "__main__":
    main()

"""How fast exported shards become training batches: `python benchmarks/feed.py [--samples 4000]`.

Ours decodes into uint8 batches. Beside it, on the same tars: bare decoding with the same decoder, everything in memory
already; the way of arcface_torch, each image through Pillow, flip, float, normalisation and collation; and webdataset
with Pillow and the same steps after it. CPU seconds of one process, the best of some rounds, in turns.
"""

from __future__ import annotations

import argparse
import io
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import simplejpeg
import torch
import webdataset
from PIL import Image
from torch.utils.data import DataLoader, default_collate

from synth.components import ComponentSpec, build
from synth.exporters.base import Sample
from synth.exporters.webdataset import WebDatasetExporter
from synth.images import encode_jpeg
from synth.seeding import sample_seeds
from synth.shards.dataset import DatasetReader
from synth.training.augmentation.batch import network_input, planes
from synth.training.decoding import decode_into
from synth.training.feed import FaceFeed

BATCH = 256
SHARD = 2000
IDENTITIES = 20  # rendered for it
HALF = 0.5


def rendered(count: int) -> list[bytes]:
    """Returns encoded faces, 112x112 px, quality 95."""
    generator = build(ComponentSpec("generator", "rendered", {"size": 112, "framing": "aligned"}))
    sampler = build(ComponentSpec("sampler", "gaussian", {"dimension": 512}))
    vectors = sampler.sample(IDENTITIES, 1)
    identities = np.repeat(np.arange(IDENTITIES), -(-count // IDENTITIES))[:count]
    indices = np.arange(count, dtype=np.int32)
    images: list[bytes] = []
    for start in range(0, count, 20):
        rows = slice(start, start + 20)
        seeds = sample_seeds(1, "feed", identities[rows], indices[rows])
        made = generator.generate(vectors[identities[rows]], indices[rows], seeds)
        images += [encode_jpeg(image) for image in made.images]
    return images


def write_shards(folder: Path, images: list[bytes], samples: int) -> None:
    """Writes tars of samples, the images over and over."""
    for shard, start in enumerate(range(0, samples, SHARD)):
        part = [
            Sample(
                key=f"{number:08d}_0000",
                label=number % IDENTITIES,
                image=images[number % len(images)],
                extension="jpg",
                metadata={"identity": number},
            )
            for number in range(start, min(start + SHARD, samples))
        ]
        WebDatasetExporter().write_shard(part, shard, folder)


def float_tensor(picture: Image.Image, random: np.random.Generator) -> torch.Tensor:
    """Does to one image what torchvision's flip, ToTensor and Normalize do: (3, 112, 112), -1..1."""
    if random.random() < HALF:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = torch.from_numpy(np.array(picture, dtype=np.uint8))
    tensor = pixels.permute(2, 0, 1).contiguous().float().div(255)
    mean, deviation = torch.full((3, 1, 1), HALF), torch.full((3, 1, 1), HALF)
    return tensor.clone().sub_(mean).div_(deviation)


class PerImage(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Samples the way arcface_torch reads them: one image, one tensor."""

    def __init__(self, reader: DatasetReader) -> None:
        self.reader = reader
        self.random = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.reader)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:

        decoded = np.asarray(
            Image.open(io.BytesIO(self.reader.image(row))).convert("RGB")
        )  # there by mx.image.imdecode
        picture = Image.fromarray(decoded)  # its ToPILImage
        return float_tensor(picture, self.random), torch.tensor(int(self.reader.labels[row]))


def bare(images: list[bytes]) -> Iterator[Any]:
    """Decodes everything into one buffer and does nothing else."""
    buffer = np.empty((112, 112, 3), dtype=np.uint8)
    for image in images:
        yield simplejpeg.decode_jpeg(image, "RGB", buffer=buffer)


def ours(reader: DatasetReader) -> Iterator[Any]:
    """Batches of an epoch, uint8."""
    feed = FaceFeed(reader, BATCH, seed=1)
    return itertools.islice(iter(feed), feed.steps_per_epoch)


def ours_as_floats(reader: DatasetReader) -> Iterator[Any]:
    """Batches of an epoch, mirrored by half and normalised on the CPU: what else happens on the GPU."""
    random = np.random.default_rng(0)
    for images, labels in ours(reader):
        mirrored = torch.from_numpy(random.random(len(images)) < HALF)
        faces = network_input(planes(images), 112)
        yield torch.where(mirrored[:, None, None, None], faces.flip(3), faces), labels


def per_image(reader: DatasetReader) -> Iterator[Any]:
    """Batches of an epoch the way arcface_torch makes them."""
    return iter(DataLoader(PerImage(reader), batch_size=BATCH, shuffle=True, drop_last=True))


def through_webdataset(folder: Path, count: int) -> Iterator[Any]:
    """Batches of an epoch by webdataset and Pillow."""
    random = np.random.default_rng(0)
    dataset = (
        webdataset.WebDataset([str(path) for path in sorted(folder.glob("*.tar"))], shardshuffle=False)
        .shuffle(1000)
        .decode("pil")
        .to_tuple("jpg", "cls")
        .map_tuple(lambda picture: float_tensor(picture, random), lambda label: label)
        .batched(BATCH, collation_fn=default_collate)
    )
    return itertools.islice(iter(dataset), count // BATCH)


def rate(make: Callable[[], Iterator[Any]], images: int) -> float:
    """Returns images a CPU second."""
    started = time.process_time()
    for _ in make():
        pass
    return images / (time.process_time() - started)


def check_same(reader: DatasetReader) -> None:
    """Makes sure that both decoders see the same pixels."""
    out: npt.NDArray[np.uint8] = np.empty((112, 112, 3), dtype=np.uint8)
    decode_into(reader.image(0), out)

    assert np.array_equal(out, np.asarray(Image.open(io.BytesIO(reader.image(0))).convert("RGB")))


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=4096)
    parser.add_argument("--images", type=int, default=400, help="different ones among the samples")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = rendered(min(arguments.images, arguments.samples))
        write_shards(folder, images, arguments.samples)
        reader = DatasetReader(folder)
        check_same(reader)
        encoded = [reader.image(row) for row in range(len(reader))]
        whole = len(reader) // BATCH * BATCH
        print(f"{len(reader)} images of {sum(map(len, encoded)) / len(encoded):,.0f} bytes, batches of {BATCH}")
        ways: dict[str, tuple[Callable[[], Iterator[Any]], int]] = {
            "bare decoding": (lambda: bare(encoded), len(encoded)),
            "ours, uint8 batches": (lambda: ours(reader), whole),
            "ours, mirrored and normalised on the CPU": (lambda: ours_as_floats(reader), whole),
            "arcface_torch's way": (lambda: per_image(reader), whole),
            "webdataset and Pillow": (lambda: through_webdataset(folder, len(reader)), whole),
        }
        best = dict.fromkeys(ways, 0.0)
        for _ in range(arguments.rounds):
            for way, (make, number) in ways.items():
                best[way] = max(best[way], rate(make, number))
    for way, found in best.items():
        print(f"{way}: {found:,.0f} images a CPU second")
    fast = best["ours, uint8 batches"]
    ratios = [fast / best[way] for way in ("arcface_torch's way", "webdataset and Pillow", "bare decoding")]
    print("arcface_ratio {:.1f} webdataset_ratio {:.1f} decoding_share {:.2f}".format(*ratios))


if __name__ == "__main__":
    main()

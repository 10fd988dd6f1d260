"""Speed of the generators of published weights: ours, and the published way of calling the same networks.

    python benchmarks/generator_speed.py --generator vec2face|arc2face|idiff [--device cuda]

Networks have their full size and random weights, since no speed depends on their values; `--small` takes tiny ones.
The published way makes one identity at a time with the defaults of its authors' scripts: Vec2Face 50 images in
float32 with the graph of a backward pass recorded and images copied one by one, Arc2Face 4 images through diffusers'
StableDiffusionPipeline in float16 with 25 steps at guidance 3, IDiff-Face 50 images in float32 with 1000 steps and
noise made on the CPU, all with torch's own settings. Ours makes one batch of several identities, deterministically,
on a GPU in bfloat16 and compiled.

On a GPU seconds are of the clock, else of the processor. Without one a whole run of a diffusion model takes hours:
runs of one step and of two (nine where they are short) are timed, and the rest is extrapolated from their
difference, which is exact as far as all steps cost the same. What part of the bound is reached compares with a
product of large matrices of the same type.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from synth.generators.arc2face import Arc2Face
from synth.generators.base import Generator
from synth.generators.idiff import Idiff
from synth.generators.vec2face import Vec2Face
from synth.idiff.schedule import NoiseSchedule
from synth.idiff.schedulers import ddpm
from synth.networks.latent_unet_loading import load_latent_unet
from synth.networks.vec2face import load_vec2face, masks_of
from synth.networks.vq_first_stage import load_decoder
from synth.torch_runtime import DTYPES
from tests.synth.generators import arc2face_checkpoint, idiff_checkpoint, vec2face_checkpoint

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

Call = Callable[[], None]
Make = Callable[[int | None, bool], Call]
CALLS = 4
LONG = 5.0  # seconds: warming up no longer counts
SHORT_STEPS = 9  # where steps are short: their share of the whole call has to stand out from what varies


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is timed, and on what."""

    folder: Path
    device: str
    identities: int
    images: int
    precision: str
    full_size: bool

    @property
    def is_gpu(self) -> bool:
        """Whether the device is one."""
        return self.device.startswith("cuda")

    @property
    def total(self) -> int:
        """Images of one call of ours."""
        return self.identities * self.images


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way to make images.

    Attributes:
        name: for the line it prints.
        make: prepares a call that makes `images` images in a number of steps, with our networks compiled or not.
        images: how many a call makes.
        steps: as the comparison wants them; None: the network runs once.
    """

    name: str
    make: Make
    images: int
    steps: int | None = None


def main() -> None:
    """Times both sides of one generator."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generator", choices=["vec2face", "arc2face", "idiff"], default="vec2face")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--identities", type=int, help="of one batch of ours")
    parser.add_argument("--images", type=int, help="of an identity")
    parser.add_argument("--small", action="store_true", help="tiny networks, to try the script")
    options = parser.parse_args()
    sizes = {"vec2face": (20, 50), "arc2face": (16, 4), "idiff": (20, 50)}[options.generator]
    on_gpu = options.device.startswith("cuda")
    if not on_gpu:
        sizes = {"vec2face": (4, 4), "arc2face": (1, 1), "idiff": (2, 2)}[options.generator]
        torch.set_num_threads(1)  # threads that wait for each other count as processor time
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            folder=Path(folder),
            device=options.device,
            identities=options.identities or sizes[0],
            images=options.images or sizes[1],
            precision="bfloat16" if on_gpu else "float32",
            full_size=not options.small,
        )
        published, *ours = {"vec2face": vec2face, "arc2face": arc2face, "idiff": idiff}[options.generator](settings)
        compare(settings, published, ours)


def compare(settings: Settings, published: Side, ours: list[Side]) -> None:
    """Prints the speed of each side and the ratios; the last line is that of the last of ours.

    The published side runs first: our generators switch torch to deterministic kernels without TF32 for good.
    """
    bound = matrix_flops(settings)
    unit = "second" if settings.is_gpu else "CPU second"
    print(f"{settings.device}, {settings.precision}: {bound / 1e12:.3g} TFLOP a {unit} in a product of matrices")
    slow = published.images / seconds_of(settings, published)
    print(f"published: {published.name}: {slow:.4g} images a {unit}")
    for side in ours:
        fast = side.images / seconds_of(settings, side)
        share = flops_of(settings, side) / side.images * fast / bound
        print(f"ours: {side.name}: {fast:.4g} images a {unit}, {share:.0%} of the bound")
        print(f"speed_ratio {fast / slow:.2f}")


def vec2face(settings: Settings) -> list[Side]:
    """One pass of one network."""
    path = vec2face_checkpoint.write_checkpoint(settings.folder / "vec2face.pth", full_size=settings.full_size)
    heads = vec2face_checkpoint.HEADS if settings.full_size else vec2face_checkpoint.TINY_HEADS
    vectors = 21.9 * unit_vectors(settings.identities)

    def published(steps: int | None, compile: bool) -> Call:
        network = load_vec2face(path, heads).to(settings.device)

        def call() -> None:
            rows = torch.from_numpy(vectors[:1]).repeat(settings.images, 1).to(settings.device)
            noise = torch.rand(settings.images, network.tokens, device=settings.device)
            images = network(rows, masks_of(noise, torch.full((settings.images,), 0.2, device=settings.device), 0.1))
            for image in images:
                (((image.permute(1, 2, 0) + 1) / 2).clamp(0, 1) * 255).detach().cpu().numpy().astype(np.uint8)

        return call

    def ours(steps: int | None, compile: bool) -> Call:
        generator = Vec2Face(
            weights=str(path),
            encoder_heads=heads[0],
            decoder_heads=heads[1],
            precision=settings.precision,
            compile=compile,
            device=settings.device,
        )
        return call_of(generator, settings, vectors)

    return [
        Side(name=f"1 x {settings.images}", make=published, images=settings.images),
        Side(name=f"{settings.identities} x {settings.images}", make=ours, images=settings.total),
    ]


def arc2face(settings: Settings) -> list[Side]:
    """Stable Diffusion: equal steps, then few steps with the small decoder."""
    weights, base = arc2face_checkpoint.write_checkpoint(settings.folder, full_size=settings.full_size)
    lora = arc2face_checkpoint.write_lora(settings.folder / "lora.safetensors", weights)
    tiny_vae = arc2face_checkpoint.write_tiny_vae(settings.folder / "tiny_vae", full_size=settings.full_size)
    vectors = unit_vectors(settings.identities)

    def published(steps: int | None, compile: bool) -> Call:
        pipeline = published_pipeline(weights, base).to(
            settings.device, torch.float16 if settings.is_gpu else torch.float32
        )
        width = pipeline.text_encoder.config.hidden_size
        prompt = torch.randn(1, 77, width, dtype=pipeline.dtype, device=settings.device)
        side, images = 512 if settings.full_size else 64, settings.images

        def call() -> None:
            pipeline(
                prompt_embeds=prompt,
                height=side,
                width=side,
                num_inference_steps=steps,
                guidance_scale=3,
                num_images_per_prompt=images,
            )

        return call

    def ours(few: bool) -> Make:
        extra = {"lora": str(lora), "tiny_vae": str(tiny_vae)} if few else {}

        def make(steps: int | None, compile: bool) -> Call:
            generator = Arc2Face(
                weights=str(weights),
                base=str(base),
                steps=steps,
                precision=settings.precision,
                compile=compile,
                device=settings.device,
                **extra,
            )
            return call_of(generator, settings, vectors)

        return make

    batch = f"{settings.identities} x {settings.images}"
    return [
        Side(name=f"1 x {settings.images}, 25 steps", make=published, images=settings.images, steps=25),
        Side(name=f"{batch}, 25 steps", make=ours(few=False), images=settings.total, steps=25),
        Side(name=f"{batch}, 4 steps of the LoRA, tiny VAE", make=ours(few=True), images=settings.total, steps=4),
    ]


def published_pipeline(weights: Path, base: Path) -> DiffusionPipeline:
    """Returns diffusers' pipeline as Arc2Face's authors put it together."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it tells of a missing torchvision that is not needed
    from diffusers import StableDiffusionPipeline
    from diffusers.models import AutoencoderKL, UNet2DConditionModel
    from diffusers.schedulers import DPMSolverMultistepScheduler
    from transformers import CLIPTextModel, CLIPTokenizer

    pipeline = StableDiffusionPipeline(
        unet=UNet2DConditionModel.from_pretrained(weights / "arc2face"),
        vae=AutoencoderKL.from_pretrained(base / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(weights / "encoder"),
        tokenizer=CLIPTokenizer.from_pretrained(base / "tokenizer"),
        scheduler=DPMSolverMultistepScheduler.from_pretrained(base / "scheduler"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def idiff(settings: Settings) -> list[Side]:
    """Latent diffusion: 1000 steps with fresh noise against 50 without."""
    weights, first_stage = idiff_checkpoint.write_checkpoint(settings.folder, full_size=settings.full_size)
    checkpoint = next(weights.rglob("*.ckpt"))
    vectors = unit_vectors(settings.identities)

    def published(steps: int | None, compile: bool) -> Call:
        unet = load_latent_unet(checkpoint)[0].to(settings.device)
        decoder = load_decoder(first_stage).to(settings.device)
        layout, count = unet.layout, settings.images
        shape = (count, layout.latent_channels, 32, 32) if settings.full_size else (count, 3, 16, 16)

        def call() -> None:
            with torch.no_grad():
                context = unet.embed(torch.from_numpy(vectors[:1]).repeat(count, 1).to(settings.device))
                latents = ddpm(
                    lambda latents, step: unet(latents, torch.full((count,), step, device=settings.device), context),
                    torch.randn(shape).to(settings.device),
                    NoiseSchedule.linear(1000),
                    lambda step: torch.randn(shape).to(settings.device),
                )
                last = next(itertools.islice(latents, (steps or 1000) - 1, None))
                decoder(last).clamp(-1, 1).cpu()

        return call

    def ours(steps: int | None, compile: bool) -> Call:
        generator = Idiff(
            weights=str(weights),
            first_stage=str(first_stage),
            scheduler="ddim",
            steps=steps,
            precision=settings.precision,
            compile=compile,
            device=settings.device,
        )
        return call_of(generator, settings, vectors)

    batch = f"{settings.identities} x {settings.images}"
    return [
        Side(name=f"1 x {settings.images}, 1000 steps", make=published, images=settings.images, steps=1000),
        Side(name=f"{batch}, 50 steps", make=ours, images=settings.total, steps=50),
    ]


def call_of(generator: Generator, settings: Settings, vectors: np.ndarray) -> Call:
    """Returns a call that makes all images of all identities as one batch."""
    rows = vectors.repeat(settings.images, axis=0)
    indices = np.tile(np.arange(settings.images, dtype=np.int32), settings.identities)
    seeds = np.arange(settings.total, dtype=np.uint64)
    return lambda: void(generator.generate(rows, indices, seeds))


def seconds_of(settings: Settings, side: Side) -> float:
    """Returns what a call of a side takes; on the CPU extrapolated from a call of one step and one of some more."""
    if settings.is_gpu or side.steps is None:
        return timed(settings, side.make(side.steps, settings.is_gpu))
    one = timed(settings, side.make(1, False))
    steps = 2 if one > LONG else SHORT_STEPS
    more = timed(settings, side.make(steps, False))
    return one + (side.steps - 1) * (more - one) / (steps - 1)


def timed(settings: Settings, call: Call) -> float:
    """Returns the least seconds of a few calls after one that warms up; a call of more than `LONG` is enough."""
    clock = time.perf_counter if settings.is_gpu else time.process_time
    seconds: list[float] = []
    while len(seconds) < CALLS and not any(value > LONG for value in seconds[1 if settings.is_gpu else 0 :]):
        start = clock()
        call()
        if settings.is_gpu:
            torch.cuda.synchronize()
        seconds.append(clock() - start)
    return min(seconds[1:] or seconds)


def flops_of(settings: Settings, side: Side) -> float:
    """Returns the floating-point operations of a call, counted at one and two steps."""
    counts = []
    for steps in (None,) if side.steps is None else (1, 2):
        call = side.make(steps, False)  # what is compiled cannot be counted
        # Torch does not count its CPU kernel of attention: there, attention is computed as plain products.
        attention = nullcontext() if settings.is_gpu else sdpa_kernel(SDPBackend.MATH)
        with attention, FlopCounterMode(display=False) as counter:
            call()
        counts.append(counter.get_total_flops())
    return counts[0] + ((side.steps or 1) - 1) * (counts[-1] - counts[0])


def matrix_flops(settings: Settings) -> float:
    """Returns the operations a second that a product of large matrices reaches."""
    size = 8192 if settings.is_gpu else 1024
    matrix = torch.randn(size, size, dtype=DTYPES[settings.precision], device=settings.device)
    return 2 * size**3 / timed(settings, lambda: void(matrix @ matrix))


def unit_vectors(count: int) -> np.ndarray:
    """Returns float32 (count, 512) of unit length."""
    vectors = np.random.default_rng(0).standard_normal((count, 512)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def void(_: object) -> None:
    """Drops a result."""


if __name__ == "__main__":
    main()

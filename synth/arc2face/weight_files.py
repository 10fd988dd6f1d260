"""The files that options of the generator `arc2face` lead to, and where they are published; known without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from synth.weights.files import WeightFile

CONFIG: Final = "config.json"
WEIGHTS: Final = "diffusion_pytorch_model.safetensors"
_ENCODER_WEIGHTS: Final = ("model.safetensors", "pytorch_model.bin")
_SCHEDULER: Final = "scheduler/scheduler_config.json"
_TOKENIZER: Final = ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")
_LORA: Final = "pytorch_lora_weights.safetensors"

_REPO: Final = "FoivosPar/Arc2Face"
_BASE_REPO: Final = "stable-diffusion-v1-5/stable-diffusion-v1-5"
_LORA_REPO: Final = "latent-consistency/lcm-lora-sdv1-5"
_TINY_VAE_REPO: Final = "madebyollin/taesd"
_LICENSES: Final[Mapping[str, str]] = {
    _REPO: "MIT; tuned from Stable Diffusion 1.5 (CreativeML OpenRAIL-M) on images under CC BY-NC-SA 4.0",
    _BASE_REPO: "CreativeML OpenRAIL-M",
    _LORA_REPO: "OpenRAIL++-M",
    _TINY_VAE_REPO: "MIT",
}
_SIZES: Final[Mapping[tuple[str, str], int]] = {
    (_REPO, f"arc2face/{WEIGHTS}"): 3_438_000_000,
    (_REPO, "encoder/pytorch_model.bin"): 492_000_000,
    (_BASE_REPO, f"vae/{WEIGHTS}"): 335_000_000,
    (_LORA_REPO, _LORA): 135_000_000,
    (_TINY_VAE_REPO, WEIGHTS): 9_800_000,
}


def arc2face_files(options: Mapping[str, Any]) -> list[WeightFile]:
    """Returns the files of the folders that options `weights`, `base` and `tiny_vae` name, and `lora`."""
    weights, base = options["weights"], options["base"]
    tiny_vae, lora = options.get("tiny_vae"), options.get("lora")
    encoder = encoder_weights(Path(weights) / "encoder").name
    files = _in_folder(weights, _REPO, [*_network("arc2face"), *_network("encoder", encoder)])
    files += _in_folder(base, _BASE_REPO, [_SCHEDULER, *(f"tokenizer/{name}" for name in _TOKENIZER)])
    if tiny_vae is None:
        files += _in_folder(base, _BASE_REPO, _network("vae"))
    else:
        files += _in_folder(tiny_vae, _TINY_VAE_REPO, [CONFIG, WEIGHTS])
    if lora is not None:
        files.append(_published(Path(lora), _LORA_REPO, _LORA))
    return files


def encoder_weights(folder: Path) -> Path:
    """Returns the weights of a text model's folder: safetensors where there are, else as published."""
    first, published = (folder / name for name in _ENCODER_WEIGHTS)
    return first if first.is_file() else published


def _network(folder: str, weights: str = WEIGHTS) -> list[str]:
    return [f"{folder}/{CONFIG}", f"{folder}/{weights}"]


def _in_folder(folder: str, repo: str, names: Sequence[str]) -> list[WeightFile]:
    """Returns files of a folder that has the layout of a hub repository."""
    return [_published(Path(folder) / name, repo, name) for name in names]


def _published(path: Path, repo: str, name: str) -> WeightFile:
    return WeightFile.on_hub(path, repo, name, _LICENSES[repo], _SIZES.get((repo, name)))

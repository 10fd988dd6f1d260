"""Weights of every published generator at the smallest widths, random, in the layout their authors publish."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from synth.components import ComponentSpec

Options = dict[str, Any]


def generator_spec(name: str, folder: Path) -> ComponentSpec:
    """Writes the weights of a variant under a folder; returns the generator with the options that read them."""
    return ComponentSpec("generator", name.partition(" ")[0], VARIANTS[name](folder))


def _rendered(folder: Path) -> Options:
    return {"size": 112}


def _arc2face(folder: Path) -> Options:
    from tests.synth.generators.arc2face_checkpoint import write_checkpoint

    weights, base = write_checkpoint(folder)
    return {"weights": str(weights), "base": str(base), "steps": 4}


def _arc2face_in_few_steps(folder: Path) -> Options:
    from tests.synth.generators.arc2face_checkpoint import write_lora, write_tiny_vae

    options = _arc2face(folder) | {"steps": 2}
    lora = write_lora(folder / "lora" / "pytorch_lora_weights.safetensors", options["weights"])
    return options | {"lora": str(lora), "tiny_vae": str(write_tiny_vae(folder / "taesd"))}


def _idiff(folder: Path) -> Options:
    from tests.synth.generators.idiff_checkpoint import write_checkpoint

    weights, first_stage = write_checkpoint(folder, image_size=32)
    return {"weights": str(weights), "first_stage": str(first_stage), "steps": 4}


def _uiface(folder: Path) -> Options:
    from tests.synth.generators.idiff_checkpoint import SMALL_UNET, write_checkpoint

    layout = replace(SMALL_UNET, learned_empty_context=True)
    weights, first_stage = write_checkpoint(folder, image_size=32, layout=layout)
    found = {"weights": str(weights), "first_stage": str(first_stage)}
    return found | {"steps": 2, "two_stage": True, "guidance": 2.0}


def _vec2face(folder: Path) -> Options:
    from tests.synth.generators.vec2face_checkpoint import TINY_HEADS, write_checkpoint

    encoder_heads, decoder_heads = TINY_HEADS
    folder.mkdir(parents=True, exist_ok=True)
    weights = write_checkpoint(folder / "vec2face_generator.pth")
    return {"weights": str(weights), "encoder_heads": encoder_heads, "decoder_heads": decoder_heads}


def _vec2face_plus(folder: Path) -> Options:
    from tests.synth.generators.vec2face_checkpoint import write_pose_checkpoint

    options = _vec2face(folder)
    return options | {"weights": str(write_pose_checkpoint(folder / "pose_model.pth")), "poses": {}}


def _vec2face_optimised(folder: Path) -> Options:
    from tests.synth.generators.vec2face_checkpoint import write_estimators

    options = _vec2face_plus(folder)
    targets = {"quality": 1e4, "yaw_degrees": [20.0, 60.0], "max_steps": 2, "rows_at_once": 2}
    return options | {"attributes": write_estimators(folder) | targets}


VARIANTS: Final[Mapping[str, Callable[[Path], Options]]] = {
    "rendered": _rendered,
    "arc2face": _arc2face,
    "arc2face in few steps": _arc2face_in_few_steps,
    "idiff": _idiff,
    "idiff of UIFace": _uiface,
    "vec2face": _vec2face,
    "vec2face with poses": _vec2face_plus,
    "vec2face with poses and attributes": _vec2face_optimised,
}
"""Generator, or generator and what is special, to what writes its weights into a folder."""

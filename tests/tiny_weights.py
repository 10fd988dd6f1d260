"""Weights of every published generator at the smallest widths, random, in the layout their authors publish."""

from pathlib import Path

from synth.components import ComponentSpec


def generator_spec(name: str, folder: Path) -> ComponentSpec:
    """Writes the weights of a generator under a folder; returns the generator with the options that read them.

    Raises:
        KeyError: nobody has said here how to write weights of this generator.
    """
    return ComponentSpec("generator", name, _WRITERS[name](folder))


def _rendered(folder: Path) -> dict:
    return {"size": 112}


def _arc2face(folder: Path) -> dict:
    from tests.synth.generators.arc2face_checkpoint import write_checkpoint

    weights, base = write_checkpoint(folder)
    return {"weights": str(weights), "base": str(base), "steps": 4}


def _idiff(folder: Path) -> dict:
    from tests.synth.generators.idiff_checkpoint import write_checkpoint

    weights, first_stage = write_checkpoint(folder, image_size=32)
    return {"weights": str(weights), "first_stage": str(first_stage), "steps": 4}


def _vec2face(folder: Path) -> dict:
    from tests.synth.generators.vec2face_checkpoint import TINY_HEADS, write_checkpoint

    encoder_heads, decoder_heads = TINY_HEADS
    folder.mkdir(parents=True, exist_ok=True)
    weights = write_checkpoint(folder / "vec2face_generator.pth")
    return {"weights": str(weights), "encoder_heads": encoder_heads, "decoder_heads": decoder_heads}


_WRITERS = {"rendered": _rendered, "arc2face": _arc2face, "idiff": _idiff, "vec2face": _vec2face}

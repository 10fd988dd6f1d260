"""Finds the detector and the recogniser in a folder of ONNX models, before insightface sees it.

insightface takes the first recogniser by name, and says an empty AssertionError where a model is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from synth.errors import WeightsError
from synth.faces.insightface_packs import MANIFEST, RECOGNISERS, require_flat, several_recognisers
from synth.weights.downloads import broken_download

Kind: TypeAlias = Literal["detection", "recognition", "other"]

_GET: Final = "get the whole pack from https://github.com/deepinsight/insightface/releases"
_SUGGESTED: Final[Mapping[Kind, str]] = {
    "detection": "scrfd_10g_bnkps.onnx of antelopev2, which Arc2Face's arcface.onnx needs beside it too",
    "recognition": "glintr100.onnx of antelopev2 or arcface.onnx of Arc2Face",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An ONNX file of a pack.

    Attributes:
        path: of the file.
        in_manifest: whether the pack's manifest names it and how its pixels are prepared.
    """

    path: Path
    in_manifest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The two models of a pack that we use."""

    detector: Model
    recogniser: Model


def find_models(folder: Path, recognition: str | None, space: str | None) -> Models:
    """Finds the models of a pack by the shapes of their inputs and outputs, or by its manifest.

    Of several detectors the first by name is taken, as insightface does.

    Args:
        folder: with .onnx files.
        recognition: file name of the recogniser; needed where there are several.
        space: embedding space that chooses among recognisers that are known by their names.

    Raises:
        ValueError: there are several recognisers and none is chosen.
        WeightsError: a model is missing or damaged, or the files lie a folder deeper.
    """
    if not folder.is_dir():
        raise WeightsError(f"{folder}: missing or no folder; {_GET}")
    require_flat(folder)
    declared = _declared(folder)
    found: dict[Kind, list[Model]] = {"detection": [], "recognition": [], "other": []}
    for kind, path in declared.items():
        found[kind].append(Model(path=path, in_manifest=True))
    for path in sorted(folder.glob("*.onnx")):
        if path.resolve() not in declared.values():
            found[_kind(path)].append(Model(path=path, in_manifest=False))
    return Models(
        detector=_only(folder, "detection", found["detection"][:1]),
        recogniser=_recogniser(folder, found["recognition"], recognition, space),
    )


def _recogniser(folder: Path, models: list[Model], recognition: str | None, space: str | None) -> Model:
    names = [model.path.name for model in models]
    if recognition is not None:
        if recognition not in names:
            there = "is no recogniser" if (folder / recognition).is_file() else "missing"
            raise WeightsError(f"{folder / recognition}: {there}; {folder} has {', '.join(names) or 'none'}")
        return models[names.index(recognition)]
    wanted = [m for m in models if m.path.name in RECOGNISERS and RECOGNISERS[m.path.name].space == space]
    if len(models) > 1 and len(wanted) != 1:
        raise several_recognisers(str(folder), names)
    return _only(folder, "recognition", wanted or models)


def _only(folder: Path, kind: Kind, models: list[Model]) -> Model:
    if not models:
        names = ", ".join(sorted(path.name for path in folder.glob("*.onnx"))) or "no .onnx file"
        raise WeightsError(f"{folder}: has no {kind} model, only {names}; add one, like {_SUGGESTED[kind]}, or {_GET}")
    return models[0]


def _kind(path: Path) -> Kind:
    """Returns what insightface takes a model for, by the shapes of its inputs and the number of its outputs."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from onnx import load_model

    reason = broken_download(path)
    if reason is not None:
        raise WeightsError(f"{path}: {reason}; remove it or get it again")
    try:
        graph = load_model(path, load_external_data=False).graph
    except DecodeError as error:
        raise WeightsError(f"{path}: is no ONNX model or only a part of one; remove it or get it again") from error
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value.type.tensor_type.shape.dim for value in graph.input if value.name not in constants]
    if len(graph.output) >= 5:
        return "detection"
    if len(inputs) != 1 or len(inputs[0]) != 4:
        return "other"
    height, width = (dimension.dim_value for dimension in inputs[0][2:])
    is_recogniser = height == width and height >= 112 and height % 16 == 0 and height != 192
    return "recognition" if is_recogniser else "other"


def _declared(folder: Path) -> dict[Kind, Path]:
    """Returns the models that the folder's manifest names, where it has one; their SHA-256 is checked."""
    if not (folder / MANIFEST).is_file():
        return {}
    from insightface.model_zoo import has_model_package_manifest, load_model_package, verify_model_artifact

    if not has_model_package_manifest(folder):  # of another version, which insightface leaves unread as well
        return {}
    kinds: tuple[Kind, ...] = ("detection", "recognition")
    try:
        tasks = load_model_package(folder).tasks
        return {kind: Path(verify_model_artifact(tasks[kind])) for kind in kinds if kind in tasks}
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        raise WeightsError(f"{folder / MANIFEST}: {error}; get the pack again or remove its manifest") from error

"""Folders of insightface's ONNX models, as their file names tell: what belongs there, and into which space it embeds.

Nothing here opens a model, so a configuration can be checked where neither insightface nor the weights are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from synth.errors import WeightsError
from synth.plain_json import read_plain_json
from synth.spaces import ANTELOPEV2, ARCFACE_WEBFACE42M, BUFFALO_L
from synth.weights.files import WeightFile

LICENSE: Final = "insightface pretrained models: non-commercial research only"
MANIFEST: Final = "manifest.json"

_RELEASES: Final = "https://github.com/deepinsight/insightface/releases"
_LICENSE_FILE: Final = "MODEL.LICENSE"  # where it is absent, insightface takes the models for non-commercial


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A recogniser whose file has a name of its own.

    Attributes:
        space: name of its embedding space.
        detector: file that comes with it.
        origin: where it is published.
        size: bytes, to the first two digits at least.
        license: on what terms.
        repo: hub repository, where it is on the hub; it is `file` there too.
    """

    space: str
    detector: str
    origin: str
    size: int
    license: str = LICENSE
    repo: str | None = None


RECOGNISERS: Final[Mapping[str, Published]] = {
    "arcface.onnx": Published(
        space=ARCFACE_WEBFACE42M,
        detector="scrfd_10g_bnkps.onnx",
        origin="https://huggingface.co/FoivosPar/Arc2Face",
        size=261_000_000,
        license="MIT (trained on WebFace42M, whose photographs are for research only)",
        repo="FoivosPar/Arc2Face",
    ),
    "glintr100.onnx": Published(
        space=ANTELOPEV2,
        detector="scrfd_10g_bnkps.onnx",
        origin=f"{_RELEASES} (antelopev2.zip)",
        size=261_000_000,
    ),
    "w600k_r50.onnx": Published(
        space=BUFFALO_L, detector="det_10g.onnx", origin=f"{_RELEASES} (buffalo_l.zip)", size=174_000_000
    ),
}
"""Published recognisers by file name."""

DETECTORS: Final[Mapping[str, str]] = {
    "scrfd_10g_bnkps.onnx": f"{_RELEASES} (antelopev2.zip)",
    "det_10g.onnx": f"{_RELEASES} (buffalo_l.zip)",
}
"""Published detectors by file name: where each is from."""

_DETECTOR_SIZE: Final = 16_900_000  # both are SCRFD-10G with landmarks


def space_of(name: str, space: str | None) -> str:
    """Returns the embedding space of a recogniser's file.

    Args:
        name: of the file.
        space: what the user says it is, if anything.

    Raises:
        ValueError: nobody knows, or the user contradicts what is known.
    """
    published = RECOGNISERS.get(name)
    if published is None:
        if not space:
            raise ValueError(f"space: {name} does not say into which space it embeds; name that space")
        return space
    if space is not None and space != published.space:
        raise ValueError(
            f"space '{space}': {name} embeds into '{published.space}'; remove `space`, or name the file of another "
            "recogniser in `recognition`"
        )
    return published.space


def pack_space(folder: Path, recognition: str | None, space: str | None) -> str:
    """Returns the embedding space of a pack, which need not be there.

    Raises:
        ValueError: neither file names nor options say, or they contradict each other.
    """
    name = recognition or _named_recogniser(_onnx_names(folder), space)
    if name is not None:
        return space_of(name, space)
    if not space:
        known = ", ".join(RECOGNISERS)
        raise ValueError(
            f"space: {folder} has no recogniser that is known by its name ({known}); name its embedding space"
        )
    return space


def pack_files(folder: Path, recognition: str | None, space: str | None) -> list[WeightFile]:
    """Returns the files of a pack that are there or should be, as far as names tell.

    Where no name is a known detector's, all that may be one are taken.

    Raises:
        ValueError: several recognisers are there and none is chosen.
        WeightsError: the files lie a folder deeper.
    """
    require_flat(folder)
    present = _onnx_names(folder)
    name = recognition or _named_recogniser(present, space) or _name_for(space)
    if name is None:
        return [_file(path) for path in sorted(folder.rglob("*.onnx"))] or [_whole(folder)]
    others = [other for other in present if other not in RECOGNISERS and other != name]
    detectors = [other for other in others if other in DETECTORS][:1] or others
    if not detectors and name in RECOGNISERS:
        detectors = [RECOGNISERS[name].detector]
    manifest = [MANIFEST] if (folder / MANIFEST).is_file() else []
    return [_file(folder / each) for each in (*detectors, name, *manifest)]


def require_flat(folder: Path) -> None:
    """Checks that the models of a folder lie in it, not in a folder inside, as some archives unpack.

    Raises:
        WeightsError: they do not.
    """
    if not folder.is_dir() or _onnx_names(folder) or (folder / MANIFEST).is_file():
        return
    deeper = sorted({path.parent for path in folder.glob("*/*.onnx")})
    if deeper:
        raise WeightsError(
            f"{folder}: its models lie one folder deeper, in {deeper[0]}; set `weights: {deeper[0]}` or move them up"
        )


def license_of(folder: Path) -> str:
    """Returns the licence of a pack: what its manifest says, else what insightface says of all its models."""
    try:
        value = read_plain_json((folder / MANIFEST).read_bytes())["license"]
    except (OSError, ValueError, KeyError, TypeError):
        return LICENSE
    if not isinstance(value, str) or not value.strip():
        return LICENSE
    if (folder / value).is_file():
        return f"see {folder / value}"
    return LICENSE if value.endswith(_LICENSE_FILE) else value


def several_recognisers(folder: str, names: Iterable[str]) -> ValueError:
    """Returns the error of a pack with more than one recogniser."""
    return ValueError(
        f"recognition: {folder} holds several recognisers ({', '.join(sorted(names))}), and a wrong one gives wrong "
        "identities; name the file to use (Arc2Face needs arcface.onnx)"
    )


def _named_recogniser(names: Iterable[str], space: str | None) -> str | None:
    """Returns which of the files is the recogniser, if names tell."""
    known = [name for name in names if name in RECOGNISERS]
    wanted = [name for name in known if RECOGNISERS[name].space == space]
    if len(known) > 1 and not wanted:
        raise several_recognisers("the pack", known)
    return next(iter(wanted or known), None)


def _name_for(space: str | None) -> str | None:
    return next((name for name, published in RECOGNISERS.items() if published.space == space), None)


def _onnx_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.onnx"))


def _file(path: Path) -> WeightFile:
    """Returns a file of a pack with what is known of files of its name."""
    published = RECOGNISERS.get(path.name)
    if published is not None:
        return WeightFile(
            path=path,
            origin=published.origin,
            license=published.license,
            repo=published.repo,
            name=path.name if published.repo else "",
            size=published.size,
        )
    origin = DETECTORS.get(path.name, f"{_RELEASES}, or from whoever trained it")
    size = _DETECTOR_SIZE if path.name in DETECTORS else None
    return WeightFile(path=path, origin=origin, license=license_of(path.parent), size=size)


def _whole(folder: Path) -> WeightFile:
    return WeightFile(path=folder, origin=f"{_RELEASES} (unpacked)", license=LICENSE)

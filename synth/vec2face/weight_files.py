"""The files that options of the generator `vec2face` lead to, and where they are published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from synth.weights.files import WeightFile

_REPO: Final = "BooBooWu/Vec2Face"
_PLUS_REPO: Final = "BooBooWu/Vec2Face_plus"
_LICENSE: Final = "MIT; trained on WebFace4M"
_PLUS_LICENSE: Final = "not stated by its authors; trained on WebFace4M"
_POSES_PAGE: Final = "https://github.com/HaiyuWu/Vec2Face_plus (landmarks/images)"
_STEM: Final = "vec2face_generator"
_SIZE: Final = 697_000_000
_PLUS_SIZES: Final[Mapping[str, int]] = {"main_model": 697_000_000, "pose_model": 740_000_000}
_STEMS: Final = (_STEM, *_PLUS_SIZES)
_ESTIMATORS: Final[Mapping[str, tuple[str, str, int]]] = {
    "recogniser": ("arcface-r100-glint360k.pth", "MIT; trained on Glint360K", 261_000_000),
    "quality_estimator": ("magface-r100-glint360k.pth", "MIT; trained on Glint360K", 261_000_000),
    "pose_estimator": ("6DRepNet_300W_LP_AFLW2000.pth", "MIT; trained on 300W-LP", 157_000_000),
}


def vec2face_files(options: Mapping[str, Any]) -> list[WeightFile]:
    """Returns the generator's own files, its pictures of landmarks and the estimators of its attributes.

    Args:
        options: as in a configuration, groups as mappings.
    """
    poses, attributes = options.get("poses"), options.get("attributes")
    files = [_generator_file(Path(options["weights"]), is_plus=poses is not None)]
    if poses is not None and options.get("pose_weights") is not None:
        files.append(_generator_file(Path(options["pose_weights"]), is_plus=True))
    if poses is not None and poses.get("pictures") is not None:
        files += [_picture(path) for path in picture_paths(Path(poses["pictures"]))]
    if attributes is not None:
        names = [name for name in _ESTIMATORS if attributes.get(name) is not None]
        files += [_estimator_file(Path(attributes[name]), name) for name in names]
    return files


def picture_paths(folder: Path) -> list[Path]:
    """Returns the .png and .jpg files of a folder, sorted by name; the folder itself where it has none."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    return found or [folder]


def _generator_file(path: Path, *, is_plus: bool) -> WeightFile:
    """Returns what was published under the name of a path; of a name that nobody published, what the options need."""
    stem = path.stem if path.stem in _STEMS else ("pose_model" if is_plus else _STEM)
    if stem == _STEM:
        return WeightFile.on_hub(path, _REPO, f"weights/{stem}.pth", _LICENSE, _SIZE)
    return WeightFile.on_hub(path, _PLUS_REPO, f"vec2face_plus/{stem}.pth", _PLUS_LICENSE, _PLUS_SIZES[stem])


def _estimator_file(path: Path, estimator: str) -> WeightFile:
    name, terms, size = _ESTIMATORS[estimator]
    return WeightFile.on_hub(path, _REPO, f"weights/{name}", terms, size)


def _picture(path: Path) -> WeightFile:
    return WeightFile(path=path, origin=_POSES_PAGE, license="not stated by its authors")

"""Weight files a component needs: where they are looked for, where they are published, and on what terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Self

from synth.digests import sha256_of
from synth.errors import WeightsError
from synth.weights.downloads import broken_download


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFile:
    """One file that a component reads.

    Attributes:
        path: where it is looked for.
        origin: the page it is published on, or how to ask for it.
        license: on what terms, with the data it was trained on where that binds.
        repo: hub repository that `synth weights --download` fetches it from, like 'FoivosPar/Arc2Face'; None where
            it is not on the hub, or another kind of file than `path` is named like.
        name: its path inside the repository; empty where it is not on the hub.
        size: bytes as published, to the first two digits at least; None: not known.
        sha256: hexadecimal, of the published file; None: not known.
    """

    path: Path
    origin: str
    license: str
    repo: str | None = None
    name: str = ""
    size: int | None = None
    sha256: str | None = None

    @classmethod
    def on_hub(cls, path: Path, repo: str, name: str, license: str, size: int | None = None) -> Self:
        """Returns a file that is published on the Hugging Face hub; arguments as the attributes."""
        origin = f"https://huggingface.co/{repo}"
        return cls(path=Path(name), origin=origin, license=license, repo=repo, name=name, size=size).at(path)

    def at(self, path: Path) -> Self:
        """Returns the same published file, looked for at another path.

        Under the name of another kind of file it is not fetched: a pickle that is called .safetensors cannot be read.
        """
        if self.repo is None or path.suffix == PurePosixPath(self.name).suffix:
            return replace(self, path=path)
        return replace(self, path=path, repo=None, sha256=None)

    @property
    def is_present(self) -> bool:
        """Whether there is a file at `path`."""
        return self.path.is_file()

    def damage(self) -> str | None:
        """Returns what tells the file at `path` from the published one; None: nothing that is known.

        Where the SHA-256 is known the whole file is read.

        Raises:
            OSError: there is none.
        """
        if reason := broken_download(self.path):
            return reason
        if self.sha256 is not None and (found := sha256_of(self.path)) != self.sha256:
            return f"has SHA-256 {found}, published with {self.sha256}; it was altered or cut short"
        return None

    @property
    def way_out(self) -> str:
        """How to get it."""
        if self.repo is not None:
            return f"`synth weights CONFIG --download` fetches it from {self.repo}"
        if not self.name:
            return f"get it from {self.origin} and put it there"
        published = PurePosixPath(self.name)
        if self.path.suffix == ".safetensors":
            convert = f"`synth weights convert {published.name} {self.path}`"
            return f"get {published} from {self.origin} and make it of that with {convert}"
        return f"name a {published.suffix} file in the configuration instead: {self.origin} has {published}"


def require_files(files: Iterable[WeightFile]) -> None:
    """Checks that all files are there and no broken downloads; reads no more than their ends.

    Raises:
        WeightsError: a line for each file that is missing or broken, with the way to get it.
    """
    lines = [line for line in map(_complaint, files) if line]
    if lines:
        raise WeightsError("\n".join(lines))


def _complaint(file: WeightFile) -> str | None:
    if not file.is_present:
        return f"{file.path}: missing; {file.way_out}"
    if reason := broken_download(file.path):
        return f"{file.path}: {reason}; remove it, then {file.way_out}"
    return None


def total_size(files: Sequence[WeightFile]) -> int:
    """Returns the bytes of all files whose published size is known."""
    return sum(file.size or 0 for file in files)

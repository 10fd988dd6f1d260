"""What a component's options stand for, with the content of files in place of their paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.file_hashes import FileHashes
from pipelines.weight_files import files_of
from synth.components import ComponentSpec


@dataclass(frozen=True, slots=True)
class OptionContents:
    """Replaces paths in the options of one component by hashes of what is there.

    Of a folder all files count that are not hidden, and its weight files. Of a generator's folder its weight files
    count alone, as it reads nothing else there; a recogniser may choose among all that is in its folder.

    Attributes:
        spec: the component.
        weights: paths of its weight files.
        hashes: of files.
    """

    spec: ComponentSpec
    weights: Sequence[Path]
    hashes: FileHashes

    @classmethod
    def of(cls, spec: ComponentSpec, hashes: FileHashes) -> OptionContents:
        """Returns those of a component. Raises ComponentError where its options do not say which files it reads."""
        return cls(spec, [file.path for file in files_of(spec)], hashes)

    def options(self) -> dict[str, Any]:
        """Returns the options by name."""
        return {name: self._content(value) for name, value in self.spec.options.items()}

    def other_weights(self) -> list[str]:
        """Returns 'name sha256:...' of the weight files that no option leads to, being defaults of the component."""
        named = [Path(text) for text in _texts(self.spec.options)]
        return self._listing([path for path in self.weights if not any(path.is_relative_to(each) for each in named)])

    def _content(self, value: Any) -> Any:  # noqa: ANN401
        """Replaces the path of an existing file or folder by the SHA-256 of its content, at any depth."""
        if isinstance(value, Mapping):
            return {str(key): self._content(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._content(inner) for inner in value]
        if not isinstance(value, str):
            return value
        path = Path(value)
        weights = [file for file in self.weights if file.is_relative_to(path)]
        if not weights and "/" not in value and "." not in value:
            return value  # a word, which may be the name of a file by chance
        if path.is_file():
            return f"sha256:{self.hashes.of(path)}"
        if path.is_dir():
            only_weights = weights and self.spec.kind == "generator"
            return self._listing(weights if only_weights else {*_visible(path), *weights}, path)
        return value

    def _listing(self, files: Iterable[Path], folder: Path | None = None) -> list[str]:
        """Returns 'name sha256:...' of each file, sorted; names are relative to the folder, or bare."""
        return sorted(f"{file.relative_to(folder) if folder else file.name} {self._state(file)}" for file in files)

    def _state(self, file: Path) -> str:
        return f"sha256:{self.hashes.of(file)}" if file.is_file() else "missing"


def _visible(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401
    """Yields the strings in options, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)

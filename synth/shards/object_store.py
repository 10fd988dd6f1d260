"""Folders in object stores, by URL: whatever fsspec has a file system for, like s3://, gs://, hf:// or memory://."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from synth.errors import ShardError
from synth.extras import require_extra
from synth.shards.commit import UNFINISHED

_INDEX: Final = "index.json"  # of the exporter `webdataset`: names and sizes of its tars


def is_url(place: str) -> bool:
    """Returns whether a place is a URL and no path."""
    return "://" in place


class ObjectFolder:
    """A flat view of a folder in a store. Objects appear whole; a folder of them does not, so an index goes last.

    Args:
        url: of the folder; credentials are those that its file system finds by itself.

    Raises:
        ComponentError: fsspec is not installed.
        ShardError: no file system of that protocol, or its package is not installed.
    """

    def __init__(self, url: str) -> None:
        require_extra("storage", "fsspec")
        import fsspec

        self.url = url.rstrip("/")
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise ShardError(f"{url}: cannot be opened: {error}") from error

    def sizes(self) -> Mapping[str, int]:
        """Returns the bytes of each object by its name below the folder; empty where there are none."""
        try:
            found = self._files.find(self._root, detail=True)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ShardError(f"{self.url}: cannot be listed: {error}") from error
        start = len(self._root.rstrip("/")) + 1
        return {path[start:]: int(about["size"]) for path, about in found.items()}

    def send(self, folder: Path, last: Sequence[str] = ()) -> None:
        """Copies all files of a folder, those named in `last` after the others and in that order.

        Raises:
            ShardError: the store refuses.
        """
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        for parent in sorted({f"{self._root}/{name}".rpartition("/")[0] for name in names}):
            self._files.makedirs(parent, exist_ok=True)  # of file systems that have folders
        for name in [*(name for name in names if name not in last), *(name for name in last if name in names)]:
            self._try("write", name, self._files.put_file, str(folder / name), f"{self._root}/{name}")

    def remove(self, names: Sequence[str]) -> None:
        """Removes objects.

        Raises:
            ShardError: the store refuses.
        """
        for name in names:
            self._try("remove", name, self._files.rm_file, f"{self._root}/{name}")

    def fetch(self, folder: Path) -> Path:
        """Copies what is not there yet into a local folder, each file with one rename; returns the folder.

        A file of the same size counts as there: clear the folder where a dataset was changed in place.

        Raises:
            ShardError: there is nothing, or the store refuses.
        """
        sizes = self.sizes()
        if not sizes:
            raise ShardError(f"{self.url}: holds nothing; name the folder that a dataset was exported or published to")
        folder.mkdir(parents=True, exist_ok=True)
        for name, size in sorted(sizes.items(), key=lambda entry: (entry[0] == _INDEX, entry[0])):
            path = folder / name
            if path.is_file() and path.stat().st_size == size and name != _INDEX:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(path.name + UNFINISHED)
            self._try("read", name, self._files.get_file, f"{self._root}/{name}", str(unfinished))
            unfinished.replace(path)
        for name in _of_another_state(folder, sizes):
            (folder / name).unlink()
        return folder

    def json(self, name: str) -> Any:  # noqa: ANN401
        """Returns the content of a JSON object; None where there is none of that name, or it is no JSON."""
        if name not in self.sizes():
            return None
        try:
            return json.loads(self._try("read", name, self._files.cat_file, f"{self._root}/{name}"))
        except ValueError:
            return None

    def put_json(self, name: str, content: Any) -> None:  # noqa: ANN401
        """Writes a JSON object.

        Raises:
            ShardError: the store refuses.
        """
        self._files.makedirs(self._root, exist_ok=True)
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        self._try("write", name, self._files.pipe_file, f"{self._root}/{name}", text.encode())

    def _try(self, what: str, name: str, action: Any, *arguments: Any) -> Any:  # noqa: ANN401
        try:
            return action(*arguments)
        except OSError as error:
            raise ShardError(f"{self.url}/{name}: cannot {what} it: {error}; try again to go on") from error


def _of_another_state(folder: Path, sizes: Mapping[str, int]) -> list[str]:
    """Returns the local tars that the store does not hold any more: a reader would take them for part of the set."""
    return [path.name for path in sorted(folder.glob("*.tar")) if path.name not in sizes]

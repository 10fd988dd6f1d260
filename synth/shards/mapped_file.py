"""A file that is read through a memory map."""

from __future__ import annotations

import mmap
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from synth.errors import ShardError


class MappedFile:
    """A file that stays mapped until its `with` block ends.

    Attributes:
        path: of the file.
        map: its bytes.
        content: what the file is to be, for messages.

    Raises:
        ShardError: the file is missing or empty.
    """

    content: ClassVar[str]

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
            raise ShardError(f"{path}: cannot be read as {self.content} ({error}); make it again") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.map.close()

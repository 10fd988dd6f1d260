"""The folder of a training: its configuration, its log, and what it made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.run_directory import write_json
from synth.errors import FingerprintError, RunError
from synth.plain_json import read_plain_json
from synth.shards.commit import replace_file

_IN_EVERY_LINE: Final = frozenset({"step", "seconds", "cpu_seconds"})
_SHOWN: Final = 60  # characters of a bad line that a message shows


@dataclass(frozen=True, slots=True)
class TrainingFolder:
    """Paths of a training."""

    root: Path

    @property
    def record(self) -> Path:
        """Configuration and dataset that it was begun with."""
        return self.root / "train.json"

    @property
    def log(self) -> Path:
        """A line of JSON for every report and every look at the held-out identities."""
        return self.root / "log.jsonl"

    @property
    def page(self) -> Path:
        """The page with the curves."""
        return self.root / "report" / "index.html"

    def begin(self, origin: Mapping[str, Any]) -> None:
        """Says what the training is made with, or compares it with what it was begun with.

        Args:
            origin: configuration and dataset, as JSON knows them.

        Raises:
            FingerprintError: it was begun with another configuration or dataset.
            RunError: it is a folder with other things in it, or its record is damaged.
        """
        if not self.record.exists():
            foreign = sorted(path.name for path in self.root.iterdir() if path.name != "train.lock")
            if foreign:
                raise RunError(f"{self.root}: has '{foreign[0]}' and is no training; name an empty or a new folder")
            write_json(self.record, origin)
            return
        differing = sorted(_differences(self._read(), origin))
        if differing:
            raise FingerprintError(
                f"{self.root}: was begun with another configuration or dataset: {'; '.join(differing)}; "
                "use another --run-dir, or remove it to begin anew"
            )

    def lines(self) -> list[dict[str, Any]]:
        """Returns the log; nothing where it is missing.

        Raises:
            RunError: it is damaged.
        """
        return [content for _, content in self._parsed(self._text())]

    def forget_after(self, step: int) -> None:
        """Takes lines out of the log that a killed training wrote after its checkpoint; they come again.

        Raises:
            RunError: it is damaged before its last line, which may be cut short.
        """
        text = self._text()
        whole = text[: text.rfind("\n") + 1]
        kept = [line for line, content in self._parsed(whole) if content["step"] <= step]
        replace_file(self.log, "".join(kept).encode())

    def _text(self) -> str:
        """Returns the log as it is, bytes that are no text replaced: their line is no JSON then either."""
        try:
            return self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def _parsed(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields each line of the log, as it is and what it says."""
        for number, line in enumerate(text.splitlines(keepends=True), start=1):
            try:
                content = read_plain_json(line)
            except ValueError:
                content = None
            if not _is_of_a_log(content):
                raise RunError(
                    f"{self.log}:{number}: {line.strip()[:_SHOWN]!r}, expected JSON as a training logs it; take the "
                    "line out or remove the log, and run again: model and checkpoint stay"
                )
            yield line, content

    def _read(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = read_plain_json(self.record.read_text())
        except (OSError, ValueError) as error:
            raise RunError(f"{self.record}: cannot be read ({error}); remove {self.root} to begin anew") from error
        return content


def kept_judgement(lines: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Returns the line about the model that was kept: the last of those that were the best so far.

    Args:
        lines: of the log.

    Returns:
        None where the log lacks it.
    """
    return next((line for line in reversed(lines) if line.get("is_best")), None)


def _is_of_a_log(content: object) -> bool:
    return (
        isinstance(content, dict)
        and content.keys() >= _IN_EVERY_LINE
        and all(isinstance(value, int | float) for value in content.values())
    )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> list[str]:
    found = []
    for key in before.keys() | now.keys():
        old, new = before.get(key), now.get(key)
        place = f"{path}.{key}" if path else str(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, place)
        elif old != new:
            found.append(f"{place} {old!r}, now {new!r}")
    return found

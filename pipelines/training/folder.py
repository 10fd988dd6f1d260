"""The folder of a training: its configuration, its log, and what it made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.run_directory import write_json
from pipelines.training.schema import TrainConfig
from synth.errors import FingerprintError, RunError
from synth.shards.commit import replace_file


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

    def begin(self, config: TrainConfig, dataset: Mapping[str, Any]) -> None:
        """Says what the training is made with, or compares it with what it was begun with.

        Raises:
            FingerprintError: it was begun with another configuration or dataset.
            RunError: it is a folder with other things in it, or its record is damaged.
        """
        wanted = {"config": config.model_dump(mode="json"), "dataset": dict(dataset)}
        if not self.record.exists():
            foreign = sorted(path.name for path in self.root.iterdir() if path.name != "train.lock")
            if foreign:
                raise RunError(f"{self.root}: has '{foreign[0]}' and is no training; name an empty or a new folder")
            write_json(self.record, wanted)
            return
        differing = sorted(_differences(self._read(), wanted))
        if differing:
            raise FingerprintError(
                f"{self.root}: was begun with another configuration or dataset: {'; '.join(differing)}; "
                "use another --run-dir, or remove it to begin anew"
            )

    def lines(self) -> list[dict[str, Any]]:
        """Returns the log.

        Raises:
            RunError: it is damaged.
        """
        try:
            return [json.loads(line) for line in self.log.read_text().splitlines()]
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise RunError(f"{self.log}: not a log of a training ({error}); remove it and run again") from error

    def forget_after(self, step: int) -> None:
        """Takes lines out of the log that a killed training wrote after its checkpoint; they come again."""
        if not self.log.exists():
            return
        text = self.log.read_text()
        whole = text[: text.rfind("\n") + 1].splitlines(keepends=True)  # the last line may be cut short
        kept = [line for line in whole if json.loads(line)["step"] <= step]
        replace_file(self.log, "".join(kept).encode())

    def _read(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self.record.read_text())
        except (OSError, ValueError) as error:
            raise RunError(f"{self.record}: cannot be read ({error}); remove {self.root} to begin anew") from error
        return content


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

"""What a committed shard says about itself, and the list of a stage's shards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from synth.digests import sha256_of
from synth.errors import ShardError
from synth.shards.commit import replace_file

RECORD_NAME = "shard.json"


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """A unit of work, planned before any runs: a half-open range of work items that becomes one shard."""

    shard: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Size in bytes and SHA-256 of one file of a shard."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRecord:
    """What `shard.json` holds. Seconds, host and versions say how it was made; they decide nothing."""

    task: Task
    fingerprint: str
    counts: Mapping[str, int]
    files: Mapping[str, FileRecord]
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    host: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def write(self, shard: Path) -> None:
        """Writes the record into a shard directory that is not committed yet."""
        (shard / RECORD_NAME).write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def read(cls, shard: Path) -> ShardRecord:
        """Reads the record of a committed shard.

        Raises:
            ShardError: it is missing or unreadable.
        """
        path = shard / RECORD_NAME
        try:
            raw = json.loads(path.read_text())
            raw["task"] = Task(**raw["task"])
            raw["files"] = {name: FileRecord(**entry) for name, entry in raw["files"].items()}
            return cls(**raw)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ShardError(f"{path}: not a readable shard record ({error}); remove {shard} and run again") from error


def describe_files(shard: Path) -> dict[str, FileRecord]:
    """Returns size and SHA-256 of each file below a shard directory but its record, by relative name."""
    paths = sorted(path for path in shard.rglob("*") if path.is_file() and path.name != RECORD_NAME)
    return {str(path.relative_to(shard)): FileRecord(path.stat().st_size, sha256_of(path)) for path in paths}


def damage(shard: Path, record: ShardRecord) -> list[str]:
    """Compares a committed shard with its record; returns a line for each file that differs."""
    found = describe_files(shard)
    lines = []
    for name in sorted(set(found) | set(record.files)):
        if name not in found:
            lines.append(f"{shard / name}: missing")
        elif name not in record.files:
            lines.append(f"{shard / name}: not in the record")
        elif found[name].size != record.files[name].size:
            lines.append(f"{shard / name}: {found[name].size} bytes, the record says {record.files[name].size}")
        elif found[name].sha256 != record.files[name].sha256:
            lines.append(f"{shard / name}: SHA-256 {found[name].sha256}, the record says {record.files[name].sha256}")
    return lines


def write_manifest(path: Path, records: Sequence[ShardRecord]) -> None:
    """Writes all records of a stage in shard order, by one rename; derived, can be rebuilt."""
    in_order = [asdict(record) for record in sorted(records, key=lambda record: record.task)]
    replace_file(path, (json.dumps(in_order, indent=1) + "\n").encode())

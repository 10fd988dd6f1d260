"""What a committed shard says about itself, and the list of a stage's shards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from synth.digests import sha256_of
from synth.errors import ShardError
from synth.shards.commit import replace_file

RECORD_NAME = "shard.json"

Whole = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_CHECKS = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """A unit of work, planned before any runs: a half-open range of work items that becomes one shard."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKS

    shard: Whole
    start: Whole
    stop: Whole


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Size in bytes and SHA-256 of one file of a shard."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKS

    size: Whole
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRecord:
    """What `shard.json` holds. Seconds, host and versions say how it was made; they decide nothing."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKS

    task: Task
    fingerprint: str
    counts: Mapping[str, Whole]
    files: Mapping[str, FileRecord]
    seconds: Seconds = 0.0
    cpu_seconds: Seconds = 0.0
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
            return _RECORD.validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            reason = f"{place}: {first['msg']}" if place else first["msg"]
        except OSError as error:
            reason = str(error)
        raise ShardError(f"{path}: not a readable shard record ({reason}); remove {shard} and run again")


_RECORD = TypeAdapter(ShardRecord)


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

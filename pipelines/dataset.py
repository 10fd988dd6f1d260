"""Assembles the finished dataset and its report, once per export."""

from __future__ import annotations

from pathlib import Path

from pipelines.card import dataset_card
from pipelines.card_facts import card_facts
from pipelines.report import write_report
from pipelines.run_directory import RunDirectory, write_json
from pipelines.schema import RunConfig
from synth import components
from synth.errors import ShardError
from synth.plain_json import read_plain_json
from synth.shards.manifest import FileRecord, describe_files


def finish(config: RunConfig, run: RunDirectory) -> None:
    """Makes `dataset/` and `report/` unless they were made from the export at hand."""
    if is_assembled(run):
        return
    exporter = components.build(config.exporter_spec)
    exporter.assemble(run.shards("export"), run.dataset, dataset_card(card_facts(config, run, exporter)))
    write_report(run.root)
    files = {name: [record.size, record.sha256] for name, record in describe_files(run.dataset).items()}
    write_json(_marker(run), {"digest": run.stage_digest("export"), "files": files})


def is_assembled(run: RunDirectory) -> bool:
    """Returns whether `dataset/` and `report/` were made from the export at hand."""
    assembled = _assembled(run)
    is_current = assembled is not None and assembled[0] == run.stage_digest("export")
    return is_current and run.dataset.is_dir() and run.report.is_dir()


def forget_dataset(run: RunDirectory) -> None:
    """Says that the dataset is not made from the export at hand: a shard of it is missing and will be made anew."""
    run.discard(_marker(run))


def damaged_dataset_files(run: RunDirectory) -> list[str]:
    """Returns a line for each file of the assembled dataset that is missing or differs from what was assembled."""
    assembled = _assembled(run)
    if assembled is None:
        return []
    expected = assembled[1]
    found = describe_files(run.dataset)
    return [
        f"{run.dataset / name}: {'missing' if name not in found else 'differs from what was assembled'}"
        for name, record in expected.items()
        if found.get(name) != record
    ]


def assembled_files(run: RunDirectory) -> dict[str, FileRecord]:
    """Returns size and SHA-256 of each file of the dataset when it was assembled, by name; empty where it was not."""
    assembled = _assembled(run)
    return {} if assembled is None else assembled[1]


def _marker(run: RunDirectory) -> Path:
    """Lies in the export stage's folder, so that it goes with the shards it speaks of."""
    return run.stage("export") / "assembled.json"


def _assembled(run: RunDirectory) -> tuple[str, dict[str, FileRecord]] | None:
    """Returns digest of the export and files of the dataset that was assembled from it; None where none was."""
    path = _marker(run)
    try:
        content = read_plain_json(path.read_text())
        return content["digest"], {name: FileRecord(*entry) for name, entry in content["files"].items()}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ShardError(f"{path}: cannot be read ({error}); remove it and run again") from error

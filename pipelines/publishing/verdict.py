"""What the audit of a run says about the dataset that is to be published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.auditing.findings import STATUSES, Status
from pipelines.run_directory import RunDirectory, selection_sha256
from synth.errors import AuditFailedError, RunError


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An audit of the very selection that the dataset holds.

    Attributes:
        examined: samples that were looked at one by one.
        samples: in the dataset.
        subjects: status by subject, like 'ok' by 'consistency'; the gravest of its checks.
        leakage: what was found about likeness to real people, a sentence a check.
    """

    examined: int
    samples: int
    subjects: Mapping[str, Status]
    leakage: Sequence[str]


def read_verdict(run: RunDirectory) -> Verdict | None:
    """Returns what the run's audit says; None where there is no audit.

    Raises:
        AuditFailedError: faces of real people were found above the bound.
        RunError: the audit looked at another selection, or cannot be read.
    """
    path = run.audit / "audit.json"
    again = f"run `synth audit {run.root}` again"
    try:
        content = json.loads(path.read_text())
        leakage = content["audits"]["leakage"]
        verdict = Verdict(
            examined=content["examined"]["drawn_samples"],
            samples=content["examined"]["samples"],
            subjects={name: _status(audit["status"]) for name, audit in content["audits"].items()},
            leakage=[f"{check['status']}: {check['says']}" for check in leakage["checks"]],
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path}: cannot be read as an audit ({error!r}); {again}") from error
    if content.get("selection") != selection_sha256(run):
        raise RunError(f"{path}: was made of another selection than the dataset's; {again}")
    if verdict.subjects["leakage"] == "fail":
        found = "; ".join(sentence for sentence in verdict.leakage if sentence.startswith("fail"))
        raise AuditFailedError(
            f"{path}: leakage: {found}; what resembles real people is not published: drop it and {again}"
        )
    return verdict


def _status(text: str) -> Status:
    for status in STATUSES:
        if text == status:
            return status
    raise ValueError(f"'{text}' is no status")

"""The audit of a finished run's dataset: a page for people, a file for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.auditing.balance import audit_balance
from pipelines.auditing.comparison import compare
from pipelines.auditing.consistency import audit_consistency
from pipelines.auditing.diversity import audit_diversity
from pipelines.auditing.duplicates import audit_duplicates
from pipelines.auditing.exported_images import ExportedImages
from pipelines.auditing.findings import STATUSES, Audit, Status, as_json, gravest
from pipelines.auditing.image_scan import scan_images
from pipelines.auditing.leakage import audit_leakage
from pipelines.auditing.material import Material, gather
from pipelines.auditing.poison import audit_poison
from pipelines.auditing.screens import run_screens
from pipelines.auditing.separation import audit_neighbours, audit_uniqueness
from pipelines.auditing.settings import SEED, AuditSettings, check_settings
from pipelines.config import stored_config
from pipelines.reporting.component_facts import component_type
from pipelines.reporting.template import render
from pipelines.run_directory import RunDirectory, selection_sha256
from pipelines.schema import RunConfig
from synth.shards.commit import replace_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """What an audit came to.

    Attributes:
        page: path of the page.
        audits: one a subject.
    """

    page: Path
    audits: Sequence[Audit]

    @property
    def status(self) -> Status:
        """The gravest status of all."""
        return gravest([audit.status for audit in self.audits])


def write_audit(run_dir: Path, settings: AuditSettings) -> AuditResult:
    """Audits a run and writes `audit/index.html` and `audit/audit.json` into its directory.

    The page needs nothing but itself: no network, no scripts. The same run and settings give the same bytes.

    Args:
        run_dir: a run whose selection is committed.
        settings: what to compare with.

    Raises:
        RunError: the directory is no run, its selection is missing, or nothing was kept.
        RunLockedError: a driver or another audit works on it.
        ConfigError: the settings do not fit the run.
        VectorsError: a gallery cannot be read.
        WeightsError: a weight file of the second recogniser is missing.
        ShardError: committed data are missing or damaged.
    """
    run = RunDirectory(run_dir)
    config = stored_config(run)
    check_settings(settings, config)
    with run.lock():
        material = gather(run, config, settings.samples, SEED)
        audits = _audits(run, config, material, settings)
        result = AuditResult(page=run.audit / "index.html", audits=audits)
        with replace_directory(run.audit) as folder:
            (folder / "audit.json").write_text(_as_text(run, material, result))
            (folder / "index.html").write_text(_as_page(run, material, result))
    return result


def _audits(run: RunDirectory, config: RunConfig, material: Material, settings: AuditSettings) -> list[Audit]:
    """Runs all audits, in the order of the page."""
    bound, source = settings.max_inter_class_similarity, "the bound of the command line"
    if bound is None:
        bound, source = config.selection.max_inter_class_similarity, "the run's selection.max_inter_class_similarity"
    extension = "jpg" if config.export.crop == "aligned" else config.image_extension
    with (
        ExportedImages(run, material.kept, config.export.crop, extension) as images,
        ExportedImages(run, material.kept, "aligned", "jpg") as faces,
    ):
        leakage = audit_leakage(material, settings, images, faces)  # first: what is wrong with a gallery shows at once
        scan = scan_images(images, material.kept, material.drawn)
        comparison = compare(material.drawn, SEED)
        return [
            audit_consistency(material, comparison, images),
            audit_uniqueness(material, bound, source),
            audit_neighbours(material, bound, source, images),
            audit_diversity(material, scan, images),
            audit_balance(material, comparison, scan),
            audit_duplicates(material, comparison, scan, images),
            audit_poison(material, scan, run_screens(material, comparison, scan), images),
            leakage,
        ]


def _examined(material: Material) -> dict[str, int]:
    """Returns how much of the dataset was looked at."""
    return {
        "samples": len(material.kept.labels),
        "classes": material.kept.num_classes,
        "drawn_samples": len(material.drawn.rows),
        "drawn_classes": material.drawn.num_classes,
        "compared_classes": len(material.centre_labels),
        "seed": SEED,
    }


def _as_text(run: RunDirectory, material: Material, result: AuditResult) -> str:
    content = {
        "run": run.root.resolve().name,
        "selection": selection_sha256(run),
        "status": result.status,
        "examined": _examined(material),
        "audits": {
            audit.name: {
                "status": audit.status,
                "checks": [
                    {"name": check.name, "status": check.status, "says": check.says, "source": check.source}
                    for check in audit.checks
                ],
                "numbers": audit.numbers,
                "notes": audit.notes,
            }
            for audit in result.audits
        },
    }
    return json.dumps(as_json(content), indent=1, allow_nan=False) + "\n"


def _as_page(run: RunDirectory, material: Material, result: AuditResult) -> str:
    stored = run.read_run()
    return render(
        "audit.html",
        run={
            "name": run.root.resolve().name,
            "generator": component_type(stored["config"], "generator"),
            "recogniser": component_type(stored["config"], "recogniser"),
        },
        examined=_examined(material),
        status=result.status,
        statuses=STATUSES,
        audits=result.audits,
    )

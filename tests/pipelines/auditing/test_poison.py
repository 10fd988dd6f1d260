"""Verdicts of the patch screens on classes and sets of different sizes."""

import numpy as np
import pytest

from pipelines.auditing import poison
from pipelines.auditing.comparison import compare
from pipelines.auditing.image_scan import ClassPatch
from pipelines.auditing.screens import run_screens
from synth.audits.poison.patches import Window
from tests.pipelines.auditing.made_up import NoPictures, material_of, scan_of
from tests.synth.audits.crowds import crowd

OF_A_CLASS, OF_ALL = "a patch that a class has in common", "a patch that all classes have in common"


@pytest.fixture
def audited(monkeypatch):
    """Audits classes with windows of such ratios in so many images, and some without; returns the checks by name."""
    monkeypatch.setattr(poison, "poison_galleries", lambda *everything: [])

    def audit(*windows, num_classes=8):
        patches = [
            ClassPatch(label=label, window=Window(ratio=ratio, top=0, left=0, size=4), num_images=count)
            for label, (ratio, count) in enumerate(windows)
        ]
        material = material_of(*crowd(num_classes, 6))
        scan = scan_of(np.zeros((6 * num_classes, 64), dtype=np.bool_), patches)
        screens = run_screens(material, compare(material.drawn, seed=0), scan)
        found = poison.audit_poison(material, scan, screens, NoPictures())
        return {check.name: check for check in found.checks}, found.numbers

    return audit


@pytest.mark.parametrize(
    ("ratio", "num_images", "status"), [(10.3, 5, "ok"), (4.2, 12, "ok"), (10.3, 12, "warn"), (4.2, 100, "warn")]
)
def test_a_window_of_few_images_may_have_a_larger_ratio(audited, ratio, num_images, status):
    checks, _ = audited((1.0, 12), (ratio, num_images))

    assert checks[OF_A_CLASS].status == status


def test_the_first_class_is_the_furthest_above_its_bound_whatever_its_ratio(audited):
    checks, numbers = audited((9.0, 5), (8.0, 12))

    assert [entry["label"] for entry in numbers["class_patches"]] == [1, 0]
    assert numbers["class_patches"][0]["bound"] == pytest.approx(3 * (1 + 12 / 11))
    assert "1 class of 2; the most constant place has 8.00 of 6.27" in checks[OF_A_CLASS].says


def test_small_classes_are_said_to_be_not_screened(audited):
    checks, _ = audited((1.0, 12))
    none, _ = audited()

    assert checks[OF_A_CLASS].status == "ok"
    assert checks[OF_A_CLASS].says.endswith("; 7 classes of fewer than 5 readable images not screened")
    assert none[OF_A_CLASS].status == "skipped"
    assert none[OF_A_CLASS].says == "8 classes of fewer than 5 readable images not screened"


def test_what_a_few_classes_have_in_common_is_not_screened(audited):
    few, _ = audited(num_classes=3)
    enough, numbers = audited(num_classes=4)

    assert (few[OF_ALL].status, enough[OF_ALL].status) == ("skipped", "ok")
    assert few[OF_ALL].says == "not screened: fewer than 4 classes have readable images"
    assert numbers["common_patch"]["bound"] == pytest.approx(0.6)

"""What the consistency check says about where its bounds come from."""

from pipelines.auditing.comparison import compare
from pipelines.auditing.consistency import audit_consistency
from pipelines.auditing.findings import OWN_RULE
from tests.pipelines.auditing.made_up import NoPictures, material_of
from tests.synth.audits.crowds import crowd


def test_the_bounds_are_our_own_rule_and_the_difference_to_dcface_is_stated():
    material = material_of(*crowd(40, 6))

    audit = audit_consistency(material, compare(material.drawn, seed=0), NoPictures())

    (check,) = audit.checks
    assert check.status == "ok"
    assert check.source.startswith(f"warns below 90%, fails below 85%: {OWN_RULE}, after DCFace")
    assert "FMR of 1e-4, with the sample in the centre" in check.source
    assert "FMR of 1e-3 and leave-one-out" in check.source

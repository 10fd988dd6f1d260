"""Each fault of the machine ends in a clear error or a right result; full disks are in tests/pipelines/test_cli.py."""

import pytest

from tests.faults.machine_cases import CASES
from tests.faults.outcome import BadOutcomeError, SkippedError, require


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"full disk"}))
def test_a_fault_of_the_machine_ends_well(name, tmp_path):
    try:
        assert CASES[name](tmp_path)
    except SkippedError as reason:
        pytest.skip(str(reason))


def test_what_did_not_end_well_is_an_error():
    require(1, "never")

    with pytest.raises(BadOutcomeError, match="told"):
        require(0, "told")

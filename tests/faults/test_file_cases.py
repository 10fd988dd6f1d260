"""Each fault of a file ends in a clear error or a right result, at a size that tests have time for."""

from functools import partial

import pytest

from tests.faults.file_cases import CASES, altered_configurations, damaged_shards

SMALL = {
    "torn and bit-flipped shards": partial(damaged_shards, damages_to_try=3),
    "altered configurations": partial(altered_configurations, number=2),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_of_a_file_ends_well(name, tmp_path):
    assert SMALL.get(name, CASES[name])(tmp_path)

import numpy as np
import pytest

from synth.generators.base import TruthColumn


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        (TruthColumn("float32"), np.zeros(3, np.float32)),
        (TruthColumn("float32", width=10), np.zeros((3, 10), np.float32)),
        (TruthColumn("bool"), np.zeros(3, np.bool_)),
        (TruthColumn("str"), np.array(["a", "bc", ""])),
        (TruthColumn("int32"), np.zeros(0, np.int32)),
    ],
)
def test_columns_as_declared_pass(declared, values):
    declared.check("Toy.truth['a']", values)


@pytest.mark.parametrize(
    ("declared", "values", "message"),
    [
        (TruthColumn("float32"), np.zeros(3), r"Toy.truth\['a'\]: declared float32 .*, got float64"),
        (TruthColumn("float32"), np.zeros((3, 2), np.float32), r"declared float32 \('B',\), got float32 \('B', 2\)"),
        (TruthColumn("float32", width=2), np.zeros((3, 3), np.float32), r"\('B', 2\), got float32 \('B', 3\)"),
        (TruthColumn("bool"), np.array(["yes"]), "declared bool .*, got str"),
        (TruthColumn("float32"), np.array([0, np.nan], np.float32), "has NaN or infinite numbers"),
        (TruthColumn("float32", width=1), np.array([np.inf], np.float32), "has NaN or infinite numbers"),
    ],
)
def test_columns_that_a_dataset_cannot_hold_are_refused(declared, values, message):
    with pytest.raises(ValueError, match=message):
        declared.check("Toy.truth['a']", values)

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from synth.errors import VectorsError
from synth.vectors.statistics import fit_statistics
from synth.vectors.statistics_files import read_statistics, write_statistics
from tests.synth.vectors.test_statistics import blocks, cloud

SUFFIXES = [".npz", ".safetensors"]


@pytest.fixture(scope="module")
def statistics():
    return fit_statistics(blocks(cloud()), components=5, space="sface")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read(tmp_path, suffix, statistics):
    path = tmp_path / f"statistics{suffix}"

    write_statistics(path, statistics)

    found = read_statistics(path)
    for field in dataclasses.fields(statistics):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(statistics, field.name))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_statistics_give_the_same_small_file(tmp_path, suffix, statistics):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"

    write_statistics(first, statistics)
    write_statistics(second, statistics)

    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 8 * (5 * 12 + 12 + 5) + 2000


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_write_that_breaks_off_leaves_the_earlier_file_and_nothing_else(tmp_path, monkeypatch, suffix, statistics):
    path = tmp_path / f"statistics{suffix}"
    write_statistics(path, statistics)
    write_bytes = Path.write_bytes

    def break_off(path, data):
        write_bytes(path, data[: len(data) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", break_off)
    with pytest.raises(OSError, match="No space left"):
        write_statistics(path, dataclasses.replace(statistics, count=7))

    assert read_statistics(path).count == statistics.count
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_torn_and_empty_files_are_refused(tmp_path, suffix, statistics):
    path = tmp_path / f"statistics{suffix}"
    write_statistics(path, statistics)
    whole = path.read_bytes()

    for size in (0, 5, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(VectorsError, match=f"statistics{suffix}: cannot be read"):
            read_statistics(path)


def test_missing_files_and_other_kinds_are_refused(tmp_path, statistics):
    with pytest.raises(VectorsError, match=r"none\.npz: no such file; `synth fit-sampler` makes it"):
        read_statistics(tmp_path / "none.npz")
    for path in (tmp_path / "statistics.pt", tmp_path / "statistics"):
        with pytest.raises(VectorsError, match=r"statistics are kept in \.npz or \.safetensors files"):
            write_statistics(path, statistics)


def test_files_of_other_arrays_are_told_from_statistics(tmp_path):
    np.savez(tmp_path / "vectors.npz", vectors=cloud())
    safetensors.numpy.save_file({"vectors": cloud()}, tmp_path / "vectors.safetensors")

    for name in ("vectors.npz", "vectors.safetensors"):
        with pytest.raises(VectorsError, match="is no file of vector statistics"):
            read_statistics(tmp_path / name)


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "statistics.npz", mean=np.array([{}], dtype=object))

    with pytest.raises(VectorsError, match="cannot be read"):
        read_statistics(tmp_path / "statistics.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": np.zeros(11)}, r"mean \(11,\) and deviations \(5,\) do not fit components \(5, 12\)"),
        ({"deviations": np.ones(4)}, r"deviations \(4,\) do not fit"),
        ({"components": np.zeros(12)}, r"components have shape \(12,\)"),
        ({"mean": np.full(12, np.nan)}, "mean is not of finite float64"),
        ({"deviations": np.ones(5, dtype=np.float32)}, "deviations is not of finite float64"),
        ({"deviations": np.array([1.0, 1, 1, 1, -1])}, "a standard deviation is negative"),
        ({"components": np.ones((5, 12))}, "not orthonormal"),
        ({"norm": "long"}, "norm is 'long', expected 'unit' or 'raw'"),
        ({"space": 5}, "space is 5"),
        ({"count": 0}, "count is 0"),
    ],
)
def test_damaged_values_are_named(tmp_path, statistics, change, message):
    path = tmp_path / "statistics.npz"
    write_statistics(path, dataclasses.replace(statistics, **change))

    with pytest.raises(VectorsError, match=message):
        read_statistics(path)


def test_missing_arrays_are_named(tmp_path):
    about = json.dumps({"format": "synth vector statistics 1"})
    np.savez(tmp_path / "statistics.npz", mean=np.zeros(3), about=np.array(about))

    with pytest.raises(VectorsError, match="lacks components, deviations"):
        read_statistics(tmp_path / "statistics.npz")

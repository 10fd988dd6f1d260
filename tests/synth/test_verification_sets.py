import os
import pickle

import numpy as np
import pytest

from synth.errors import SynthError
from synth.verification_sets import read_bin


class RunsOnLoading:
    def __reduce__(self):
        return os.mkdir, ("a_folder_that_a_pickle_made",)


def written(path, content, protocol=4):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_images_as_bytes_come_back(tmp_path, protocol):
    images = [b"\xff\xd8one", b"two\x00", b"", b"four"]

    pairs = read_bin(written(tmp_path / "a.bin", (images, [True, False]), protocol))

    assert list(pairs.images) == images
    assert pairs.same.tolist() == [True, False]


@pytest.mark.parametrize("protocol", range(6))
def test_images_and_answers_as_arrays_come_back(tmp_path, protocol):
    images = [np.frombuffer(b"one", dtype=np.uint8), np.frombuffer(b"second", dtype=np.uint8)]
    answers = [np.bool_(True)]

    pairs = read_bin(written(tmp_path / "a.bin", (images, answers), protocol))

    assert pairs.images == (b"one", b"second")
    assert pairs.same.tolist() == [True]


def test_answers_may_be_one_array(tmp_path):
    pairs = read_bin(written(tmp_path / "a.bin", ([b"a", b"b"], np.array([False]))))

    assert pairs.same.tolist() == [False]


def test_python_2_pickles_are_read(tmp_path):
    # ([b'\xffa', b'b'], [True]) as Python 2 wrote it: SHORT_BINSTRING, which holds raw bytes
    data = b"\x80\x02]q\x01(U\x02\xffaU\x01be]q\x02\x88a\x86q\x03."
    (tmp_path / "a.bin").write_bytes(data)

    assert read_bin(tmp_path / "a.bin").images == (b"\xffa", b"b")


def test_a_pickle_that_runs_code_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "a.bin", ([b"a", RunsOnLoading()], [True]))

    with pytest.raises(SynthError, match=r"posix\.mkdir|nt\.mkdir"):
        read_bin(path)

    assert not (tmp_path / "a_folder_that_a_pickle_made").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nndarray\n((I1000000000000\ntR.",  # would reserve 8 TB
        b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I1000000000000\ntS'b'\ntR.",
        b"cnumpy\ndtype\n(S'O8'\ntR.",
        b"c_codecs\nencode\n(Vx\nVbz2\ntR.",
        b"",
        b"no pickle",
        pickle.dumps(([b"a", b"b"], [True]))[:-4],
    ],
)
def test_hostile_and_damaged_files_are_refused(tmp_path, data):
    (tmp_path / "a.bin").write_bytes(data)

    with pytest.raises(SynthError, match=r"a\.bin"):
        read_bin(tmp_path / "a.bin")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2, 3], "expected \\(images, answers\\)"),
        (([b"a"], [True]), "1 images for 1 pairs"),
        (([], []), "0 images for 0 pairs"),
        (([b"a", "text"], [True]), "image 1 is a str"),
        (([b"a", b"b"], [2]), "answer 0 is 2"),
        (({}, {}), "expected a list of images"),
    ],
)
def test_other_contents_are_refused(tmp_path, content, message):
    with pytest.raises(SynthError, match=message):
        read_bin(written(tmp_path / "a.bin", content))


def test_large_and_missing_files_are_refused(tmp_path):
    path = written(tmp_path / "a.bin", ([b"a" * 1000, b"b"], [True]))

    with pytest.raises(SynthError, match="at most 100"):
        read_bin(path, max_bytes=100)
    with pytest.raises(SynthError, match="cannot be read"):
        read_bin(tmp_path / "b.bin")


def test_reading_leaves_numpys_own_types_alone(tmp_path):
    big_endian = np.array([1, 2], dtype=">i4")

    with pytest.raises(SynthError, match="image 0 is a ndarray"):
        read_bin(written(tmp_path / "a.bin", ([big_endian, b"b"], [True]), protocol=2))

    assert np.dtype("i4").isnative

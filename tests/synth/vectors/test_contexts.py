import os
from pathlib import Path

import numpy as np
import pytest
import torch

from synth.errors import VectorsError
from synth.vectors.contexts import read_contexts
from synth.vectors.files import read_vectors

VECTORS = np.random.default_rng(3).standard_normal((3, 8)).astype(np.float32)
SHARED = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared"))


def saved(path, content):
    torch.save(content, path)
    return path


def test_contexts_come_in_the_files_order(tmp_path):
    path = saved(tmp_path / "contexts.npy", {"b": VECTORS[0], "a": VECTORS[1], "c": torch.from_numpy(VECTORS[2])})

    read = read_contexts(path)

    assert read.dtype == np.float32
    assert np.array_equal(read, VECTORS)


def test_files_of_numpy_1_name_their_arrays_otherwise(tmp_path):
    path = tmp_path / "contexts.npy"
    torch.save({"0": VECTORS[0]}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert b"numpy._core.multiarray" in content
    path.write_bytes(content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))

    assert np.array_equal(read_contexts(path), VECTORS[:1])


def test_published_contexts_are_read():
    path = SHARED / "parity/idiff/contexts/random_synthetic_uniform_3.npy"
    if not path.is_file():
        pytest.skip(f"no parity data at {path}")

    contexts = read_contexts(path)

    assert contexts.shape == (3, 512)
    with np.load(SHARED / "parity/idiff/io.npz") as stored:
        assert np.array_equal(contexts, stored["context"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([VECTORS[0]], "expected a dictionary of vectors, it holds a list"),
        ({}, "expected a dictionary"),
        ({"0": VECTORS}, r"context '0' is float32 \(3, 8\)"),
        ({"0": "ten"}, "context '0' is str"),
        ({"0": torch.zeros(4, dtype=torch.int64)}, "context '0' is int64"),
        ({"0": VECTORS[0], "1": VECTORS[1, :4]}, "context '1' has 4 numbers, the first one 8"),
    ],
)
def test_anything_but_vectors_is_refused(tmp_path, content, message):
    with pytest.raises(VectorsError, match=message):
        read_contexts(saved(tmp_path / "contexts.npy", content))


class Command:
    def __reduce__(self):
        return os.mkdir, ("made_by_a_pickle",)


def test_a_pickle_with_code_is_refused_and_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path / "contexts.npy", {"0": Command()})

    with pytest.raises(VectorsError, match="would run code"):
        read_contexts(path)

    assert not (tmp_path / "made_by_a_pickle").exists()


def test_a_file_that_is_missing_or_cut_short_is_refused(tmp_path):
    path = saved(tmp_path / "contexts.npy", {"0": VECTORS[0]})
    path.write_bytes(path.read_bytes()[:300])

    with pytest.raises(VectorsError, match=r"contexts\.npy: "):
        read_contexts(path)
    with pytest.raises(VectorsError, match="No such file"):
        read_contexts(tmp_path / "none.npy")


def test_vector_files_say_how_to_convert_them(tmp_path):
    path = saved(tmp_path / "contexts.npy", {"0": VECTORS[0]})

    with pytest.raises(VectorsError, match="synth weights convert"):
        read_vectors(path)

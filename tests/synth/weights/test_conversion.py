import argparse
import pickle

import numpy as np
import pytest
import torch

from synth.errors import VectorsError, WeightsError
from synth.weights.checkpoints import read_checkpoint, tensors_of
from synth.weights.conversion import convert


@pytest.fixture
def nested(tmp_path):
    """A checkpoint as training scripts write it: dictionaries of tensors beside other things."""
    shared = torch.arange(6.0)
    content = {
        "model": {"weight": torch.ones(3, 2), "half": torch.ones(4, dtype=torch.float16), "a": shared, "b": shared},
        "pose": {"weight": torch.zeros(5)},
        "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "lr": 0.1},
        "epoch": 7,
        "args": argparse.Namespace(lr=0.1),
    }
    torch.save(content, tmp_path / "model.pth")
    return tmp_path / "model.pth"


def test_nested_dictionaries_stay_apart_and_are_found_by_the_same_names(nested, tmp_path):
    done = convert(nested, tmp_path / "model.safetensors")

    before, after = read_checkpoint(nested), read_checkpoint(tmp_path / "model.safetensors")
    for under in ("model", "pose"):
        wanted = tensors_of(before, nested, under=under)
        found = tensors_of(after, tmp_path, under=under)
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
        assert all(found[name].dtype == wanted[name].dtype for name in wanted)
    assert done.dropped == ("optimizer.lr", "epoch", "args")
    assert done.count == 6


def test_tensors_that_share_memory_become_tensors_of_their_own(tmp_path):
    whole = torch.arange(12.0).reshape(3, 4)
    torch.save({"whole": whole, "row": whole[1], "column": whole[:, 2], "empty": whole[:0]}, tmp_path / "a.pth")

    convert(tmp_path / "a.pth", tmp_path / "a.safetensors")

    found = read_checkpoint(tmp_path / "a.safetensors")
    assert torch.equal(found["whole"], whole)
    assert torch.equal(found["row"], whole[1])
    assert torch.equal(found["column"], whole[:, 2])
    assert found["empty"].shape == (0, 4)


def test_a_part_of_a_larger_tensor_is_written_alone(tmp_path):
    torch.save({"row": torch.arange(12.0).reshape(3, 4)[1], "turned": torch.ones(2, 3).T}, tmp_path / "a.pth")

    convert(tmp_path / "a.pth", tmp_path / "a.safetensors")

    found = read_checkpoint(tmp_path / "a.safetensors")
    assert found["row"].tolist() == [4, 5, 6, 7]
    assert found["turned"].shape == (3, 2)


def test_contexts_become_an_array(tmp_path):
    vectors = np.random.default_rng(1).standard_normal((3, 8)).astype(np.float32)
    torch.save({f"{number:05d}": row for number, row in enumerate(vectors)}, tmp_path / "contexts.npy")

    done = convert(tmp_path / "contexts.npy", tmp_path / "vectors.npy")

    assert done.count == 3
    assert np.array_equal(np.load(tmp_path / "vectors.npy", allow_pickle=False), vectors)


def test_an_existing_file_is_left_alone(nested, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"precious")

    with pytest.raises(WeightsError, match=r"model\.safetensors: exists already; name a new file"):
        convert(nested, tmp_path / "model.safetensors")

    assert (tmp_path / "model.safetensors").read_bytes() == b"precious"


def test_a_file_onto_itself_is_refused(nested):
    before = nested.read_bytes()

    with pytest.raises(WeightsError, match="exists already"):
        convert(nested, nested)

    assert nested.read_bytes() == before


def test_names_that_become_equal_are_refused(tmp_path):
    torch.save({"a": {"b": torch.ones(1)}, "a.b": torch.zeros(1)}, tmp_path / "a.pth")

    with pytest.raises(WeightsError, match=r"has 'a\.b' twice"):
        convert(tmp_path / "a.pth", tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("out.safetensors", WeightsError, "has no tensors; contexts are written as .npy"),
        ("out.onnx", WeightsError, "unknown kind of file; .safetensors for a checkpoint, .npy for contexts"),
        ("out.npy", VectorsError, "context 'epoch' is int"),
    ],
)
def test_what_cannot_be_converted_is_told_and_leaves_no_file(tmp_path, name, error, message):
    torch.save({"epoch": 7}, tmp_path / "a.pth")

    with pytest.raises(error, match=message):
        convert(tmp_path / "a.pth", tmp_path / name)

    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]


def test_code_in_a_pickle_is_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    torch.save({"weight": torch.ones(1), "more": Harmful()}, tmp_path / "a.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Harmful()))

    for name in ("a.pth", "bare.pth"):
        with pytest.raises(WeightsError, match="refused"):
            convert(tmp_path / name, tmp_path / "a.safetensors")

    assert not (tmp_path / "harm").exists()
    assert not (tmp_path / "a.safetensors").exists()


def test_tensors_that_are_no_arrays_of_numbers_are_refused(tmp_path):
    torch.save({"weight": torch.ones(2, 2).to_sparse()}, tmp_path / "a.pth")

    with pytest.raises(WeightsError, match=r"a\.pth: tensor 'weight' is sparse"):
        convert(tmp_path / "a.pth", tmp_path / "a.safetensors")

    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]

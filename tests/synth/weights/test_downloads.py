from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from synth.weights.downloads import broken_download

WEIGHTS = Path(__file__).parents[3] / "synth" / "recognisers" / "weights"


@pytest.fixture
def checkpoint(tmp_path):
    torch.save({"weight": torch.ones(1000)}, tmp_path / "model.pth")
    return tmp_path / "model.pth"


@pytest.fixture
def safetensors_file(tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file({"weight": np.ones(1000), "bias": np.zeros(3)}, path, metadata={"format": "pt"})
    return path


def test_whole_files_are_not_complained_about(checkpoint, safetensors_file):
    assert broken_download(checkpoint) is None
    assert broken_download(safetensors_file) is None


@pytest.mark.parametrize("length", [1, 8, 100, 4000, -1])
def test_a_file_cut_at_any_place_is_told(checkpoint, safetensors_file, length):
    for path in (checkpoint, safetensors_file):
        path.write_bytes(path.read_bytes()[:length])

    assert broken_download(safetensors_file) == "is not as long as its header says"
    if length > 4:  # before, it does not look like a zip file yet
        assert broken_download(checkpoint) == "is cut short"


def test_a_safetensors_file_with_more_behind_it_is_told(safetensors_file):
    safetensors_file.write_bytes(safetensors_file.read_bytes() + b"more")

    assert broken_download(safetensors_file) == "is not as long as its header says"


def test_what_stands_in_for_a_file_is_named(tmp_path):
    path = tmp_path / "model.onnx"

    path.touch()
    assert broken_download(path) == "is empty"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    assert broken_download(path) == "is a Git LFS pointer, not the file it points to"
    path.write_bytes(b"<!DOCTYPE html><html><body>Virus scan warning</body></html>")
    assert broken_download(path) == "is a web page, not the file that was asked for"


def test_a_missing_file_is_no_broken_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        broken_download(tmp_path / "none.pth")


@pytest.mark.parametrize("name", ["yunet.onnx", "sface.onnx"])
def test_an_onnx_model_cut_at_any_place_is_told(tmp_path, name):
    whole = (WEIGHTS / name).read_bytes()
    assert broken_download(WEIGHTS / name) is None

    for length in (1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / name).write_bytes(whole[:length])
        assert broken_download(tmp_path / name) == "is no ONNX model or only a part of one"


def test_text_in_the_place_of_an_onnx_model_is_told(tmp_path):
    (tmp_path / "a.onnx").write_text("hello")

    assert broken_download(tmp_path / "a.onnx") == "is no ONNX model or only a part of one"

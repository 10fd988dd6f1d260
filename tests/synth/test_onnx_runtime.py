import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from synth.errors import WeightsError
from synth.onnx_runtime import open_session, providers_for


def doubling(path):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch"]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubling", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


def test_a_model_runs(tmp_path):
    session = open_session(doubling(tmp_path / "model.onnx"))

    assert session.run(None, {"x": np.array([1, 2], dtype=np.float32)})[0].tolist() == [2, 4]


def test_another_hash_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="expected 00"):
        open_session(doubling(tmp_path / "model.onnx"), sha256="00")


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no model")

    with pytest.raises(WeightsError, match="cannot load it"):
        open_session(tmp_path / "model.onnx")


@pytest.mark.parametrize("device", ["gpu", "cuda:one", "cpu:0", ""])
def test_devices_of_another_form_are_refused(tmp_path, device):
    with pytest.raises(ValueError, match="expected 'cpu'"):
        open_session(doubling(tmp_path / "model.onnx"), device)


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this onnxruntime has CUDA"
)
def test_an_onnxruntime_without_cuda_computes_on_the_cpu_and_says_so(tmp_path, caplog):
    session = open_session(doubling(tmp_path / "model.onnx"), "cuda:0")

    assert session.get_providers() == ["CPUExecutionProvider"]
    assert "has no CUDA" in caplog.text


def test_cuda_kernels_are_chosen_without_timing_them(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])

    (name, settings), rest = providers_for("cuda:1")

    assert (name, rest) == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert settings == {"device_id": "1", "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}

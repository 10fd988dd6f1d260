import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from synth.errors import WeightsError
from synth.recognisers.weights.build_weights import build, repair_sface, repair_yunet


def session(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def small_sface():
    """A graph with SFace's peculiarities: weights among the inputs, PRelu, a fixed batch."""
    random = np.random.default_rng(0)
    weight = random.standard_normal((4, 3, 3, 3)).astype(np.float32)
    slope = random.uniform(-0.5, 1.5, (4, 1, 1)).astype(np.float32)
    values = [
        helper.make_tensor_value_info("weight", TensorProto.FLOAT, weight.shape),
        helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 8, 8]),
    ]
    nodes = [
        helper.make_node("Conv", ["data", "weight"], ["convolved"]),
        helper.make_node("PRelu", ["convolved", "slope"], ["fc1"]),
    ]
    output = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 4, 6, 6])
    constants = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(slope, "slope")]
    graph = helper.make_graph(nodes, "small", values, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=6)
    image = random.standard_normal((3, 3, 8, 8)).astype(np.float32)
    convolved = np.einsum(
        "bcyxij,ocij->boyx", np.lib.stride_tricks.sliding_window_view(image, (3, 3), axis=(2, 3)), weight
    )
    return model, image, np.where(convolved > 0, convolved, slope * convolved)


def small_yunet():
    """A graph with YuNet's peculiarities: dequantised weights in blocks and per tensor, fixed sizes."""
    random = np.random.default_rng(0)
    quantised = random.integers(-100, 100, (2, 6), dtype=np.int8)
    scales = random.uniform(0.01, 0.02, (2, 2)).astype(np.float32)
    zeros = random.integers(-5, 5, (2, 2), dtype=np.int8)
    bias, bias_scale, bias_zero = np.array([10, -20], dtype=np.int8), np.float32(0.1), np.int8(3)
    constants = {
        "quantised": quantised, "scales": scales, "zeros": zeros, "shape": np.array([2, 6, 1, 1]),
        "bias_quantised": bias, "bias_scale": np.array(bias_scale), "bias_zero": np.array(bias_zero),
        "head_shape": np.array([1, -1, 2]),
    }  # fmt: skip
    nodes = [
        helper.make_node("DequantizeLinear", ["quantised", "scales", "zeros"], ["flat"], axis=1, block_size=4),
        helper.make_node("Reshape", ["flat", "shape"], ["weight"]),
        helper.make_node(
            "DequantizeLinear", ["bias_quantised", "bias_scale", "bias_zero"], ["bias"], axis=0, block_size=64
        ),
        helper.make_node("Conv", ["input", "weight", "bias"], ["map"]),
        helper.make_node("Transpose", ["map"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["last", "head_shape"], ["cls_8"]),
    ]
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 6, 4, 4])
    output = helper.make_tensor_value_info("cls_8", TensorProto.FLOAT, [1, 16, 2])
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "small", [image], [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=6)
    weight = np.empty((2, 6), dtype=np.float32)
    for column in range(6):
        block = column // 4
        weight[:, column] = (quantised[:, column].astype(np.float32) - zeros[:, block]) * scales[:, block]
    return model, weight, (bias.astype(np.float32) - 3) * bias_scale


def test_a_repaired_sface_computes_the_same_on_any_batch():
    model, image, expected = small_sface()

    repair_sface(model)

    repaired = session(model)
    assert [value.name for value in repaired.get_inputs()] == ["data"]
    assert repaired.run(None, {"data": image})[0] == pytest.approx(expected, abs=1e-5)


def test_a_repaired_yunet_computes_the_same_on_any_batch_and_size():
    model, weight, bias = small_yunet()

    repair_yunet(model)

    assert not any(node.op_type == "DequantizeLinear" for node in model.graph.node)
    image = np.random.default_rng(1).standard_normal((3, 6, 5, 7)).astype(np.float32)
    expected = np.einsum("bcyx,oc->byxo", image, weight).reshape(3, 35, 2) + bias
    assert session(model).run(None, {"input": image})[0] == pytest.approx(expected, abs=1e-4)


def test_a_graph_repaired_twice_has_the_same_bytes():
    data = []
    for _ in range(2):
        model = small_yunet()[0]
        repair_yunet(model)
        onnx.checker.check_model(model)
        data.append(model.SerializeToString(deterministic=True))

    assert data[0] == data[1]


def test_other_originals_are_refused(tmp_path):
    (tmp_path / "face_recognition_sface_2021dec_int8bq.onnx").write_bytes(b"another model")

    with pytest.raises(WeightsError, match="not the file of OpenCV Zoo"):
        build(tmp_path, tmp_path)

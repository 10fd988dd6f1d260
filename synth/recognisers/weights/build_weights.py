"""Repairs the two original ONNX files so that onnxruntime runs them on batches; needs `onnx`, at development time only.

    python -m synth.recognisers.weights.build_weights DIRECTORY_WITH_THE_ORIGINALS

The originals are the block-quantised models of OpenCV Zoo; README.md beside this file says where they come from. The
repaired files are written beside this file, and the same originals give the same bytes. The form of the graphs
changes, what they compute does not (up to rounding):

* SFace lists its weights as inputs of the graph, which onnxruntime refuses: only the image stays an input. The weights
  stay block-quantised, four times smaller than in float32. PRelu becomes operators that onnxruntime has in its blocked
  CPU layout, which halves the time of the network.
* YuNet has per-tensor DequantizeLinear nodes with a block size, which onnxruntime refuses: they and the reshapes behind
  them are computed once. Its input becomes free in batch, height and width.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from synth.errors import WeightsError

SFACE_ORIGINAL = "face_recognition_sface_2021dec_int8bq.onnx"
YUNET_ORIGINAL = "face_detection_yunet_2023mar_int8bq.onnx"
ORIGINAL_SHA256 = {
    SFACE_ORIGINAL: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    YUNET_ORIGINAL: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
}


def repair_sface(model: onnx.ModelProto) -> None:
    """Leaves the image as the graph's only input, splits PRelu and frees the batch dimension, in place."""
    graph = model.graph
    slopes = {tensor.name: numpy_helper.to_array(tensor).ravel() for tensor in graph.initializer}
    image = next(value for value in graph.input if value.name == "data")
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        split, constants = _split_prelu(node, slopes[node.input[1]])
        nodes.extend(split)
        graph.initializer.extend(constants)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.input[:]
    graph.input.append(image)
    for value in (*graph.input, *graph.output):
        _free_dimensions(value, ["batch"])
    _keep_initializers(graph, {name for node in graph.node for name in node.input})
    del graph.value_info[:]


def repair_yunet(model: onnx.ModelProto) -> None:
    """Folds the dequantised weights into constants and frees batch, height and width, in place."""
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        arguments = [constants[name] for name in node.input if name in constants]
        if node.op_type == "DequantizeLinear" and len(arguments) == 3:
            constants[node.output[0]] = _dequantise(node, *arguments)
        elif node.op_type == "Reshape" and len(arguments) == 2:
            constants[node.output[0]] = arguments[0].reshape(arguments[1])
        else:
            kept.append(node)
            if node.op_type == "Reshape":  # [1, -1, K] of a head: 0 keeps the batch dimension as it comes
                shape = constants[node.input[1]]
                constants[node.input[1]] = np.array([0, *shape[1:]], dtype=np.int64)
    del graph.node[:]
    graph.node.extend(kept)
    used = {name for node in kept for name in node.input}
    del graph.initializer[:]
    graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in sorted(constants.items()) if name in used
    )
    _free_dimensions(graph.input[0], ["batch", None, "height", "width"])
    for value in graph.output:
        _free_dimensions(value, ["batch", "anchors"])
    del graph.value_info[:]


def _split_prelu(
    node: onnx.NodeProto, slopes: np.ndarray[Any, Any]
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Writes prelu(x) as relu(x) - slope * relu(-x); sign and slope are depthwise 1x1 convolutions.

    Convolution, Relu and Add stay in onnxruntime's blocked layout (NCHWc); PRelu and Mul by a channel's constant do
    not, and each would be surrounded by two reorderings of the whole tensor.
    """
    x, y = node.input[0], node.output[0]
    sign = numpy_helper.from_array(-np.ones((len(slopes), 1, 1, 1), dtype=np.float32), f"{y}_sign")
    slope = numpy_helper.from_array(-slopes.reshape(-1, 1, 1, 1).astype(np.float32), f"{y}_negative_slope")
    nodes = [
        helper.make_node("Relu", [x], [f"{y}_positive"]),
        helper.make_node("Conv", [x, sign.name], [f"{y}_negated"], group=len(slopes)),
        helper.make_node("Relu", [f"{y}_negated"], [f"{y}_negative"]),
        helper.make_node("Conv", [f"{y}_negative", slope.name], [f"{y}_scaled"], group=len(slopes)),
        helper.make_node("Add", [f"{y}_scaled", f"{y}_positive"], [y]),
    ]
    return nodes, [sign, slope]


def _dequantise(
    node: onnx.NodeProto,
    quantised: np.ndarray[Any, Any],
    scales: np.ndarray[Any, Any],
    zero_points: np.ndarray[Any, Any],
) -> np.ndarray[Any, Any]:
    """Computes ONNX's DequantizeLinear: per tensor where the scale is one number, else in blocks along an axis."""
    if scales.size > 1:
        attributes = {attribute.name: attribute.i for attribute in node.attribute}
        axis, size = attributes["axis"], attributes["block_size"]
        length = quantised.shape[axis]
        scales = np.repeat(scales, size, axis=axis).take(range(length), axis=axis)
        zero_points = np.repeat(zero_points, size, axis=axis).take(range(length), axis=axis)
    else:
        scales, zero_points = scales.reshape(()), zero_points.reshape(())
    difference = quantised.astype(np.float32) - zero_points.astype(np.float32)
    return np.asarray(difference * scales, dtype=np.float32)


def _keep_initializers(graph: onnx.GraphProto, names: set[str]) -> None:
    kept = [tensor for tensor in graph.initializer if tensor.name in names]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _free_dimensions(value: onnx.ValueInfoProto, names: Sequence[str | None]) -> None:
    for dimension, name in zip(value.type.tensor_type.shape.dim, names, strict=False):
        if name is not None:
            dimension.dim_param = name


def build(originals: Path, out: Path) -> list[Path]:
    """Writes the repaired files.

    Args:
        originals: directory with both original files.
        out: existing directory to write to.

    Raises:
        WeightsError: an original is missing or is not the one expected.
    """
    written = []
    for name, repair in ((SFACE_ORIGINAL, repair_sface), (YUNET_ORIGINAL, repair_yunet)):
        path = originals / name
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != ORIGINAL_SHA256[name]:
            raise WeightsError(f"{path}: missing or not the file of OpenCV Zoo (SHA-256 {ORIGINAL_SHA256[name]})")
        model = onnx.load_model_from_string(data)
        repair(model)
        model.doc_string = f"{name} of OpenCV Zoo, its graph repaired for onnxruntime by synth (build_weights.py)"
        onnx.checker.check_model(model)
        target = out / f"{'sface' if name == SFACE_ORIGINAL else 'yunet'}.onnx"
        target.write_bytes(model.SerializeToString(deterministic=True))
        written.append(target)
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("originals", type=Path)
    build(parser.parse_args().originals, Path(__file__).parent)

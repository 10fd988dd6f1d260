"""A pack of tiny ONNX models that insightface loads, and images whose embeddings are known.

The detector finds one face where an image inside our black frame is not dark, and a second, small one where the
corner of that image is white. The recogniser is linear in a thumbnail of the face, so it can be inverted: `paint`
makes the image whose embedding is a given vector.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

from synth.alignment import ARCFACE_TEMPLATE
from synth.similarity import unit

DETECTION_SIZE = 192  # px: the image has 128, our frame 32 on each side
FRAME = 32
SIDE = 112  # px, of an aligned face
BLOCK = 8  # px, side of what the thumbnail averages over
THUMBNAIL = SIDE // BLOCK
EMBEDDING_SIZE = 512
CORNER = 12  # px at a corner of the 128, which call for a second face


def write_pack(folder: Path, *, recogniser: str = "rec.onnx", seed: int = 0) -> np.ndarray:
    """Writes a detector `det.onnx` and a recogniser, 1.3 MB together.

    Returns:
        float32 (588, 512), the recogniser's weights, for `paint`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_detector(folder / "det.onnx")
    return write_recogniser(folder / recogniser, seed=seed)


def paint(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns uint8 RGB (N, 112, 112, 3) whose embeddings are unit `vectors`, float (N, 512), up to rounding."""
    wide = weights.astype(np.float64)
    thumbnails = np.linalg.solve(wide.T @ wide, vectors.T.astype(np.float64)).T @ wide.T  # the smallest of many
    thumbnails *= 0.9 / np.abs(thumbnails).max(axis=1, keepdims=True)
    images = thumbnails.reshape(-1, 3, THUMBNAIL, THUMBNAIL).transpose(0, 2, 3, 1) * 127.5 + 127.5
    return images.round().astype(np.uint8).repeat(BLOCK, axis=1).repeat(BLOCK, axis=2)


def random_vectors(count: int, seed: int = 1) -> np.ndarray:
    """Returns unit vectors, float32 (count, 512)."""
    return unit(np.random.default_rng(seed).standard_normal((count, EMBEDDING_SIZE)))


def write_recogniser(
    path: Path, *, seed: int = 0, embedding_size: int = EMBEDDING_SIZE, side: int = SIDE, batch: int | str = "N"
) -> np.ndarray:
    """Writes an embedding that is linear in the face's thumbnail of 14x14 px; returns its weights."""
    columns = 3 * (side // BLOCK) ** 2
    weights = np.random.default_rng(seed).standard_normal((columns, embedding_size)).astype(np.float32)
    weights /= np.sqrt(np.float32(columns))
    nodes = [
        helper.make_node("AveragePool", ["data"], ["thumbnail"], kernel_shape=[BLOCK, BLOCK], strides=[BLOCK, BLOCK]),
        helper.make_node("Flatten", ["thumbnail"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights"], ["embedding"]),
    ]
    inputs = [_value("data", batch, 3, side, side)]
    _write(path, nodes, inputs, [_value("embedding", batch, embedding_size)], {"weights": weights})
    return weights


def write_detector(path: Path, *, size: int = DETECTION_SIZE, fixed: bool = True, landmarks: bool = True) -> None:
    """Writes a detector with SCRFD's nine outputs: scores, boxes and landmarks on grids of 8, 16 and 32 px.

    Every cell of a grid says the same face; what it says is measured from the cell, in strides.

    Args:
        path: of the file.
        size: side of what it sees, px.
        fixed: whether the file says so; it works with no other size either way.
        landmarks: whether it says where they are; without, it has six outputs.
    """
    image = size - 2 * FRAME
    template = FRAME + (ARCFACE_TEMPLATE + 0.5) * image / SIDE - 0.5
    whole = np.array([FRAME + 0.1 * image, FRAME + 0.1 * image, FRAME + 0.9 * image, FRAME + 0.95 * image])
    small = np.array([FRAME, FRAME, FRAME + CORNER, FRAME + CORNER])
    faces = {8: (small, small[[0, 1]] + 1 + np.zeros((5, 2))), 16: (whole, template), 32: (whole, template)}
    nodes, constants = _triggers()
    outputs = {"score": [], "bbox": [], "kps": []}
    for stride, (box, points) in faces.items():
        cells = np.stack(np.mgrid[: size // stride, : size // stride][::-1], axis=-1).reshape(-1, 2) * stride
        centres = cells.repeat(2, axis=0).astype(np.float64)  # two anchors a cell
        boxes = np.concatenate([centres - box[:2], box[2:] - centres], axis=1) / stride
        kps = ((points[None] - centres[:, None]) / stride).reshape(-1, 10)
        trigger = {8: "is_white", 16: "is_never", 32: "is_bright"}[stride]
        for kind, values in (("score", np.ones((len(centres), 1))), ("bbox", boxes), ("kps", kps)):
            constants[f"{kind}_of_{stride}"] = values.astype(np.float32)
            operator = ("Mul", [trigger]) if kind == "score" else ("Identity", [])
            nodes.append(helper.make_node(operator[0], [*operator[1], f"{kind}_of_{stride}"], [f"{kind}_{stride}"]))
            outputs[kind].append(_value(f"{kind}_{stride}", *values.shape))
    if not landmarks:
        nodes = [node for node in nodes if not node.output[0].startswith("kps")]
        del outputs["kps"]
    sides = (size, size) if fixed else ("height", "width")
    _write(path, nodes, [_value("input", 1, 3, *sides)], [o for kind in outputs.values() for o in kind], constants)


def _triggers() -> tuple[list, dict[str, np.ndarray]]:
    """Returns nodes and constants of three scores: the whole is not dark; the corner is white; never."""
    constants = {
        "steep": np.float32([200]),
        "nothing": np.float32([0]),
        "darkest": np.float32([0.9]),  # the mean of a black image is -0.996, framed as well
        "whitest": np.float32([-0.97]),
        "start": np.array([FRAME + 1, FRAME + 1]),
        "end": np.array([FRAME + CORNER, FRAME + CORNER]),
        "axes": np.array([2, 3]),
    }
    nodes = [
        helper.make_node("Slice", ["input", "start", "end", "axes"], ["corner"]),
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["corner"], ["corner_mean"], axes=[1, 2, 3], keepdims=0),
        *_switch("mean", "darkest", "is_bright"),
        *_switch("corner_mean", "whitest", "is_white"),
        helper.make_node("Mul", ["is_bright", "nothing"], ["is_never"]),
    ]
    return nodes, constants


def _switch(value: str, offset: str, output: str) -> list:
    """Nodes of a score that is 1 where a value is above minus an offset, 0 below."""
    return [
        helper.make_node("Add", [value, offset], [f"{output}_above"]),
        helper.make_node("Mul", [f"{output}_above", "steep"], [f"{output}_steep"]),
        helper.make_node("Sigmoid", [f"{output}_steep"], [output]),
    ]


def _value(name: str, *shape: int | str):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def _write(path: Path, nodes: list, inputs: list, outputs: list, constants: dict[str, np.ndarray]) -> None:
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save(model, path)

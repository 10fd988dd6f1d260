"""Opens ONNX models: the file is the one expected, one thread, the wanted device."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any, Final

from synth.errors import WeightsError

logger = logging.getLogger(__name__)

# By default convolutions are timed and the fastest taken, so that two workers may take two; TF32 depends on the GPU.
_CUDA: Final = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}


def open_session(path: Path, device: str = "cpu", sha256: str | None = None) -> Any:  # noqa: ANN401
    """Opens an ONNX model with onnxruntime, one thread, so that results do not depend on the number of cores.

    Weights stored in 8 bits are widened to float32 while loading: computing with them as they are takes 1.5 times
    as long on a CPU.

    Args:
        path: of the ONNX file.
        device: 'cpu', 'cuda' or 'cuda:N'; an onnxruntime that was built without CUDA computes on the CPU, and logs so.
        sha256: what the file must hash to; None skips the check.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        ValueError: the device has another form.
        WeightsError: the file is missing, is not the one expected or cannot be loaded, or onnxruntime has CUDA that
            does not work.
    """
    import onnxruntime

    data = _read(path, sha256)
    options = one_thread()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        session = onnxruntime.InferenceSession(data, options, providers=providers_for(device))
    except load_errors() as error:
        raise WeightsError(f"{path}: onnxruntime cannot load it: {error}") from error
    require_device(session, device)
    return session


def one_thread() -> Any:  # noqa: ANN401
    """Returns `onnxruntime.SessionOptions` with which a result follows from the input, not from cores or luck."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    return options


def _read(path: Path, sha256: str | None) -> bytes:
    if not path.is_file():
        raise WeightsError(f"{path}: missing; reinstall synth or give the path of the model file")
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise WeightsError(f"{path}: SHA-256 {found}, expected {sha256}; the file was altered or cut short, reinstall")
    return data


def providers_for(device: str) -> list[Any]:
    """Returns what onnxruntime is to compute with.

    Raises:
        ValueError: the device is none of 'cpu', 'cuda' and 'cuda:N'.
    """
    import onnxruntime

    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not (kind == "cuda" and index.isdecimal())):
        raise ValueError(f"device '{device}': expected 'cpu', 'cuda' or 'cuda:N'")
    if kind == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        logger.warning("device '%s': this onnxruntime has no CUDA, using cpu; onnxruntime-gpu would use it", device)
        return ["CPUExecutionProvider"]
    return [("CUDAExecutionProvider", _CUDA | {"device_id": index or "0"}), "CPUExecutionProvider"]


def require_device(session: Any, device: str) -> None:  # noqa: ANN401
    """Checks that a session computes where it was told to.

    onnxruntime falls back to the CPU without an error where it finds no working CUDA libraries.

    Raises:
        WeightsError: it was built with CUDA and could not use it.
    """
    import onnxruntime

    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device != "cpu" and has_cuda and "CUDAExecutionProvider" not in session.get_providers():
        raise WeightsError(f"device '{device}': onnxruntime could not use it; check its CUDA libraries, or use cpu")


def load_errors() -> tuple[type[Exception], ...]:
    """Returns what onnxruntime raises where it cannot load a model."""
    import onnxruntime

    state = onnxruntime.capi.onnxruntime_pybind11_state
    return (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
    )

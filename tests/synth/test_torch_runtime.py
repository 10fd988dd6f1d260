import os

import pytest
import torch

from synth import torch_runtime
from synth.errors import DeviceMemoryError, PrecisionError
from synth.torch_runtime import DTYPES, batch_fits, compile_networks, networks_fit, prepare, require_finite


class Doubling(torch.nn.Module):
    def forward(self, numbers):
        return 2 * numbers


@pytest.fixture(autouse=True)
def torch_as_before(monkeypatch):
    """Gives torch's flags back as they were, so that other tests do not depend on this file."""
    backends = (torch.backends.cudnn, torch.backends.cuda.matmul)
    deterministic, benchmark = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    tf32 = [backend.allow_tf32 for backend in backends]
    is_filled = torch.utils.deterministic.fill_uninitialized_memory
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = benchmark
    torch.utils.deterministic.fill_uninitialized_memory = is_filled
    for backend, allowed in zip(backends, tf32, strict=True):
        backend.allow_tf32 = allowed


def test_torch_is_made_deterministic():
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True

    device = prepare("cpu")

    assert device == torch.device("cpu")
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_no_memory_is_filled_before_a_layer_fills_it():
    torch.utils.deterministic.fill_uninitialized_memory = True

    prepare("cpu")

    assert not torch.utils.deterministic.fill_uninitialized_memory


def test_a_workspace_that_the_user_set_stays(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")

    prepare("cpu")

    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


@pytest.mark.parametrize("device", ["gpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "", "mps"])
def test_a_device_of_another_form_is_refused(device):
    with pytest.raises(ValueError, match=f"device '{device}': expected 'cpu', 'cuda' or 'cuda:N'"):
        prepare(device)


def test_a_device_that_is_not_there_is_refused_with_how_many_there_are():
    count = torch.cuda.device_count()

    with pytest.raises(
        ValueError, match=rf"device 'cuda:{count}': torch sees {count} CUDA devices; use another or cpu"
    ):
        prepare(f"cuda:{count}")


def test_running_out_of_memory_says_which_option_to_lower():
    with (
        pytest.raises(DeviceMemoryError, match=r"a batch of 64 does not fit .*2 GiB.*lower images\.batch_size"),
        batch_fits(64),
    ):
        raise torch.OutOfMemoryError("tried to allocate 2 GiB")


def test_running_out_of_the_computers_own_memory_is_told_alike():
    with (
        pytest.raises(DeviceMemoryError, match=r"a batch of 3 does not fit .*can't allocate.*lower a\.b"),
        batch_fits(3, "a.b"),
    ):
        torch.empty(2**60, dtype=torch.uint8)


@pytest.mark.parametrize(
    "message",
    ["CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "CUDA error: out of memory"],
)
def test_networks_that_do_not_fit_say_what_takes_less(message):
    with (
        pytest.raises(DeviceMemoryError, match=rf"networks do not fit the memory of cuda:1 .*{message[:22]}.*bfloat16"),
        networks_fit("cuda:1"),
    ):
        raise RuntimeError(message)


def test_images_that_overflowed_are_not_taken_for_black_ones():
    images = torch.zeros(4, 3, 2, 2, dtype=torch.float16)
    require_finite(images)
    images[1, 0, 0, 0], images[3, 2, 1, 1] = float("inf"), float("nan")

    with pytest.raises(PrecisionError, match=r"2 of 4 images .* the first in row 1; .*bfloat16"):
        require_finite(images)


def test_a_size_too_many_is_an_error_instead_of_running_uncompiled(monkeypatch):
    compile_module, network = torch.nn.Module.compile, Doubling()
    monkeypatch.setattr(
        torch.nn.Module,
        "compile",
        lambda self, *, dynamic, options: compile_module(self, dynamic=dynamic, backend="eager"),
    )
    monkeypatch.setattr(torch_runtime, "_COMPILED_SIZES", 2)
    with torch._dynamo.config.patch(recompile_limit=8, fail_on_recompile_limit_hit=False):
        compile_networks([network])
        network(torch.zeros(3, 2))
        network(torch.zeros(4, 2))

        with pytest.raises(torch._dynamo.exc.FailOnRecompileLimitHit):
            network(torch.zeros(5, 2))


def test_other_errors_pass_through():
    with pytest.raises(RuntimeError, match="shapes differ"), batch_fits(64):
        raise RuntimeError("shapes differ")


def test_each_precision_has_a_dtype():
    assert {name: dtype.itemsize for name, dtype in DTYPES.items()} == {"float32": 4, "bfloat16": 2, "float16": 2}

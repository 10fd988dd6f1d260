import argparse
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from synth.errors import WeightsError
from synth.weights.checkpoints import built_from, depth_of, load_strictly, read_checkpoint, tensors_of


class RunsCode:
    """Unpickled as it wants to be, it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 2)
        self.last = nn.Linear(2, 1, bias=False)


@pytest.fixture
def tensors():
    random = torch.Generator().manual_seed(1)
    return {
        "first.weight": torch.randn(2, 3, generator=random),
        "first.bias": torch.randn(2, generator=random),
        "last.weight": torch.randn(1, 2, generator=random),
    }


def test_both_kinds_of_file_read_alike(tmp_path, tensors):
    torch.save(tensors, tmp_path / "a.pth")
    safetensors.torch.save_file(tensors, tmp_path / "a.safetensors")

    for name in ("a.pth", "a.safetensors"):
        found = read_checkpoint(tmp_path / name)
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[key], tensors[key]) for key in tensors)


def test_a_files_of_the_former_pickle_format_is_read(tmp_path, tensors):
    torch.save(tensors, tmp_path / "a.pth", _use_new_zipfile_serialization=False)

    assert read_checkpoint(tmp_path / "a.pth").keys() == tensors.keys()


def test_a_stored_command_line_is_no_code(tmp_path, tensors):
    torch.save({"model": tensors, "args": argparse.Namespace(lr=0.1)}, tmp_path / "a.pth")

    content = read_checkpoint(tmp_path / "a.pth")

    assert content["args"] == argparse.Namespace(lr=0.1)
    assert tensors_of(content, tmp_path / "a.pth", under="model").keys() == tensors.keys()


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_would_run_code_is_refused_and_does_not(tmp_path, tensors, protocol):
    content = {"weight": tensors["first.weight"], "more": RunsCode(tmp_path / "harm")}
    torch.save(content, tmp_path / "zip.pth", pickle_protocol=protocol)
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(RunsCode(tmp_path / "harm"), protocol))

    for name in ("zip.pth", "bare.pth"):
        with pytest.raises(WeightsError, match=rf"{name}: refused, reading it would run code or it is damaged"):
            read_checkpoint(tmp_path / name)

    assert not (tmp_path / "harm").exists()


def test_a_whole_pickled_module_is_refused(tmp_path):
    torch.save(Small(), tmp_path / "a.pth")

    with pytest.raises(WeightsError, match="refused"):
        read_checkpoint(tmp_path / "a.pth")


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_half_downloaded_file_is_told(tmp_path, name, share):
    tensors = {"weight": torch.ones(100, 100)}
    if name.endswith("pth"):
        torch.save(tensors, tmp_path / name)
    else:
        safetensors.torch.save_file(tensors, tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])

    with pytest.raises(WeightsError, match=rf"{name}: .*(get it again|safetensors)"):
        read_checkpoint(tmp_path / name)


@pytest.mark.parametrize("content", [[1, 2], torch.ones(3), 7])
def test_anything_but_a_dictionary_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")

    with pytest.raises(WeightsError, match=f"holds a {type(content).__name__}, expected a dictionary of tensors"):
        read_checkpoint(tmp_path / "a.pth")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.pth: missing; `synth weights CONFIG` says how to get it"):
        read_checkpoint(tmp_path / "none.pth")


def test_tensors_are_found_under_a_key_under_its_flat_name_or_alone(tmp_path, tensors):
    flat = {f"model.{name}": value for name, value in tensors.items()}

    for content in ({"model": tensors, "epoch": 1}, flat | {"pose.weight": torch.ones(1)}, tensors):
        assert tensors_of(content, tmp_path, under="model").keys() == tensors.keys()


def test_a_prefix_is_taken_off_and_selects(tmp_path, tensors):
    content = {f"net.{name}": value for name, value in tensors.items()} | {"betas": torch.ones(3), "epoch": 3}

    assert tensors_of(content, tmp_path, prefix="net.").keys() == tensors.keys()


def test_a_checkpoint_without_the_wanted_tensors_says_what_it_has(tmp_path):
    content = {"generator": 1, "discriminator": 2}

    with pytest.raises(WeightsError, match=r"has no tensors named 'net\.+'; it has generator, discriminator"):
        tensors_of(content, tmp_path / "a.pth", prefix="net.")


def test_tensors_are_loaded_into_a_module(tmp_path, tensors):
    module = Small()

    load_strictly(module, tensors, tmp_path)

    assert all(torch.equal(value, tensors[name]) for name, value in module.state_dict().items())


def test_tensors_are_cast_to_the_modules_precision(tmp_path, tensors):
    module = Small().to(torch.bfloat16)

    load_strictly(module, tensors, tmp_path)

    assert module.first.weight.dtype == torch.bfloat16
    assert torch.equal(module.first.weight, tensors["first.weight"].to(torch.bfloat16))


def test_missing_unknown_and_misshapen_tensors_are_all_told(tmp_path, tensors):
    del tensors["first.bias"]
    tensors["first.weight"] = torch.ones(2, 4)
    tensors |= {f"more.{number}": torch.ones(1) for number in range(7)}

    with pytest.raises(WeightsError) as caught:
        load_strictly(Small(), tensors, tmp_path / "a.pth")

    message = str(caught.value)
    assert f"{tmp_path}/a.pth: does not fit Small (" in message
    assert "1 missing: first.bias" in message
    assert "7 unknown: more.0, more.1, more.2, more.3, more.4 and 2 more" in message
    assert "1 of another shape: first.weight (2, 4) instead of (2, 3)" in message


def test_names_that_are_known_to_be_unused_may_be_there(tmp_path, tensors):
    load_strictly(Small(), tensors | {"position_ids": torch.ones(1)}, tmp_path, unused={"position_ids"})


def test_a_module_stays_as_it_is_when_a_checkpoint_does_not_fit(tmp_path, tensors):
    module = Small()
    before = {name: value.clone() for name, value in module.state_dict().items()}

    with pytest.raises(WeightsError):
        load_strictly(module, tensors | {"more": torch.ones(1)}, tmp_path)

    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path, tensors, number):
    tensors["last.weight"][0, 1] = number

    with pytest.raises(WeightsError, match=r"a\.pth: 1 tensors have NaN or infinite numbers: last\.weight; "):
        load_strictly(Small(), tensors, tmp_path / "a.pth")


def test_weights_that_are_too_large_for_the_precision_are_refused(tmp_path, tensors):
    tensors["last.weight"][0, 1] = 1e6

    with pytest.raises(WeightsError, match=r"infinite numbers: last\.weight; .*use bfloat16 or float32"):
        load_strictly(Small().half(), tensors, tmp_path / "a.pth")

    load_strictly(Small().bfloat16(), tensors, tmp_path / "a.pth")


def test_running_statistics_that_are_no_numbers_are_refused(tmp_path):
    tensors = nn.BatchNorm1d(3).state_dict()
    tensors["running_var"][2] = float("nan")

    with pytest.raises(WeightsError, match="running_var"):
        load_strictly(nn.BatchNorm1d(3), tensors, tmp_path / "a.pth")


def linear_for(tensors):
    outputs, inputs = tensors["weight"].shape
    return nn.Linear(inputs, outputs, bias=False)


def test_a_network_is_built_of_the_width_that_its_tensors_have():
    network = built_from({"weight": torch.ones(3, 2)}, Path("a.pth"), linear_for)

    assert not network.training
    assert network(torch.ones(1, 2)).tolist() == [[2, 2, 2]]


@pytest.mark.parametrize(
    ("tensors", "reason"), [({"bias": torch.ones(3)}, "it has no weight"), ({"weight": torch.ones(3)}, "not enough")]
)
def test_tensors_that_tell_no_width_are_of_another_network(tensors, reason):
    with pytest.raises(WeightsError, match=f"a.pth: {reason}.*; expected a line"):
        built_from(tensors, Path("a.pth"), linear_for, expected="expected a line")


def test_the_depth_is_how_many_parts_have_a_number():
    tensors = dict.fromkeys(["up.0.weight", "up.0.bias", "up.1.weight", "upper.2.weight"], torch.ones(1))

    assert depth_of(tensors, "up.") == 2
    assert depth_of(tensors, "down.") == 0


@pytest.mark.parametrize(
    ("tensor", "kind"), [(torch.ones(2, 2).to_sparse(), "sparse"), (torch.ones(2, device="meta"), "without data")]
)
def test_tensors_that_are_no_arrays_of_numbers_are_refused(tmp_path, tensor, kind):
    torch.save({"weight": tensor}, tmp_path / "a.pth")

    with pytest.raises(WeightsError, match=rf"a\.pth: tensor 'weight' is {kind}, expected an array of numbers"):
        tensors_of(read_checkpoint(tmp_path / "a.pth"), tmp_path / "a.pth")


def test_names_that_are_numbers_are_read_as_text(tmp_path):
    assert tensors_of({1: torch.ones(2)}, tmp_path).keys() == {"1"}
    assert tensors_of({1: torch.ones(2), "a": torch.ones(1)}, tmp_path, under="model").keys() == {"1", "a"}

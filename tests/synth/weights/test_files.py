from pathlib import Path

import pytest

from synth.digests import sha256_of
from synth.errors import WeightsError
from synth.weights.files import WeightFile, require_files, total_size


def weight_file(path, **more):
    return WeightFile(path=path, origin="https://example.org/model", license="MIT", **more)


def test_a_file_without_a_known_hash_is_whole_unless_its_ends_say_otherwise(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"anything")

    assert weight_file(tmp_path / "a.bin").is_present
    assert weight_file(tmp_path / "a.bin").damage() is None


def test_a_file_with_another_hash_is_damaged(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"anything")
    digest = sha256_of(tmp_path / "a.bin")
    assert weight_file(tmp_path / "a.bin", sha256=digest).damage() is None

    (tmp_path / "a.bin").write_bytes(b"anything else")

    damage = weight_file(tmp_path / "a.bin", sha256=digest).damage()
    assert damage == (
        f"has SHA-256 {sha256_of(tmp_path / 'a.bin')}, published with {digest}; it was altered or cut short"
    )


def test_an_empty_file_is_damaged(tmp_path):
    (tmp_path / "a.bin").touch()

    assert weight_file(tmp_path / "a.bin").damage() == "is empty"


def test_all_missing_and_broken_files_are_named_with_the_way_to_get_them(tmp_path):
    (tmp_path / "there.bin").write_bytes(b"weights")
    (tmp_path / "empty.bin").touch()
    files = [
        weight_file(tmp_path / "there.bin"),
        weight_file(tmp_path / "by_hand.bin"),
        weight_file(tmp_path / "hub.bin", repo="owner/repo", name="hub.bin"),
        weight_file(tmp_path / "empty.bin"),
    ]

    with pytest.raises(WeightsError) as caught:
        require_files(files)

    assert str(caught.value).splitlines() == [
        f"{tmp_path}/by_hand.bin: missing; get it from https://example.org/model and put it there",
        f"{tmp_path}/hub.bin: missing; `synth weights CONFIG --download` fetches it from owner/repo",
        f"{tmp_path}/empty.bin: is empty; remove it, then get it from https://example.org/model and put it there",
    ]


def test_a_folder_in_a_files_place_is_no_file(tmp_path):
    assert not weight_file(tmp_path).is_present


def test_files_that_are_there_pass(tmp_path):
    (tmp_path / "there.bin").write_bytes(b"weights")

    require_files([weight_file(tmp_path / "there.bin")])


def test_sizes_add_up_as_far_as_they_are_known(tmp_path):
    assert total_size([weight_file(tmp_path, size=3), weight_file(tmp_path), weight_file(tmp_path, size=4)]) == 7


def test_a_file_of_the_hub_is_fetched_under_any_name_of_its_kind():
    file = WeightFile.on_hub(Path("models/mine.pth"), "owner/repo", "weights/model.pth", "MIT", size=5)

    assert (file.path, file.repo, file.name, file.size) == (
        Path("models/mine.pth"),
        "owner/repo",
        "weights/model.pth",
        5,
    )
    assert file.way_out == "`synth weights CONFIG --download` fetches it from owner/repo"


def test_a_pickle_of_the_hub_is_not_fetched_under_a_name_that_says_safetensors():
    file = WeightFile.on_hub(Path("models/mine.safetensors"), "owner/repo", "weights/model.pth", "MIT")

    assert file.repo is None
    assert file.way_out == (
        "get weights/model.pth from https://huggingface.co/owner/repo and make it of that with "
        "`synth weights convert model.pth models/mine.safetensors`"
    )


@pytest.mark.parametrize("path", ["lora.bin", "lora"])
def test_a_kind_that_nothing_converts_to_is_to_be_named_as_published(path):
    file = WeightFile.on_hub(Path(path), "owner/repo", "lora.safetensors", "MIT")

    assert file.repo is None
    assert file.way_out == (
        "name a .safetensors file in the configuration instead: https://huggingface.co/owner/repo has lora.safetensors"
    )


def test_what_was_converted_has_another_hash_than_what_was_published(tmp_path):
    published = weight_file(Path("model.pth"), repo="owner/repo", name="model.pth", sha256="0" * 64)

    assert published.at(tmp_path / "other.pth").sha256 == "0" * 64
    assert published.at(tmp_path / "other.safetensors").sha256 is None


def test_a_file_by_hand_is_the_same_at_any_path():
    assert weight_file(Path("a.pth")).at(Path("b.safetensors")) == weight_file(Path("b.safetensors"))

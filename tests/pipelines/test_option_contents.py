import pytest

from pipelines.file_hashes import FileHashes
from pipelines.option_contents import OptionContents
from synth.components import ComponentSpec
from synth.digests import sha256_of
from tests.pipelines.weighted import write_weights


@pytest.fixture
def folder(tmp_path):
    write_weights(tmp_path)
    return tmp_path


def contents(kind, component, **options):
    return OptionContents.of(ComponentSpec(kind, f"tests.pipelines.weighted.{component}", options), FileHashes())


def test_of_a_generators_folder_its_weight_files_count_and_nothing_else(folder):
    (folder / "generator" / "README.md").write_text("beside them")
    (folder / "generator" / ".cache").mkdir()
    (folder / "generator" / ".cache" / "metadata").write_text("the hub's")

    found = contents("generator", "WeightedVector", weights=str(folder / "generator"), size=64)

    encoder, model = folder / "generator" / "encoder.bin", folder / "generator" / "unet" / "model.bin"
    assert found.options() == {
        "weights": [f"encoder.bin sha256:{sha256_of(encoder)}", f"unet/model.bin sha256:{sha256_of(model)}"],
        "size": 64,
    }
    assert found.other_weights() == []


def test_of_another_folder_all_files_count_that_are_not_hidden(folder):
    (folder / "pictures" / ".cache").mkdir(parents=True)
    (folder / "pictures" / ".cache" / "metadata").write_text("the hub's")
    (folder / "pictures" / "a.png").write_bytes(b"a")

    found = contents("filter", "WeightedRecogniser", pictures=str(folder / "pictures"))

    assert found.options() == {"pictures": [f"a.png sha256:{sha256_of(folder / 'pictures' / 'a.png')}"]}


def test_files_count_at_any_depth_of_the_options(folder):
    path = folder / "recogniser.bin"

    found = contents("recogniser", "WeightedRecogniser", weights=str(path), group={"list": [str(path), 3]})

    digest = f"sha256:{sha256_of(path)}"
    assert found.options() == {"weights": digest, "group": {"list": [digest, 3]}}


def test_a_missing_weight_file_counts_by_its_path(folder):
    path = folder / "none.bin"

    assert contents("recogniser", "WeightedRecogniser", weights=str(path)).options() == {"weights": str(path)}


def test_a_word_is_no_path_unless_weights_are_there(folder, monkeypatch):
    monkeypatch.chdir(folder)

    found = contents("generator", "WeightedVector", weights="generator", size=64)

    assert len(found.options()["weights"]) == 2
    assert contents("filter", "WeightedRecogniser", name="generator").options() == {"name": "generator"}


def test_weights_that_no_option_names_count_as_well(folder):
    spec = ComponentSpec("recogniser", "tests.pipelines.weighted.WeightedRecogniser", {"size": 64})
    default = folder / "recogniser.bin"

    found = OptionContents(spec, [default], FileHashes())

    assert found.other_weights() == [f"recogniser.bin sha256:{sha256_of(default)}"]

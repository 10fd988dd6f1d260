import pytest

from pipelines.config import parse_config
from pipelines.weight_files import files_by_component, files_of, missing_files, needed_files, require_weights
from synth.components import ComponentSpec
from synth.errors import ConfigError, WeightsError
from tests.pipelines.weighted import weighted_config, write_weights
from tests.toy import CONFIG, run_toy


@pytest.fixture
def config(tmp_path):
    return parse_config(weighted_config(tmp_path), "toy.yaml")


def test_files_of_all_components_are_listed_with_who_reads_them(config, tmp_path):
    found = [(needed.component, str(needed.file.path.relative_to(tmp_path))) for needed in needed_files(config)]

    assert found == [
        ("generator tests.pipelines.weighted.WeightedVector", "generator/unet/model.bin"),
        ("generator tests.pipelines.weighted.WeightedVector", "generator/encoder.bin"),
        ("recogniser tests.pipelines.weighted.WeightedRecogniser", "recogniser.bin"),
    ]


def test_a_file_of_two_components_is_listed_once_and_known_to_be_read_by_both(tmp_path):
    shared = parse_config(weighted_config(tmp_path).replace("recogniser.bin", "generator/encoder.bin"), "toy.yaml")

    assert [needed.file.path.name for needed in needed_files(shared)] == ["model.bin", "encoder.bin"]
    assert {name: len(files) for name, files in files_by_component(shared).items()} == {
        "sampler gaussian": 0,
        "generator tests.pipelines.weighted.WeightedVector": 2,
        "recogniser tests.pipelines.weighted.WeightedRecogniser": 1,
    }


def test_a_configuration_without_weights_needs_none():
    assert needed_files(parse_config(CONFIG, "toy.yaml")) == []


def test_missing_files_are_told_all_at_once(config, tmp_path):
    with pytest.raises(WeightsError) as caught:
        require_weights(config)

    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        f"{tmp_path}/generator/unet/model.bin",
        f"{tmp_path}/generator/encoder.bin",
        f"{tmp_path}/recogniser.bin",
    ]
    assert len(missing_files(config)) == 3


def test_files_that_are_there_pass(config, tmp_path):
    write_weights(tmp_path)

    require_weights(config)

    assert missing_files(config) == []


def test_what_a_late_stage_lacks_stops_a_run_before_the_first_one(tmp_path):
    write_weights(tmp_path)
    (tmp_path / "recogniser.bin").unlink()

    with pytest.raises(WeightsError, match=r"recogniser\.bin: missing; get it from a form"):
        run_toy(tmp_path / "run", text=weighted_config(tmp_path))

    assert not (tmp_path / "run").exists()


def test_options_that_name_no_files_are_a_mistake_of_the_configuration():
    text = weighted_config("x").replace("x/generator", "''")

    with pytest.raises(ConfigError, match=r"toy\.yaml:5: generator: .*weights: name a folder"):
        parse_config(text, "toy.yaml")


@pytest.mark.parametrize("sampler", ["pca_gaussian", "packing"])
def test_a_sampler_whose_file_is_missing_stops_a_run_but_no_plan(tmp_path, sampler):
    text = CONFIG.replace(
        "{type: gaussian, dimension: 32, space: painted}", f"{{type: {sampler}, statistics: {tmp_path}/none.npz}}"
    )

    config = parse_config(text, "toy.yaml")

    assert [file.path.name for file in missing_files(config)] == ["none.npz"]
    with pytest.raises(WeightsError, match=r"none\.npz: missing; get it from `synth fit-sampler` on a file of embed"):
        require_weights(config)


@pytest.mark.parametrize(
    ("spec", "way_out"),
    [
        (
            ComponentSpec("generator", "vec2face", {"weights": "w/vec2face_generator.safetensors"}),
            "get weights/vec2face_generator.pth from https://huggingface.co/BooBooWu/Vec2Face and make it of that with "
            "`synth weights convert vec2face_generator.pth w/vec2face_generator.safetensors`",
        ),
        (
            ComponentSpec("recogniser", "iresnet", {"weights": "r100.safetensors", "space": "arcface_glint360k"}),
            "get weights/arcface-r100-glint360k.pth from https://huggingface.co/BooBooWu/Vec2Face and make it of that "
            "with `synth weights convert arcface-r100-glint360k.pth r100.safetensors`",
        ),
        (
            ComponentSpec("generator", "arc2face", {"weights": "w", "base": "b", "lora": "lora.bin"}),
            "name a .safetensors file in the configuration instead: "
            "https://huggingface.co/latent-consistency/lcm-lora-sdv1-5 has pytorch_lora_weights.safetensors",
        ),
    ],
    ids=lambda value: value.type if isinstance(value, ComponentSpec) else "",
)
def test_another_kind_of_file_than_published_is_not_to_be_fetched_but_made(spec, way_out):
    file = files_of(spec)[-1]

    assert file.repo is None
    assert file.way_out == way_out

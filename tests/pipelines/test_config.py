import pytest

from pipelines.config import load_config, parse_config
from synth.errors import ConfigError
from tests.toy import CONFIG


def mistakes_of(text, *overrides):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "toy.yaml", overrides)
    return str(caught.value).splitlines()


def test_a_configuration_becomes_plain_values_with_defaults():
    config = parse_config(CONFIG, "toy.yaml")

    assert config.identities.count == 10
    assert config.images.encoding == "jpeg"
    assert config.images.quality == 95
    assert config.filter_names == ["detection", "vector_similarity", "near_duplicate"]
    assert config.generator_spec.options == {"size": 64, "black_every": 6}


def test_all_mistakes_are_told_at_once_with_file_and_line():
    text = CONFIG.replace("batch_size", "batchsize").replace("black_every: 6", 'blackevery: "6"')
    text = (
        text.replace("near_duplicate", "near_duplicat")
        .replace("gaussian", "gausian")
        .replace("min: 0.5", "min: '1e-3'")
    )

    lines = mistakes_of(text)

    assert "toy.yaml:6: images.batchsize: unknown key; did you mean 'batch_size'?" in lines
    assert "toy.yaml:5: generator.blackevery: unknown option; did you mean 'black_every'?" in lines
    assert "toy.yaml:9: filters.0.min: input should be a valid number, got '1e-3'; that is text, write 0.001" in lines
    assert any(line.startswith("toy.yaml:11: filters.2.type: no filter named 'near_duplicat'") for line in lines)
    assert any(line.endswith("did you mean 'gaussian'?") and line.startswith("toy.yaml:4:") for line in lines)
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("count: 10", "count: ten", "toy.yaml:3: identities.count: input should be a valid integer, got 'ten'"),
        ("count: 10", "count: 0", "toy.yaml:3: identities.count: input should be greater than or equal to 1, got 0"),
        (
            "size: 64",
            "size: '64'",
            "toy.yaml:5: generator.size: input should be a valid integer, got '64'; that is text, write 64",
        ),
        (
            "shard_size: 15",
            "shard_size: 1e3x",
            "toy.yaml:13: export.shard_size: input should be a valid integer, got '1e3x'",
        ),
        ("seed: 7\n", "", "toy.yaml: seed: missing; this key has no default"),
        ("seed: 7", "seed: 7\nseed: 8", "toy.yaml:2: seed: written twice; keep one of them"),
        (
            "images_per_identity: 4",
            "images_per_identity: 7",
            "toy.yaml:12: selection.images_per_identity: 7 are more than the 6 of images.per_identity",
        ),
        (
            "min_images_per_identity: 2",
            "min_images_per_identity: 5",
            "toy.yaml:12: selection.min_images_per_identity: 5 are more than the 4 of selection.images_per_identity; "
            "every identity would be dropped",
        ),
        ("max: 0.999", "max: .nan", "toy.yaml:11: filters.2.max: input should be a finite number, got nan"),
        ("max: 0.999", "max: 0.1, min: 0.2", "toy.yaml:11: filters.2.min: 0.2 > max 0.1: nothing could pass"),
        (
            "near_duplicate, max: 0.999",
            "detection",
            "toy.yaml:11: filters.2.type: 'detection' is already filter 0; give it both bounds there",
        ),
        (
            "dimension: 32",
            "dimension: 16",
            "toy.yaml:4: identities.sampler: makes vectors of 16 numbers, PaintedVector takes 32",
        ),
        (
            ", space: painted",
            "",
            "toy.yaml:4: identities.sampler: makes vectors of no recogniser's space, "
            "PaintedVector takes vectors of space 'painted'; declare `space: painted` if they are meant for it",
        ),
        (
            "tests.fakes.PaintedRecogniser",
            "yunet_sface",
            "toy.yaml:10: filters.1.type: vector_similarity compares identity vectors (space 'painted') with "
            "embeddings of yunet_sface (space 'sface'); "
            "both must live in one space: remove it or change the recogniser",
        ),
    ],
)
def test_a_mistake_is_told_where_it_is(old, new, message):
    assert old in CONFIG

    assert mistakes_of(CONFIG.replace(old, new)) == [message]


@pytest.mark.parametrize("text", ["seed: [1", "- 1", "", "seed: 1\n\tcount: 2"])
def test_what_is_no_mapping_is_refused(text):
    (line,) = mistakes_of(text)

    assert line.startswith("toy.yaml")


def test_an_override_goes_through_the_same_checks():
    config = parse_config(CONFIG, "toy.yaml", ["images.quality=80", "filters.0.min=0.25"])

    assert config.images.quality == 80
    assert config.filters[0].min == 0.25


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("images.quality=high", "--set: images.quality: input should be a valid integer, got 'high'"),
        ("images.qualty=80", "--set: images.qualty: unknown key; did you mean 'quality'?"),
        ("filters.9.min=1", "--set: filters.9.min: there is no such place in toy.yaml"),
        ("images.quality", "--set: expected path.to.key=value, got 'images.quality'"),
    ],
)
def test_a_wrong_override_is_told_by_its_option(override, message):
    assert mistakes_of(CONFIG, override) == [message]


def test_a_missing_vector_file_is_named_with_its_line(tmp_path):
    text = CONFIG.replace(
        "{type: gaussian, dimension: 32, space: painted}", f"{{type: from_file, path: {tmp_path}/no.npy}}"
    )

    (line,) = mistakes_of(text)

    assert line.startswith("toy.yaml:4: identities.sampler: ")
    assert "no.npy" in line


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no\.yaml: cannot be read: No such file"):
        load_config(tmp_path / "no.yaml")


def test_the_demo_configuration_is_right():
    from tests.toy import ROOT

    config = load_config(ROOT / "configs" / "demo.yaml")

    assert config.identities.count == 100
    assert config.selection.images_per_identity == 10

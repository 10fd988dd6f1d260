"""The configurations of published generators through the whole pipeline, with tiny random weights in their layout.

Random weights make pictures without faces, so the recogniser is insightface with the tests' tiny models: they find a
face wherever a picture is not black, and embed its colours.
"""

import json

import numpy as np
import pytest
import yaml

from synth.components import resolve
from synth.images import decode_image
from synth.shards.table import read_table
from synth.shards.tar import TarReader
from tests.tiny_weights import generator_spec
from tests.toy import ROOT, start_driver, synth, tree

pytest.importorskip("insightface", reason="insightface is not installed")

from synth.vectors.statistics import fit_statistics
from synth.vectors.statistics_files import write_statistics
from tests.synth.recognisers.tiny_pack import write_pack

CONFIGS = {"arc2face_500k": "arc2face", "idiff_500k": "idiff", "vec2face_10m": "vec2face"}
IDENTITIES, CANDIDATES, KEPT = 4, 3, 2


@pytest.fixture(scope="module", params=CONFIGS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def overrides(name, tmp_path_factory):
    """What makes a configuration small: weights, counts, and bounds that pictures without faces pass."""
    folder = tmp_path_factory.mktemp(name)
    config = yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text())
    spec = generator_spec(CONFIGS[name], folder / "weights")
    space = resolve("generator", spec.type).vector_space
    write_pack(folder / "pack")
    pack = {"type": "insightface_pack", "weights": str(folder / "pack"), "recognition": "rec.onnx", "space": space}
    found = {
        "identities.count": IDENTITIES,
        "images.per_identity": CANDIDATES,
        "images.batch_size": 4,
        "images.identities_per_shard": 2,
        "recogniser": pack,
        "selection.images_per_identity": KEPT,
        "selection.min_images_per_identity": 1,
        "selection.max_inter_class_similarity": 1.0,
        "export.shard_size": 5,
    }
    found |= {f"generator.{key}": value for key, value in spec.options.items()}
    if "precision" in config["generator"]:
        found["generator.precision"] = "float32"
    if config["identities"]["sampler"]["type"] == "pca_gaussian":
        found["identities.sampler.statistics"] = str(statistics(folder / "statistics.npz", space))
    for position, section in enumerate(config["filters"]):
        found |= {
            f"filters.{position}.{bound}": {"min": -1.0, "max": 100.0}[bound] for bound in section.keys() - {"type"}
        }
    return [f"{key}={json.dumps(value)}" for key, value in found.items()]


def statistics(path, space):
    """Fits the sampler to vectors that could be embeddings; returns the file."""
    vectors = np.random.default_rng(8).standard_normal((600, 512)).astype(np.float32)
    write_statistics(path, fit_statistics([vectors], space=space))
    return path


@pytest.fixture(scope="module")
def finished(name, overrides, tmp_path_factory):
    """A finished run of one worker."""
    run_dir = tmp_path_factory.mktemp("run") / name
    code, output = run_config(name, run_dir, overrides)
    assert code == 0, output
    return run_dir


def run_config(name, run_dir, overrides, *arguments):
    """Runs the configuration as a user does; returns exit code and output."""
    settings = [part for override in overrides for part in ("--set", override)]
    process = start_driver(ROOT / "configs" / f"{name}.yaml", run_dir, *settings, *arguments)
    output, _ = process.communicate(timeout=900)
    return process.returncode, output


def test_every_configuration_can_be_planned_without_its_weights(name, tmp_path):
    result = synth("run", ROOT / "configs" / f"{name}.yaml", "--run-dir", tmp_path / "run", "--dry-run")

    assert result.returncode == 0, result.stderr
    assert "nothing was run" in result.stdout
    assert ": missing, a run needs it" in result.stdout
    assert "`synth weights CONFIG`" in result.stdout


def test_every_weight_file_of_a_configuration_says_where_it_is_from(name):
    result = synth("weights", ROOT / "configs" / f"{name}.yaml")

    assert result.returncode == 2
    assert result.stderr == ""
    assert result.stdout.count("licence: ") == result.stdout.count("origin: ") >= 2
    assert "licence: not known" not in result.stdout


def test_a_run_makes_a_dataset_that_is_verified(name, finished):
    result = synth("verify", finished)

    assert result.returncode == 0, result.stderr
    labels = np.concatenate(
        [read_table(path)["label"] for path in sorted((finished / "dataset").glob("train-*.parquet"))]
    )
    assert sorted(labels.tolist()) == sorted(list(range(IDENTITIES)) * KEPT)


def test_its_pictures_are_faces_of_all_identities(finished):
    rows = [read_table(path) for path in sorted((finished / "measure").glob("0*/samples.parquet"))]
    identities = np.concatenate([row["identity"] for row in rows])
    found = np.concatenate([row["found"] for row in rows])

    assert np.bincount(identities).tolist() == [CANDIDATES] * IDENTITIES
    assert found.all()
    with TarReader(finished / "generate" / "000000" / "images.tar") as tar:
        table = read_table(finished / "generate" / "000000" / "samples.parquet")
        first, second = (
            decode_image(tar.read(int(table["tar_offset"][row]), int(table["tar_size"][row]))) for row in (0, 1)
        )
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


def test_two_workers_make_the_bytes_of_one(name, overrides, finished, tmp_path):
    code, output = run_config(name, tmp_path / name, overrides, "--workers", "2")

    assert code == 0, output
    assert tree(tmp_path / name) == tree(finished)


def test_another_precision_is_another_run(name, overrides, finished):
    code, output = run_config(name, finished, [*overrides, 'generator.precision="bfloat16"'])

    assert code == 2
    assert 'generator.precision="float32", now "bfloat16"' in output

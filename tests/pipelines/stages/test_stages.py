"""Each stage's files, on one toy run."""

import json

import numpy as np
import pytest

from pipelines.config import load_config
from pipelines.run_directory import RunDirectory
from pipelines.stages.sample import Sample
from synth.errors import VectorsError
from synth.images import decode_image, provenance
from synth.seeding import sample_seed
from synth.shards.table import read_table
from synth.shards.tar import TarReader
from synth.similarity import cosine_matrix, unit
from tests.toy import ROOT, run_toy


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory, _ = run_toy(tmp_path_factory.mktemp("stages") / "toy")
    return directory


def all_shards(run, stage, columns=None):
    parts = [read_table(path / "samples.parquet", columns) for path in run.shards(stage)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def test_sample_says_what_its_vectors_are(run):
    vectors = np.load(run.shard("sample", 0) / "vectors.npy")

    about = json.loads((run.shard("sample", 0) / "vectors.json").read_text())
    assert about == {"count": 10, "dimension": 32, "norm": "unit", "space": "painted"}
    assert vectors.shape == (10, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_vectors_of_a_length_that_the_generator_does_not_take_end_the_run_before_its_weights_are_read(tmp_path):
    vectors = 20 * unit(np.random.default_rng(0).standard_normal((4, 512))).astype(np.float32)
    vectors[2] *= 0.05
    np.save(tmp_path / "vectors.npy", vectors)
    sampler = {"type": "from_file", "path": str(tmp_path / "vectors.npy"), "norm": "raw", "space": "arcface_glint360k"}
    overrides = [f"identities.sampler={json.dumps(sampler)}", "identities.count=4"]
    stage = Sample(load_config(ROOT / "configs" / "vec2face_10m.yaml", overrides), RunDirectory(tmp_path / "run"))
    stage.open("cpu")

    with pytest.raises(VectorsError, match="vector 2 has length 1, expected 8 to 60; do not normalise"):
        stage.process(stage.tasks()[0], tmp_path)

    assert not (tmp_path / "vectors.json").exists()


def test_generate_stores_each_candidate_under_its_key_and_seed(run):
    table = read_table(run.shard("generate", 1) / "samples.parquet")

    assert table["identity"].tolist() == [3] * 6 + [4] * 6 + [5] * 6
    assert table["index"].tolist() == [*range(6)] * 3
    assert table["seed"][7] == sample_seed(7, "generate", 4, 1)
    assert table["truth_tint"].shape == (18, 3)
    with TarReader(run.shard("generate", 1) / "images.tar") as tar:
        members = dict(tar)
        data = tar.read(int(table["tar_offset"][7]), int(table["tar_size"][7]))
    assert list(members)[7] == "00000004_0001.jpg"
    assert members["00000004_0001.jpg"] == data
    assert decode_image(data).shape == (64, 64, 3)
    assert provenance(data).endswith("trainedAlgorithmicMedia")


def test_measure_reads_the_vector_back_and_marks_what_was_not_found(run):
    table = all_shards(run, "measure")
    vectors = np.load(run.shard("sample", 0) / "vectors.npy")

    black = table["index"] == 5
    assert (table["found"] == ~black).all()
    assert (table["aligned_offset"][black] == -1).all()
    assert np.isnan(table["vector_similarity"][black]).all()
    assert table["embedding"].dtype == np.float16
    nearest = cosine_matrix(table["embedding"][~black], vectors).argmax(axis=1)
    assert (nearest == table["identity"][~black]).all()
    centres = np.concatenate([np.load(path / "centroids.npy") for path in run.shards("measure")])
    assert (np.diag(cosine_matrix(centres, vectors)) > 0.95).all()


def test_select_keeps_the_first_passing_samples_under_contiguous_labels(run):
    decisions = read_table(run.shard("select", 0) / "decisions.parquet")

    assert len(decisions["kept"]) == 60
    assert (decisions["dropped_by"][decisions["index"] == 5] == "detection").all()
    assert (decisions["dropped_by"][decisions["index"] == 4] == "images_per_identity").all()
    assert np.unique(decisions["label"]).tolist() == [-1, *range(10)]
    assert (decisions["kept"] == (decisions["label"] >= 0)).all()


def test_select_shuffles_and_export_follows_its_order(run):
    selection = read_table(run.shard("select", 0) / "selection.parquet")
    exported = all_shards(run, "export")

    assert sorted(np.bincount(selection["label"])) == [4] * 10
    assert selection["identity"].tolist() != sorted(selection["identity"].tolist())
    for name in ("identity", "index", "label"):
        assert exported[name].tolist() == selection[name].tolist()
    assert [len(read_table(path / "samples.parquet")["label"]) for path in run.shards("export")] == [13, 13, 14]


def test_export_passes_the_aligned_bytes_and_all_numbers_through(run):
    measured = all_shards(run, "measure", ["identity", "index", "vector_similarity", "embedding"])
    generated = all_shards(run, "generate", ["truth_yaw", "truth_tint", "seed"])
    sidecar = read_table(run.dataset / "train-000001.parquet")

    with TarReader(run.dataset / "train-000001.tar") as tar:
        samples = list(tar.samples())
    for row, sample in enumerate(samples):
        metadata = json.loads(sample["json"])
        at = metadata["identity"] * 6 + metadata["index"]
        assert sample["__key__"] == f"{metadata['identity']:08d}_{metadata['index']:04d}"
        assert int(sample["cls"]) == metadata["label"] == sidecar["label"][row]
        assert metadata["seed"] == generated["seed"][at]
        assert metadata["yaw"] == pytest.approx(float(generated["truth_yaw"][at]))
        assert metadata["tint"] == pytest.approx(generated["truth_tint"][at].tolist())
        assert metadata["vector_similarity"] == pytest.approx(float(measured["vector_similarity"][at]))
        assert metadata["synthetic"] is True
        assert (sidecar["embedding"][row] == measured["embedding"][at]).all()
        assert decode_image(sample["jpg"]).shape == (112, 112, 3)


def test_the_generated_images_can_be_exported_as_png(tmp_path):
    run, _ = run_toy(tmp_path / "toy", "images.encoding=png", "export.crop=generated")

    with (
        TarReader(run.dataset / "train-000000.tar") as exported,
        TarReader(run.shard("generate", 0) / "images.tar") as made,
    ):
        originals = dict(made)
        samples = {f"{sample['__key__']}.png": sample["png"] for sample in exported.samples()}
    shared = samples.keys() & originals.keys()
    assert shared
    assert all(samples[name] == originals[name] for name in shared)


def test_identities_that_are_too_similar_are_dropped_by_separation(tmp_path):
    vectors = unit(np.random.default_rng(0).standard_normal((10, 32)))
    vectors[7] = unit(vectors[2:3] + 0.1 * vectors[7:8])[0]
    np.save(tmp_path / "vectors.npy", vectors)

    run, result = run_toy(
        tmp_path / "toy", f"identities.sampler={{type: from_file, path: {tmp_path}/vectors.npy, space: painted}}"
    )

    decisions = read_table(run.shard("select", 0) / "decisions.parquet")
    dropped = decisions["identity"][decisions["dropped_by"] == "max_inter_class_similarity"]
    assert set(dropped.tolist()) == {7}
    assert result.identities == 9

"""`synth fit-sampler` as a user meets it, and a run with what it made."""

import numpy as np
import pytest

from synth.vectors.statistics_files import read_statistics
from tests.toy import CONFIG, synth


@pytest.fixture
def embeddings(tmp_path):
    random = np.random.default_rng(0)
    vectors = random.standard_normal((300, 32)) @ random.standard_normal((32, 32))
    np.savez(tmp_path / "embeddings.npz", vectors=vectors.astype(np.float32), other=vectors[:5])
    return tmp_path / "embeddings.npz"


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_statistics_are_fitted_and_a_run_samples_from_them(embeddings, tmp_path, suffix):
    out = tmp_path / f"statistics{suffix}"
    sampler = f"{{type: pca_gaussian, statistics: {out}, max_similarity: 0.9}}"
    (tmp_path / "toy.yaml").write_text(CONFIG.replace("{type: gaussian, dimension: 32, space: painted}", sampler))

    fitted = synth("fit-sampler", embeddings, out, "--key", "vectors", "--components", "20", "--space", "painted")
    run = synth("run", tmp_path / "toy.yaml", "--run-dir", tmp_path / "run", "--until", "sample")

    assert fitted.returncode == 0, fitted.stderr
    assert fitted.stdout == f"{out}: 20 components of 300 vectors of 32, unit norm, space painted\n"
    assert run.returncode == 0, run.stderr
    vectors = np.load(tmp_path / "run" / "sample" / "000000" / "vectors.npy")
    assert vectors.shape == (10, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_raw_statistics_are_refused_by_a_generator_of_unit_vectors(embeddings, tmp_path):
    out = tmp_path / "statistics.npz"
    (tmp_path / "toy.yaml").write_text(
        CONFIG.replace("{type: gaussian, dimension: 32, space: painted}", f"{{type: pca_gaussian, statistics: {out}}}")
    )

    fitted = synth("fit-sampler", embeddings, out, "--key", "vectors", "--norm", "raw")
    run = synth("run", tmp_path / "toy.yaml", "--run-dir", tmp_path / "run", "--dry-run")

    assert fitted.returncode == 0, fitted.stderr
    assert read_statistics(out).norm == "raw"
    assert run.returncode == 2
    assert "makes vectors of raw norm, PaintedVector takes unit norm" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("embeddings.npz", "out.npz"), "has other, vectors; choose one with `key`"),
        (("embeddings.npz", "out.npz", "--key", "other"), "5 vectors determine at most 4 components, 32 are wanted"),
        (("embeddings.npz", "out.npz", "--key", "vectors", "--components", "33"), "have 1 to 32 components"),
        (("none.npy", "out.npz"), "none.npy: no such file"),
        (("embeddings.npz", "out.pkl"), "statistics are kept in .npz or .safetensors files"),
        (("embeddings.npz", "embeddings.npz"), "is the file of embeddings itself"),
        (("embeddings.npz", "nowhere/out.npz", "--key", "vectors"), "nowhere/out.npz: No such file or directory"),
    ],
)
def test_mistakes_are_told_and_exit_2(embeddings, tmp_path, arguments, message):
    before = embeddings.read_bytes()

    result = synth("fit-sampler", tmp_path / arguments[0], tmp_path / arguments[1], *arguments[2:])

    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert embeddings.read_bytes() == before
    assert not (tmp_path / "out.npz").exists()

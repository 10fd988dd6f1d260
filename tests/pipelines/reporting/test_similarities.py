import numpy as np
import pytest

from pipelines.reporting.run_tables import RunTables
from pipelines.reporting.similarities import nearest_pairs, similarity_pairs, spread
from synth.shards.table import read_table
from synth.similarity import centroids, cosine_matrix
from tests.pipelines.small_run import make_run


def test_spread_takes_all_of_few_and_both_ends_of_many():
    assert spread(3, 5).tolist() == [0, 1, 2]
    assert spread(101, 5).tolist() == [0, 25, 50, 75, 100]


def test_pairs_hold_the_similarities_of_the_stored_embeddings(tmp_path):
    run = make_run(tmp_path / "run", identities=3, per_identity=3, min_score=None)

    pairs = similarity_pairs(RunTables(run))

    table = read_table(run / "measure" / "000000" / "samples.parquet")
    similarities = cosine_matrix(table["embedding"], table["embedding"])
    first, second = np.triu_indices(9, k=1)
    same = table["identity"][first] == table["identity"][second]
    assert np.sort(pairs.genuine) == pytest.approx(np.sort(similarities[first, second][same]), abs=1e-5)
    assert np.sort(pairs.impostor) == pytest.approx(np.sort(similarities[first, second][~same]), abs=1e-5)
    assert pairs.samples == 9


def test_error_rate_is_that_of_the_pairs_at_its_threshold(tmp_path):
    pairs = similarity_pairs(RunTables(make_run(tmp_path / "run", identities=30, per_identity=8)))

    missed = (pairs.genuine < pairs.threshold).mean()
    accepted = (pairs.impostor >= pairs.threshold).mean()

    assert pairs.error_rate == pytest.approx((missed + accepted) / 2, abs=0.01)


def test_one_kept_identity_has_no_pairs(tmp_path):
    assert similarity_pairs(RunTables(make_run(tmp_path / "run", identities=1))) is None


def test_nearest_pairs_are_the_largest_of_all_similarities_of_centroids(tmp_path):
    run = make_run(tmp_path / "run", identities=300, per_identity=2, identities_per_shard=50, min_score=None)

    found, compared = nearest_pairs(RunTables(run), 5)

    vectors = np.concatenate([np.load(path / "centroids.npy") for path in sorted((run / "measure").iterdir())])
    similarities = np.triu(cosine_matrix(vectors, vectors), k=1)
    assert compared == 300
    assert [pair.similarity for pair in found] == pytest.approx(np.sort(similarities.ravel())[::-1][:5], abs=1e-5)
    assert all(similarities[pair.first, pair.second] == pytest.approx(pair.similarity) for pair in found)


def test_only_kept_identities_are_compared(tmp_path):
    run = make_run(tmp_path / "run", identities=6, per_identity=1, min_score=0.505)

    pairs, compared = nearest_pairs(RunTables(run), 100)

    decisions = read_table(run / "select" / "000000" / "decisions.parquet")
    kept = set(decisions["identity"][decisions["kept"]].tolist())
    assert compared == len(kept) < 6
    assert {pair.first for pair in pairs} | {pair.second for pair in pairs} <= kept


def test_centroids_of_the_fixture_are_those_of_the_embeddings(tmp_path):
    run = make_run(tmp_path / "run", identities=2, per_identity=3)
    table = read_table(run / "measure" / "000000" / "samples.parquet")

    expected = centroids(table["embedding"], table["identity"])

    assert np.load(run / "measure" / "000000" / "centroids.npy") == pytest.approx(expected, abs=1e-6)

"""Galleries of real people, planted with faces of the run."""

import json
import shutil

import numpy as np
import pytest

from pipelines.audit import write_audit
from pipelines.auditing.settings import AuditSettings, read_gallery, read_recogniser
from synth.errors import ConfigError, VectorsError
from synth.similarity import unit
from tests.pipelines.auditing.tampering import embeddings_of, make_toy, selected_keys
from tests.synth.audits.crowds import crowd

MIRRORED = "{type: tests.pipelines.auditing.mirrored.Mirrored}"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_toy(tmp_path_factory.mktemp("leakage") / "toy")


@pytest.fixture(scope="module")
def victim(run):
    """A kept sample and its embedding."""
    key = selected_keys(run)[8]
    return key, embeddings_of(run, int(key[:8]) // 10)[key]


def strangers(people=300, each=3):
    embeddings, labels = crowd(people, each, dimension=32, seed=4)
    return embeddings, labels


def leakage(run, *galleries, recogniser=None):
    """Audits a run; returns the statuses of the leakage checks in order, the readings and the result."""
    settings = AuditSettings(
        galleries=[read_gallery(text) for text in galleries],
        recogniser=None if recogniser is None else read_recogniser(recogniser),
    )
    result = write_audit(run.root, settings)
    (found,) = [one for one in result.audits if one.name == "leakage"]
    content = json.loads((run.audit / "audit.json").read_text())["audits"]["leakage"]
    return [check.status for check in found.checks], content["numbers"]["readings"], content


def test_a_planted_leak_is_found_in_its_row_and_fails_the_given_threshold(run, victim, tmp_path):
    key, embedding = victim
    gallery, _ = strangers()
    gallery[123] = unit(embedding[None] + 0.01)[0]
    np.save(tmp_path / "real.npy", gallery)

    statuses, readings, _ = leakage(run, f"{{file: {tmp_path}/real.npy, space: painted, thresholds: [0.7, 0.95]}}")

    assert statuses == ["fail"]
    (reading,) = readings
    assert (reading["nearest"][0]["sample"], reading["nearest"][0]["gallery_row"]) == (key, 123)
    assert reading["largest"] > 0.99
    assert [entry["count"] for entry in reading["thresholds"]][-1] == 1
    assert reading["gallery_size"] == 900


def test_a_lower_threshold_that_is_exceeded_alone_warns(run, tmp_path):
    np.save(tmp_path / "real.npy", strangers()[0])

    statuses, readings, _ = leakage(run, f"{{file: {tmp_path}/real.npy, space: painted, thresholds: [0.3, 0.99]}}")

    assert statuses == ["warn"]
    assert [entry["count"] > 0 for entry in readings[0]["thresholds"]] == [True, False]


def test_strangers_with_labels_pass_at_thresholds_calibrated_on_them(run, tmp_path):
    embeddings, labels = strangers()
    np.savez(tmp_path / "real.npz", embedding=embeddings, person=labels)

    statuses, readings, content = leakage(
        run, f"{{file: {tmp_path}/real.npz, space: painted, key: embedding, labels: person}}"
    )

    assert statuses == ["ok"]
    (calibrated,) = readings[0]["thresholds"]
    assert (calibrated["fmr"], calibrated["accepted_impostors"]) == (1e-4, 40)  # of 403,650
    assert calibrated["expected_by_chance"] == pytest.approx(200 * (1 - (1 - 1e-4) ** 900), rel=1e-6)
    assert "takes 1000000 impostor pairs, there are 403650" in readings[0]["refused_rates"][0]
    assert "expected by chance" in content["checks"][0]["says"]
    assert "rests on 40 accepted pairs of them" in content["checks"][0]["source"]


def test_many_planted_leaks_exceed_chance(run, tmp_path):
    embeddings, labels = strangers()
    for identity in range(30):  # a face of each is in the gallery, as another person each
        embeddings[3 * identity] = embeddings_of(run, identity // 10)[f"{identity:08d}_0000"]
    np.savez(tmp_path / "real.npz", embedding=embeddings, person=labels)

    statuses, readings, _ = leakage(
        run, f"{{file: {tmp_path}/real.npz, space: painted, key: embedding, labels: person}}"
    )

    assert statuses == ["fail"]
    assert readings[0]["thresholds"][0]["count"] > readings[0]["thresholds"][0]["expected_by_chance"] + 30


def test_without_any_threshold_there_are_numbers_only(run, tmp_path):
    np.save(tmp_path / "real.npy", strangers()[0])

    statuses, readings, content = leakage(run, f"{{file: {tmp_path}/real.npy, space: painted}}")

    assert statuses == ["none"]
    assert "neither labels nor thresholds" in content["checks"][0]["says"]
    assert len(readings[0]["nearest"]) == 50


def test_two_recognisers_that_see_the_same_leak_fail(run, victim, tmp_path):
    key, embedding = victim
    gallery, _ = strangers()
    gallery[5] = unit(embedding[None])[0]
    np.save(tmp_path / "first.npy", gallery)
    np.save(tmp_path / "second.npy", gallery[:, ::-1])

    statuses, readings, content = leakage(
        run,
        f"{{file: {tmp_path}/first.npy, space: painted, thresholds: [0.95]}}",
        f"{{file: {tmp_path}/second.npy, space: mirrored, thresholds: [0.95]}}",
        recogniser=MIRRORED,
    )

    assert statuses == ["warn", "warn", "fail"]
    assert [reading["nearest"][0]["sample"] for reading in readings] == [key, key]
    assert content["checks"][2]["says"].startswith("1 sample seen by both, 0 by one alone")
    assert (content["numbers"]["seen_by_both"], content["numbers"]["seen_by_one"]) == ([key], [])


def test_a_leak_that_one_recogniser_sees_alone_warns(run, victim, tmp_path):
    gallery, _ = strangers()
    np.save(tmp_path / "second.npy", gallery[:, ::-1])
    gallery[5] = unit(victim[1][None])[0]
    np.save(tmp_path / "first.npy", gallery)

    statuses, _, content = leakage(
        run,
        f"{{file: {tmp_path}/first.npy, space: painted, thresholds: [0.95]}}",
        f"{{file: {tmp_path}/second.npy, space: mirrored, thresholds: [0.95]}}",
        recogniser=MIRRORED,
    )

    assert statuses == ["warn", "ok", "warn"]
    assert content["checks"][2]["says"].startswith("0 samples seen by both, 1 by one alone")
    assert (content["numbers"]["seen_by_both"], content["numbers"]["seen_by_one"]) == ([], [victim[0]])


def test_a_chance_match_of_one_recogniser_is_no_leak(run, tmp_path):
    embeddings, labels = strangers()
    for name, vectors in (("first", embeddings), ("second", embeddings[:, ::-1])):
        np.savez(tmp_path / f"{name}.npz", embedding=vectors, person=labels)

    statuses, readings, _ = leakage(
        run,
        f"{{file: {tmp_path}/first.npz, space: painted, key: embedding, labels: person}}",
        f"{{file: {tmp_path}/second.npz, space: mirrored, key: embedding, labels: person}}",
        recogniser=MIRRORED,
    )

    assert statuses == ["ok", "ok", "ok"]
    assert readings[0]["largest"] == pytest.approx(readings[1]["largest"], abs=0.05)


def test_no_vector_of_a_gallery_is_written_anywhere(run, tmp_path):
    gallery, labels = strangers()
    np.savez(tmp_path / "real.npz", embedding=gallery, person=labels)

    _, readings, _ = leakage(run, f"{{file: {tmp_path}/real.npz, space: painted, key: embedding, labels: person}}")

    written = "".join(path.read_text() for path in run.audit.iterdir())
    for row in (entry["gallery_row"] for entry in readings[0]["nearest"]):
        found = [component for component in gallery[row] if f"{component:.6f}" in written]
        assert not found, row
    assert sorted(path.name for path in run.audit.iterdir()) == ["audit.json", "index.html"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("real.npy", "expected a mapping like '{file: FILE, space: NAME}', got 'real.npy'"),
        ("{file: real.npy}", "--gallery: space: field required"),
        ("{file: real.npy, space: sface, treshold: 1}", "--gallery: treshold: extra inputs are not permitted"),
        ("{file: real.npy, space: sface, thresholds: [2]}", "--gallery: thresholds.0: input should be less than"),
        ("{file: [", "cannot be read as YAML"),
    ],
)
def test_a_gallery_that_is_no_mapping_of_its_keys_is_refused(text, message):
    with pytest.raises(ConfigError) as told:
        read_gallery(text)

    assert message in str(told.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("iresnet", "expected a mapping like '{type: NAME, ...}'"),
        ("{weights: x}", "--recogniser: type: field required"),
        ("{type: iresnit}", "--recogniser: no recogniser named 'iresnit'"),
        ("{type: iresnet, space: x}", "--recogniser: Iresnet.weights: missing"),
    ],
)
def test_a_recogniser_that_does_not_exist_is_refused(text, message):
    with pytest.raises(ConfigError) as told:
        read_recogniser(text)

    assert message in str(told.value)


def test_a_gallery_of_another_space_is_refused_with_a_way_out(run, tmp_path):
    np.save(tmp_path / "real.npy", strangers()[0])

    with pytest.raises(ConfigError, match=r"of space 'sface', the samples are embedded into space 'painted'; give a"):
        leakage(run, f"{{file: {tmp_path}/real.npy, space: sface}}")


def test_two_galleries_of_one_space_are_refused(run, tmp_path):
    np.save(tmp_path / "real.npy", strangers()[0])
    gallery = f"{{file: {tmp_path}/real.npy, space: painted}}"

    with pytest.raises(ConfigError, match="a second one of space 'painted'"):
        leakage(run, gallery, gallery)


def test_a_second_recogniser_needs_a_gallery_and_a_space_of_its_own(run):
    with pytest.raises(ConfigError, match="needs a --gallery of space 'mirrored'"):
        leakage(run, recogniser=MIRRORED)
    with pytest.raises(ConfigError, match="embeds into space 'painted' as the run's does"):
        leakage(run, recogniser="{type: tests.fakes.PaintedRecogniser}")


def test_a_gallery_that_is_missing_or_of_an_unknown_kind_is_refused_before_anything_is_read(run, tmp_path):
    (tmp_path / "real.csv").touch()

    with pytest.raises(VectorsError, match="no such file"):
        leakage(run, f"{{file: {tmp_path}/none.npy, space: painted}}")
    with pytest.raises(VectorsError, match="unknown kind of vector file"):
        leakage(run, f"{{file: {tmp_path}/real.csv, space: painted}}")


def test_vectors_of_another_length_are_refused(run, tmp_path):
    np.save(tmp_path / "real.npy", np.ones((3, 7), dtype=np.float32))

    with pytest.raises(VectorsError, match=r"vectors of 7 numbers, the samples' embeddings have 32; is it of space"):
        leakage(run, f"{{file: {tmp_path}/real.npy, space: painted}}")


def test_labels_that_are_not_one_for_each_vector_are_refused(run, tmp_path):
    np.savez(tmp_path / "real.npz", embedding=strangers()[0], person=np.arange(5))

    with pytest.raises(VectorsError, match="'person' has 5 labels for 900 vectors"):
        leakage(run, f"{{file: {tmp_path}/real.npz, space: painted, key: embedding, labels: person}}")


def test_vectors_without_a_direction_are_refused_and_nothing_is_written(run, tmp_path):
    np.save(tmp_path / "real.npy", np.full((2, 32), np.nan))
    shutil.rmtree(run.audit, ignore_errors=True)

    with pytest.raises(VectorsError, match="NaN"):
        leakage(run, f"{{file: {tmp_path}/real.npy, space: painted}}")

    assert not run.audit.exists()

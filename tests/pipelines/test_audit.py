"""Audits of a whole toy run, sound and spoilt."""

import base64
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from pipelines.audit import write_audit
from pipelines.auditing.settings import AuditSettings
from pipelines.run_directory import RunDirectory
from synth.digests import sha256_of
from synth.errors import RunError, RunLockedError, ShardError
from synth.images import TRAINED_ALGORITHMIC_MEDIA, decode_image, encode_jpeg, provenance
from synth.shards.table import read_table, write_table
from tests.pipelines.auditing.tampering import (
    IDENTITIES,
    KEPT_EACH,
    change_images,
    change_labels,
    make_toy,
    selected_keys,
)
from tests.pipelines.pages import CHROMIUM, Page, chromium
from tests.toy import run_toy, tree

AUDITS = ["consistency", "uniqueness", "neighbours", "diversity", "balance", "duplicates", "poison", "leakage"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make_toy(tmp_path_factory.mktemp("audit") / "toy")


@pytest.fixture
def spoilt(sound, tmp_path):
    """A copy of the sound run that a test may change."""
    shutil.copytree(sound.root, tmp_path / "toy")
    return RunDirectory(tmp_path / "toy")


def audit(run, **settings):
    """Audits a run; returns the statuses of all checks by name, and the content of the JSON file."""
    result = write_audit(run.root, AuditSettings(**settings))
    checks = {check.name: check.status for one in result.audits for check in one.checks}
    return checks, json.loads((run.audit / "audit.json").read_text())


def test_a_sound_run_passes_every_audit(sound):
    checks, content = audit(sound)

    assert [*content["audits"]] == AUDITS
    assert "fail" not in checks.values()
    assert checks["class consistency, leave-one-out"] == "ok"
    assert checks["no two classes above the bound"] == "ok"
    assert checks["files are what they say"] == "ok"
    assert checks["nearest real people"] == "skipped"
    assert content["examined"]["samples"] == IDENTITIES * KEPT_EACH
    assert content["selection"] == sha256_of(sound.shard("select", 0) / "selection.parquet")
    assert content["examined"]["drawn_classes"] == IDENTITIES


def test_consistency_and_separation_are_those_of_the_stored_embeddings(sound):
    _, content = audit(sound)

    readings = content["audits"]["consistency"]["numbers"]["readings"]
    assert readings["calibrated"]["leave_one_out"] == 1.0
    assert 0.3 < readings["calibrated"]["threshold"] < 0.9
    assert content["audits"]["consistency"]["numbers"]["num_impostor_pairs"] == 200 * 199 // 2 - 40 * 10
    neighbours = content["audits"]["neighbours"]["numbers"]
    assert neighbours["bound"] == 0.9
    assert neighbours["largest"] == neighbours["closest"][0]["similarity"] < 0.9


def test_only_the_audit_folder_changes(spoilt):
    shutil.rmtree(spoilt.audit, ignore_errors=True)
    before = tree(spoilt.root, stages=(".",))

    audit(spoilt)

    after = tree(spoilt.root, stages=(".",))
    assert sorted(after.keys() - before.keys()) == ["audit/audit.json", "audit/index.html"]
    assert {name: after[name] for name in before} == before


def test_the_same_run_gives_the_same_bytes(sound):
    audit(sound)
    first = tree(sound.root, stages=("audit",))

    audit(sound)

    assert tree(sound.root, stages=("audit",)) == first


def test_a_planted_trailing_byte_fails_and_is_named(spoilt):
    victim = selected_keys(spoilt)[17]
    shard = int(victim[:8]) // 10
    change_images(spoilt, shard, lambda key, data: data + b"\0" if key == victim else data)

    checks, content = audit(spoilt)

    assert checks["files are what they say"] == "fail"
    found = content["audits"]["poison"]["numbers"]["unusual_bytes"]
    assert found == {"data behind its end": {"count": 1, "samples": [victim]}}
    assert content["audits"]["poison"]["status"] == content["status"] == "fail"


def test_an_image_that_does_not_decode_fails_and_the_rest_is_still_audited(spoilt):
    victim = selected_keys(spoilt)[3]
    change_images(spoilt, int(victim[:8]) // 10, lambda key, data: b"no image" if key == victim else data)

    checks, content = audit(spoilt)

    assert checks["files are what they say"] == "fail"
    found = content["audits"]["poison"]["numbers"]["unusual_bytes"]
    assert {name: entry["samples"] for name, entry in found.items()} == {
        "not of its format": [victim],
        "does not decode, or not to the size of the others": [victim],
    }
    assert checks["class consistency, leave-one-out"] == "ok"


def test_a_set_without_any_readable_image_is_audited_by_its_tables(spoilt):
    for shard in range(4):
        change_images(spoilt, shard, lambda key, data: b"no image")

    checks, content = audit(spoilt)

    assert checks["files are what they say"] == "fail"
    assert checks["class consistency, leave-one-out"] == "ok"
    unreadable = content["audits"]["poison"]["numbers"]["unusual_bytes"]
    assert {entry["count"] for entry in unreadable.values()} == {IDENTITIES * KEPT_EACH}
    assert Page(spoilt.audit / "index.html").images == []


def test_an_image_of_another_size_is_told(spoilt):
    victim = selected_keys(spoilt)[3]
    small = encode_jpeg(np.zeros((40, 40, 3), dtype=np.uint8))
    change_images(spoilt, int(victim[:8]) // 10, lambda key, data: small if key == victim else data)

    checks, _ = audit(spoilt)

    assert checks["files are what they say"] == "fail"


def test_planted_wrong_labels_are_found(spoilt):
    keys = selected_keys(spoilt)
    first, second = keys[0], next(key for key in keys if key[:8] != keys[0][:8])
    change_labels(spoilt, {first: int(second[:8]), second: int(first[:8])})

    checks, content = audit(spoilt)

    assert checks["labels agree with the faces"] == "warn"
    poison = content["audits"]["poison"]["numbers"]
    assert {entry["sample"] for entry in poison["widest_margins"]} == {first, second}
    named = {entry["sample"]: (entry["label"], entry["other_label"]) for entry in poison["widest_margins"]}
    assert named[first] == (int(second[:8]), int(first[:8]))


def test_many_wrong_labels_fail_the_consistency(spoilt):
    random = np.random.default_rng(0)
    change_labels(spoilt, {key: int(random.integers(40)) for key in selected_keys(spoilt)[::3]})

    checks, _ = audit(spoilt)

    assert checks["class consistency, leave-one-out"] == "fail"


def test_planted_equal_bytes_under_two_labels_fail(spoilt):
    mine, theirs = (min(key for key in selected_keys(spoilt) if int(key[:8]) == identity) for identity in (3, 4))
    images = {}
    change_images(spoilt, 0, lambda key, data: images.setdefault(key, data))
    change_images(spoilt, 0, lambda key, data: images[mine] if key == theirs else data)

    checks, content = audit(spoilt)

    assert checks["same bytes under two labels"] == "fail"
    assert content["audits"]["duplicates"]["numbers"]["equal_bytes_across_classes"] == [[mine, theirs]]


def test_a_planted_patch_is_found_where_it_is(spoilt):
    checkers = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]

    def paste(key, data):
        if int(key[:8]) != 12:
            return data
        image = decode_image(data).copy()
        image[50:58, 60:68] = checkers
        return encode_jpeg(image)

    change_images(spoilt, 1, paste)

    checks, content = audit(spoilt)

    assert checks["a patch that a class has in common"] == "warn"
    strongest = content["audits"]["poison"]["numbers"]["class_patches"][0]
    assert strongest["label"] == 12
    assert 48 <= strongest["top"] <= 58
    assert 58 <= strongest["left"] <= 68
    assert checks["high frequencies"] == "warn"
    assert {entry["sample"][:8] for entry in content["audits"]["poison"]["numbers"]["high_frequencies"][:5]} == {
        "00000012"
    }


def test_identities_above_a_stricter_bound_fail_with_their_groups(sound):
    checks, content = audit(sound, max_inter_class_similarity=0.3)

    assert checks["no two classes above the bound"] == "fail"
    assert checks["classes that are somebody new"] == "fail"
    numbers = content["audits"]["neighbours"]["numbers"]
    close = [entry["labels"] for entry in numbers["closest"] if entry["similarity"] > 0.3]
    assert numbers["pairs_above"] >= len(close) > 0
    assert any(set(close[0]) <= set(group) for group in numbers["merged"])


def test_a_run_without_a_bound_is_not_judged_by_one(tmp_path):
    run = make_toy(tmp_path / "toy", "selection.max_inter_class_similarity=null")

    checks, _ = audit(run)

    assert checks["no two classes above the bound"] == "none"
    assert checks["classes that are somebody new"] == "none"


def test_too_few_impostors_leave_the_consistency_unjudged(tmp_path):
    run, _ = run_toy(tmp_path / "toy")

    checks, content = audit(run)

    assert checks["class consistency, leave-one-out"] == "none"
    assert checks["labels agree with the faces"] == "none"
    says = content["audits"]["consistency"]["checks"][0]["says"]
    assert "takes 10000 impostor pairs, there are 720" in says


def test_a_class_of_one_image_can_be_audited(tmp_path):
    few = ("selection.images_per_identity=1", "selection.min_images_per_identity=1")
    run, _ = run_toy(tmp_path / "toy", *few)

    checks, content = audit(run)

    assert "fail" not in checks.values()
    assert content["audits"]["diversity"]["numbers"]["mean_similarity"] is None


def test_one_class_can_be_audited(tmp_path):
    run, _ = run_toy(tmp_path / "toy", "identities.count=1")

    checks, content = audit(run)

    assert "fail" not in checks.values()
    assert content["audits"]["neighbours"]["numbers"]["largest"] is None


def test_generated_png_images_are_read_where_they_are_exported(tmp_path):
    png = ("export.crop=generated", "images.encoding=png")
    run, _ = run_toy(tmp_path / "toy", *png)
    victim = selected_keys(run)[0]
    sound_checks, _ = audit(run)
    change_images(run, int(victim[:8]) // 3, lambda key, data: data + b"x" if key == victim else data, "generate")

    checks, _ = audit(run)

    assert sound_checks["files are what they say"] == sound_checks["metadata"] == "ok"
    assert checks["files are what they say"] == "fail"


def test_of_a_large_run_whole_classes_are_drawn_and_all_bytes_are_read(spoilt):
    victim = selected_keys(spoilt)[-1]
    change_images(spoilt, int(victim[:8]) // 10, lambda key, data: data + b"x" if key == victim else data)

    _, first = audit(spoilt, samples=50)
    page = Page(spoilt.audit / "index.html")
    _, second = audit(spoilt, samples=50)

    assert first == second
    assert first["examined"]["drawn_samples"] == 50
    assert first["examined"]["drawn_classes"] == 10
    assert page.by_id["drawn"] == "50 of 10 classes"
    assert first["audits"]["poison"]["numbers"]["unusual_bytes"]["data behind its end"]["samples"] == [victim]


def test_the_page_needs_nothing_but_itself_and_its_pictures_are_marked(sound):
    audit(sound)
    page = Page(sound.audit / "index.html")

    assert "script" not in page.tags
    assert "is chance" not in (sound.audit / "index.html").read_text(), "whether it is, is what an audit asks"
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert len(page.images) > 60
    for image in page.images:
        decoded = base64.b64decode(str(image["src"]).partition(",")[2], validate=True)
        assert Image.open(io.BytesIO(decoded)).size == (112, 112)
        assert provenance(decoded) == TRAINED_ALGORITHMIC_MEDIA
        assert str(image["alt"]).startswith(("Sample ", "Map of constant detail of label "))


def test_each_check_is_on_the_page_with_its_verdict(sound):
    result = write_audit(sound.root, AuditSettings())
    page = Page(result.page)

    for one in result.audits:
        for check in one.checks:
            row = next(row for row in page.rows if len(row) == 4 and row[1] == check.name)
            assert row[3] == check.says


def test_attributes_are_counted_per_identity_or_per_sample(sound):
    _, content = audit(sound)

    attributes = content["audits"]["balance"]["numbers"]["attributes"]
    assert attributes["yaw"]["counted"] == "samples"
    assert sum(group["count"] for group in attributes["yaw"]["groups"]) == IDENTITIES * KEPT_EACH
    assert 0.8 < attributes["yaw"]["entropy"] <= 1
    assert {"yaw", "luminance"} == attributes.keys(), "columns of several numbers are left out"


def test_names_of_the_run_are_escaped(spoilt):
    strange = spoilt.root.with_name("<script>alert(1)")
    shutil.move(spoilt.root, strange)

    page = Page(write_audit(strange, AuditSettings()).page)

    assert "script" not in page.tags


def test_another_selection_takes_the_audit_of_the_former_one_away(spoilt):
    audit(spoilt)

    make_toy(spoilt.root, "selection.min_images_per_identity=3")

    assert not spoilt.audit.exists()


def test_a_directory_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"run\.json"):
        write_audit(tmp_path, AuditSettings())

    assert list(tmp_path.iterdir()) == []


def test_a_run_that_a_driver_works_on_is_refused(spoilt):
    with spoilt.lock(), pytest.raises(RunLockedError, match="works on it"):
        write_audit(spoilt.root, AuditSettings())


def test_a_run_that_is_not_finished_is_refused(tmp_path):
    run, _ = run_toy(tmp_path / "toy", until="measure")

    with pytest.raises(RunError, match="finish the run first"):
        audit(run)


def test_a_run_that_kept_nothing_is_refused(spoilt):
    path = spoilt.shard("select", 0) / "selection.parquet"
    write_table(path, {name: column[:0] for name, column in read_table(path).items()})

    with pytest.raises(RunError, match="nothing was kept"):
        audit(spoilt)


def test_a_damaged_shard_is_told_and_an_earlier_audit_stays(spoilt):
    audit(spoilt)
    before = tree(spoilt.root, stages=("audit",))
    tar = spoilt.shard("measure", 1) / "aligned.tar"
    tar.write_bytes(tar.read_bytes()[:1000])

    with pytest.raises(ShardError, match=r"aligned\.tar"):
        audit(spoilt)

    assert tree(spoilt.root, stages=("audit",)) == before
    assert not list(spoilt.root.glob(".audit*"))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")
@pytest.mark.parametrize("width", [1200, 500])
def test_browser_loads_every_picture_and_nothing_sticks_out(sound, tmp_path, width):
    page = write_audit(sound.root, AuditSettings()).page
    wrapper = tmp_path / "wrapper.html"
    script = (
        "<script>window.onload = () => { const root = document.documentElement;"
        " root.dataset.sticksOut = root.scrollWidth > window.innerWidth;"
        " root.dataset.loaded = [...document.images].filter(image => image.naturalWidth === 112).length }</script>"
    )
    wrapper.write_text(page.read_text().replace("</body>", f"{script}</body>"))

    document = chromium(wrapper, tmp_path, f"--window-size={width},1600", "--dump-dom")

    assert f'data-loaded="{len(Page(page).images)}"' in document
    assert 'data-sticks-out="false"' in document

"""What must not be published."""

import json
import shutil

import numpy as np
import pytest

from pipelines.audit import write_audit
from pipelines.auditing.settings import AuditSettings, read_gallery
from pipelines.card_terms import OF_NOBODY
from pipelines.cleaning import clean
from pipelines.config import stored_config
from pipelines.exporting import export_run
from pipelines.publishing.checks import require_publishable, require_run
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.run_directory import RunDirectory
from synth.components import available
from synth.errors import AuditFailedError, RunError, RunLockedError, ShardError
from synth.shards.table import read_table, write_table
from tests.toy import CONFIG, Silent, run_toy, synth

ODD_STATUS = json.dumps(
    {"audits": {"leakage": {"status": "fine", "checks": []}}, "examined": {"samples": 1, "drawn_samples": 1}}
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return run_toy(tmp_path_factory.mktemp("runs") / "toy")[0]


@pytest.fixture
def run(made, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(made.root, tmp_path / "toy")
    return RunDirectory(tmp_path / "toy")


def check(run, **settings):
    return require_publishable(run, stored_config(run), **settings)


def audit(run, *galleries):
    write_audit(run.root, AuditSettings(galleries=[read_gallery(text) for text in galleries]))


def gallery(run, folder, alike):
    """Returns a gallery of strangers, with a face of the run among them where `alike`."""
    faces = np.random.default_rng(3).standard_normal((50, 32)).astype(np.float32)
    if alike:
        faces[7] = read_table(run.dataset / "train-000000.parquet", ["embedding"])["embedding"][4]
    np.save(folder / "real.npy", faces / np.linalg.norm(faces, axis=1, keepdims=True))
    return f"{{file: {folder}/real.npy, space: painted, thresholds: [0.95]}}"


def test_a_sound_and_audited_run_may_be_published(run, tmp_path):
    audit(run, gallery(run, tmp_path, alike=False))

    verdict = check(run)

    assert (verdict.examined, verdict.samples) == (40, 40)
    assert verdict.subjects["leakage"] == "ok"
    assert [sentence.partition(":")[0] for sentence in verdict.leakage] == ["ok"]


def test_without_an_audit_it_has_to_be_wished(run):
    with pytest.raises(RunError, match=r"no audit was made; run `synth audit .*--without-audit"):
        check(run)

    assert check(run, without_audit=True) is None


def test_a_run_that_somebody_works_on_is_not_published(run):
    with run.lock(), pytest.raises(RunLockedError):
        publish(run, Publication(repo_id="me/faces"), dry_run=True, without_audit=True)


def test_the_card_of_an_audited_run_says_what_was_found(run, tmp_path):
    audit(run, gallery(run, tmp_path, alike=False))

    publish(run, Publication(repo_id="me/faces"), to=tmp_path / "out")

    card = (tmp_path / "out" / "README.md").read_text()
    assert "`synth audit` examined 40 of these 40 samples one by one." in card
    assert "| leakage | ok: within the threshold |" in card
    assert "- ok: the most similar of 50 vectors has" in card


def test_faces_of_real_people_are_not_published_whatever_is_wished(run, tmp_path):
    audit(run, gallery(run, tmp_path, alike=True))

    for without_audit in (False, True):
        with pytest.raises(AuditFailedError, match=r"leakage: fail: .* at 0.950 or more; .*is not published"):
            check(run, without_audit=without_audit)


def test_an_audit_of_another_selection_does_not_count(run):
    audit(run)
    shutil.copytree(run.audit, run.root / "kept")
    run_toy(run.root, "selection.images_per_identity=3")
    assert not run.audit.exists()  # a run takes it away with the dataset; somebody may bring it back
    (run.root / "kept").rename(run.audit)

    with pytest.raises(RunError, match=r"audit.json: was made of another selection .* again"):
        check(run, without_audit=True)

    audit(run)
    assert check(run).samples == 30


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"audits": {}}', '{"audits": {"leakage": {"status": "ok"}}}', ODD_STATUS]
)
def test_an_audit_that_cannot_be_read_is_no_audit(run, content):
    run.audit.mkdir()
    (run.audit / "audit.json").write_text(content)

    with pytest.raises(RunError, match="cannot be read as an audit"):
        check(run, without_audit=True)


def test_an_audit_from_before_selections_were_named_does_not_count(run):
    audit(run)
    path = run.audit / "audit.json"
    content = json.loads(path.read_text())
    del content["selection"]
    path.write_text(json.dumps(content))

    with pytest.raises(RunError, match="another selection"):
        check(run)


def test_a_run_that_is_not_finished_is_not_published(tmp_path):
    run, _ = run_toy(tmp_path / "toy", until="select")

    with pytest.raises(RunError, match="its dataset is not finished"):
        check(run, without_audit=True)


def test_an_outdated_dataset_is_not_published(run):
    run_toy(run.root, "selection.images_per_identity=3", until="select")

    with pytest.raises(RunError, match="its dataset is not finished"):
        check(run, without_audit=True)


@pytest.mark.parametrize("name", ["dataset/train-000001.tar", "generate/000000/images.tar", "dataset/index.json"])
def test_damaged_data_are_not_published(run, name):
    path = run.root / name
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.unlink()
    path.write_bytes(data)

    with pytest.raises(ShardError, match=rf"(?s){name}.*damaged data are not published"):
        check(run, without_audit=True)


def test_a_file_an_image_is_not_published(tmp_path):
    run, _ = run_toy(tmp_path / "toy", text=CONFIG.replace("type: webdataset", "type: image_folder"))

    with pytest.raises(RunError, match=r"image_folder; webdataset, parquet, record_io can be published"):
        check(run, without_audit=True)


def test_vectors_from_a_file_have_to_be_answered_for(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((10, 32)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    sampler = f"{{type: from_file, path: {tmp_path}/vectors.npy, space: painted}}"
    text = CONFIG.replace("{type: gaussian, dimension: 32, space: painted}", sampler)
    run, _ = run_toy(tmp_path / "toy", text=text)

    with pytest.raises(RunError, match=r"biometric data of real people.*--vectors-are-synthetic"):
        check(run, without_audit=True)
    assert check(run, without_audit=True, vectors_are_synthetic=True) is None


def test_of_each_sampler_it_is_known_whether_it_may_read_vectors():
    assert set(available("sampler")) == OF_NOBODY | {"from_file"}


def test_a_cleaned_run_may_be_published(run):
    assert clean(run).images > 0

    assert check(run, without_audit=True) is None


def test_a_run_that_was_cleaned_for_another_selection_is_not_published(run):
    clean(run)
    run.cleaned.write_text('{"select": "another"}')

    with pytest.raises(ShardError, match="freed for another selection"):
        check(run, without_audit=True)


def test_a_run_whose_kept_images_were_freed_is_not_published(run):
    clean(run)
    table = run.shard("generate", 0) / "samples.parquet"
    columns = read_table(table)
    decisions = read_table(run.shard("select", 0) / "decisions.parquet", ["kept", "source_shard"])
    columns["tar_size"] = np.where(decisions["kept"][decisions["source_shard"] == 0], 0, columns["tar_size"])
    table.unlink()
    write_table(table, columns)

    with pytest.raises(ShardError, match="12 images of kept samples were freed"):
        check(run, without_audit=True)


def test_an_export_is_told_from_a_run(run, tmp_path):
    export_run(run, tmp_path / "out", "parquet", Silent())

    with pytest.raises(RunError, match=r"is an export.*set export.type"):
        require_run(RunDirectory(tmp_path / "out"))
    with pytest.raises(RunError, match="not a run directory"):
        require_run(RunDirectory(tmp_path / "nothing"))


def test_the_command_says_what_is_wrong_and_exits_by_it(run, tmp_path):
    tar = run.dataset / "train-000000.tar"
    data = tar.read_bytes()
    tar.unlink()
    tar.write_bytes(data[:-1])

    unknown = synth("publish", tmp_path / "none", "me/faces")
    misnamed = synth("publish", run.root, "faces")
    damaged = synth("publish", run.root, "me/faces", "--without-audit", "--dry-run")

    assert (unknown.returncode, misnamed.returncode, damaged.returncode) == (2, 2, 1)
    assert f"{tmp_path}/none: not a run directory" in unknown.stderr
    assert "REPO_ID: 'faces': expected 'owner/name'" in misnamed.stderr
    assert "train-000000.tar: differs from what was assembled" in damaged.stderr
    assert "Traceback" not in unknown.stderr + misnamed.stderr + damaged.stderr


def test_the_command_writes_a_folder(run, tmp_path):
    done = synth("publish", run.root, "me/faces", "--without-audit", "--to", tmp_path / "out", "--tag", "v2")

    assert done.returncode == 0, done.stderr
    assert "10 files" in done.stdout
    assert json.loads((tmp_path / "out" / "croissant.json").read_text())["version"] == "2.0.0"

"""Whatever is in the files of a run, a command does its work or says in words what is wrong with which of them."""

import shutil

import pytest

from pipelines.inspection import damages
from pipelines.run_directory import RunDirectory
from synth.errors import RunError, ShardError
from synth.shards.manifest import ShardRecord
from tests.faults.commands import command
from tests.faults.damage import DEEP, GARBAGE, flip, rewrite, tear, wrong_contents
from tests.toy import CONFIG, run_toy, tree


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    (folder / "toy.yaml").write_text(CONFIG)
    run, _ = run_toy(folder / "toy")
    return run


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished.root, tmp_path / "toy")
    return RunDirectory(tmp_path / "toy")


def test_a_shard_record_is_read_as_it_was_written_or_refused(run):
    shard = run.shard("generate", 0)
    text = (shard / "shard.json").read_text()
    record = ShardRecord.read(shard)
    accepted = []

    for place, content in wrong_contents(text):
        (shard / "shard.json").write_text(content)
        try:
            accepted += [place] if ShardRecord.read(shard) != record else []
        except ShardError:
            continue

    is_right = [place.endswith(("='x'", "={}")) or "seconds=" in place for place in accepted]
    assert accepted
    assert all(is_right), accepted  # a text for a text, a mapping for a mapping, a number for seconds


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: repr(data[:12]))
@pytest.mark.parametrize("name", ["export/000000/shard.json", "generate/fingerprint.json", "export/assembled.json"])
def test_garbage_in_the_place_of_a_record_is_told(name, data, finished, run):
    rewrite(run.root / name, data)

    told = [command(word, run.root) for word in ("status", "verify")]
    told.append(command("run", finished.root.parent / "toy.yaml", "--run-dir", run.root))

    assert all(ended.is_clean for ended in told), told
    assert any(ended.code != 0 and name in ended.output for ended in told)


@pytest.mark.parametrize("name", ["run.json", "failed/generate.000000.json"])
def test_json_that_is_nested_without_end_is_told(name, run):
    (run.root / "failed").mkdir()
    (run.root / name).write_text(DEEP)

    ended = command("status", run.root)

    assert ended.code == RunError.exit_code
    assert f"{name}: cannot be read (it is nested too deeply)" in ended.output


@pytest.mark.parametrize("stage", ["sample", "generate", "measure", "select", "export"])
def test_each_torn_or_flipped_file_is_found_and_made_again_when_it_is_removed(stage, finished, run):
    shard = run.shard(stage, 0)
    for number, path in enumerate(sorted(path for path in shard.iterdir() if path.name != "shard.json")):
        (tear if number % 2 else flip)(path, 0.5 if number % 2 else 4001)
        assert any(str(path) in line for line in damages(run))

    shutil.rmtree(shard)
    shutil.rmtree(run.dataset)
    run_toy(run.root)

    assert damages(run) == []
    assert tree(run.root) == tree(finished.root)

"""Looking for damage while others work on the run."""

import shutil

import pytest

from pipelines import inspection
from pipelines.inspection import damages
from synth.shards.manifest import ShardRecord, damage, describe_files
from tests.toy import run_toy


@pytest.fixture
def run(tmp_path):
    return run_toy(tmp_path / "run", until="generate")[0]


def test_a_flipped_bit_and_a_lost_record_are_told(run):
    tar = run.shard("generate", 1) / "images.tar"
    data = bytearray(tar.read_bytes())
    data[700] ^= 1
    tar.write_bytes(data)
    (run.shard("generate", 2) / "shard.json").unlink()

    first, second = damages(run)

    assert f"{tar}: SHA-256 " in first
    assert "000002/shard.json: not a readable shard record" in second


def test_a_shard_that_is_replaced_meanwhile_is_looked_at_again(run, monkeypatch):
    replaced = []

    def replacing(shard, record):
        if not replaced and shard.name == "000001":
            replaced.append(shard)
            (shard / "more.txt").write_text("more")
            found = damage(shard, record)
            changed = ShardRecord(task=record.task, fingerprint="another", counts={}, files=describe_files(shard))
            changed.write(shard)
            return found
        return damage(shard, record)

    monkeypatch.setattr(inspection, "damage", replacing)

    assert damages(run) == []
    assert replaced


def test_a_shard_that_is_removed_meanwhile_is_left_out(run, monkeypatch):
    def removing(shard, record):
        if shard.name == "000001":
            shutil.rmtree(shard)
        return damage(shard, record) if shard.exists() else ["gone"]

    monkeypatch.setattr(inspection, "damage", removing)

    assert damages(run) == []

"""Runs on Ray: the bytes of the reference, whatever the cluster does."""

import ipaddress
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="ray is not installed")

from pipelines.config import parse_config
from pipelines.driver import run_pipeline
from pipelines.executors import ray_cluster
from pipelines.executors.choice import executor_for
from pipelines.executors.ray_cluster import RayExecutor
from pipelines.run_directory import RunDirectory
from pipelines.runner import run_stages
from synth.errors import ConfigError, RunError
from tests.pipelines.executors.components import Numbers
from tests.toy import CONFIG, ROOT, Silent, run_toy, synth, tree

MANY = ("identities.count=24", "images.identities_per_shard=1")


@pytest.mark.parametrize("workers", [1, 3])
def test_a_cluster_of_its_own_makes_the_bytes_of_the_reference(tmp_path, workers):
    config = tmp_path / "toy.yaml"
    config.write_text(CONFIG)
    expected, _ = run_toy(tmp_path / "expected" / "run")
    found = tmp_path / "found" / "run"

    done = synth("run", config, "--run-dir", found, "--executor", "ray", "--workers", workers)

    assert done.returncode == 0, done.stderr
    assert tree(found) == tree(expected.root)
    assert not (found / "scratch").exists()


def test_a_cluster_of_its_own_can_be_reached_from_this_machine_alone(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipelines.executors.listening", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    addresses = done.stdout.split()
    assert addresses
    assert {ipaddress.ip_address(address).is_loopback for address in addresses} == {True}


class KillsNodes(Silent):
    """Takes nodes from a cluster, the first with the second shard of `generate`, another three shards later."""

    def __init__(self, cluster, nodes):
        super().__init__()
        self.cluster, self.nodes = cluster, nodes

    def shard_committed(self, stage, record):
        super().shard_committed(stage, record)
        if stage == "generate" and len([name for name, _ in self.order if name == "generate"]) in (2, 5):
            self.cluster.remove_node(self.nodes.pop(), allow_graceful=False)


def test_nodes_that_are_killed_during_work_change_nothing(tmp_path):
    from ray.cluster_utils import Cluster

    expected, _ = run_toy(tmp_path / "expected" / "run", *MANY)
    settings = {"include_dashboard": False, "object_store_memory": 10**8}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **settings})
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=10**8) for _ in range(3)]
    watch = KillsNodes(cluster, nodes)
    run = RunDirectory(tmp_path / "found" / "run")
    try:
        executor = RayExecutor(3, address=cluster.address)
        run_pipeline(parse_config(CONFIG, "toy.yaml", MANY), run, executor, watch)
    finally:
        cluster.shutdown()

    assert len(nodes) == 1
    assert tree(run.root) == tree(expected.root)


@pytest.mark.parametrize("address", ["127.0.0.1:9", "no-such-host.invalid:6379"])
def test_a_cluster_that_is_not_there_is_told_at_once(run, tmp_path, address):
    message = rf"the Ray cluster at {address} cannot be reached \(.*\); committed shards stay: run again to go on"

    with pytest.raises(RunError, match=message):
        run_stages(run, [Numbers(tmp_path)], RayExecutor(1, address=address), Silent())


def test_workers_that_cannot_start_are_told(run, tmp_path, cluster, monkeypatch):
    monkeypatch.setattr(Path, "cwd", lambda: Path("/nowhere"))
    monkeypatch.setattr(ray_cluster, "_GIVE_UP", 1.0)
    executor = RayExecutor(2, address=cluster.address)

    try:
        with pytest.raises(RunError, match=r"Ray workers cannot start: .*/nowhere"):
            run_stages(run, [Numbers(tmp_path)], executor, Silent())
    finally:
        executor.close()


def test_a_program_that_is_connected_already_stays_connected(run, tmp_path, cluster):
    import ray

    ray.init(address=cluster.address, log_to_driver=False)
    try:
        executor = RayExecutor(1)
        run_stages(run, [Numbers(tmp_path)], executor, Silent())
        executor.close()

        assert ray.is_initialized()
    finally:
        ray.shutdown()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("slurm", 1, ["cpu"]), "--executor: no executor named 'slurm'; there are local and ray"),
        (("ray", 2, ["cuda:0", "cuda:1"]), "--devices cuda:0,cuda:1: Ray deals out devices itself"),
        (("ray", 2, ["tpu"]), "--devices tpu: Ray deals out devices itself"),
    ],
)
def test_settings_that_fit_no_executor_are_told(settings, message):
    with pytest.raises(ConfigError, match=message):
        executor_for(*settings)


def test_an_address_belongs_to_ray():
    with pytest.raises(ConfigError, match="--ray-address: belongs to --executor ray"):
        executor_for("local", 1, ["cpu"], ray_address="127.0.0.1:6379")

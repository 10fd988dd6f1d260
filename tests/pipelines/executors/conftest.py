"""A run to work in, and a Ray cluster on this machine."""

import pytest

from pipelines.fingerprint import Fingerprint
from pipelines.run_directory import RunDirectory


@pytest.fixture
def run(tmp_path):
    """A run whose stage `generate` has begun."""
    directory = RunDirectory(tmp_path / "run")
    directory.begin("generate", Fingerprint({}, "digest"))
    return directory


@pytest.fixture(scope="module")
def cluster():
    """A cluster of one node with four CPUs, reached like any running cluster; more nodes can be added."""
    pytest.importorskip("ray", reason="ray is not installed")
    from ray.cluster_utils import Cluster

    started = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 4, "include_dashboard": False, "object_store_memory": 10**8},
    )
    yield started
    started.shutdown()

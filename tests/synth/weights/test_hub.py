"""Downloads through huggingface_hub itself, from a server on this machine that answers as the hub does."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.synth.weights.hub_server import hub

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

ROOT = Path(__file__).parents[3]
DATA = bytes(range(256)) * 4000
BY_HAND = "get it from https://example.org and put it there"
FETCH = """
import sys
from pathlib import Path
from synth.errors import SynthError
from synth.weights.hub import fetch
from synth.weights.files import WeightFile

path, repo, name, sha256 = sys.argv[1:]
file = WeightFile(
    path=Path(path), origin="https://example.org", license="MIT", repo=repo, name=name, sha256=sha256 or None
)
try:
    fetch(file)
except SynthError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""

# Eight processes want a file at the same moment, again and again; the download is a pretence that looks at how many
# are at it. Whether it succeeds is the second argument.
CROWD = """
import multiprocessing, os, sys, time
from pathlib import Path
from synth.errors import WeightsError
from synth.weights import hub
from synth.weights.files import WeightFile

root, succeeds, rounds = Path(sys.argv[1]), sys.argv[2] == "succeeds", int(sys.argv[3])


def pretend(file, folder):
    mark = root / "marks" / file.path.name
    os.close(os.open(mark, os.O_CREAT | os.O_EXCL))  # FileExistsError: another process is downloading it as well
    (folder / "part").write_bytes(b"whole")
    time.sleep(0.001)
    mark.unlink()
    if not succeeds:
        raise WeightsError("cannot be fetched")
    return folder / "part"


def work(barrier):
    for number in range(rounds):
        file = WeightFile(path=root / "weights" / f"{number}.bin", origin="", license="", repo="owner/model")
        barrier.wait()
        try:
            hub.fetch(file)
        except WeightsError:
            assert not succeeds
        except BaseException:
            barrier.abort()  # the others need not wait for this one
            raise
        else:
            assert file.path.read_bytes() == b"whole"


hub._download = pretend
(root / "marks").mkdir()
context = multiprocessing.get_context("fork")
barrier = context.Barrier(8, timeout=30)
crowd = [context.Process(target=work, args=[barrier]) for _ in range(8)]
for process in crowd:
    process.start()
for process in crowd:
    process.join()
sys.exit(any(process.exitcode for process in crowd))
"""


@pytest.fixture(scope="module")
def server():
    files = {"owner/model": {"folder/model.bin": DATA, "cut.bin": DATA}, "owner/terms": {}}
    with hub(files, gated=["owner/terms"], cut=["cut.bin"]) as (address, asked):
        yield address, asked


def start(server, path, *, repo="owner/model", name="folder/model.bin", sha256="", **environment):
    """Starts a process that fetches a file as `synth weights --download` does."""
    home = path.parents[1] / "home"
    environment = {"HF_ENDPOINT": server[0], "HF_HOME": str(home), "PYTHONPATH": str(ROOT)} | environment
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(path), repo, name, sha256],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    """Returns how a process ends, and what it says."""
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def fails_with(process):
    """Returns the last line of a process that ends with an error."""
    code, errors = end(process)
    assert code == 1, errors
    return errors.strip().splitlines()[-1]


def test_a_file_comes_whole_and_leaves_nothing_beside_it(server, tmp_path):
    path = tmp_path / "weights" / "model.bin"

    code, errors = end(start(server, path, sha256=hashlib.sha256(DATA).hexdigest()))

    assert code == 0, errors
    assert path.read_bytes() == DATA
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_there_is_not_asked_for(server, tmp_path):
    path = tmp_path / "weights" / "model.bin"
    path.parent.mkdir()
    path.write_bytes(b"my own")
    server[1].clear()

    assert end(start(server, path))[0] == 0

    assert path.read_bytes() == b"my own"
    assert not server[1]


def test_several_processes_fetch_a_file_once(server, tmp_path):
    path = tmp_path / "weights" / "model.bin"
    server[1].clear()

    processes = [start(server, path) for _ in range(3)]

    assert [end(process)[0] for process in processes] == [0, 0, 0]
    assert path.read_bytes() == DATA
    assert server[1]["GET", "folder/model.bin"] == 1
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("outcome", "left"), [("succeeds", 100), ("fails", 0)])
def test_of_a_crowd_one_process_at_a_time_downloads_and_nothing_is_left(tmp_path, outcome, left):
    crowd = [sys.executable, "-c", CROWD, str(tmp_path), outcome, "100"]

    ended = subprocess.run(
        crowd, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == sorted(f"{n}.bin" for n in range(left))


def test_what_a_killed_download_left_is_taken_up_and_removed(server, tmp_path):
    path = tmp_path / "weights" / "model.bin"
    (path.parent / ".model.bin.download").mkdir(parents=True)
    (path.parent / ".model.bin.lock").touch()

    assert end(start(server, path))[0] == 0

    assert list(path.parent.iterdir()) == [path]


def test_what_the_hub_refuses_is_told_with_the_way_out(server, tmp_path):
    path = tmp_path / "weights" / "model.bin"

    absent = fails_with(start(server, path, name="none.bin"))
    unknown = fails_with(start(server, path, repo="owner/none"))
    gated = fails_with(start(server, path, repo="owner/terms"))
    offline = fails_with(start(server, path, HF_HUB_OFFLINE="1"))

    assert absent == f"WeightsError: {path}: owner/model has no none.bin; {BY_HAND}"
    assert unknown == f"WeightsError: {path}: the hub has no owner/none for this login; {BY_HAND}"
    assert gated.startswith(f"WeightsError: {path}: owner/terms gives it to those only who agreed to its terms")
    assert offline == f"WeightsError: {path}: the hub cannot be reached; {BY_HAND}"
    assert list(path.parent.iterdir()) == []


def test_a_download_that_breaks_off_leaves_no_file(server, tmp_path):
    path = tmp_path / "weights" / "model.bin"

    told = fails_with(start(server, path, name="cut.bin"))

    assert told.startswith(f"WeightsError: {path}: cannot be fetched from owner/model (")
    assert told.endswith(f"; {BY_HAND}")
    assert list(path.parent.iterdir()) == []


def test_a_file_with_another_hash_than_published_is_not_put_there(server, tmp_path):
    path = tmp_path / "weights" / "model.bin"

    told = fails_with(start(server, path, sha256="0" * 64))

    assert "owner/model now has another folder/model.bin" in told
    assert list(path.parent.iterdir()) == []

"""Faults of the machine and of who uses it: disks, clocks, several drivers, other versions."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.run_directory import RunDirectory
from tests.faults.commands import command
from tests.faults.outcome import Case, SkippedError, require
from tests.toy import CONFIG, run_toy, start_driver, synth, tree, wait_for_attempt

SLOW = CONFIG.replace("size: 64", "size: 256").replace("per_identity: 6", "per_identity: 12")


def full_disk(folder: Path) -> str:
    """The disk fills up in the middle of a run; with more room the run goes on."""
    config = _config(folder)
    with _small_disk(folder / "disk", "300k") as disk:
        full = synth("run", config, "--run-dir", disk / "run")
        require(full.returncode == 1 and "no space left on the disk" in full.stderr, full.stderr)
        require("Traceback" not in full.stderr, full.stderr)
        require(os.system(f"mount -o remount,size=64m {disk}") == 0, "the disk cannot be made larger")
        again = synth("run", config, "--run-dir", disk / "run")
        require(again.returncode == 0, again.stderr)
        require(tree(disk / "run") == _reference(folder), "other bytes than on a large disk")
    return "told, exit 1; with more room the run went on to the same bytes"


def read_only_directory(folder: Path) -> str:
    """The run lies where nothing can be written: what reads it works, what writes tells."""
    config = _config(folder)
    with _small_disk(folder / "disk", "64m") as disk:
        run_toy(disk / "run")
        require(os.system(f"mount -o remount,ro {disk}") == 0, "the disk cannot be made read-only")
        for words in (("status",), ("verify",)):
            require(command(*words, disk / "run").code == 0, command(*words, disk / "run").output)
        for words in (("run", config, "--run-dir"), ("report",), ("run", config, "--run-dir", disk / "new")):
            written = synth(*words, *([] if words[-1] == disk / "new" else [disk / "run"]))
            told = written.returncode == 2 and "Read-only file system" in written.stderr
            require(told and "Traceback" not in written.stderr, written.stderr)
    return "status and verify read it; run and report tell, exit 2"


def clock_jumps(folder: Path) -> str:
    """Times of files and of run.json lie in the future and in the past; they decide nothing."""
    run, _ = run_toy(folder / "run")
    whole = tree(run.root)
    for seconds in (time.time() + 10**9, 0.0):
        for number, path in enumerate(sorted(path for path in run.root.rglob("*") if path.is_file())):
            os.utime(path, (seconds - number, seconds - number))
        _change_run_json(run, created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)))
        for words in (("status",), ("verify",), ("report",)):
            done = synth(words[0], run.root, *words[1:])
            require(done.returncode == 0, done.stderr)
            rates = (
                [stage["per_second"] or 0 for stage in json.loads(done.stdout)["stages"]] if "--json" in words else []
            )
            require(all(rate >= 0 for rate in rates), f"rates {rates}")
        shutil.rmtree(run.shard("generate", 1))
        _, result = run_toy(run.root)
        require(result.num_made == 1, f"{result.num_made} shards were made where one was missing")
        require(tree(run.root) == whole, "other bytes after the clock jumped")
    return "only the missing shard was made, the bytes are the same, no rate is negative"


def two_drivers(folder: Path) -> str:
    """A second driver works on a run that has one."""
    config = _config(folder, SLOW)
    first = start_driver(config, folder / "run", "--workers", "2")
    require(wait_for_attempt(first, folder / "run", "generate"), "the first driver ended early")
    second = synth("run", config, "--run-dir", folder / "run")
    output, _ = first.communicate(timeout=300)
    require(second.returncode == 2 and f"process {first.pid} on" in second.stderr, second.stderr)
    require(first.returncode == 0, output)
    require(tree(folder / "run") == _reference(folder, SLOW), "other bytes than those of one driver")
    return "the second is told who works on it, exit 2; the first made the bytes of one driver"


def configuration_edited_during_a_run(folder: Path) -> str:
    """Somebody changes the configuration while a driver works with it."""
    config = _config(folder, SLOW)
    first = start_driver(config, folder / "run")
    require(wait_for_attempt(first, folder / "run", "generate"), "the driver ended early")
    config.write_text(SLOW.replace("seed: 7", "seed: 8"))
    output, _ = first.communicate(timeout=300)
    require(first.returncode == 0, output)
    require(tree(folder / "run") == _reference(folder, SLOW), "the edit got into the run")
    again = synth("run", config, "--run-dir", folder / "run")
    require(again.returncode == 2 and "seed=7, now 8" in again.stderr, again.stderr)
    return "the run kept to what it had read; the next one is refused with the key, exit 2"


def other_versions(folder: Path) -> str:
    """A library was updated between two runs on one directory."""
    config = _config(folder)
    run, _ = run_toy(folder / "run")
    whole = tree(run.root)
    shutil.rmtree(run.shard("generate", 0))
    content = json.loads((run.root / "run.json").read_text())
    _change_run_json(run, versions=content["versions"] | {"numpy": "0.1"})
    again = synth("run", config, "--run-dir", run.root)
    require(again.returncode == 0, again.stderr)
    require("goes on with other versions (numpy 0.1, now" in again.stderr, again.stderr)
    require(tree(run.root) == whole, "other bytes")
    recorded = json.loads((run.shard("generate", 0) / "shard.json").read_text())["versions"]["numpy"]
    require(recorded == content["versions"]["numpy"], f"the new shard says numpy {recorded}")
    return "a warning names them; each shard records what it was made with"


def odd_places(folder: Path) -> str:
    """The run lies behind a link, and in folders of odd names."""
    config = _config(folder)
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")
    expected = _without_the_name(_reference(folder))
    for name in ("link", "two\nlines {0} 名 \u2028"):
        done = synth("run", config, f"--run-dir={folder / name}")
        require(done.returncode == 0, f"{name!r}: {done.stderr}")
        require(_without_the_name(tree(folder / name)) == expected, f"{name!r}: other bytes")
    done = synth("run", config, "--run-dir", folder / os.fsdecode(b"bytes-\xff"))
    require(done.returncode == 2 and "its name is no UTF-8" in done.stderr, done.stderr)
    (folder / "nowhere").symlink_to("missing/run")
    done = synth("run", config, f"--run-dir={folder / 'nowhere'}")
    require(done.returncode == 2 and "Traceback" not in done.stderr, done.stderr)
    return "the same bytes everywhere; a link to nowhere and a name that is no UTF-8 are told, exit 2"


CASES: dict[str, Case] = {
    "full disk": full_disk,
    "read-only directory": read_only_directory,
    "clock jumps": clock_jumps,
    "two drivers on one run": two_drivers,
    "configuration edited during a run": configuration_edited_during_a_run,
    "libraries updated between runs": other_versions,
    "links and odd names of directories": odd_places,
}


def _config(folder: Path, text: str = CONFIG) -> Path:
    path = folder / "toy.yaml"
    path.write_text(text)
    return path


def _reference(folder: Path, text: str = CONFIG) -> dict[str, object]:
    """Returns the files of an uninterrupted run; it is made once."""
    root = folder / "reference" / "run"  # a dataset has the name of its run
    if not root.is_dir():
        run_toy(root, text=text)
    return tree(root)


def _without_the_name(files: dict[str, object]) -> dict[str, object]:
    """Leaves out the files of a run that hold its name: of the dataset, and the list of them."""
    return {name: content for name, content in files.items() if not name.startswith(("dataset/", "export/assembled"))}


def _change_run_json(run: RunDirectory, **values: object) -> None:
    path = run.root / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@contextmanager
def _small_disk(place: Path, size: str) -> Iterator[Path]:
    place.mkdir()
    if os.geteuid() != 0:
        raise SkippedError("only root can mount a small file system")
    if os.system(f"mount -t tmpfs -o size={size} none {place} 2>/dev/null") != 0:
        raise SkippedError("a small file system cannot be mounted here")
    try:
        yield place
    finally:
        os.system(f"umount {place}")

"""Faults of files: damaged shards, and what somebody made to harm who reads it."""

from __future__ import annotations

import pickle
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from pipelines.inspection import damages
from pipelines.run_directory import RunDirectory
from synth.errors import ShardError, SynthError, WeightsError
from synth.images import decode_image, encode_jpeg
from synth.recognisers.yunet_sface import YunetSface
from synth.shards.tar import TarReader
from synth.verification_sets import read_bin
from synth.weights.checkpoints import read_checkpoint
from tests.faults.checkpoints import hostile_checkpoints, hostile_evaluation_sets
from tests.faults.commands import command, time_limit
from tests.faults.damage import flip, rewrite, tear
from tests.faults.mutations import fault_of, mutated
from tests.faults.outcome import Case, require
from tests.faults.pictures import bombs, odd, unreadable
from tests.faults.tars import refused, write_sparse
from tests.toy import CONFIG, run_toy, tree

_SECONDS = 20  # in which one file has to be judged


def damaged_shards(folder: Path, damages_to_try: int = 40) -> str:
    """Files of committed shards are torn or lose a bit; what `verify` names is removed, as it says, and made again."""
    chance = random.Random(1)
    run, _ = run_toy(folder / "run")
    whole = tree(run.root)
    files = sorted(
        path for stage in ("sample", "generate", "measure", "select", "export") for path in _files(run, stage)
    )
    for _ in range(damages_to_try):
        path = chance.choice(files)
        if chance.random() < 0.5:
            tear(path, chance.random())
        else:
            flip(path, chance.randrange(8 * 10**6))
        told = damages(run)
        require(any(str(path) in line for line in told), f"verify does not name {path}: {told}")
        ended = command("verify", run.root)
        require(ended.code == 1 and "remove the folders of damaged shards" in ended.output, ended.output)
        shutil.rmtree(path.parent)
        shutil.rmtree(run.dataset)
        run_toy(run.root)
        require(damages(run) == [] and tree(run.root) == whole, f"{path}: not mended")
    return f"{damages_to_try} of {damages_to_try} found and mended to the same bytes"


def hostile_tars(folder: Path) -> str:
    """Tars with links, devices, impossible sizes and names are opened by our reader."""
    files = {name: data for name, (data, _) in refused().items()}
    for number, data in enumerate(files.values()):
        (folder / f"{number}.tar").write_bytes(data)
    write_sparse(folder / "sparse.tar")
    for path in sorted(folder.glob("*.tar")):
        _must_raise(ShardError, partial(_members, path), path.name)
    return f"{len(files) + 1} of {len(files) + 1} refused by a ShardError"


def bombs_as_images(folder: Path) -> str:
    """Pictures that unpack to gigabytes are decoded."""
    for name, data in (bombs() | unreadable()).items():
        _must_raise(ValueError, partial(decode_image, data), name)
    return f"{len(bombs() | unreadable())} refused before they are decoded"


def bombs_in_a_run(folder: Path) -> str:
    """Every image of a shard is a bomb when `measure` and `report` read it; then every aligned face of `export`."""
    config = folder / "toy.yaml"
    config.write_text(CONFIG)
    run, _ = run_toy(folder / "run")
    whole = tree(run.root)
    for stage, tar, redo in (("generate", "images.tar", "measure"), ("measure", "aligned.tar", "export")):
        shard = run.shard(stage, 0)
        _put_into_each_member(shard / tar, bombs()["a JPEG of 65,500 by 65,500 px"])
        require(damages(run), "verify does not notice")
        ended = [command("run", config, "--run-dir", run.root, "--redo", redo), command("report", run.root)]
        require(all(end.is_clean for end in ended), str(ended))
        if stage == "generate":
            told = ended[0].code == 1 and "measure.000000: ValueError" in ended[0].output
            require(told and "Image size (4290250000 pixels)" in ended[0].output, ended[0].output)
        for damaged in {path.parent for path in (shard / tar, run.dataset / "any", run.shard("export", 0) / "any")}:
            shutil.rmtree(damaged, ignore_errors=True)
        run_toy(run.root, redo="export")
        require(tree(run.root) == whole, f"{stage}: not mended")
    return "measure fails with the size in words, verify names the shard, a run mends it"


def bombs_in_an_evaluation(folder: Path) -> str:
    """A set of pairs has bombs among its images: a few are left out and told, many are refused."""
    grey = np.random.default_rng(1).integers(0, 256, (200, 8, 8, 1), dtype=np.uint8)
    faces = [encode_jpeg(face.repeat(14, axis=0).repeat(14, axis=1).repeat(3, axis=2)) for face in grey]
    for number, code in ((0, 0), (1, 0), (40, 2)):
        genuine = [face for face in faces[:100] for _ in range(2)]
        images = number * [bombs()["a PNG just under Pillow's bound"]] + (genuine + faces)[number:]
        (folder / "set.bin").write_bytes(pickle.dumps((images, [row < 100 for row in range(200)])))
        ended = command("evaluate", folder / "set.bin", "--model", "tests.fakes.PaintedRecogniser")
        require(ended.code == code and ended.is_clean, ended.output)
        require(number == 0 or "image 0 (pair 0)" in ended.output, ended.output)
    return "one is left out and told, forty are refused, exit 2"


def odd_pictures(folder: Path) -> str:
    """The detector sees pictures of one pixel, lines, grey ones, CMYK, animations."""
    recogniser = YunetSface()
    for name, data in odd().items():
        require(not recogniser.recognise(decode_image(data)[None]).found.any(), f"a face in {name}")
    return f"{len(odd())} decoded, no face found in any"


def altered_configurations(folder: Path, number: int = 1000) -> str:
    """A configuration is altered at one to three places."""
    faults = {text: fault for text in mutated(number) if (fault := fault_of(text)) is not None}
    require(not faults, f"{len(faults)} of {number}; the first: {list(faults.items())[:1]!r:.2000}")
    return f"{number} valid or refused with file and line"


def checkpoints_with_code(folder: Path) -> str:
    """Weight files hold code, or headers that ask for petabytes."""
    files = hostile_checkpoints(folder / "proof")
    for name, data in files.items():
        (folder / name).write_bytes(data)
        _must_raise(WeightsError, partial(read_checkpoint, folder / name), name)
    require(not (folder / "proof").exists(), "code of a checkpoint was run")
    return f"{len(files)} refused, no code was run"


def evaluation_sets_with_code(folder: Path) -> str:
    """Evaluation files hold code, nothing, or lists without end."""
    files = hostile_evaluation_sets(folder / "proof")
    for name, data in files.items():
        (folder / name).write_bytes(data)
        _must_raise(SynthError, partial(read_bin, folder / name), name)
    require(not (folder / "proof").exists(), "code of an evaluation file was run")
    return f"{len(files)} refused, no code was run"


CASES: dict[str, Case] = {
    "torn and bit-flipped shards": damaged_shards,
    "hostile tars": hostile_tars,
    "decompression bombs decoded": bombs_as_images,
    "decompression bombs in a run": bombs_in_a_run,
    "decompression bombs in an evaluation": bombs_in_an_evaluation,
    "odd pictures before the detector": odd_pictures,
    "altered configurations": altered_configurations,
    "hostile checkpoints": checkpoints_with_code,
    "hostile evaluation files": evaluation_sets_with_code,
}


def _files(run: RunDirectory, stage: str) -> list[Path]:
    return [path for path in run.stage(stage).glob("0*/*") if path.name != "shard.json"]


def _members(path: Path) -> list[tuple[str, bytes]]:
    with TarReader(path) as tar:
        return list(tar)


def _put_into_each_member(path: Path, content: bytes) -> None:
    """Overwrites the start of each member of a tar, whose table stays as it is."""
    data = bytearray(path.read_bytes())
    with TarReader(path) as tar:
        for _, offset, size in tar.members():
            data[offset : offset + size] = content[:size].ljust(size, b"\0")
    rewrite(path, bytes(data))


def _must_raise(kind: type[Exception], read: Callable[[], object], name: str) -> None:
    try:
        with time_limit(_SECONDS):
            found = read()
    except kind:
        return
    except Exception as error:
        require(False, f"{name}: {type(error).__name__}: {error}")
    else:
        require(False, f"{name}: was read as {found!r:.80}")

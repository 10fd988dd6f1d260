"""A run directory of real files and known numbers, made without running any stage."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from synth.images import encode_jpeg
from synth.seeding import sample_seed
from synth.shards.manifest import ShardRecord, Task, describe_files
from synth.shards.table import write_table
from synth.shards.tar import TarWriter
from synth.similarity import centroids, unit

DIMENSION = 16


def make_run(
    path: Path,
    *,
    identities: int = 6,
    per_identity: int = 4,
    identities_per_shard: int = 4,
    min_score: float | None = 0.5,
    with_truth: bool = True,
    paint: Callable[[int, int], np.ndarray] | None = None,
) -> Path:
    """Writes a run whose `detection` scores rise with the index and whose embeddings cluster by identity.

    `detection` drops what is below `min_score`; of the rest `images_per_identity` keeps all but the last one of
    identity 0. Identity 1's first face is not found.
    """
    rows = _rows(identities, per_identity, identities_per_shard)
    decide(rows, min_score)
    bounds = {} if min_score is None else {"min": min_score}
    config = {
        "seed": 7,
        "generator": {"type": "painted"},
        "recogniser": {"type": "painted"},
        "filters": [{"type": "detection", **bounds}, {"type": "resolution"}],
    }
    path.mkdir(parents=True, exist_ok=True)
    run = {"config": config, "created": "2026-01-02T03:04:05Z", "versions": {"synth": "0.1.0"}}
    (path / "run.json").write_text(json.dumps(run))
    for shard in np.unique(rows["source_shard"]).tolist():
        part = {name: column[rows["source_shard"] == shard] for name, column in rows.items()}
        _write_generate(path / "generate" / f"{shard:06d}", shard, part, with_truth, paint or _face)
        _write_measure(path / "measure" / f"{shard:06d}", shard, part)
    names = ["identity", "index", "source_shard", "kept", "dropped_by", "label", "detection", "resolution"]
    select = path / "select" / "000000"
    select.mkdir(parents=True)
    write_table(select / "decisions.parquet", {name: rows[name] for name in names})
    write_table(select / "shortfalls.parquet", _shortfalls(rows))
    _record(select, 0, {"candidates": len(rows["kept"]), "images": int(rows["kept"].sum())})
    return path


def _rows(identities: int, per_identity: int, identities_per_shard: int) -> dict[str, np.ndarray]:
    identity = np.repeat(np.arange(identities, dtype=np.int64), per_identity)
    index = np.tile(np.arange(per_identity, dtype=np.int32), identities)
    random = np.random.default_rng(1)
    directions = unit(random.standard_normal((identities, DIMENSION)))
    score = ((index + 1) / (per_identity + 1) + 0.01 * (identity % 5)).astype(np.float32)
    found = ~((identity == 1) & (index == 0))
    score[~found] = np.nan
    return {
        "identity": identity,
        "index": index,
        "source_shard": (identity // identities_per_shard).astype(np.int32),
        "embedding": unit(directions[identity] + 0.15 * random.standard_normal((len(identity), DIMENSION))),
        "found": found,
        "detection": score,
        "resolution": np.where(found, 60 + 10 * random.standard_normal(len(identity)), np.nan).astype(np.float32),
    }


def decide(rows: dict[str, np.ndarray], min_score: float | None) -> None:
    """Fills `kept`, `dropped_by` and `label`."""
    low = -np.inf if min_score is None else min_score
    passed = rows["found"] & (rows["detection"] >= low) if min_score is not None else np.ones_like(rows["found"])
    reason = np.where(passed, "", "detection").astype("<U32")
    of_first = np.flatnonzero(passed & (rows["identity"] == 0))
    if min_score is not None and len(of_first):
        reason[of_first[-1]] = "images_per_identity"
    rows["dropped_by"] = reason
    rows["kept"] = reason == ""
    _, label = np.unique(rows["identity"][rows["kept"]], return_inverse=True)
    rows["label"] = np.full(len(reason), -1, np.int64)
    rows["label"][rows["kept"]] = label


def _shortfalls(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the identities with fewer than two kept candidates."""
    kept = np.bincount(rows["identity"], weights=rows["kept"]).astype(np.int64)
    short = np.flatnonzero(kept < 2)
    return {
        "identity": short,
        "candidates": np.bincount(rows["identity"])[short],
        "kept": kept[short],
        "missing": 2 - kept[short],
        "dropped_by": np.full(len(short), "detection", dtype=object),
    }


def _write_generate(folder: Path, shard: int, rows: dict, with_truth: bool, paint: Callable) -> None:
    folder.mkdir(parents=True)
    offsets, sizes, shapes = [], [], []
    with TarWriter(folder / "images.tar") as tar:
        for identity, index in zip(rows["identity"].tolist(), rows["index"].tolist(), strict=True):
            image = paint(identity, index)
            offset, size = tar.add(f"{identity:08d}_{index:04d}.jpg", encode_jpeg(image))
            offsets.append(offset)
            sizes.append(size)
            shapes.append(image.shape)
    columns = {
        "identity": rows["identity"],
        "index": rows["index"],
        "seed": np.array([sample_seed(7, "generate", i) for i in range(len(offsets))], np.int64),
        "tar_offset": np.array(offsets, np.int64),
        "tar_size": np.array(sizes, np.int64),
        "width": np.array([shape[1] for shape in shapes], np.int32),
        "height": np.array([shape[0] for shape in shapes], np.int32),
    }
    write_table(folder / "samples.parquet", columns | (_truth(rows) if with_truth else {}))
    _record(folder, shard, {"images": len(offsets)})


def _truth(rows: dict) -> dict[str, np.ndarray]:
    count = len(rows["index"])
    return {
        "truth_yaw_degrees": (20 * np.sin(np.arange(count) + rows["identity"])).astype(np.float32),
        "truth_age_years": (20 + 7 * rows["identity"]).astype(np.float32),
        "truth_glasses": rows["index"] % 3 == 0,
        "truth_expression": np.array(["neutral", "smile", "frown"])[rows["index"] % 3],
        "truth_landmarks": np.zeros((count, 10), np.float32),
    }


def _write_measure(folder: Path, shard: int, rows: dict) -> None:
    folder.mkdir(parents=True)
    columns = {name: rows[name] for name in ("identity", "index", "found", "detection", "resolution")}
    columns["embedding"] = np.where(rows["found"][:, None], rows["embedding"], 0).astype(np.float16)
    write_table(folder / "samples.parquet", columns)
    np.save(folder / "centroids.npy", centroids(columns["embedding"].astype(np.float32), rows["identity"]))
    _record(folder, shard, {"images": len(rows["index"]), "found": int(rows["found"].sum())})


def _record(folder: Path, shard: int, counts: dict[str, int]) -> None:
    ShardRecord(
        task=Task(shard, 0, 1),
        fingerprint="f",
        counts=counts,
        files=describe_files(folder),
        seconds=2.0,
        cpu_seconds=1.5,
    ).write(folder)


def _face(identity: int, index: int) -> np.ndarray:
    """Paints a disc whose colour is the identity's and whose place is the index's."""
    rows, columns = np.mgrid[:64, :64]
    disc = (rows - 32) ** 2 + (columns - 24 - 4 * index) ** 2 < 400
    colour = np.array([60 + 30 * (identity % 6), 120, 220 - 30 * (identity % 6)])
    return np.where(disc[..., None], colour, 240).astype(np.uint8)

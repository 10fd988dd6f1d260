"""The benchmark scripts run to their last line at toy size; what they print there is no figure."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synth.images import encode_jpeg

FOLDER = Path(__file__).parents[1] / "benchmarks"

TOY_WORTH = (
    "--data-dir data --train-dir training --set-data identities.count=6 --set-data images.per_identity=5 "
    "--set-data images.batch_size=5 --set-data selection.min_images_per_identity=2 "
    "--set-train data.held_out_identities=2 --set-train recipe.steps=2 --set-train recipe.warmup_steps=0 "
    "--set-train recipe.batch_size=8 --set-train backbone.width=4"
)
TOY_RUNS = [
    ("export_scale", "--identities 220", r"candidate_us \d+\.\d sample_us \d+"),
    ("faults", "--kills 1 --configurations 3 --damages 1 --files-only", r"lost 0 doubled 0 identical True"),
    (
        "feed",
        "--samples 300 --images 4 --rounds 1",
        r"arcface_ratio \d+\.\d webdataset_ratio \d+\.\d decoding_share \d\.\d\d",
    ),
    ("generator_speed", "--generator vec2face --small", r"speed_ratio \d+\.\d+"),
    ("generator_speed", "--generator arc2face --small", r"speed_ratio \d+\.\d+"),
    ("generator_speed", "--generator idiff --small", r"speed_ratio \d+\.\d+"),
    ("kill_resume", "--kills 2", r"lost 0 doubled 0 identical True"),
    ("overhead", "--identities 2 --ray-shards", r"overhead_share 0\.\d{4} fixed_seconds \d+\.\d"),
    ("recogniser_lfw", "noise.bin", r"accuracy \d\.\d{4}"),
    ("rendered_speed", "--identities 1 --images 2", r"images_per_cpu_second \d+\.\d+"),
    ("rendered_verification", "--identities 3 --images 2 --continuity-identities 1", r"eer \d\.\d+"),
    (
        "select_scale",
        "--rows 20000 --separate 240",
        r"rows 20000 cpu_minutes \d+\.\d\d peak_gb 0\.\d\d exact True",
    ),
    ("separation", "--count 300 --dimension 64", r"separation_ratio \d+\.\d+"),
    ("shard_io", "--samples 60 --rounds 1", r"read_ratio \d+\.\d+"),
    ("worth", f"noise.bin --dry --workers 1 {TOY_WORTH}", r"accuracy \d\.\d{4} floor \d\.\d{4}"),
    ("worth", f"noise.bin --dry --unmeasured --workers 1 {TOY_WORTH}", r"accuracy \d\.\d{4} floor \d\.\d{4}"),
]


@pytest.mark.parametrize(("name", "arguments", "last_line"), TOY_RUNS)
def test_a_benchmark_runs_to_its_last_line(name: str, arguments: str, last_line: str, tmp_path: Path) -> None:
    write_noise_pairs(tmp_path / "noise.bin")
    command = [sys.executable, str(FOLDER / f"{name}.py"), *arguments.split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(last_line, done.stdout.splitlines()[-1])


def test_every_benchmark_is_run() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {name for name, *_ in TOY_RUNS}


def write_noise_pairs(path: Path) -> None:
    """Writes 20 pairs of noise, half of them twice the same picture, as an insightface .bin."""
    rng = np.random.default_rng(0)
    pictures = [encode_jpeg(rng.integers(0, 256, (112, 112, 3), dtype=np.uint8)) for _ in range(30)]
    same = [picture for picture in pictures[:10] for _ in range(2)]
    path.write_bytes(pickle.dumps((same + pictures[10:], [True] * 10 + [False] * 10)))

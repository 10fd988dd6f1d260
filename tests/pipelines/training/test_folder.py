import json

import pytest

from pipelines.training.folder import TrainingFolder, kept_judgement
from synth.errors import RunError


def line(step, **values):
    return json.dumps({"step": step, "seconds": 1.0, "cpu_seconds": 1.0, **values}) + "\n"


def folder_with(path, log):
    (path / "log.jsonl").write_bytes(log)
    return TrainingFolder(path)


def test_lines_after_a_step_are_forgotten_with_one_cut_short(tmp_path):
    folder = folder_with(tmp_path, (line(2) + line(4) + line(6) + line(8)[:9]).encode())

    folder.forget_after(4)

    assert folder.log.read_text() == line(2) + line(4)


def test_without_a_log_there_is_nothing_to_forget(tmp_path):
    folder = TrainingFolder(tmp_path)

    folder.forget_after(4)

    assert folder.lines() == []


BAD = ["{'step': 4", "", "4", '["step"]', '{"step": 4}', '{"seconds": 1, "cpu_seconds": 1}']


@pytest.mark.parametrize("bad", [*BAD, line("4").strip(), line(4, loss="low").strip(), b"\xff\x00\x00"])
def test_a_bad_line_is_named_by_whoever_reads_it(tmp_path, bad):
    log = line(2).encode() + (bad if isinstance(bad, bytes) else bad.encode()) + b"\n" + line(6).encode()
    folder = folder_with(tmp_path, log)

    with pytest.raises(RunError, match=r"log\.jsonl:2: .*expected JSON as a training logs it; take the line out"):
        folder.lines()
    with pytest.raises(RunError, match=r"log\.jsonl:2: "):
        folder.forget_after(6)
    assert folder.log.read_bytes() == log


def test_the_kept_model_is_the_last_that_was_the_best():
    rates = [(2, 0.4, True), (4, 0.3, True), (6, 0.5, False)]
    lines = [{"step": step, "equal_error_rate": rate, "is_best": is_best} for step, rate, is_best in rates]

    assert kept_judgement([*lines, {"step": 6, "loss": 1.0}]) == lines[1]


def test_a_log_without_the_kept_model_does_not_guess():
    assert kept_judgement([{"step": 6, "equal_error_rate": 0.5, "is_best": False}]) is None

import json
import pickle

import numpy as np
import pytest

from pipelines.evaluation.command import evaluate_all, read_sets, table
from pipelines.evaluation.models import Model
from synth.components import ComponentSpec
from synth.errors import ConfigError, SynthError
from synth.images import encode_png
from tests.synth.training.faces import painted_images
from tests.toy import synth

PAINTED = Model("painted", ComponentSpec("recogniser", "tests.fakes.PaintedRecogniser"))


def write_pairs(path, num_pairs=40, broken=()):
    """Writes pairs of painted faces, genuine and impostor in turns; images `broken` are no images."""
    images = painted_images(num_pairs, 2).reshape(num_pairs, 2, 112, 112, 3)
    encoded, same = [], []
    for pair in range(num_pairs):
        same.append(pair % 2 == 0)
        other = images[pair, 1] if same[-1] else images[(pair + 1) % num_pairs, 1]
        encoded += [encode_png(images[pair, 0]), encode_png(other)]
    for number in broken:
        encoded[number] = b"damaged"
    path.write_bytes(pickle.dumps((encoded, same)))
    return path


def write_names(path, num_pairs=40):
    lines = ["fold,image_a,image_b,same"]
    lines += [
        f"0,p{pair}/1.jpg,p{pair if pair % 2 == 0 else (pair + 1) % num_pairs}/2.jpg,0" for pair in range(num_pairs)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_recogniser_that_reads_the_answer_is_always_right(tmp_path):
    sets = read_sets([write_pairs(tmp_path / "painted.bin")], [write_names(tmp_path / "names.csv")])

    (result,) = evaluate_all([PAINTED], sets, "cpu", tmp_path / "out")

    assert result.evaluation.accuracy.mean == 1.0
    assert result.evaluation.equal_error_rate == 0.0
    assert result.evaluation.accuracy_interval == (1.0, 1.0)
    assert result.evaluation.balanced
    assert result.evaluation.tars == {0.1: None, 1e-2: None, 1e-3: None, 1e-4: None}


def test_the_files_hold_the_figures(tmp_path):
    sets = read_sets([write_pairs(tmp_path / "painted.bin")], [])

    evaluate_all([PAINTED], sets, "cpu", tmp_path / "out")

    (content,) = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    page = (tmp_path / "out" / "index.html").read_text()
    assert (content["model"], content["set"], content["accuracy"]) == ("painted", "painted", 1.0)
    assert (content["genuine"], content["impostor"]) == (20, 20)
    assert content["fmr100"] is None
    assert content["accuracy_interval_over_identities"] is None
    assert "<svg" in page
    assert "too few" in page


def test_several_models_and_sets_stand_side_by_side(tmp_path):
    sets = read_sets([write_pairs(tmp_path / "a.bin"), write_pairs(tmp_path / "b.bin", 60)], [])

    lines = table(evaluate_all([PAINTED, PAINTED], sets, "cpu", None))

    assert len(lines) == 5
    assert lines[0].split()[:4] == ["model", "set", "pairs", "accuracy"]
    assert lines[2].split()[:4] == ["painted", "b", "60", "1.0000"]


def test_sets_of_one_file_name_are_told_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    paths = [
        write_pairs(tmp_path / "a" / "lfw.bin", 120, broken=[7]),
        write_pairs(tmp_path / "b" / "lfw.bin", 120),
        write_pairs(tmp_path / "b" / "cfp.bin"),
    ]

    results = evaluate_all([PAINTED], read_sets(paths, []), "cpu", tmp_path / "out")

    contents = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    page = (tmp_path / "out" / "index.html").read_text()
    assert [content["set"] for content in contents] == [str(paths[0]), str(paths[1]), "cfp"]
    assert [len(content["unreadable"]) for content in contents] == [1, 0, 0]
    assert page.count('<path class="line') == 3
    assert str(paths[1]) in table(results)[2]


def test_a_set_that_is_named_twice_has_a_chart_for_each_time(tmp_path):
    path = write_pairs(tmp_path / "a.bin")

    evaluate_all([PAINTED], read_sets([path, path], []), "cpu", tmp_path / "out")

    assert (tmp_path / "out" / "index.html").read_text().count('<path class="line') == 2


def test_pairs_that_cannot_be_decoded_are_left_out_and_named(tmp_path):
    (pair_set,) = read_sets([write_pairs(tmp_path / "a.bin", 120, broken=[7])], [])

    (result,) = evaluate_all([PAINTED], [pair_set], "cpu", tmp_path)

    assert result.evaluation.num_genuine + result.evaluation.num_impostor == 119
    assert pair_set.pairs.unreadable[0].startswith("image 7 (pair 3): ")
    assert json.loads((tmp_path / "evaluation.json").read_text())[0]["unreadable"] == list(pair_set.pairs.unreadable)


def test_too_many_that_cannot_be_decoded_are_refused(tmp_path):
    path = write_pairs(tmp_path / "a.bin", 120, broken=[7, 9])

    with pytest.raises(SynthError, match=r"a\.bin: 2 of 120 pairs cannot be decoded, more than 1%: image 7 \(pair 3\)"):
        read_sets([path], [])


def test_faces_that_are_not_aligned_are_told(tmp_path):
    image = encode_png(np.zeros((160, 160, 3), np.uint8))
    (tmp_path / "a.bin").write_bytes(pickle.dumps(([image] * 20, [True, False] * 5)))

    with pytest.raises(SynthError, match="160x160 px, expected faces aligned to 112x112"):
        read_sets([tmp_path / "a.bin"], [])


def test_a_hostile_file_is_not_run(tmp_path):
    class Hostile:
        def __reduce__(self):
            return open, (str(tmp_path / "made"), "w")

    (tmp_path / "a.bin").write_bytes(pickle.dumps(Hostile()))

    with pytest.raises(SynthError, match="it was not run"):
        read_sets([tmp_path / "a.bin"], [])
    assert not (tmp_path / "made").exists()


def test_a_set_of_one_kind_of_pairs_is_refused(tmp_path):
    image = encode_png(painted_images(1, 1)[0])
    (tmp_path / "a.bin").write_bytes(pickle.dumps(([image] * 40, [True] * 20)))

    with pytest.raises(SynthError, match="a: painted: the set has 20 genuine of 20 pairs; both are needed"):
        evaluate_all([PAINTED], read_sets([tmp_path / "a.bin"], []), "cpu", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_a,image_b\nx/1,x/2\n", "1 rows, the set has 40 pairs"),
        ("image_a,image_b\n" + "x1,x/2\n" * 40, r"names\.csv:2: image_a: 'x1', expected identity/file"),
        ("a,b\n" + "x/1,x/2\n" * 40, r"names\.csv:2: image_a: None"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path, text, message):
    (tmp_path / "names.csv").write_text(text)

    with pytest.raises(SynthError, match=message):
        read_sets([write_pairs(tmp_path / "a.bin")], [tmp_path / "names.csv"])


def test_names_are_given_for_all_sets_or_none(tmp_path):
    path = write_pairs(tmp_path / "a.bin")

    with pytest.raises(ConfigError, match="1 files for 2 sets"):
        read_sets([path, path], [write_names(tmp_path / "names.csv")])


def test_pairs_that_are_left_out_take_their_names_along(tmp_path):
    pairs, names = write_pairs(tmp_path / "a.bin", 120, broken=[7]), write_names(tmp_path / "names.csv", 120)

    (pair_set,) = read_sets([pairs], [names])

    same = pair_set.identities[0::2] == pair_set.identities[1::2]
    assert np.array_equal(same, pair_set.pairs.same)


def test_the_command_line_prints_a_table(tmp_path):
    path = write_pairs(tmp_path / "painted.bin")

    done = synth("evaluate", path, "--model", "tests.fakes.PaintedRecogniser", "--out", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert "1.0000" in done.stdout
    assert (tmp_path / "out" / "index.html").is_file()

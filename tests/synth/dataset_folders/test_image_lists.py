import dataclasses
import re

import pytest

from synth.dataset_folders.image_lists import list_line, listed, read_list
from synth.errors import ShardError
from tests.synth.exporters.dataset_folder import make_samples


def test_samples_come_with_their_paths():
    samples = make_samples(4)

    found = list(listed(samples, 0))

    assert [sample for _, sample in found] == samples
    assert [path for path, _ in found][2:] == [
        "images/00000000/00000000_0002.jpg",
        "images/00000001/00000001_0000.jpg",
    ]


@pytest.mark.parametrize("key", ["", "a b", "a\tb", "a\n", "a\r", "a.b", "a/b", "ä", "a\\b", "-\0"])
def test_a_key_that_would_break_a_path_or_a_list_is_refused(key):
    (sample,) = make_samples(1)

    with pytest.raises(ValueError, match=re.escape(f"sample {key!r}: a key may have letters, digits, '_' and '-'")):
        list(listed([dataclasses.replace(sample, key=key)], 0))


def test_a_list_is_read_back(tmp_path):
    entries = [("images/00000000/a.jpg", 0), ("images/00000007/b.jpg", 7)]
    (tmp_path / "a.txt").write_text("".join(list_line(*entry) for entry in entries))

    assert list(read_list(tmp_path / "a.txt")) == entries


@pytest.mark.parametrize("text", [None, "a.jpg 1\n", "a.jpg\tb\n", "a.jpg\t1\t2\n", "\n", "ä\t1\n"])
def test_a_missing_or_damaged_list_is_told(tmp_path, text):
    if text is not None:
        (tmp_path / "a.txt").write_text(text, encoding="utf-8")

    with pytest.raises(ShardError, match=r"a\.txt: cannot be read as a list of images"):
        list(read_list(tmp_path / "a.txt"))

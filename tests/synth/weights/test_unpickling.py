import os
import pickle
import random

import pytest
import torch

from synth.weights.unpickling import RefusedError, UnreadableError, unpickle


class Command:
    def __reduce__(self):
        return os.system, ("true",)


def test_what_a_file_asks_for_is_named(tmp_path):
    torch.save({"weight": Command()}, tmp_path / "a.pth")

    with pytest.raises(RefusedError, match=r"^it names posix\.system$"):
        unpickle(tmp_path / "a.pth")


@pytest.mark.parametrize(
    "content", [pickle.dumps(Command()), b"P", b"\x89PNG\r\n\x1a\n" + bytes(40), b"plain text\n" * 9]
)
def test_no_message_tells_to_switch_the_restriction_off(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)

    with pytest.raises(UnreadableError) as caught:
        unpickle(tmp_path / "a.pth")

    assert "weights_only" not in str(caught.value)
    assert str(caught.value) == "it is no pickle of tensors"


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_with_altered_bytes_is_unreadable_or_read_and_nothing_else(tmp_path, zipped):
    torch.save({"weight": torch.ones(3), "epoch": 3}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / "a.pth").read_bytes()
    draws = random.Random(5)
    refused = 0

    for _ in range(300):
        altered = bytearray(whole)
        for _ in range(8):
            altered[draws.randrange(min(len(whole), 400))] = draws.randrange(256)
        (tmp_path / "b.pth").write_bytes(altered)
        try:
            unpickle(tmp_path / "b.pth")
        except UnreadableError:
            refused += 1

    assert refused > 200


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(UnreadableError, match=r"^No such file or directory$"):
        unpickle(tmp_path / "none.pth")

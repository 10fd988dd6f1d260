import pytest

from synth.dataset_folders.links import link_file
from synth.errors import ShardError


def test_a_file_gets_a_second_name_in_a_new_folder(tmp_path):
    (tmp_path / "a.txt").write_text("a")

    target = link_file(tmp_path / "a.txt", tmp_path / "deep" / "folder" / "b.txt")

    assert target.samefile(tmp_path / "a.txt")


def test_where_there_can_be_no_hard_link_the_file_is_copied(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError(f"{target}: operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    (tmp_path / "a.txt").write_text("a")

    target = link_file(tmp_path / "a.txt", tmp_path / "b.txt")

    assert target.read_text() == "a"
    assert not target.samefile(tmp_path / "a.txt")


def test_a_missing_file_and_a_taken_name_are_told(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")

    with pytest.raises(ShardError, match=r"c\.txt: missing"):
        link_file(tmp_path / "c.txt", tmp_path / "d.txt")
    with pytest.raises(ShardError, match=r"a\.txt: another shard holds a file of this name"):
        link_file(tmp_path / "a.txt", tmp_path / "b.txt")

    assert (tmp_path / "b.txt").read_text() == "b"

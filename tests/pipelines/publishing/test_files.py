import subprocess

from pipelines.publishing.files import PublishedFile, RemoteFile, in_order
from synth.digests import sha256_of


def file_of(path, content, name=None):
    path.write_bytes(content)
    return PublishedFile(name=name or path.name, path=path, size=len(content), sha256=sha256_of(path))


def test_a_file_has_the_name_that_git_gives_its_content(tmp_path):
    file = file_of(tmp_path / "README.md", b"# Faces\n" * 300_000)

    git = subprocess.run(["git", "hash-object", str(file.path)], capture_output=True, text=True, check=True)

    assert file.git_id == git.stdout.strip()


def test_large_files_are_told_by_their_sha256_and_small_ones_by_their_name_in_git(tmp_path):
    file = file_of(tmp_path / "a.tar", b"content")
    other = "0" * 64

    assert RemoteFile(size=7, git_id="of a pointer", sha256=file.sha256).is_same(file)
    assert not RemoteFile(size=7, git_id=file.git_id, sha256=other).is_same(file)
    assert RemoteFile(size=7, git_id=file.git_id, sha256=None).is_same(file)
    assert not RemoteFile(size=7, git_id="another", sha256=None).is_same(file)
    assert not RemoteFile(size=8, git_id=file.git_id, sha256=file.sha256).is_same(file)


def test_the_card_and_what_else_speaks_of_the_shards_comes_last(tmp_path):
    names = ["README.md", "train-000001.tar", "index.json", "croissant.json", "train-000000.tar", "preview.jpg"]
    files = [file_of(tmp_path / name, b"x") for name in names]

    assert [file.name for file in in_order(files)] == [
        "train-000000.tar",
        "train-000001.tar",
        "preview.jpg",
        "croissant.json",
        "index.json",
        "README.md",
    ]

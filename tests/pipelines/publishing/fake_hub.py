"""A hub that is a folder: it keeps what is committed, remembers each call, and can lose the connection."""

import shutil
from types import SimpleNamespace

from huggingface_hub import CommitOperationAdd
from huggingface_hub.hf_api import RepoFile, RepoFolder

from pipelines.publishing.files import PublishedFile
from synth.digests import sha256_of

LARGE = {".tar", ".parquet", ".jpg", ".rec"}  # kept outside git, as the hub does


class FakeHub:
    """Has the methods of `huggingface_hub.HfApi` that are used here.

    Args:
        folder: what is on the main branch; tags lie beside it.
        lose_at: the connection is lost at this call of `create_commit`, counted from 1; 0: never.
    """

    def __init__(self, folder, lose_at=0):
        self.folder = folder
        self.lose_at = lose_at
        self.calls = []
        self.sent = []  # names of the files of each commit
        self.deleted = []

    def create_repo(self, repo_id, *, repo_type, private, exist_ok):
        assert repo_type == "dataset"
        assert exist_ok
        self.calls.append(("create_repo", repo_id, private))
        self.folder.mkdir(parents=True, exist_ok=True)

    def update_repo_settings(self, repo_id, *, repo_type, private, gated):
        assert repo_type == "dataset"
        self.calls.append(("update_repo_settings", repo_id, private, gated))

    def list_repo_tree(self, repo_id, *, repo_type, recursive, revision):
        assert (repo_type, recursive) == ("dataset", True)
        root = self.folder if revision is None else self._tag(revision)
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            yield RepoFolder(path=name, oid="0" * 40) if path.is_dir() else _entry(path, name)

    def list_repo_refs(self, repo_id, *, repo_type):
        prefix = f"{self.folder.name}@"
        tags = [path.name.removeprefix(prefix) for path in self.folder.parent.glob(f"{prefix}*")]
        return SimpleNamespace(tags=[SimpleNamespace(name=tag) for tag in tags])

    def create_commit(self, repo_id, operations, *, commit_message, repo_type):
        assert repo_type == "dataset"
        assert commit_message
        self.calls.append(("create_commit", repo_id))
        if len([call for call in self.calls if call[0] == "create_commit"]) == self.lose_at:
            raise ConnectionError("the line is dead")
        added = [operation for operation in operations if isinstance(operation, CommitOperationAdd)]
        for operation in operations:
            target = self.folder / operation.path_in_repo
            if operation in added:
                shutil.copyfile(operation.path_or_fileobj, target)
            else:
                target.unlink()
                self.deleted.append(operation.path_in_repo)
        self.sent.append([operation.path_in_repo for operation in added])

    def create_tag(self, repo_id, *, tag, repo_type):
        self.calls.append(("create_tag", tag))
        shutil.copytree(self.folder, self._tag(tag))

    def _tag(self, tag):
        return self.folder.with_name(f"{self.folder.name}@{tag}")


def _entry(path, name):
    size, sha256 = path.stat().st_size, sha256_of(path)
    if path.suffix in LARGE:
        return RepoFile(path=name, size=size, oid="1" * 40, lfs={"size": size, "oid": sha256, "pointerSize": 130})
    git_id = PublishedFile(name=name, path=path, size=size, sha256=sha256).git_id
    return RepoFile(path=name, size=size, oid=git_id)

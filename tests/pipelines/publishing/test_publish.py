"""Publishing toy runs to a hub that is a folder."""

import pytest

from pipelines.publishing.files import LAST
from pipelines.publishing.hub import HubRepository
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.publishing.upload import BATCH_FILES
from synth.errors import ConfigError, HubError, RunError
from tests.pipelines.publishing.fake_hub import FakeHub
from tests.toy import run_toy, tree

REPO = "me/faces"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of more files than a commit takes: 40 shards and 40 tables."""
    return run_toy(tmp_path_factory.mktemp("runs") / "toy", "export.shard_size=1")[0]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return run_toy(tmp_path_factory.mktemp("runs") / "small")[0]


def send(run, hub, tag="v1", **settings):
    """Publishes to a fake hub; returns the lines that were said."""
    lines = []
    publication = Publication(repo_id=REPO, tag=tag, **settings)
    publish(run, publication, lambda where: HubRepository(where, hub), lines.append, without_audit=True)
    return lines


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def expected(run, tmp_path):
    """Returns what a complete publication holds."""
    publish(run, Publication(repo_id=REPO), to=tmp_path / "expected", without_audit=True)
    return content(tmp_path / "expected")


def test_shards_go_first_the_card_last_and_then_the_tag(run, tmp_path):
    hub = FakeHub(tmp_path / "hub")

    lines = send(run, hub)

    names = [call[0] for call in hub.calls]
    assert names == ["create_repo", "update_repo_settings", *3 * ["create_commit"], "create_tag"]
    first, second, last = hub.sent
    assert (len(first), len(second)) == (BATCH_FILES, 80 - BATCH_FILES)
    assert [*first, *second] == sorted(path.name for path in run.dataset.glob("train-*"))
    assert tuple(last) == LAST
    assert content(hub.folder) == content(tmp_path / "hub@v1") == expected(run, tmp_path)
    assert lines[-1] == "tagged v1"


@pytest.mark.parametrize(
    ("settings", "private", "gated"),
    [({}, True, "manual"), ({"public": True}, False, "manual"), ({"public": True, "gated": False}, False, False)],
)
def test_it_is_private_and_gated_unless_wished_otherwise(small, tmp_path, settings, private, gated):
    hub = FakeHub(tmp_path / "hub")

    send(small, hub, **settings)

    assert hub.calls[:2] == [("create_repo", REPO, private), ("update_repo_settings", REPO, private, gated)]
    assert ("extra_gated_prompt" in (hub.folder / "README.md").read_text()) == bool(gated)


@pytest.mark.parametrize("lose_at", [1, 2, 3])
def test_an_interrupted_upload_goes_on_and_sends_nothing_twice(run, tmp_path, lose_at):
    first = FakeHub(tmp_path / "hub", lose_at)
    with pytest.raises(HubError, match=r"me/faces: did not take all files \(the line is dead\);.* again to go on"):
        send(run, first)
    assert not (tmp_path / "hub" / "README.md").exists()
    assert not (tmp_path / "hub@v1").exists()

    second = FakeHub(tmp_path / "hub")
    lines = send(run, second)

    sent = [name for commit in [*first.sent, *second.sent] for name in commit]
    assert len(sent) == len(set(sent)) == 84
    assert f"{sum(map(len, first.sent))} of 84 files are there already" in lines
    assert content(tmp_path / "hub@v1") == expected(run, tmp_path)
    assert HubError.exit_code == 1


def test_a_half_sent_file_is_sent_again(small, tmp_path):
    hub = FakeHub(tmp_path / "hub")
    hub.folder.mkdir()
    (hub.folder / "train-000001.tar").write_bytes((small.dataset / "train-000001.tar").read_bytes()[:-512] + bytes(512))
    (hub.folder / "train-000000.tar").write_bytes((small.dataset / "train-000000.tar").read_bytes())

    send(small, hub)

    assert "train-000000.tar" not in hub.sent[0]
    assert content(hub.folder) == expected(small, tmp_path)


def test_a_tag_that_failed_is_made_up_for(small, tmp_path):
    hub = FakeHub(tmp_path / "hub")
    send(small, hub)
    (tmp_path / "hub@v1").rename(tmp_path / "gone")

    again = FakeHub(tmp_path / "hub")
    send(small, again)

    assert again.sent == []
    assert again.calls[-1] == ("create_tag", "v1")


def test_a_published_version_is_told_from_a_new_one(small, run, tmp_path):
    send(small, FakeHub(tmp_path / "hub"))

    again = FakeHub(tmp_path / "hub")
    lines = send(small, again)
    with pytest.raises(ConfigError, match=r"--tag: v1 of me/faces is published already, with another train-000000"):
        send(run, again)

    assert "there was nothing to do" in lines[-1]
    assert again.sent == []


def test_a_new_version_takes_the_place_of_a_longer_one_and_leaves_strangers_alone(small, run, tmp_path):
    send(run, FakeHub(tmp_path / "hub"))
    (tmp_path / "hub" / ".gitattributes").write_text("*.tar filter=lfs\n")

    hub = FakeHub(tmp_path / "hub")
    send(small, hub, tag="v2")

    assert len(hub.deleted) == 74
    assert content(hub.folder).keys() == expected(small, tmp_path).keys() | {".gitattributes"}
    assert len(content(tmp_path / "hub@v1")) == 84
    commits = [index for index, call in enumerate(hub.calls) if call[0] == "create_commit"]
    assert len(commits) == 2  # shards are removed together with the card that speaks of them


def test_the_run_stays_as_it_is_and_holds_no_copies(small, tmp_path):
    before = tree(small.root, ("sample", "generate", "measure", "select", "export", "dataset", "report"))

    send(small, FakeHub(tmp_path / "hub"))

    assert tree(small.root, ("sample", "generate", "measure", "select", "export", "dataset", "report")) == before
    assert not small.scratch.exists()


def test_a_dry_run_asks_no_hub_and_lists_all_files_in_order(small):
    def connect(publication):
        raise AssertionError("a dry run has nothing to send")

    lines = []
    publish(small, Publication(repo_id=REPO), connect, lines.append, dry_run=True, without_audit=True)

    listed = [line.split()[-1] for line in lines[1:-1]]
    assert listed[:2] == ["train-000000.parquet", "train-000000.tar"]
    assert tuple(listed[-4:]) == LAST
    assert "would go to https://huggingface.co/datasets/me/faces, private, gated, tagged v1" in lines[-1]


def test_a_login_that_may_not_write_is_told(small, tmp_path):
    from huggingface_hub.errors import LocalTokenNotFoundError

    class LoggedOut(FakeHub):
        def create_repo(self, repo_id, **settings):
            raise LocalTokenNotFoundError("Token is required")

    with pytest.raises(HubError, match=r"run `hf auth login`, or set HF_TOKEN, .* write to me \(Token is required\)"):
        send(small, LoggedOut(tmp_path / "hub"))


def test_a_folder_with_content_and_one_within_the_run_are_refused(small, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()

    with pytest.raises(RunError, match="is not empty"):
        publish(small, Publication(repo_id=REPO), to=tmp_path / "mine", without_audit=True)
    with pytest.raises(RunError, match="lies in the run itself"):
        publish(small, Publication(repo_id=REPO), to=small.root / "published", without_audit=True)

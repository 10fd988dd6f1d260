import pytest

from pipelines.publishing.publication import Publication
from synth.errors import ConfigError


def test_a_repository_has_an_owner_a_name_and_a_page():
    publication = Publication(repo_id="my-lab/faces_1.0")

    assert (publication.owner, publication.name) == ("my-lab", "faces_1.0")
    assert publication.url == "https://huggingface.co/datasets/my-lab/faces_1.0"
    assert publication.visibility == "private, gated"
    assert Publication(repo_id="a/b", public=True, gated=False).visibility == "public, not gated"


@pytest.mark.parametrize(
    "repo_id",
    ["faces", "a/b/c", "/faces", "me/", "me/fa ces", "me/-faces", "me./faces", "me/fa--ces", "me/fa..ces", "me/x.git"],
)
def test_what_the_hub_would_not_take_for_a_repository_is_refused(repo_id):
    with pytest.raises(ConfigError, match="expected 'owner/name'"):
        Publication(repo_id=repo_id)


def test_a_name_that_is_too_long_is_refused():
    Publication(repo_id="me/" + 93 * "a")
    with pytest.raises(ConfigError, match="96 characters"):
        Publication(repo_id="me/" + 94 * "a")


@pytest.mark.parametrize("tag", ["", "v 1", "v1..2", "-v1", "refs/v1", "v1."])
def test_what_is_no_tag_is_refused(tag):
    with pytest.raises(ConfigError, match="--tag"):
        Publication(repo_id="me/faces", tag=tag)

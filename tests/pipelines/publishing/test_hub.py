import importlib.util
import inspect
import subprocess
import sys

import pytest

from pipelines.publishing.hub import HubRepository
from pipelines.publishing.publication import Publication
from synth.errors import ComponentError
from tests.pipelines.publishing.fake_hub import FakeHub
from tests.toy import ROOT


def test_a_missing_package_says_which_extra_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ComponentError, match=r"needs huggingface_hub, .*pip install 'synth\[publish\]'"):
        HubRepository(Publication(repo_id="me/faces"))


def test_the_package_is_imported_by_the_one_file_that_needs_it_and_not_before():
    code = "import sys, pipelines.publishing.publish; print('huggingface_hub' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_the_hub_itself_is_spoken_to_where_no_other_is_given():
    from huggingface_hub import HfApi

    assert isinstance(HubRepository(Publication(repo_id="me/faces"))._api, HfApi)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("create_repo", {"repo_type", "private", "exist_ok"}),
        ("update_repo_settings", {"repo_type", "private", "gated"}),
        ("list_repo_tree", {"repo_type", "recursive", "revision"}),
        ("list_repo_refs", {"repo_type"}),
        ("create_commit", {"operations", "commit_message", "repo_type"}),
        ("create_tag", {"tag", "repo_type"}),
    ],
)
def test_the_hub_knows_the_methods_and_arguments_that_its_fake_has(method, arguments):
    from huggingface_hub import HfApi

    of_hub = inspect.signature(getattr(HfApi, method)).parameters
    of_fake = inspect.signature(getattr(FakeHub, method)).parameters

    assert arguments <= of_hub.keys()
    assert set(of_fake) == {"self", "repo_id"} | arguments

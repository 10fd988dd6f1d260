"""A dataset repository of the Hugging Face hub: what it holds, and commits to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipelines.publishing.files import PublishedFile, RemoteFile
from pipelines.publishing.publication import Publication
from synth.errors import HubError
from synth.extras import require_extra

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_KIND: Final = "dataset"


class HubRepository:
    """The repository that a publication goes to.

    Args:
        publication: where it goes.
        api: speaks to the hub; by default as whoever is logged in: the token is that of the environment variable
            HF_TOKEN or of `hf auth login`.

    Raises:
        ComponentError: huggingface_hub is not installed.
    """

    def __init__(self, publication: Publication, api: HfApi | None = None) -> None:
        require_extra("publish", "huggingface_hub")
        from huggingface_hub import HfApi

        self._publication = publication
        self._api = api or HfApi()

    def prepare(self) -> None:
        """Makes the repository unless it is there, and sets who may see it: before anything is sent.

        Raises:
            HubError: it cannot be made or changed with this login.
        """
        repo_id, private = self._publication.repo_id, not self._publication.public
        with self._told("cannot be made ready"):
            self._api.create_repo(repo_id, repo_type=_KIND, private=private, exist_ok=True)
            self._api.update_repo_settings(
                repo_id, repo_type=_KIND, private=private, gated="manual" if self._publication.gated else False
            )

    def files(self, revision: str | None = None) -> dict[str, RemoteFile]:
        """Returns the files of a branch or tag, by default of the main branch, by name.

        Raises:
            HubError: they cannot be listed.
        """
        from huggingface_hub.hf_api import RepoFile

        with self._told("cannot be listed"):
            tree = self._api.list_repo_tree(
                self._publication.repo_id, repo_type=_KIND, recursive=True, revision=revision
            )
            return {
                entry.path: RemoteFile(
                    size=entry.size, git_id=entry.blob_id, sha256=entry.lfs.sha256 if entry.lfs else None
                )
                for entry in tree
                if isinstance(entry, RepoFile)
            }

    def has_tag(self) -> bool:
        """Returns whether the publication's tag is there.

        Raises:
            HubError: tags cannot be listed.
        """
        with self._told("its tags cannot be listed"):
            refs = self._api.list_repo_refs(self._publication.repo_id, repo_type=_KIND)
        return any(tag.name == self._publication.tag for tag in refs.tags)

    def commit(self, files: Sequence[PublishedFile], message: str, delete: Sequence[str] = ()) -> None:
        """Sends files and makes one commit of them.

        Raises:
            HubError: the hub did not take it.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        with self._told("did not take all files"):
            self._api.create_commit(
                self._publication.repo_id,
                [
                    *(CommitOperationAdd(path_in_repo=file.name, path_or_fileobj=file.path) for file in files),
                    *(CommitOperationDelete(path_in_repo=name) for name in delete),
                ],
                commit_message=message,
                repo_type=_KIND,
            )

    def tag(self) -> None:
        """Gives the present state the publication's tag.

        Raises:
            HubError: it cannot be tagged.
        """
        with self._told("all files are there, but not the tag"):
            self._api.create_tag(self._publication.repo_id, tag=self._publication.tag, repo_type=_KIND)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Says in our words that the hub refused something or cannot be reached."""
        from huggingface_hub import errors

        try:
            yield
        except (errors.LocalTokenNotFoundError, errors.RepositoryNotFoundError, errors.GatedRepoError) as error:
            raise HubError(
                f"{self._publication.repo_id}: {what} with this login: run `hf auth login`, or set HF_TOKEN, with a "
                f"token that may write to {self._publication.owner} ({_first_line(error)})"
            ) from error
        except (errors.HTTPError, OSError, RuntimeError, ValueError) as error:  # type: ignore[attr-defined]  # httpx's
            reason = f"{self._publication.repo_id}: {what} ({_first_line(error)})"
            raise HubError(f"{reason}; what is there stays, run the same command again to go on") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

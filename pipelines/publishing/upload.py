"""Sends a folder to the hub so that it can go on where it was stopped, and nobody finds half of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from pipelines.publishing.files import CROISSANT, LAST, PublishedFile, RemoteFile
from pipelines.publishing.hub import HubRepository
from pipelines.publishing.publication import Publication
from pipelines.quantities import storage
from synth.errors import ConfigError

BATCH_FILES: Final = 50  # of a commit; what is not committed when the upload stops has to be sent again
BATCH_SIZE: Final = 5_000_000_000  # bytes, likewise

# What exporters call their files: those that a new version has not are left over from an earlier one.
_OURS: Final = re.compile(r"(?:train|samples)-\d{6}\.(?:tar|parquet)|train\.(?:rec|idx|lst|tsv)|index\.json")


def upload(
    repository: HubRepository, publication: Publication, files: Sequence[PublishedFile], say: Callable[[str], None]
) -> None:
    """Makes the hub's repository what the files are, and tags it.

    Shards and tables go first, a batch a commit; what the hub has already is not sent again. The card and the other
    files that speak of them follow in one commit, which also removes shards of an earlier and longer dataset; the tag
    comes last. Stopped at any moment, the next call goes on.

    Args:
        repository: on the hub.
        publication: where it goes.
        files: in the order they are sent.
        say: told in a line what is done.

    Raises:
        HubError: the hub refused something or cannot be reached.
        ConfigError: the tag is there and has other files.
    """
    repository.prepare()
    say(f"{publication.url}: {publication.visibility}")
    if repository.has_tag():
        _require_same(repository.files(publication.tag), publication, files)
        say(f"{publication.tag} is published already, with these very files: there was nothing to do")
        return
    there = repository.files()
    missing = [file for file in files if not _is_there(file, there)]
    say(f"{len(files) - len(missing)} of {len(files)} files are there already")
    data = [file for file in missing if file.name not in LAST]
    sent = 0
    for batch in batches(data):
        repository.commit(batch, f"Add {batch[0].name} to {batch[-1].name}")
        sent += len(batch)
        say(f"{sent} of {len(data)} shards and tables sent, {storage(sum(file.size for file in batch))} in this commit")
    last = [file for file in missing if file.name in LAST]
    stale = sorted(name for name in there.keys() - {file.name for file in files} if _OURS.fullmatch(name))
    if last or stale:
        repository.commit(last, f"Describe {publication.tag}", delete=stale)
        say(f"card and description sent, {len(stale)} files of an earlier dataset removed")
    repository.tag()
    say(f"tagged {publication.tag}")


def batches(files: Sequence[PublishedFile]) -> Iterator[list[PublishedFile]]:
    """Yields files in their order, as many together as a commit takes; a file that is too large goes alone."""
    batch: list[PublishedFile] = []
    for file in files:
        if batch and (len(batch) == BATCH_FILES or sum(one.size for one in batch) + file.size > BATCH_SIZE):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _is_there(file: PublishedFile, there: Mapping[str, RemoteFile]) -> bool:
    return file.name in there and there[file.name].is_same(file)


def _require_same(tagged: Mapping[str, RemoteFile], publication: Publication, files: Sequence[PublishedFile]) -> None:
    """Checks that a tag has the same dataset: a published version is never changed."""
    # The description names the day of publication: that of another day may speak of the same dataset.
    other = [file.name for file in files if file.name != CROISSANT and not _is_there(file, tagged)]
    if other:
        raise ConfigError(
            f"--tag: {publication.tag} of {publication.repo_id} is published already, with another {other[0]}; a "
            "published version stays as it is: name a new tag"
        )

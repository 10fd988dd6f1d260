"""Where a dataset is published, under which tag, and who may see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from synth.errors import ConfigError

_LONGEST: Final = 96  # characters of owner and name together, on the hub
_NAME: Final = re.compile(r"(?![-.])[A-Za-z0-9._-]+(?<![-.])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A dataset repository of the Hugging Face hub.

    Attributes:
        repo_id: 'owner/name'.
        tag: git tag that the published state gets.
        public: whether everybody can find it.
        gated: whether who wants the files has to ask for them and agree to the terms of use.

    Raises:
        ConfigError: the repository or the tag cannot be called so.
    """

    repo_id: str
    tag: str = "v1"
    public: bool = False
    gated: bool = True

    def __post_init__(self) -> None:
        """Checks the names before anything is read or sent."""
        parts = self.repo_id.split("/")
        is_name = len(parts) == 2 and all(map(_NAME.fullmatch, parts)) and not re.search(r"--|\.\.", self.repo_id)
        if not is_name or len(self.repo_id) > _LONGEST or self.repo_id.endswith(".git"):
            raise ConfigError(
                f"REPO_ID: '{self.repo_id}': expected 'owner/name', each of letters, digits, '-', '_' and '.', without "
                f"'--', '..' or one of them at an end, {_LONGEST} characters at most"
            )
        if not _NAME.fullmatch(self.tag) or ".." in self.tag:
            raise ConfigError(f"--tag: '{self.tag}': expected letters, digits, '-', '_' and '.', like v1 or 1.0.2")

    @property
    def owner(self) -> str:
        """Account that the repository belongs to."""
        return self.repo_id.partition("/")[0]

    @property
    def name(self) -> str:
        """Name of the repository within its account."""
        return self.repo_id.partition("/")[2]

    @property
    def url(self) -> str:
        """Page of the dataset."""
        return f"https://huggingface.co/datasets/{self.repo_id}"

    @property
    def visibility(self) -> str:
        """Who may see it, in words."""
        return f"{'public' if self.public else 'private'}, {'gated' if self.gated else 'not gated'}"

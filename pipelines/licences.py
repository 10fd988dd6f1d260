"""Which licence a dataset has: the strictest of all that it was made with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

OTHER: Final = "other"  # of the hub: a licence that it has no identifier for
_SPDX: Final = "https://spdx.org/licenses/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A licence of a dataset.

    Attributes:
        identifier: as the Hugging Face hub names it; `OTHER` for those it does not know.
        name: what an `OTHER` one is called, in lower case with hyphens; empty for the rest.
        url: of its text; empty where there is none.
    """

    identifier: str
    name: str = ""
    url: str = ""


# From the mildest to the strictest: what each asks of a set of images. Permissive licences of software ask something of
# copies of a program or its weights only, and a dataset holds none: they leave it as free as CC0. OpenRAIL forbids
# certain uses; NC all commerce; SA adds the duty to share alike. Terms for research alone are the narrowest that can be
# kept. A licence that is not stated allows nothing, so what is not in this list comes last.
_ORDER: Final = (
    (r"CC0(?:[ -]1\.0)?|public domain", Licence(identifier="cc0-1.0", url=f"{_SPDX}CC0-1.0.html")),
    (r"MIT", Licence(identifier="mit", url=f"{_SPDX}MIT.html")),
    (r"BSD[ -]3-Clause", Licence(identifier="bsd-3-clause", url=f"{_SPDX}BSD-3-Clause.html")),
    (r"Apache-2\.0", Licence(identifier="apache-2.0", url=f"{_SPDX}Apache-2.0.html")),
    (r"CC[ -]BY[ -]4\.0", Licence(identifier="cc-by-4.0", url=f"{_SPDX}CC-BY-4.0.html")),
    (r"CC[ -]BY-SA[ -]4\.0", Licence(identifier="cc-by-sa-4.0", url=f"{_SPDX}CC-BY-SA-4.0.html")),
    (r"(?:CreativeML[ -])?OpenRAIL(?:\+\+)?(?:-M)?", Licence(identifier="openrail")),
    (r"CC[ -]BY-NC[ -]4\.0", Licence(identifier="cc-by-nc-4.0", url=f"{_SPDX}CC-BY-NC-4.0.html")),
    (r"CC[ -]BY-NC-SA[ -]4\.0", Licence(identifier="cc-by-nc-sa-4.0", url=f"{_SPDX}CC-BY-NC-SA-4.0.html")),
    (
        r"research[ -]only|for research only|non-commercial|WebFace\d+M|Glint360K|MS1MV[23]",  # photographs of people
        Licence(identifier=OTHER, name="non-commercial-research-only"),
    ),
)
_PERMISSIVE: Final = 4  # the first so many ask nothing of images
_UNKNOWN: Final = re.compile(r"not stated|none stated|name none|unknown", re.IGNORECASE)
_PATTERNS: Final = tuple(re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE) for words, _ in _ORDER)
_NOT_STATED: Final = "not-stated"
_LONGEST_NAME: Final = 60


def strictest(statements: Iterable[str]) -> Licence:
    """Returns the licence of what was made under all of these terms: the strictest that any of them names.

    Args:
        statements: each the terms of one part, an identifier or a sentence like 'MIT; trained on photographs under
            CC BY-NC-SA 4.0'; empty where nothing is stated. Of several equally strict ones the first counts.

    Raises:
        ValueError: there are none.
    """
    ranked = [_ranked(statement) for statement in statements]
    if not ranked:
        raise ValueError("no terms are given: a dataset is made with a generator at least")
    return max(ranked, key=lambda entry: entry[0])[1]


def _ranked(statement: str) -> tuple[int, Licence]:
    """Returns how strict the terms of a part are, and their licence."""
    named = [at for at, pattern in enumerate(_PATTERNS) if pattern.search(statement)]
    if not named or _UNKNOWN.search(statement):
        return len(_ORDER), Licence(identifier=OTHER, name=_as_name(statement))
    at = max(named)
    return (0 if at < _PERMISSIVE else at), _ORDER[at][1]


def _as_name(statement: str) -> str:
    """Returns terms as the hub takes the name of a licence; of a path to them its last part, the rest is private."""
    words = statement.rpartition("/")[2].lower()
    return re.sub(r"[^a-z0-9.]+", "-", words)[:_LONGEST_NAME].strip("-.") or _NOT_STATED

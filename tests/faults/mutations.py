"""Configurations that somebody's hand, editor or malice altered, and what may become of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from pipelines.config import parse_config
from synth.errors import ConfigError
from tests.faults.commands import time_limit
from tests.toy import CONFIG

VALUES = (
    *("", "~", "true", "[]", "{}", "-1", "0", "1e-3", ".nan", ".inf", "-.inf", "2024-13-45", "0x" + 5000 * "f"),
    *("1" + 40 * "0", "1e999", "'", '"', "&a [*a]", "*a", "!!python/object:os.system x", "!!int x", "!!binary x"),
    *("..", "os.path", "tests.fakes", "../../etc/passwd", "ä ü\u2028", "\u200b", "\0", "a" * 3000, "1:2:3", "| \n x"),
)
_PLACE = re.compile(r"toy\.yaml(:\d+)?: |--set: ")
_SECONDS = 60  # that a configuration may take to be judged: it takes one, on a machine with nothing else to do


def mutated(number: int) -> Iterator[str]:
    """Yields configurations that were altered at one to three places, the same ones each time."""
    for seed in range(number):
        chance = random.Random(seed)
        text = CONFIG
        for _ in range(chance.randint(1, 3)):
            text = chance.choice(_ALTERATIONS)(text, chance)
        yield text


def fault_of(text: str) -> str | None:
    """Returns what is wrong with how a configuration was judged; None where it is valid or its mistakes have places."""
    try:
        with time_limit(_SECONDS):
            parse_config(text, "toy.yaml")
    except ConfigError as error:
        lines = [line for line in str(error).splitlines() if line]
        return None if lines and _PLACE.match(lines[0]) else f"no place: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _other_value(text: str, chance: random.Random) -> str:
    values = list(re.finditer(r": ?([^\s,{}]+)", text))
    if not values:
        return text
    start, stop = chance.choice(values).span(1)
    return text[:start] + chance.choice(VALUES) + text[stop:]


def _character(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice("\t\n {}[]:,-&*!|>%@`\"'#?\\\x00\x85é") + text[at + chance.randint(0, 1) :]


def _lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = chance.randrange(len(lines))
    lines[at : at + 1] = chance.choice([[], 2 * lines[at : at + 1], ["  " + lines[at]], [lines[at].lstrip()]])
    return "".join(lines)


def _cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _nested(text: str, chance: random.Random) -> str:
    depth = chance.choice([5, 50, 3000])
    return text + "more: " + depth * "[" + depth * "]" + "\n"


_ALTERATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_other_value, _other_value, _other_value, _character, _character, _lines, _cut, _nested),
)

"""Checks of options that are numbers."""

from __future__ import annotations

from typing import TypeVar

Number = TypeVar("Number", int, float)


def within(name: str, value: Number, least: Number, most: Number) -> Number:
    """Returns an option's value.

    Args:
        name: of the option.
        value: what was given for it.
        least: the smallest value it may have.
        most: the largest value it may have.

    Raises:
        ValueError: it is smaller or larger, or not a number.
    """
    if not least <= value <= most:
        raise ValueError(f"{name} {value}: expected {least:g} to {most:g}")
    return value

"""Reads JSON that may be damaged or made to harm: whatever is wrong with it is a ValueError."""

from __future__ import annotations

import json
from typing import Any


def read_plain_json(text: str | bytes) -> Any:  # noqa: ANN401
    """Returns the content of a JSON text.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or has integers of thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None

"""Sizes and durations as people read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Returns a duration like '8.1 s', '12 min' or '3.5 h'."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def storage(size: int) -> str:
    """Returns a number of bytes like '12 bytes', '8.1 MB' or '4.53 GB'."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:,.{2 if name == 'GB' else 1}f} {name}"
    return f"{size} bytes"

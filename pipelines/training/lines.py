"""Lines about a training for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

_CONSOLE = Console(file=sys.stderr)


def print_line(line: Mapping[str, Any]) -> None:
    """Writes a line of the log in words."""
    if "loss" in line:
        text = (
            f"step {line['step']:>7,}  loss {line['loss']:7.3f}  similarity {line['similarity']:.3f}  "
            f"hits {line['hits']:6.1%}  rate {line['learning_rate']:.5f}  {line['seconds']:.1f} s"
        )
    else:
        best = ", the best so far" if line["is_best"] else ""
        text = f"step {line['step']:>7,}  equal error rate {line['equal_error_rate']:.4f} on held-out identities{best}"
    _CONSOLE.print(text, highlight=False)

"""How strong classifier-free guidance may be; known without torch, so that configurations are checked fast."""

from __future__ import annotations

from typing import Final

MAX_GUIDANCE: Final = 30.0  # far past where pictures fall apart


def check_guidance(guidance: float) -> None:
    """Checks the strength of classifier-free guidance, where 1 is none: Ho and Salimans (2022), w + 1 in equation 6.

    Raises:
        ValueError: it is not within 1 to `MAX_GUIDANCE`.
    """
    if not 1 <= guidance <= MAX_GUIDANCE:
        raise ValueError(f"guidance {guidance}: expected 1 to {MAX_GUIDANCE:g}; 1 is none")

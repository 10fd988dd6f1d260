"""Runs commands of synth in this process and judges how they end."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines import cli

LONGEST = 60  # seconds of a toy's command; more is a hang


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, None where an exception came through, and all it printed."""

    code: int | None
    output: str

    @property
    def is_clean(self) -> bool:
        """Whether it did its work or told in words why not."""
        told = self.code == 0 or (self.code in (1, 2) and bool(self.output.strip()))
        return told and "Traceback" not in self.output


def command(*arguments: object) -> Ended:
    """Runs `synth` with arguments, for at most a minute, and catches what it prints."""
    before, sys.argv = sys.argv, ["synth", *map(str, arguments)]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), time_limit(LONGEST):
            cli.main()
    except SystemExit as ended:
        return Ended(ended.code if isinstance(ended.code, int) else 1, printed.getvalue())
    except Exception:
        return Ended(None, printed.getvalue() + traceback.format_exc())
    finally:
        sys.argv = before
    raise AssertionError("the command line always exits")


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Ends the block with a TimeoutError when it takes longer."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"still going after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

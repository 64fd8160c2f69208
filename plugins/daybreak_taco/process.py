"""Runs the programs of the setup: output to a log, line by line to whoever follows it."""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["ProgramError", "run_logged"]

_TAIL_LINES = 25


class ProgramError(Exception):
    """A program ended with an error; `tail` is the end of what it printed."""

    def __init__(self, command: Sequence[str], code: int, tail: str) -> None:
        self.code = code
        self.tail = tail
        super().__init__(f"{command[0]} ended with status {code}")


def run_logged(
    command: Sequence[str],
    log: Path,
    follow: Callable[[str], None] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run `command`, append its output to `log`, and return the output.

    The program gets a process group of its own, which is killed when this call is interrupted, so
    that Ctrl-C leaves no compiler behind.

    Raises:
        ProgramError: it cannot be started or ends with another status than 0.
    """
    lines: list[str] = []
    tail: collections.deque[str] = collections.deque(maxlen=_TAIL_LINES)
    with log.open("a", encoding="utf-8") as out:
        out.write("$ " + " ".join(command) + "\n")
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                env=None if environment is None else dict(environment),
            )
        except OSError as error:
            raise ProgramError(command, -1, str(error)) from None
        try:
            if process.stdout is not None:
                for line in process.stdout:
                    out.write(line)
                    lines.append(line)
                    tail.append(line)
                    if follow is not None:
                        follow(line)
            code = process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    if code != 0:
        raise ProgramError(command, code, "".join(tail))
    return "".join(lines)

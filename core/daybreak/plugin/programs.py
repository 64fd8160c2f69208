"""Programs of the system that components call: found, and asked which they are."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Program", "find_program"]

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs.

    Attributes:
        command: its path, and arguments that always go with it.
        version: the first line of what ``--version`` prints.
    """

    command: tuple[str, ...]
    version: str


def find_program(asked: str | None, usual: Sequence[str]) -> Program | None:
    """Return the first program on PATH that answers ``--version``; None: there is none.

    Args:
        asked: what the user named, with arguments as in a shell, e.g. ``ccache gcc``: then nothing
            else will do, and what is no command line is no program. None or empty: the user named
            nothing.
        usual: names to try otherwise, in this order.
    """
    try:
        named = shlex.split(asked or "")
    except ValueError:
        return None
    for words in [named] if named else [[name] for name in usual]:
        path = shutil.which(words[0])
        if path is None:
            continue
        command = (path, *words[1:])
        try:
            done = subprocess.run(
                [*command, "--version"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and done.stdout.strip():
            return Program(command, done.stdout.splitlines()[0].strip())
    return None

"""Ending processes for good: groups, strays left to a reaper, and marked ones that ran away."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

__all__ = ["become_reaper", "die_with_parent", "kill_marked", "reap_strays"]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 2.0


def become_reaper() -> None:
    """Let orphans below this process become its children, so that it can end them (Linux)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have this process killed when the one that started it ends (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def reap_strays(patience: float = _PATIENCE) -> tuple[int, bool]:
    """Kill and reap every child of this process until there is none.

    Returns how many there were, and whether all are gone: processes that keep forking can outrun
    this for longer than `patience` seconds.
    """
    ended = 0
    until = time.monotonic() + patience
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, True
        if time.monotonic() > until:
            return ended, False
        if pid:
            ended += 1
            continue
        for child in _children(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.001)


def kill_marked(name: str, value: str, patience: float = _PATIENCE) -> int:
    """Kill every process whose environment holds ``name=value``, again until none is left.

    This finds what left its process group and session; it does not find a process that started
    another program with an environment of its own making.
    """
    needle = f"{name}={value}".encode()
    until = time.monotonic() + patience
    killed: set[int] = set()
    while True:
        found = [pid for pid in _processes() if needle in _environment(pid)]
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        killed.update(found)
        if not found or time.monotonic() > until:
            return len(killed)
        time.sleep(0.005)


def _processes() -> list[int]:
    own = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _children(parent: int) -> list[int]:
    found = []
    for pid in _processes():
        try:
            stat = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            continue
        # The second field, the program's name in parentheses, may hold anything.
        fields = stat[stat.rfind(b")") + 2 :].split()
        if len(fields) > 1 and int(fields[1]) == parent:
            found.append(pid)
    return found


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)

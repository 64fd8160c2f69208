"""Locks between processes: `flock` on a small file that names who holds it.

The kernel drops such a lock when its holder dies, however it dies, so a file left behind locks
nothing. The file is never removed: another process may be waiting on that very inode.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["FileLock", "LockHeld", "is_locked"]


class LockHeld(Exception):  # noqa: N818 - not an error to those who skip politely
    """Another process holds the lock; `holder` says which, e.g. ``process 123 on host``."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(f"held by {holder}")


class FileLock:
    """An exclusive lock on `path`, taken at once and held until `release`.

    Args:
        path: the lock file; made if it is missing.
        wait_s: seconds to wait for a holder to let go before giving up.

    Raises:
        LockHeld: another holder (also one in this process) has it.
        OSError: the file cannot be made, e.g. in a read-only folder.
    """

    def __init__(self, path: Path, *, wait_s: float = 0.0) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                holder = _read_holder(self._descriptor)
                os.close(self._descriptor)
                raise LockHeld(holder) from None
        with suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock on `path` now.

    Asking takes a shared lock for an instant; whoever takes the exclusive one should wait a little.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _read_holder(descriptor: int) -> str:
    process, _, host = os.pread(descriptor, 200, 0).decode(errors="replace").strip().partition(" ")
    if not process:
        return "another process"
    return f"process {process}" + (f" on {host}" if host and host != socket.gethostname() else "")

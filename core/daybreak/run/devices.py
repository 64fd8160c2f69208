"""One timed trial at a time per exclusive device: locks that hold across threads and processes."""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["DeviceLocks"]


class DeviceLocks:
    """Locks by device label. Within this process a thread lock, between processes a file lock.

    The files lie in the system's temporary folder, one per user and label: locking is between the
    runs of one user on one machine.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir()) / f"daybreak-{_user()}"
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._files: dict[str, int] = {}

    def _open(self, label: str) -> int | None:
        if label not in self._files:
            try:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                path = self._folder / f"{label}.lock"
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                self._files[label] = os.open(path, flags, 0o600)
            except OSError:
                return None  # a machine without a writable temporary folder: threads only
        return self._files[label]

    @contextlib.contextmanager
    def hold(
        self, labels: tuple[str, ...], *, waiting: Callable[[str], None] | None = None
    ) -> Iterator[None]:
        """Hold all of `labels`, waiting for them; taken in sorted order, so never a deadlock.

        `waiting` is told the label that another process holds, before the wait.
        """
        with contextlib.ExitStack() as stack:
            for label in sorted(set(labels)):
                with self._guard:
                    lock = self._locks.setdefault(label, threading.Lock())
                stack.enter_context(lock)
                file = self._open(label)
                if file is not None:
                    _lock(file, label, waiting)
                    stack.callback(fcntl.flock, file, fcntl.LOCK_UN)
            yield

    def close(self) -> None:
        """Close the lock files; safe to call twice."""
        while self._files:
            os.close(self._files.popitem()[1])


def _lock(file: int, label: str, waiting: Callable[[str], None] | None) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting is not None:
            waiting(label)
        fcntl.flock(file, fcntl.LOCK_EX)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())

"""The scratch folder of a bench: private, removed at the end, and swept up after a sudden death."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

__all__ = ["ScratchFolder", "remove_folder", "sweep_scratch"]

_PREFIX = "daybreak-bench-"
_LOCK = "owner.lock"
#: A folder younger than this is left alone: its owner may not have locked it yet.
_SWEEP_AGE_S = 60.0


class ScratchFolder:
    """A new private folder, locked for as long as its owner lives."""

    def __init__(self) -> None:
        sweep_scratch()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        self._lock: int | None = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        with contextlib.suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Remove the folder and all in it; may be repeated."""
        remove_folder(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep_scratch() -> int:
    """Remove the scratch folders whose owners died without doing so; return how many.

    Only this user's folders, and only those that nobody holds the lock of.
    """
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            status = folder.lstat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < _SWEEP_AGE_S:
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_folder(folder)
            removed += 1
        except OSError:
            # Its owner lives.
            continue
        finally:
            os.close(lock)
    return removed


def remove_folder(folder: Path) -> None:
    """Remove `folder` and all in it, also what was made unreadable; never raises."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    for place, names, _ in os.walk(folder):
        # From above to below, so that what is mended here can be entered next.
        for name in names:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                with contextlib.suppress(OSError):
                    os.chmod(path, stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)

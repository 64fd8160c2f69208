"""Removing a folder that a candidate has written into."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import Any

__all__ = ["remove_folder"]


def remove_folder(folder: Path) -> None:
    """Remove `folder` and all in it, also what was made unreadable; never raises."""

    def mend(function: Any, path: str, _: Any) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(path), stat.S_IRWXU)
            os.chmod(path, stat.S_IRWXU)
            function(path)

    shutil.rmtree(folder, onerror=mend)
    if folder.exists():
        shutil.rmtree(folder, ignore_errors=True)

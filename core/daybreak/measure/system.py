"""Small questions to the system that may find no answer: files of /proc and /sys, programs."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

__all__ = ["ask_program", "fingerprint", "read_number", "read_text"]


def read_text(path: str | Path) -> str | None:
    """Return the stripped text of a file, or None when it cannot be read or is empty."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def read_number(path: str | Path) -> int | None:
    """Return the whole number that a file holds, or None."""
    text = read_text(path)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def ask_program(*command: str, timeout: float = 10.0) -> str | None:
    """Return what a program prints on standard output, or None if it is missing or fails."""
    program = which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode != 0:
        return None
    return done.stdout.decode(errors="replace").strip() or None


def fingerprint(values: Any) -> str:
    """Return 16 hexadecimal digits that change with any of `values` (JSON values)."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]

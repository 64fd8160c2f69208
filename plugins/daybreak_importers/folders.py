"""Folders as people publish them: links that lead nowhere, pipes, names in any encoding."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from daybreak_importers.findings import Findings
from daybreak_importers.text import printable

__all__ = ["NO_FILE", "regular_size", "relative", "walk"]

#: What is said of names that are no regular file.
NO_FILE = "no file: a pipe, a device or a link that leads nowhere"


def relative(path: Path, root: Path) -> str:
    """Return how remarks name `path`: from `root` on, or by its own name where that is all."""
    try:
        return printable(path.relative_to(root).as_posix() if path != root else path.name)
    except ValueError:
        return printable(path.name)


def regular_size(path: Path) -> int | None:
    """Return the size of a file in bytes, following links; None: it is no regular file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def walk(
    root: Path, findings: Findings, *, hidden: bool = False, skip: Collection[str] = ()
) -> Iterator[tuple[Path, list[tuple[str, int | None]]]]:
    """Yield the folders below `root`, in order, with names and sizes of their files.

    The size is None of what is no regular file. Links to folders are not followed, so that no loop
    is. Folders that cannot be listed are remarked upon.

    Args:
        root: a folder.
        findings: is told what is odd.
        hidden: whether to look into folders, and at files, whose names begin with a dot.
        skip: names of folders not to look into.
    """

    def failed(error: OSError) -> None:
        path = Path(os.fsdecode(error.filename or root))
        findings.remark(relative(path, root), f"cannot be listed: {error.strerror or error}")

    for place, folders, names in os.walk(root, onerror=failed):
        shown = [name for name in folders if hidden or not name.startswith(".")]
        folders[:] = sorted(name for name in shown if name not in skip)
        folder = Path(place)
        yield (
            folder,
            [
                (name, regular_size(folder / name))
                for name in sorted(names)
                if hidden or not name.startswith(".")
            ],
        )

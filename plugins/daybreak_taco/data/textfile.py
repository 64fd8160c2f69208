"""Opens plain and gzip-compressed text, with faults that name the file."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from daybreak import UserError

__all__ = ["opened"]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """Open `path` for reading text; unpack it if its name ends in ``.gz``.

    Raises:
        UserError: it is missing, unreadable, no text, or a damaged or truncated archive.
    """
    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path, "rt", encoding="ascii") as unpacked:
                yield unpacked
        else:
            with path.open(encoding="ascii") as plain:
                yield plain
    except FileNotFoundError:
        raise UserError("there is no such file", file=path, remedy="check the path") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(
            f"this archive is damaged or truncated: {error}",
            file=path,
            remedy="fetch or copy it again",
        ) from None
    except UnicodeDecodeError:
        raise UserError(
            "this file holds bytes that are no text",
            file=path,
            expected="a text file; a compressed one must be named .gz",
        ) from None
    except OSError as error:
        raise UserError(f"this file cannot be read: {error.strerror or error}", file=path) from None

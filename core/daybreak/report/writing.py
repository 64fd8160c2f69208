"""Writing a report: one HTML file, or its figures as files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from daybreak.errors import UserError
from daybreak.report.making import Report
from daybreak.report.page import page

__all__ = ["write_report"]


def write_report(
    out: Path,
    report: Report,
    *,
    refresh_s: int | None = None,
    only: Collection[str] | None = None,
) -> list[Path]:
    """Write the page to a file named ``*.html``, or its figures into a folder; return the files.

    A page replaces an older one in one step: whoever reads it sees the old one or the new one.

    Args:
        out: the file or folder.
        report: from `make_report`.
        refresh_s: browsers read the page again every so many seconds; None: never.
        only: names of the figures to write into a folder; None: all.

    Raises:
        UserError: it cannot be written, or there is no figure to write.
    """
    if out.suffix in (".html", ".htm"):
        files = {out: page(report, refresh_s=refresh_s)}
    else:
        drawn = [
            one
            for one in report.sections
            if one.body.svg is not None and (only is None or one.name in only)
        ]
        files = {out / f"{one.name}.svg": f"{one.body.svg}\n" for one in drawn}
        if not files and only is None:
            raise UserError(
                f"{report.summary}: there is nothing to draw yet",
                remedy="look at its leaderboard: daybreak show",
            )
    for file, content in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, content)
        except OSError as error:
            raise UserError(
                f"the report cannot be written: {error.strerror}",
                file=file,
                remedy="name another file: --out FILE.html",
            ) from error
    return list(files)


def _replace(file: Path, content: str) -> None:
    """Write a file beside `file`, then put it in its place; devices are written to as they are."""
    if file.exists() and not file.is_file():
        file.write_text(content, "utf-8")
        return
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o666 & ~_umask()
    number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as out:
            out.write(content)
        os.chmod(name, mode)
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    """Return the process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

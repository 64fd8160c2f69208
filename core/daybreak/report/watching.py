"""A report that is written anew as results come in.

What has changed is seen from the names, sizes and times of the spool's files; results are read only
then. Writing takes a processor for seconds, and the machine may be measuring: the process makes way
for others (lowest priority) and rests nine times as long as it kept a processor busy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from daybreak.analysis.answers import Asked
from daybreak.errors import StoreError, UserError
from daybreak.report.making import Report, make_report
from daybreak.report.writing import write_report

__all__ = ["REST", "changes", "watch_report"]

#: rests so many times as long as it kept a processor busy
REST = 9.0


def watch_report(
    results: Path,
    out: Path,
    asked: Asked | None = None,
    study: str | None = None,
    *,
    every_s: float = 5.0,
    told: Callable[[str], None] = lambda _words: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Report | None:
    """Write the report now and after every change of the results, until its run has ended.

    With a run named in `asked` it returns when that run is no longer going on. Without one there is
    always a next run: it goes on until it is interrupted (KeyboardInterrupt), then the page is
    written a last time, so that browsers stop reading it again.

    Args:
        results: the results folder; it need not exist yet.
        out: the page, ``*.html``.
        asked: which run and benchmarks, at which budgets.
        study: id of the study whose model to look into.
        every_s: seconds between two looks at the folder.
        told: is given a line for the user after every writing.
        sleep: waits so many seconds.

    Returns:
        The last report; None if there never was a run.

    Raises:
        UserError: `out` is no page, or cannot be written.
        StoreError: the results are damaged.
    """
    asked = asked or Asked()
    if out.suffix not in (".html", ".htm"):
        raise UserError("only a page can be watched", expected="--out FILE.html")
    with suppress(OSError, AttributeError):
        os.nice(19)
    report: Report | None = None
    seen: object = None
    rest = every_s
    try:
        while True:
            now = tuple(changes(results))
            if now != seen:
                began = time.process_time()
                made = _made(results, asked, study)
                if made is not None:
                    report = made
                    ended = asked.run is not None and not report.live
                    write_report(out, report, refresh_s=None if ended else _refresh(every_s))
                    told(f"written: {out} ({report.title})")
                    if ended:
                        return report
                else:
                    told("there is no such run yet")
                seen = now
                rest = max(every_s, REST * (time.process_time() - began))
            sleep(rest)
    except KeyboardInterrupt:
        if report is not None:
            write_report(out, report)
        return report


def _made(results: Path, asked: Asked, study: str | None) -> Report | None:
    """Return the report, or None while there are no results, or not of this run."""
    if not (results / "spool").is_dir():
        return None
    try:
        return make_report(results, asked, study)
    except StoreError as error:
        if error.message.startswith("there are no runs yet") or (
            error.message.startswith("there is no run") and asked.run is not None
        ):
            return None
        raise


def _refresh(every_s: float) -> int:
    return max(2, round(every_s))


def changes(results: Path) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of change of every file of the spool, in order of name."""
    try:
        runs = sorted(os.scandir(results / "spool"), key=lambda one: one.name)
    except OSError:
        return
    for run in runs:
        with suppress(OSError):  # a run may be merged or removed meanwhile
            for file in sorted(os.scandir(run.path), key=lambda one: one.name):
                stat = file.stat()
                yield f"{run.name}/{file.name}", stat.st_size, stat.st_mtime_ns

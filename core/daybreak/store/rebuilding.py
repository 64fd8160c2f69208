"""Making the index anew from the spool, and writing its tables out.

The spool is only read here; a damaged index is moved aside, never thrown away.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.errors import StoreError, nearest
from daybreak.store.database import (
    Busy,
    connect,
    database_path,
    locked,
    migrate,
    quoted,
    translate,
)
from daybreak.store.ingestion import IngestReport, fill, install_views
from daybreak.store.segments import no_results, writing_failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

__all__ = ["FORMATS", "export", "rebuild"]

#: Formats of `export`, by the end of a file's name.
FORMATS: Mapping[str, str] = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json",
}

_INTERNAL = ("ingested", "installed_views", "schema_migrations")


def rebuild(results: Path, *, views: Mapping[str, str] | None = None) -> IngestReport:
    """Make ``daybreak.duckdb`` anew from the spool, whatever state it is in.

    The new index takes the old one's place at once when it is whole; the old one is kept as
    ``daybreak.duckdb.old`` (in place of an earlier one).

    Args:
        results: the results folder.
        views: SQL views to install, name to complete statement.

    Raises:
        StoreError: there is no results folder, it cannot be written, or another process has the
            index open.
    """
    results = Path(results)
    if not results.is_dir():
        raise no_results(results)
    path = database_path(results)
    draft = path.with_name(f"{path.name}.new")
    try:
        with locked(results, wait_s=5.0):
            _refuse_if_open(path)
            for leftover in (draft, _log_of(draft)):
                leftover.unlink(missing_ok=True)
            with _filled(draft, results) as (connection, report):
                if views:
                    install_views(connection, views)
            old = path.with_name(f"{path.name}.old")
            for present, kept in ((path, old), (_log_of(path), _log_of(old))):
                kept.unlink(missing_ok=True)
                with suppress(FileNotFoundError):
                    present.replace(kept)
            draft.replace(path)
    except Busy as busy:
        raise StoreError(
            f"the index is in use by {busy}",
            file=path,
            remedy="wait for it to end, then start this command again",
        ) from None
    except OSError as error:
        raise writing_failed(error, path) from error
    return report


def export(
    results: Path,
    out: Path,
    *,
    format: str = "parquet",  # noqa: A002 - the word that users type
    only: tuple[str, ...] = (),
    views: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write every table, and every view, to a file of its own in folder `out`.

    Args:
        results: the results folder.
        out: folder for the files; made if it is missing. Files of the same name are replaced.
        format: `parquet`, `csv` or `json`.
        only: names of tables and views; empty: all.
        views: SQL views to write too, name to complete statement.

    Returns:
        The files.

    Raises:
        StoreError: no such folder, format or table; or `out` cannot be written.
    """
    import duckdb

    results, out = Path(results), Path(out)
    if format not in FORMATS:
        raise StoreError(
            f"there is no format '{format}'",
            expected=f"one of {', '.join(FORMATS)}",
            nearest=nearest(format, FORMATS),
        )
    if not results.is_dir():
        raise no_results(results)
    written = []
    # a fresh index in a scratch file: nobody is in the way, and nobody is kept waiting
    with (
        tempfile.TemporaryDirectory(prefix="daybreak-export-") as scratch,
        _filled(Path(scratch) / "index.duckdb", results) as (connection, _),
    ):
        if views:
            install_views(connection, views)
        names = [
            name
            for (name,) in connection.execute(
                "SELECT table_name FROM information_schema.tables "
                "WHERE table_schema = 'main' AND table_catalog = current_database() "
                "ORDER BY table_name"
            ).fetchall()
            if name not in _INTERNAL
        ]
        for wanted in only:
            if wanted not in names:
                raise StoreError(
                    f"there is no table or view '{wanted}'",
                    expected=f"one of {', '.join(names)}",
                    nearest=nearest(wanted, names),
                )
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_exported(error, out) from error
        for name in only or names:
            path = out / f"{name}.{format}"
            draft = out / f".{path.name}.{os.getpid()}"
            try:
                connection.execute(
                    f"COPY (FROM {name}) TO {quoted(str(draft))} ({FORMATS[format]})"
                )
                draft.replace(path)
            except (duckdb.IOException, OSError) as error:
                raise _not_exported(error, path) from error
            except duckdb.Error as error:
                raise translate(error, path) from error
            finally:
                with suppress(OSError):
                    draft.unlink(missing_ok=True)
            written.append(path)
    return written


@contextmanager
def _filled(path: Path, results: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, IngestReport]]:
    """Give a new index at `path` that holds the whole spool."""
    import duckdb

    connection = connect(path)
    try:
        migrate(connection, path)
        yield connection, fill(connection, results)
    except duckdb.Error as error:
        raise translate(error, path) from error
    finally:
        with suppress(duckdb.Error):
            connection.close()


def _not_exported(error: Exception, path: Path) -> StoreError:
    """Return the error to raise where `path`, a file or folder of an export, is not written."""
    reason = error.strerror if isinstance(error, OSError) else None
    return StoreError(
        f"cannot be written: {reason or str(error).splitlines()[0]}",
        file=path,
        remedy="free some space or make it writable, or name another folder: --out DIR",
    )


def _refuse_if_open(path: Path) -> None:
    """Raise `Busy` if a process has the present index open; a damaged one is nobody's."""
    if not path.exists():
        return
    with suppress(StoreError):
        connect(path).close()


def _log_of(path: Path) -> Path:
    """Return the write-ahead log that DuckDB keeps beside a file until it is closed cleanly."""
    return path.with_name(path.name + ".wal")

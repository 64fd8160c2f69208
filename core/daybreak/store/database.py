"""The DuckDB index file: opening it, its migrations, and what DuckDB's errors mean here.

DuckDB lets one process write, or several read. Whoever writes holds ``daybreak.duckdb.lock``
beside the file; whoever finds it held, or finds a reader in the way, skips and tries later.
"""

from __future__ import annotations

import importlib.resources
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.errors import StoreError
from daybreak.store.locks import FileLock, LockHeld
from daybreak.store.segments import writing_failed

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Busy",
    "Migration",
    "connect",
    "database_path",
    "load_migrations",
    "migrate",
    "open_reader",
    "open_writer",
    "quoted",
    "schema_version",
    "translate",
]


class Busy(Exception):  # noqa: N818 - no error: somebody else is at work
    """The index is in use by another process; the message says by whom."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema: statements that lead from `version` - 1 to `version`."""

    version: int
    name: str
    sql: str


def database_path(results: Path) -> Path:
    """Return the path of the index in a results folder."""
    return results / "daybreak.duckdb"


def load_migrations() -> tuple[Migration, ...]:
    """Return the migrations that come with this version, in order."""
    found = []
    for file in importlib.resources.files("daybreak.store").joinpath("migrations").iterdir():
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name)
        if match is not None:
            found.append(Migration(int(match[1]), match[2], file.read_text("utf-8")))
    return tuple(sorted(found, key=lambda migration: migration.version))


def connect(path: Path | None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open the index at `path`, or one in memory.

    Raises:
        Busy: another process has it open in a way that excludes this one.
        StoreError: the file is damaged or of a newer DuckDB.
        FileNotFoundError: `read_only` and there is no file.
    """
    import duckdb

    if path is not None and read_only and not path.exists():
        raise FileNotFoundError(path)
    at_rest = path is not None and path.exists() and not path.with_name(f"{path.name}.wal").exists()
    try:
        connection = duckdb.connect(
            ":memory:" if path is None else str(path),
            read_only=read_only,
            config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
        )
    except duckdb.ConnectionException as error:
        # this very process has it open in the other mode
        raise Busy(str(error)) from error
    except duckdb.Error as error:
        raise translate(error, path) from error
    if at_rest and path is not None:
        _check_whole(connection, path)
    return connection


def _check_whole(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a file that was cut short, which DuckDB would notice only on reading the lost part.

    A sound bound, not a tight one: DuckDB itself cuts unused blocks off the end.
    """
    found = connection.execute(
        "SELECT block_size * used_blocks FROM pragma_database_size()"
    ).fetchone()
    if found and path.stat().st_size < found[0]:
        connection.close()
        raise StoreError("the index is damaged: it was cut short", file=path, remedy=_ANEW)


_ANEW = "make it anew from the spool, which holds everything: daybreak db rebuild"


def translate(error: duckdb.Error, path: Path | None) -> Busy | StoreError:
    """Return what a failure of DuckDB to open or use its file means for the user."""
    import duckdb

    text = str(error)
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    if "Could not set lock" in text:
        held = re.search(r"\(PID (\d+)\)", text)
        return Busy(f"process {held[1]}" if held else "another process")
    if "No space left" in text or "Disk quota" in text:
        return StoreError(
            f"the disk is full: {first}",
            file=path,
            remedy="free some space, then: daybreak db rebuild (the spool holds everything)",
        )
    if "Read-only file system" in text or "Permission denied" in text:
        return StoreError(
            "the index cannot be opened for writing",
            file=path,
            remedy="make it writable, or name another folder with --results DIR",
        )
    if re.search(r"version number \d+", text) and "read" in text:
        return StoreError(
            f"the index was written by another version of DuckDB: {first}",
            file=path,
            remedy="install a newer duckdb, or make the index anew: daybreak db rebuild",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return StoreError(f"DuckDB ran out of memory: {first}", file=path)
    damages = (
        duckdb.IOException,
        duckdb.FatalException,
        duckdb.InternalException,
        duckdb.SerializationException,
        duckdb.CatalogException,
    )
    what = "the index is damaged" if isinstance(error, damages) else "the index cannot be used"
    return StoreError(f"{what}: {first}", file=path, remedy=_ANEW)


def quoted(text: str) -> str:
    """Return `text` as an SQL literal, for the few places where no parameter may stand."""
    return "'" + text.replace("'", "''") + "'"


def schema_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the version of the schema in an open index; 0: it is empty."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_tables() "
        "WHERE table_name = 'schema_migrations' AND NOT internal"
    ).fetchone()
    if not known or not known[0]:
        return 0
    found = connection.execute("SELECT max(version) FROM schema_migrations").fetchone()
    return int(found[0]) if found and found[0] is not None else 0


def migrate(
    connection: duckdb.DuckDBPyConnection,
    path: Path | None,
    migrations: Sequence[Migration] | None = None,
) -> list[Migration]:
    """Bring an open index to this version's schema; return what was done.

    Before each step of an index that was there already, the file is copied to
    ``daybreak.duckdb.v<version>.backup``; a new one has nothing to lose. Each step is one
    transaction.

    Raises:
        StoreError: the index is of a newer Daybreak, or a step failed (the index is as before).
    """
    import duckdb

    from daybreak import __version__

    steps = load_migrations() if migrations is None else migrations
    latest = max((step.version for step in steps), default=0)
    present = schema_version(connection)
    if present > latest:
        raise StoreError(
            f"the index has schema {present}, newer than this Daybreak ({__version__}) knows",
            file=path,
            expected=f"schema {latest} or older",
            remedy="install a newer Daybreak, or make the index anew: daybreak db rebuild",
        )
    done = []
    holds_data = present > 0
    for step in steps:
        if step.version <= present:
            continue
        if holds_data and path is not None:
            _back_up(connection, path, present)
        try:
            connection.begin()
            connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations "
                "(version INTEGER, name VARCHAR, applied_at TIMESTAMP, daybreak_version VARCHAR)"
            )
            connection.execute(step.sql)
            connection.execute(
                "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
                [step.version, step.name, datetime.now(UTC).replace(tzinfo=None), __version__],
            )
            connection.commit()
        except duckdb.Error as error:
            with suppress(duckdb.Error):
                connection.rollback()
            raise StoreError(
                f"migration {step.version:04d}_{step.name} failed: {error}",
                file=path,
                remedy="make the index anew from the spool: daybreak db rebuild",
            ) from error
        present = step.version
        done.append(step)
    return done


def _back_up(connection: duckdb.DuckDBPyConnection, path: Path, version: int) -> None:
    backup = path.with_name(f"{path.name}.v{version}.backup")
    draft = backup.with_name(backup.name + ".part")
    connection.execute("CHECKPOINT")
    try:
        shutil.copyfile(path, draft)
        draft.replace(backup)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise writing_failed(error, backup) from error


@contextmanager
def locked(results: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of those who write the index.

    Raises:
        Busy: another process holds it.
        StoreError: the folder cannot be written.
    """
    path = database_path(results)
    try:
        lock = FileLock(path.with_name(path.name + ".lock"), wait_s=wait_s)
    except LockHeld as held:
        raise Busy(held.holder) from None
    except OSError as error:
        raise writing_failed(error, path) from error
    with lock:
        yield


@contextmanager
def open_writer(results: Path, *, wait_s: float = 0.0) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the index for writing, made and migrated if need be, under its lock.

    Raises:
        Busy: another process writes or reads it.
        StoreError: the folder cannot be written, or the file is damaged or too new.
    """
    import duckdb

    path = database_path(results)
    with locked(results, wait_s=wait_s):
        if not path.exists():
            _create(path)
        connection = connect(path)
        try:
            migrate(connection, path)
            yield connection
        except duckdb.Error as error:
            raise translate(error, path) from error
        finally:
            with suppress(duckdb.Error):
                connection.close()


def _create(path: Path) -> None:
    """Make an empty index; it appears under its name only when it is whole."""
    import duckdb

    draft = path.with_name(f"{path.name}.new")
    log = draft.with_name(f"{draft.name}.wal")
    try:
        draft.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
        with connect(draft) as connection:
            migrate(connection, None)
        draft.replace(path)
    except duckdb.Error as error:
        raise translate(error, path) from error
    except OSError as error:
        raise writing_failed(error, path) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
            log.unlink(missing_ok=True)


def open_reader(results: Path) -> duckdb.DuckDBPyConnection:
    """Open the index for reading.

    Raises:
        Busy: another process writes it, or its schema is older than this version's.
        StoreError: it is damaged or too new.
        FileNotFoundError: there is none.
    """
    import duckdb

    path = database_path(results)
    connection = connect(path, read_only=True)
    latest = max(step.version for step in load_migrations())
    try:
        present = schema_version(connection)
        if present < latest:
            raise Busy(f"an index of schema {present}, not yet migrated to {latest}")
        migrate(connection, path)  # nothing to do but to refuse a newer one
    except duckdb.Error as error:
        connection.close()
        raise translate(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection

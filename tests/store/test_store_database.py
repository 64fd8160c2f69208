"""The index file: migrations, damage, newer versions, and other processes that have it open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from store_samples import record_run

from daybreak.errors import StoreError
from daybreak.store import ingest, rebuild
from daybreak.store.database import (
    Busy,
    Migration,
    connect,
    database_path,
    load_migrations,
    migrate,
    open_reader,
    open_writer,
    schema_version,
)

HOLD = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reader")
print("open", flush=True)
sys.stdin.read()
"""


class Holder:
    """Another process that has the index open, as `reader` or `writer`."""

    def __init__(self, path: Path, mode: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> int:
        assert self._process.stdout.readline() == "open\n"
        return self._process.pid

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def test_migrations_are_numbered_without_gaps():
    versions = [migration.version for migration in load_migrations()]
    assert versions == list(range(1, len(versions) + 1))


def test_a_step_is_applied_once_after_a_backup_of_what_was_there(tmp_path):
    record_run(tmp_path)
    ingest(tmp_path)
    path = database_path(tmp_path)
    latest = load_migrations()[-1].version
    steps = (*load_migrations(), Migration(latest + 1, "colour", "ALTER TABLE runs ADD c INTEGER"))
    with connect(path) as connection:
        assert [step.name for step in migrate(connection, path, steps)] == ["colour"]
        assert migrate(connection, path, steps) == []
        assert schema_version(connection) == latest + 1
        assert connection.execute("SELECT c FROM runs").fetchall() == [(None,)]
    backup = path.with_name(f"{path.name}.v{latest}.backup")
    with connect(backup, read_only=True) as connection:
        assert schema_version(connection) == latest
        assert connection.execute("SELECT count(*) FROM trials").fetchone() == (3,)


def test_a_failing_step_leaves_the_index_as_it_was(tmp_path):
    record_run(tmp_path)
    ingest(tmp_path)
    path = database_path(tmp_path)
    latest = load_migrations()[-1].version
    bad = Migration(latest + 1, "bad", "ALTER TABLE runs ADD c INTEGER; DROP TABLE no_such_table")
    with connect(path) as connection:
        with pytest.raises(StoreError, match=r"_bad failed[\s\S]*db rebuild"):
            migrate(connection, path, (*load_migrations(), bad))
        assert schema_version(connection) == latest
        columns = {row[0] for row in connection.execute("DESCRIBE runs").fetchall()}
        assert "c" not in columns


def test_a_newer_schema_is_refused_and_left_alone(tmp_path):
    record_run(tmp_path)
    ingest(tmp_path)
    path = database_path(tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (99, 'future', NULL, '9.9')")
    before = path.read_bytes()
    for action in (lambda: ingest(tmp_path), lambda: open_reader(tmp_path)):
        with pytest.raises(StoreError, match=r"schema 99, newer[\s\S]*newer Daybreak"):
            action()
    assert path.read_bytes() == before
    rebuild(tmp_path)
    assert ingest(tmp_path).records == 0


@pytest.mark.parametrize("damage", ["text", "empty header", "cut", "garbled"])
def test_a_damaged_file_is_refused_and_made_anew(tmp_path, damage):
    record_run(tmp_path)
    ingest(tmp_path)
    path = database_path(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "text": b"this is no database",
            "empty header": b"\0" * 8192 + whole[8192:],
            "cut": whole[: len(whole) // 2],
            "garbled": whole[:20000] + bytes(255 - b for b in whole[20000:]),
        }[damage]
    )
    with pytest.raises(StoreError, match="daybreak db rebuild"):
        ingest(tmp_path)
    report = rebuild(tmp_path)
    assert report.trials == 3
    assert ingest(tmp_path).records == 0
    assert path.with_name(path.name + ".old").exists()


def test_the_index_is_left_alone_while_another_process_has_it_open(tmp_path):
    record_run(tmp_path)
    ingest(tmp_path)
    path = database_path(tmp_path)
    for mode in ("reader", "writer"):
        with Holder(path, mode) as process:
            report = ingest(tmp_path)
            assert f"process {process}" in report.skipped
            assert report.records == 0
            with pytest.raises(StoreError, match=f"process {process}"):
                rebuild(tmp_path)
            if mode == "reader":
                open_reader(tmp_path).close()
            else:
                with pytest.raises(Busy, match=str(process)):
                    open_reader(tmp_path)
    assert ingest(tmp_path).skipped is None


def test_one_writer_at_a_time_in_one_process_too(tmp_path):
    record_run(tmp_path)
    with open_writer(tmp_path):
        assert "process" in ingest(tmp_path).skipped
        with pytest.raises(StoreError, match="in use"):
            rebuild(tmp_path)

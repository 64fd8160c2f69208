"""Queries: read only, never in the way, and helpful when they are wrong."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from small_results import Results

from daybreak.analysis import ResultsWarning, query, query_arrow, tables, update, view_sql
from daybreak.analysis.catalogue import catalogue, markdown
from daybreak.analysis.views import create_statements, load_views
from daybreak.errors import StoreError, UserError
from daybreak.store import rebuild
from daybreak.store.database import database_path, open_writer

PROMISED = {
    "studies": "study_id run_id benchmark target optimizer seed budget status",
    "trials": "trial_id study_id number status failure_kind configuration objective "
    "objective_unit started_at ask_s build_s verify_s measure_s tell_s total_s",
    "samples": "trial_id metric i value",
    "events": "trial_id seq step epoch train_s wall_s metric value",
    "best_so_far": "study_id number elapsed_s best",
    "leaderboard": "benchmark optimizer studies best_median best_low best_high versus_expert "
    "failures",
    "time_to_target": "study_id benchmark optimizer seed target_name threshold clock lower upper "
    "reached",
}


@pytest.fixture
def results(tmp_path):
    run = Results(tmp_path).benchmark()
    run.reference("expert", [2.0])
    run.study([3.0, 1.0])
    return run.done()


@pytest.fixture
def in_memory(results):
    """The same results while another process keeps the index to itself."""
    update(results)
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(database_path(results))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    yield results
    process.communicate("\n")


def test_a_frame_or_an_arrow_table_in_one_call(results):
    sql = "SELECT number, objective FROM trials WHERE reference IS NULL ORDER BY 1"
    frame = query(sql, results)
    assert isinstance(frame, pd.DataFrame)
    assert frame.to_dict("list") == {"number": [0, 1], "objective": [3.0, 1.0]}
    table = query_arrow(sql, str(results))
    assert isinstance(table, pa.Table)
    assert table.to_pydict() == {"number": [0, 1], "objective": [3.0, 1.0]}


def test_the_columns_that_others_rely_on_are_there(results):
    for name, columns in PROMISED.items():
        found = query_arrow(f"FROM {name} LIMIT 0", results).column_names
        assert found[: len(columns.split())] == columns.split()


def test_new_results_are_seen_at_once(results):
    assert len(query("FROM runs", results)) == 1
    Results(results, "r2").benchmark().done()
    assert len(query("FROM runs", results)) == 2


def test_answers_do_not_wait_for_another_process(in_memory):
    assert query("SELECT versus_expert FROM leaderboard", in_memory).iloc[0, 0] == 2.0
    Results(in_memory, "r2").benchmark().done()
    assert len(query("FROM runs", in_memory)) == 2


def test_a_reader_that_stays_keeps_nobody_from_the_newest(results):
    update(results)
    Results(results, "r2").benchmark().done()
    code = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1], read_only=True); "
        "print(1, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(database_path(results))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    try:
        assert len(query("FROM runs", results)) == 2
    finally:
        process.communicate("\n")


def test_what_is_amiss_is_told_with_the_answer(results):
    with (results / "spool/r1/segment-000002.jsonl").open("w") as file:
        file.write("nonsense\n")
    with pytest.warns(ResultsWarning, match=r"segment-000002.jsonl:1: the line is damaged"):
        assert len(query("FROM trials", results)) == 3


def test_answers_do_not_wait_for_a_writer_in_this_process(results):
    update(results)
    with open_writer(results):
        assert len(query("FROM trials", results)) == 3


def test_threads_may_ask_at_the_same_time(results):
    counts = []
    threads = [
        threading.Thread(target=lambda: counts.append(len(query("FROM trials", results))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [3] * 4


@pytest.mark.parametrize(
    "sql",
    [
        "FROM trials",
        "WITH t AS (FROM trials) SELECT count(*) FROM t",
        "DESCRIBE trials",
        "SHOW TABLES",
        "SUMMARIZE trials",
        "EXPLAIN SELECT 1",
        "PIVOT studies ON optimizer USING count(*) GROUP BY benchmark",
        "SELECT 1; -- a comment",
        "VALUES (1)",
    ],
)
def test_whatever_reads_is_allowed(results, sql):
    assert query_arrow(sql, results).num_columns > 0


WRITES = [
    "DELETE FROM trials",
    "INSERT INTO runs (run_id) VALUES ('x')",
    "UPDATE runs SET suite = 'x'",
    "DROP TABLE trials",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "COPY (SELECT 1) TO '{out}'",
    "EXPORT DATABASE '{out}'",
    "ATTACH '{out}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "PRAGMA enable_profiling",
    "CHECKPOINT",
    "BEGIN TRANSACTION",
    "EXPLAIN ANALYZE DELETE FROM trials",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'",
    "FROM query('COPY (SELECT 1) TO ''{out}''')",
]


@pytest.mark.parametrize("sql", WRITES)
def test_whatever_writes_is_refused(results, tmp_path_factory, sql):
    out = tmp_path_factory.mktemp("out") / "file"
    update(results)
    before = database_path(results).read_bytes()
    with pytest.raises(UserError):
        query(sql.format(out=out), results)
    assert not out.exists()
    assert database_path(results).read_bytes() == before


@pytest.mark.parametrize("sql", ["EXPLAIN ANALYZE DELETE FROM trials", "DROP TABLE trials"])
def test_a_write_changes_nothing_with_an_index_in_memory_either(in_memory, sql):
    with suppress(UserError):
        query(sql, in_memory)
    assert len(query("FROM trials", in_memory)) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('{file}')",
        "FROM '{file}'",
        "FROM read_text('{file}')",
        "FROM glob('{folder}/*')",
        "FROM read_parquet('{folder}/*.parquet')",
        "SELECT * FROM frame",
    ],
)
def test_files_and_python_variables_are_out_of_reach(results, tmp_path_factory, sql):
    folder = tmp_path_factory.mktemp("secret")
    file = folder / "secret.csv"
    file.write_text("a\n1\n")
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(UserError):
        query(sql.format(file=file, folder=folder), results)
    assert len(frame) == 1


def test_a_wrong_query_says_where_and_names_the_nearest(results):
    with pytest.raises(UserError, match=r"trails does not exist[\s\S]*did you mean: trials"):
        query("FROM trails", results)
    with pytest.raises(UserError, match=r"did you mean: best_median[\s\S]*sql --schema"):
        query("SELECT best_mediam FROM leaderboard", results)
    with pytest.raises(UserError, match="did you mean: objective"):
        query("SELECT t.objectiv FROM trials t", results)
    with pytest.raises(UserError, match="syntax error"):
        query("SELECT FROM WHERE", results)
    with pytest.raises(UserError, match="2 statements"):
        query("SELECT 1; SELECT 2", results)
    with pytest.raises(UserError, match="no query"):
        query("  ", results)
    with pytest.raises(UserError, match="Could not convert"):
        query("SELECT CAST(suite AS INTEGER) FROM runs", results)


def test_a_missing_folder_and_a_damaged_index_are_refused(results, tmp_path):
    with pytest.raises(StoreError, match="no results folder"):
        query("FROM trials", tmp_path / "missing")
    update(results)
    database_path(results).write_bytes(b"nonsense")
    with pytest.raises(StoreError, match="daybreak db rebuild"):
        query("FROM trials", results)
    rebuild(results)
    assert len(query("FROM trials", results)) == 3


def test_any_duckdb_client_sees_the_views(results):
    assert update(results) == []
    with duckdb.connect(str(database_path(results)), read_only=True) as connection:
        assert connection.execute("SELECT best_median FROM leaderboard").fetchall() == [(1.0,)]


def test_views_are_made_anew_when_their_text_changes(results):
    update(results)
    with duckdb.connect(str(database_path(results))) as connection:
        connection.execute("CREATE OR REPLACE VIEW leaderboard AS SELECT 'old' AS best_median")
        connection.execute("UPDATE installed_views SET digest = 'x' WHERE name = 'leaderboard'")
        connection.execute("INSERT INTO installed_views VALUES ('retired', 'x')")
        connection.execute("CREATE VIEW retired AS SELECT 1")
        connection.execute("CREATE VIEW mine AS SELECT 2 AS two")
    assert query("SELECT best_median FROM leaderboard", results).iloc[0, 0] == 1.0
    with duckdb.connect(str(database_path(results)), read_only=True) as connection:
        assert connection.execute("SELECT best_median FROM leaderboard").fetchall() == [(1.0,)]
    assert query("FROM mine", results).iloc[0, 0] == 2  # the user's own stays
    with pytest.raises(UserError, match="retired does not exist"):
        query("FROM retired", results)


def test_every_view_describes_itself_column_by_column():
    for name, view in load_views().items():
        assert view.summary
        assert view.unit
        assert view_sql(name).startswith(f"-- {name}: ")
        assert set(create_statements()) == set(load_views())
    for relation in catalogue():
        assert relation.summary
        for column in relation.columns:
            assert column.summary, f"{relation.name}.{column.name} has no description"
    for name, view in load_views().items():
        columns = next(r.columns for r in catalogue() if r.name == name)
        if view.columns:
            assert list(view.columns) == [column.name for column in columns]


def test_an_unknown_view_names_the_nearest():
    with pytest.raises(UserError, match="did you mean: leaderboard"):
        view_sql("leaderbord")


def test_tables_are_listed_with_their_columns(results):
    found = tables(results)
    assert ("trial_id", "BIGINT") in found["trials"]
    assert ("best_median", "DOUBLE") in found["leaderboard"]
    assert not {"ingested", "installed_views", "schema_migrations"} & set(found)


def test_the_reference_page_is_up_to_date():
    page = Path(__file__).parents[2] / "docs/reference/tables.md"
    assert page.read_text() == markdown(), (
        "make it anew: python -m daybreak.analysis.catalogue docs/reference/tables.md"
    )

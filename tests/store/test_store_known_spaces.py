"""Simulated seconds, landscapes and baselines in the spool and the index."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from store_samples import STUDY, begin, make_trial, record_run

from daybreak.store import RunWriter, export, ingest, merge, read_run, rebuild
from daybreak.store.database import connect, database_path
from daybreak.store.segments import list_segments, run_folder

ROW = {
    "benchmark": "toy/one",
    "configurations": 5,
    "failures": 2,
    "optimum": 1.0,
    "median": 2.0,
    "worst": 4.0,
    "seconds_mean": 0.5,
    "expected": [2.5, 2.0, 1.5],
}


def rows(results: Path, sql: str) -> list[tuple[object, ...]]:
    with connect(database_path(results), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def simulated(number: int) -> object:
    trial = make_trial(number)
    return replace(trial, outcome=replace(trial.outcome, simulated_s=3.25))


@pytest.mark.parametrize("sealed", [False, True])
def test_simulated_seconds_come_back(tmp_path: Path, sealed: bool) -> None:
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, simulated(0))
        writer.trial(STUDY.study_id, make_trial(1))
        if sealed:
            writer.finish("finished")
    (study,) = read_run(tmp_path, "r1").studies.values()
    assert [trial.outcome.simulated_s for trial in study.trials] == [3.25, None]
    ingest(tmp_path)
    assert rows(tmp_path, "SELECT simulated_s FROM trials ORDER BY number") == [(3.25,), (None,)]


def test_segments_sealed_before_there_was_a_simulated_clock_are_read(tmp_path: Path) -> None:
    record_run(tmp_path)
    for segment in list_segments(run_folder(tmp_path, "r1")):
        table = pq.read_table(segment.path)
        pq.write_table(table.drop_columns(["simulated_s"]), segment.path)
    ingest(tmp_path)
    assert rows(tmp_path, "SELECT number, objective, simulated_s FROM trials ORDER BY number") == [
        (0, 0.0, None),
        (1, 1.0, None),
        (2, 2.0, None),
    ]
    (study,) = read_run(tmp_path, "r1").studies.values()
    assert [trial.outcome.simulated_s for trial in study.trials] == [None] * 3


def test_a_landscape_becomes_two_tables(tmp_path: Path) -> None:
    with begin(tmp_path) as writer:
        writer.landscape(ROW)
    assert read_run(tmp_path, "r1").landscapes == {"toy/one": ROW}
    ingest(tmp_path)
    assert rows(tmp_path, "FROM landscapes") == [("r1", "toy/one", 5, 2, 1.0, 2.0, 4.0, 0.5)]
    expected = [
        ("r1", "toy/one", 1, 2.5, 0.5),
        ("r1", "toy/one", 2, 2.0, 1.0),
        ("r1", "toy/one", 3, 1.5, 1.5),
    ]
    assert rows(tmp_path, "FROM baselines ORDER BY ALL") == expected
    rebuild(tmp_path)
    assert rows(tmp_path, "FROM baselines ORDER BY ALL") == expected
    files = export(tmp_path, tmp_path / "out", only=("baselines", "landscapes"))
    assert [pq.read_table(file).num_rows for file in files] == [3, 1]


def test_recorded_again_the_later_holds_in_one_batch_and_in_two(tmp_path: Path) -> None:
    longer = {**ROW, "expected": [2.5, 2.0, 1.5, 1.25], "seconds_mean": None}
    for name, between in (("one", False), ("two", True)):
        results = tmp_path / name
        with begin(results) as writer:
            writer.landscape(ROW)
            writer.landscape({**ROW, "benchmark": "toy/other"})
            if between:
                ingest(results)
            writer.landscape(longer)
        ingest(results)
        counts = rows(results, "SELECT benchmark, count(*) FROM baselines GROUP BY 1 ORDER BY 1")
        assert counts == [("toy/one", 4), ("toy/other", 3)]
        assert rows(results, "SELECT count(*), count(seconds_mean) FROM landscapes") == [(2, 1)]
        found = rows(results, "SELECT count(seconds) FROM baselines WHERE benchmark = 'toy/one'")
        assert found == [(0,)]


def test_runs_keep_their_own(tmp_path: Path) -> None:
    for run_id in ("r1", "r2"):
        with begin(tmp_path, run_id, f"{run_id}/s1") as writer:
            writer.landscape(ROW)
        ingest(tmp_path)
    found = rows(tmp_path, "SELECT run_id, count(*) FROM baselines GROUP BY 1 ORDER BY 1")
    assert found == [("r1", 3), ("r2", 3)]


def test_merging_brings_them_along(tmp_path: Path) -> None:
    with begin(tmp_path / "a") as writer:
        writer.landscape(ROW)
        writer.trial(STUDY.study_id, simulated(0))
        writer.finish("finished")
    merge(tmp_path / "b", [tmp_path / "a"])
    merge(tmp_path / "b", [tmp_path / "a"])
    ingest(tmp_path / "b")
    assert rows(tmp_path / "b", "SELECT count(*) FROM baselines") == [(3,)]
    assert rows(tmp_path / "b", "SELECT simulated_s FROM trials") == [(3.25,)]


@pytest.mark.parametrize(
    "changes",
    [{"configurations": "many"}, {"expected": ["a"]}, {"expected": 3}, {"benchmark": None}],
)
def test_a_malformed_landscape_changes_nothing_and_is_told(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    with begin(tmp_path) as writer:
        writer.landscape({**ROW, **changes})
        writer.trial(STUDY.study_id, make_trial(0))
    (problem,) = ingest(tmp_path).problems
    assert "type 'landscape'" in problem
    assert rows(tmp_path, "SELECT count(*) FROM landscapes") == [(0,)]
    assert rows(tmp_path, "SELECT count(*) FROM baselines") == [(0,)]
    assert rows(tmp_path, "SELECT count(*) FROM trials") == [(1,)]


def test_a_landscape_where_everything_fails(tmp_path: Path) -> None:
    with begin(tmp_path) as writer:
        writer.landscape({"benchmark": "toy/one", "configurations": 3, "failures": 3})
    ingest(tmp_path)
    assert rows(tmp_path, "FROM landscapes") == [("r1", "toy/one", 3, 3, None, None, None, None)]
    assert rows(tmp_path, "SELECT count(*) FROM baselines") == [(0,)]


def test_warnings_and_histories_are_read_back(tmp_path: Path) -> None:
    history = {"benchmark": "toy/one", "choice": {"most": 5}, "trials": [], "odd": math.inf}
    with begin(tmp_path) as writer:
        writer.readings({"warning": "turbo is on"})
        writer.readings({"load_1m": 0.5})
        writer.history(history)
        writer.finish("finished")
    record = read_run(tmp_path, "r1")
    assert record.warnings == ("turbo is on",)
    assert record.histories == (history,)
    assert not ingest(tmp_path).problems


def test_a_writer_that_is_closed_takes_no_landscape(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path, "r1", suite_key="k", row={})
    writer.close()
    with pytest.raises(Exception, match="closed"):
        writer.landscape(ROW)

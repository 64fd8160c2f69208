"""The index: the same rows however often, and in whatever pieces, the spool is taken in."""

from __future__ import annotations

import datetime
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import BENCHMARK, STUDY, any_trials, begin, make_trial, record_run

from daybreak.errors import StoreError
from daybreak.records import Event, Outcome, Sample, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow, find_runs, ingest, read_run, rebuild

TABLES = (
    "runs", "machines", "environments", "plugins", "benchmarks", "metrics", "studies",
    "thresholds", "trials", "phases", "samples", "events", "readings",
)  # fmt: skip


def rows(results: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(results / "daybreak.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def contents(results: Path) -> dict[str, list[str]]:
    return {table: sorted(map(repr, rows(results, f"FROM {table}"))) for table in TABLES}


def test_every_part_of_a_trial_has_its_place(tmp_path):
    trial = Trial(
        number=3,
        configuration={"tile": 8, "order": (2, 0, 1)},
        outcome=Outcome(
            TrialStatus.OK,
            objectives={"time": 1.5, "energy": None},
            low=1.4,
            high=1.6,
            samples=(Sample("time", 1.5, 0), Sample("time", math.nan, 1), Sample("energy", 2, 0)),
            events=(Event("accuracy", 0.5, 0, 10, 1.0, 2.0, 3.0),),
            phases={"build": 0.1, "build.compile": 0.05, "verify": 0.2, "measure": 0.3},
            facts={"bytes": 7, "odd": math.inf},
            readings={"load": [0.5, 1], "cpu": {"mhz": 3000.0, "governor": "performance"}},
        ),
        key="abc",
        started_at="2026-01-02T03:04:05.678900+00:00",
        ask_s=0.01,
        tell_s=0.02,
        total_s=0.7,
        elapsed_s=0.8,
        proposal={"expected": 1.0},
    )
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, trial)
        assert ingest(tmp_path).trials == 1
    (row,) = rows(
        tmp_path,
        "SELECT t.trial_id - s.study_no * 4194304, t.study_id, t.number, t.status, failure_kind, "
        "configuration, t.objective, t.objective_unit, t.started_at, ask_s, build_s, verify_s, "
        "measure_s, tell_s, total_s, elapsed_s, low, high, reference, key, proposal, facts "
        "FROM trials t JOIN studies s USING (study_id)",
    )
    assert row[:9] == (
        3, "r1/s1", 3, "ok", None, '{"tile":8,"order":[2,0,1]}', 1.5, "s",
        datetime.datetime(2026, 1, 2, 3, 4, 5, 678900),
    )  # fmt: skip
    assert row[9:20] == (0.01, 0.1, 0.2, 0.3, 0.02, 0.7, 0.8, 1.4, 1.6, None, "abc")
    assert json.loads(row[20]) == {"expected": 1.0}
    assert json.loads(row[21]) == {"bytes": 7, "odd": {"$float": "inf"}}
    assert rows(tmp_path, "SELECT objectives['time'], objectives['energy'] FROM trials") == [
        (1.5, None)
    ]
    assert rows(tmp_path, "SELECT phase, seconds FROM phases ORDER BY 1") == [
        ("build", 0.1), ("build.compile", 0.05), ("measure", 0.3), ("verify", 0.2),
    ]  # fmt: skip
    samples = rows(tmp_path, "SELECT metric, i, value FROM samples ORDER BY 1, 2")
    assert samples[:2] == [("energy", 0, 2.0), ("time", 0, 1.5)]
    assert math.isnan(samples[2][2])
    assert rows(tmp_path, "SELECT * EXCLUDE (trial_id) FROM events") == [
        (0, 10, 1.0, 2.0, 3.0, "accuracy", 0.5)
    ]
    assert rows(tmp_path, "SELECT name, value, text FROM readings ORDER BY name") == [
        ("cpu.governor", None, "performance"), ("cpu.mhz", 3000.0, "3000.0"),
        ("load.0", 0.5, "0.5"), ("load.1", 1.0, "1"),
    ]  # fmt: skip


def test_taking_in_twice_changes_nothing_and_sealing_in_between_neither(tmp_path):
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, make_trial(0))
        assert ingest(tmp_path).trials == 1
        assert ingest(tmp_path).records == 0
        writer.trial(STUDY.study_id, make_trial(1, None))
        writer.finish("finished")
    before = ingest(tmp_path)
    assert (before.runs, before.trials) == (1, 1)
    whole = contents(tmp_path)
    assert ingest(tmp_path).records == 0
    assert contents(tmp_path) == whole
    rebuild(tmp_path)
    assert contents(tmp_path) == whole
    assert rows(tmp_path, "SELECT number, objective FROM trials ORDER BY 1") == [
        (0, 1.0),
        (1, None),
    ]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(["trial", "failed", "ingest", "reopen", "seal"]), max_size=12))
def test_the_index_is_the_same_however_its_filling_is_interleaved(tmp_path_factory, steps):
    results = tmp_path_factory.mktemp("results")
    writer = begin(results)
    number = 0
    for step in steps:
        if step in ("trial", "failed"):
            value = 1.0 + number if step == "trial" else None
            writer.trial(STUDY.study_id, make_trial(number, value))
            number += 1
        elif step == "ingest":
            ingest(results)
        else:
            if step == "seal":
                writer.finish("interrupted")
            writer.close()
            writer = RunWriter.resume(results, "r1")
    writer.close()
    ingest(results)
    piecemeal = contents(results)
    rebuild(results)
    assert contents(results) == piecemeal
    assert len(piecemeal["trials"]) == number


def test_a_trial_recorded_again_replaces_the_earlier_one(tmp_path):
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, make_trial(0, 5.0))
        ingest(tmp_path)
        for value in (4.0, 3.0):
            writer.trial(STUDY.study_id, make_trial(0, value))
        writer.trial(STUDY.study_id, make_trial(1, 1.0))
    ingest(tmp_path)
    assert rows(tmp_path, "SELECT number, objective FROM trials ORDER BY 1") == [(0, 3.0), (1, 1.0)]
    assert rows(tmp_path, "SELECT value FROM samples ORDER BY 1") == [(1.0,), (3.0,)]


def test_what_does_not_belong_is_reported_and_left_out(tmp_path):
    with begin(tmp_path) as writer:
        writer.trial("no such study", make_trial(0))
        writer.trial(STUDY.study_id, make_trial(1))
    with begin(tmp_path, "r2") as writer:  # the same study id in another run
        writer.trial(STUDY.study_id, make_trial(2))
    report = ingest(tmp_path)
    assert "no recorded study" in report.problems[0]
    assert "known from run 'r1'" in report.problems[1]
    assert rows(tmp_path, "SELECT number FROM trials") == [(1,)]


def test_a_damaged_line_is_reported_by_file_and_line(tmp_path):
    begin(tmp_path).close()
    path = tmp_path / "spool/r1/segment-000001.jsonl"
    with path.open("ab") as file:
        file.write(b'{"type":"trial", oops\n\xff\xfe\n')
    with RunWriter.resume(tmp_path, "r1") as writer:
        writer.trial(STUDY.study_id, make_trial(0))
        report = ingest(tmp_path)
        assert [problem.startswith(str(path)) for problem in report.problems] == [True, True]
        assert report.trials == 1
        writer.finish("finished")
    assert rebuild(tmp_path).trials == 1


def test_units_and_directions_are_known_though_the_benchmark_comes_late(tmp_path):
    with RunWriter.create(tmp_path, "r1", suite_key="", row={}) as writer:
        columns = {name: getattr(STUDY, name) for name in StudyRow.__slots__}
        thresholds = (
            {"name": "fast", "value": 5.0, "unit": "ms"},
            {"name": "odd", "value": 5.0, "unit": "J"},
        )
        writer.study(StudyRow(**{**columns, "thresholds": thresholds}))
        ingest(tmp_path)
        writer.benchmark(
            {
                **BENCHMARK,
                "objectives": [{"name": "time", "unit": "us"}],
                "metrics": [{"name": "energy", "unit": "J", "direction": "maximize"}],
            }
        )
        ingest(tmp_path)
    assert rows(tmp_path, "SELECT objective, objective_unit, direction FROM studies") == [
        ("time", "us", "minimize")
    ]
    assert rows(tmp_path, "SELECT name, value, unit FROM thresholds ORDER BY 1") == [
        ("fast", pytest.approx(5000.0), "us"), ("odd", None, "J"),
    ]  # fmt: skip
    assert rows(tmp_path, "SELECT metric, direction, objective FROM metrics ORDER BY 1") == [
        ("energy", "maximize", None), ("time", "minimize", 0),
    ]  # fmt: skip


def test_a_killed_run_reads_as_interrupted_and_a_live_one_as_running(tmp_path):
    with begin(tmp_path):
        ingest(tmp_path)
        assert rows(tmp_path, "SELECT status FROM runs") == [("running",)]
    ingest(tmp_path)
    assert rows(tmp_path, "SELECT status FROM runs") == [("interrupted",)]
    with RunWriter.resume(tmp_path, "r1"):
        ingest(tmp_path)
        assert rows(tmp_path, "SELECT status FROM runs") == [("running",)]


def test_a_spool_that_shrank_is_refused(tmp_path):
    record_run(tmp_path, status=None)
    ingest(tmp_path)
    path = tmp_path / "spool/r1/segment-000001.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(StoreError, match=r"replaced or cut[\s\S]*db rebuild"):
        ingest(tmp_path)


def test_a_newer_spool_and_a_missing_folder_are_refused(tmp_path):
    with pytest.raises(StoreError, match="no results folder"):
        ingest(tmp_path / "missing")
    begin(tmp_path).close()
    with (tmp_path / "spool/r1/segment-000001.jsonl").open("a") as file:
        file.write('{"type": "trial", "schema_version": 2}\n')
    with pytest.raises(StoreError, match="install a newer Daybreak"):
        ingest(tmp_path)


def test_ids_are_the_same_in_every_index_and_survive_a_double(tmp_path):
    for name in ("a", "b"):
        record_run(tmp_path / name)
        ingest(tmp_path / name)
    ids = rows(tmp_path / "a", "SELECT trial_id FROM trials ORDER BY 1")
    assert ids == rows(tmp_path / "b", "SELECT trial_id FROM trials ORDER BY 1")
    assert all(int(float(trial_id)) == trial_id < 2**53 for (trial_id,) in ids)


def test_times_are_utc_whatever_the_zone_of_the_reader(tmp_path):
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, make_trial(0, started_at="2026-06-01T12:00:00+00:00"))
    code = "import sys; from pathlib import Path; from daybreak.store import ingest; ingest(Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        env={**os.environ, "TZ": "America/Los_Angeles"},
    )
    assert rows(tmp_path, "SELECT started_at FROM trials") == [(datetime.datetime(2026, 6, 1, 12),)]


def test_thousands_of_trials_of_alternating_studies_find_their_study(tmp_path):
    with begin(tmp_path) as writer:
        columns = {name: getattr(STUDY, name) for name in StudyRow.__slots__}
        names = [f"r1/many{i}" for i in range(7)]
        for name in names:
            writer.study(StudyRow(**{**columns, "study_id": name, "study_key": name}))
        for number in range(5000):
            writer.trial(names[number % 7], make_trial(number // 7, float(number)))
    assert ingest(tmp_path).trials == 5000
    found = rows(tmp_path, "SELECT study_id, number, objective FROM trials ORDER BY objective")
    assert found == [(names[n % 7], n // 7, float(n)) for n in range(5000)]


@settings(max_examples=15, deadline=None)
@given(st.lists(any_trials, min_size=1, max_size=8))
def test_no_trial_however_odd_stops_the_index(tmp_path_factory, given_trials):
    results = tmp_path_factory.mktemp("odd")
    with begin(results) as writer:
        for number, trial in enumerate(given_trials):
            writer.trial(STUDY.study_id, replace(trial, number=number))
        assert ingest(results).trials == len(given_trials)
        writer.finish("finished")
    assert rebuild(results).trials == len(given_trials)
    # all the JSON columns hold JSON
    for column in ("configuration", "facts", "proposal"):
        rows(results, f"SELECT json_type({column}), json_keys({column}) FROM trials")


def test_malformed_records_and_damaged_files_of_one_run_do_not_stop_the_others(tmp_path):
    record_run(tmp_path, "r1")
    record_run(tmp_path, "r2")
    record_run(tmp_path, "r3", status=None)
    (tmp_path / "spool/r2/segment-000001.parquet").write_bytes(b"PAR1 nothing PAR1")
    with (tmp_path / "spool/r3/segment-000001.jsonl").open("a") as file:
        file.write('{"type":"study","schema_version":1,"row":{"seed":1}}\n')
        file.write('{"type":"benchmark","schema_version":1,"row":7}\n')
    problems = ingest(tmp_path).problems
    assert "segment is damaged" in problems[0]
    assert [problem.startswith("a record of type") for problem in problems[1:]] == [True, True]
    assert rows(tmp_path, "SELECT count(*) FROM trials") == [(6,)]
    assert len(read_run(tmp_path, "r3").problems) == 2
    with pytest.raises(StoreError, match="segment is damaged"):
        read_run(tmp_path, "r2")
    assert sorted(run.run_id for run in find_runs(tmp_path)) == ["r1", "r3"]

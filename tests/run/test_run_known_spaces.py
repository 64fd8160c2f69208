"""Runs on recorded tables: the simulated clock, and what is known of the whole space."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
from conftest import Recorder, Runner
from recorded_fakes import BUILD_S, REPETITION_S, TableSession, attained, registry

from daybreak import query
from daybreak.store import ingest, rebuild
from daybreak.store.segments import list_segments, run_folder

TABLE = "  - recorded/table"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TableSession, "asked", 0)


def test_the_studys_clock_is_simulated(run: Runner, tmp_path: Path) -> None:
    run("descent", benchmarks=TABLE, using=registry(), evaluations=6)
    trials = query(
        "SELECT number, status, build_s, measure_s, verify_s, total_s, elapsed_s, ask_s, tell_s, "
        "simulated_s, (facts->>'real_s')::DOUBLE AS real_s FROM trials "
        "WHERE reference IS NULL ORDER BY number",
        tmp_path / "results",
    ).to_dict("records")
    elapsed = 0.0
    for trial in trials:
        failed = trial["status"] == "failed"
        simulated = BUILD_S if failed else BUILD_S + REPETITION_S
        assert trial["build_s"] == BUILD_S
        assert trial["simulated_s"] == simulated
        # beside it the optimizer's own time, which is real
        overhead = trial["ask_s"] + trial["tell_s"]
        assert trial["total_s"] == pytest.approx(simulated + overhead, abs=1e-9)
        elapsed += trial["total_s"]
        assert trial["elapsed_s"] == pytest.approx(elapsed, abs=1e-6)
        assert 0.0 < trial["real_s"] < 60.0
        assert 0.0 < overhead < 60.0


def test_a_budget_of_seconds_counts_simulated_ones(
    run: Runner, tmp_path: Path, write_suite: Any
) -> None:
    path = write_suite("fixed", benchmarks=TABLE)
    text = path.read_text().replace("{evaluations: 8}", "{seconds: 11000s}")
    path.write_text(text)
    from daybreak import run_suite

    run_suite(path, results=tmp_path / "results", registry=registry())
    # 3660 s each: the third ends at 10980 s, the fourth begins before 11000 s
    found = query("SELECT count(*) AS n FROM evaluations", tmp_path / "results")
    assert found["n"][0] == 4


def test_wall_and_simulated_trials_are_told_apart(run: Runner, tmp_path: Path) -> None:
    run("random", benchmarks=f"{TABLE}\n  - fake/bowl", using=registry(), evaluations=2)
    found = query(
        "SELECT benchmark, bool_and(simulated_s IS NULL) AS wall FROM trials "
        "JOIN studies USING (study_id) GROUP BY ALL ORDER BY ALL",
        tmp_path / "results",
    )
    assert found.to_dict("records") == [
        {"benchmark": "fake/bowl", "wall": True},
        {"benchmark": "recorded/table", "wall": False},
    ]


def test_landscape_and_baseline_are_recorded_once(run: Runner, tmp_path: Path) -> None:
    run("random, descent", seeds=3, benchmarks=TABLE, using=registry(), evaluations=2)
    assert TableSession.asked == 1
    values, failures = attained()
    (landscape,) = query("SELECT * FROM landscapes", tmp_path / "results").to_dict("records")
    assert landscape["benchmark"] == "recorded/table"
    assert landscape["configurations"] == len(values) + failures
    assert landscape["failures"] == failures
    assert landscape["optimum"] == min(values) == 1.0
    assert landscape["median"] == statistics.median(values)
    assert landscape["worst"] == max(values)
    assert landscape["seconds_mean"] == BUILD_S + REPETITION_S
    baseline = query("SELECT * FROM baselines ORDER BY evaluation", tmp_path / "results")
    assert baseline["evaluation"].tolist() == list(range(1, len(values) + failures + 1))
    assert baseline["expected"].iloc[0] == pytest.approx(statistics.fmean(values))
    assert baseline["expected"].iloc[-1] == 1.0
    assert baseline["seconds"].iloc[1] == 2 * (BUILD_S + REPETITION_S)
    assert baseline["run_id"].unique().tolist() == [landscape["run_id"]]


def test_more_is_better_turns_it_round(run: Runner, tmp_path: Path) -> None:
    benchmark = "  - recorded/table: {instance: negative}"
    run("random", benchmarks=benchmark, using=registry(), evaluations=2)
    values, _ = attained()
    (row,) = query("SELECT optimum, worst FROM landscapes", tmp_path / "results").to_dict("records")
    assert row == {"optimum": -1.0, "worst": -max(values)}
    found = query("SELECT expected FROM baselines ORDER BY evaluation", tmp_path / "results")
    assert found["expected"].is_monotonic_increasing
    assert found["expected"].iloc[0] == pytest.approx(-statistics.fmean(values))


def test_resuming_rebuilding_and_sealing_keep_one_of_each(run: Runner, tmp_path: Path) -> None:
    results = tmp_path / "results"
    sql = "SELECT * FROM baselines ORDER BY ALL"
    run("random", benchmarks=TABLE, using=registry(), evaluations=2)
    before = query(sql, results)
    run("random", benchmarks=TABLE, using=registry(), evaluations=4)
    assert TableSession.asked == 1
    assert query(sql, results).equals(before)
    (run_id,) = query("SELECT run_id FROM runs", results)["run_id"]
    assert any(segment.sealed for segment in list_segments(run_folder(results, run_id)))
    trials = query("SELECT * FROM trials ORDER BY ALL", results)
    assert trials["simulated_s"].notna().all()
    rebuild(results)
    assert query(sql, results).equals(before)
    assert query("SELECT * FROM trials ORDER BY ALL", results).equals(trials)
    assert query("SELECT count(*) AS n FROM landscapes", results)["n"][0] == 1


def test_a_larger_budget_extends_the_baseline(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daybreak.run.surveys.LEAST_BASELINE", 3)
    sql = "SELECT evaluation FROM baselines ORDER BY 1"
    run("random", benchmarks=TABLE, using=registry(), evaluations=2)
    assert query(sql, tmp_path / "results")["evaluation"].tolist() == [1, 2, 3]
    run("random", benchmarks=TABLE, using=registry(), evaluations=5)
    assert query(sql, tmp_path / "results")["evaluation"].tolist() == [1, 2, 3, 4, 5]
    run("random", benchmarks=TABLE, using=registry(), evaluations=3)
    assert TableSession.asked == 2
    assert len(query(sql, tmp_path / "results")) == 5


@pytest.mark.parametrize(
    ("instance", "landscapes", "warned"),
    [("unknown", 0, 0), ("broken", 0, 1), ("all-fail", 1, 0), ("two", 0, 0)],
)
def test_without_a_landscape_the_run_goes_on(
    run: Runner, tmp_path: Path, instance: str, landscapes: int, warned: int
) -> None:
    benchmark = f"  - recorded/table: {{instance: {instance}}}"
    recorder: Recorder
    summary, recorder = run(
        "random", seeds=2, benchmarks=benchmark, using=registry(), evaluations=2
    )
    assert summary.status == "finished"
    found = query("SELECT count(*) AS n FROM landscapes", tmp_path / "results")["n"][0]
    assert found == landscapes
    assert query("SELECT count(*) AS n FROM baselines", tmp_path / "results")["n"][0] == 0
    messages = [w["message"] for w in recorder.of("warning")]
    assert sum("no calculated random search" in message for message in messages) == warned


def test_an_index_of_the_first_schema_is_brought_up_to_date(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import daybreak.store.database as database
    from daybreak.analysis.views import create_statements

    results = tmp_path / "results"
    first = [step for step in database.load_migrations() if step.version == 1]
    run("random", benchmarks="  - fake/bowl", using=registry(), evaluations=2)
    index = results / "daybreak.duckdb"
    index.unlink()
    with database.connect(index) as connection:
        database.migrate(connection, None, first)
        # a reader's views, made on the first schema, must not be in the way
        connection.execute("CREATE VIEW old AS SELECT * FROM trials")
    ingest(results, views=create_statements())
    assert query("SELECT simulated_s FROM trials", results)["simulated_s"].isna().all()
    assert len(query("SELECT * FROM leaderboard_all", results)) == 1

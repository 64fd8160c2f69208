"""Runs that missed, crashed, were repeated or cut short: counted alike in every analysis."""

from __future__ import annotations

import json
import math

import pytest
from training_results import TrainingResults, curve
from typer.testing import CliRunner

from daybreak.analysis import query
from daybreak.analysis.training import (
    generalisation,
    load_points,
    load_timings,
    rank_stability,
    survival,
    times_at,
    times_to_target,
)
from daybreak.cli.app import app
from daybreak.records import Sample

RISING = (0.1, 0.5, 0.8, 0.91, 0.89)
EIGHTY = {"name": "accuracy-80", "value": 0.8, "metric": "accuracy"}


@pytest.fixture
def crashed(tmp_path):
    """Three runs that get there after 30 s and one that crashed after seven without any look."""
    run = TrainingResults(tmp_path).benchmark()
    for seed in range(3):
        run.study([curve(RISING)], seed=seed)
    run.study([run.trial(0, (), kind="crash", phases={"measure": 7.0})], seed=3)
    return run.done()


@pytest.mark.parametrize(
    ("clock", "hit", "spent"),
    # the crash took seven seconds, and no look, epoch or step was made
    [("train_s", 30, 7), ("wall_s", 33, 7), ("epochs", 3, 0), ("steps", 300, 0)],
)
def test_a_run_without_any_look_is_a_miss_on_every_clock(crashed, clock, hit, spent):
    (found,) = times_to_target(load_timings(crashed), clock)
    assert (found.runs, found.reached) == (4, 3)
    assert found.expected == pytest.approx((3 * hit + spent) / 3)
    (curve_,) = survival(load_timings(crashed), clock)
    assert curve_.censored.tolist() == [spent]
    # the curves alone say the same
    (points,) = load_points(crashed)
    (at,) = times_at(points, [0.9], clock)
    assert (at.runs, at.reached, at.expected) == (4, 3, pytest.approx(found.expected))
    assert at.median == found.median


def test_where_nobody_counted_epochs_a_crash_counts_none(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    run.study([run.trial(0, (), kind="crash", phases={"measure": 7.0})])
    clocks = query("SELECT clock FROM trial_time_to_target ORDER BY clock", run.done())
    assert "epochs" not in list(clocks["clock"])


def test_points_of_a_benchmark_whose_last_run_crashed_are_whole(crashed):
    (points,) = load_points(crashed)
    assert len(points.entries) == len(points.starts) - 1 == 4
    assert points.starts.tolist() == [0, 5, 10, 15, 15]
    assert points.blind_s[3] == 7
    assert all(math.isnan(seconds) for seconds in points.blind_s[:3])


def test_runs_without_the_clock_are_told_of(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    run.study([curve(RISING)], seed=1)
    run.study([curve(RISING, clocks=("train",))], seed=2)
    results = run.done()
    assert load_timings(results).without("wall_s") == 1
    assert load_timings(results).without("train_s") == 0
    told = _analyze(results, "time-to-accuracy", "--clock", "wall_s")
    assert "1 run did not record wall_s and is left out" in told["notes"]


def test_a_study_that_was_cut_short_is_no_miss(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    run.study([curve(RISING)], seed=1, thresholds=[EIGHTY])
    run.study([curve((0.1, 0.2))], seed=2, thresholds=[EIGHTY], status="interrupted")
    run.study([curve((0.1, 0.2))], seed=3, thresholds=[EIGHTY], status="exhausted")
    found = load_timings(run.done(), of="studies")
    assert sorted(one.seed for one in found.rows) == [1, 3]


def test_of_two_repeats_the_first_counts_not_the_quicker(tmp_path):
    run = TrainingResults(tmp_path).benchmark(seeded=True)
    for seed, seconds in ((1, (12, 10)), (2, (10, 12)), (3, (14, 10, 12, 11))):
        trials = [run.trial(n, curve(RISING, epoch_s=s)) for n, s in enumerate(seconds)]
        run.study(trials, seed=seed)
    found = {one.seed: one.upper["train_s"] for one in load_timings(run.done()).rows}
    # of 10, 11, 12 and 14 the middle ones are 11 and 12, and 12 was recorded first
    assert found == {1: 36, 2: 30, 3: 36}


def test_repeats_are_counted_where_the_question_is(tmp_path):
    run = TrainingResults(tmp_path)
    for name in ("train/a", "train/b"):
        run.benchmark(name, seeded=True)
        run.study([run.trial(n, curve(RISING)) for n in range(3)], benchmark=name, seed=1)
    results = run.done()
    assert load_timings(results).repeats == 4
    assert load_timings(results, benchmark="train/a").repeats == 2


def test_a_curve_that_ended_in_no_number_has_no_gap():
    row = {
        "benchmark": "b", "entry": "a", "metric": "accuracy", "test_metric": "test_accuracy",
        "unit": "1", "last": 0.9, "test_value": 0.8, "gap": 0.1,
    }  # fmt: skip
    rows = [row, row, {**row, "last": math.nan, "gap": math.nan}, {**row, "gap": None}]
    (found,) = generalisation([*rows, {**row, "last": math.inf, "gap": math.inf}])
    assert (found.runs, found.worse, found.curve) == (2, 2, 0.9)


def test_the_order_is_compared_with_that_at_the_target_whatever_is_asked_for(tmp_path):
    run = TrainingResults(tmp_path).benchmark(target=0.9)
    run.study([curve((0.5, 0.8, 0.85, 0.85))], optimizer="hare")
    run.study([curve((0.1, 0.6, 0.8, 0.95))], optimizer="tortoise")
    (points,) = load_points(run.done())
    (easy,) = rank_stability(points, [0.8])
    assert (easy.against, easy.tau) == (0.9, -1)


def test_a_benchmark_whose_curves_go_nowhere_has_no_order(tmp_path):
    run = TrainingResults(tmp_path).benchmark(target=None)
    run.study([curve((0.5, 0.5))], optimizer="a")
    run.study([curve((0.5, 0.5))], optimizer="b")
    (points,) = load_points(run.done())
    assert rank_stability(points) == []
    assert times_at(points) == []


def test_a_clock_that_counts_looks_may_be_asked_for(crashed):
    assert (
        "(evaluations)" in _analyze(crashed, "time-to-accuracy", "--clock", "evaluations")["title"]
    )
    assert "(train_s)" in _analyze(crashed, "time-to-accuracy")["title"]
    refused = CliRunner().invoke(
        app, ["analyze", "time-to-accuracy", "--clock", "seconds", "--results", str(crashed)]
    )
    assert "recorded the clock 'seconds'" in str(refused.exception)


def test_what_fails_mlperfs_check_has_no_normalized_score(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    for seed in range(10):
        looks = curve([0.1] * (8 + seed % 3) + [0.95])
        run.study([looks], optimizer="reference", seed=seed)
    for seed in range(5):
        run.study([curve([0.1, 0.95])], optimizer="quick", seed=seed)
    found = _analyze(run.done(), "mlperf")
    (row,) = [row for row in found["rows"] if row["entry"] == "quick"]
    assert row["verdict"].startswith("fails")
    assert row["normalized"] is None


def test_unseen_data_beside_a_curve_that_blew_up(tmp_path):
    run = TrainingResults(tmp_path).benchmark(metric="loss", direction="minimize", target=0.2)
    for seed, last in enumerate((0.1, 0.1, math.inf)):
        looks = curve((2.0, 0.5, last), metric="loss")
        run.study([run.trial(0, looks, samples=[Sample("test_loss", 0.3)])], seed=seed)
    (row,) = _analyze(run.done(), "generalisation")["rows"]
    assert (row["runs"], row["worse"]) == (2, "2/2")
    assert row["on the curve"] == pytest.approx(0.1)


def test_infinity_is_a_text_in_json(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    run.study([curve((0.1, 0.2))], seed=1)

    def refused(constant):
        raise AssertionError(f"{constant} is no JSON")

    found = CliRunner().invoke(
        app, ["analyze", "time-to-accuracy", "--json", "--results", str(run.done())]
    )
    (one,) = json.loads(found.stdout, parse_constant=refused)
    assert one["rows"][0]["median"]["value"] == "inf"


def _analyze(results, name, *options):
    found = CliRunner().invoke(
        app, ["analyze", name, *options, "--json", "--results", str(results)],
        catch_exceptions=False,
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    (one,) = json.loads(found.stdout)
    return one

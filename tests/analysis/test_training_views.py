"""Views of progress curves on runs that are timed by hand, and against a search by brute force."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_results import TrainingResults, curve

from daybreak.analysis import query
from daybreak.records import Event, Sample

#: an epoch trains for 10 s, a look takes one more on the wall clock
RISING = (0.1, 0.5, 0.8, 0.91, 0.89)
SHORT = (0.1, 0.5, 0.8, 0.85)
EIGHTY = {"name": "accuracy-80", "value": 0.8, "metric": "accuracy"}


def times(results, **where):
    clauses = [f"{name} = '{value}'" for name, value in where.items()]
    rows = query(
        "SELECT * FROM trial_time_to_target"
        + (f" WHERE {' AND '.join(clauses)}" if clauses else "")
        + " ORDER BY seed, number, target_name, clock",
        results,
    )
    return rows.astype(object).where(rows.notna(), None).to_dict("records")


@pytest.fixture
def results(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    run.study([curve(RISING)], seed=1, thresholds=[EIGHTY], price=3.6)
    run.study([curve(SHORT)], seed=2, thresholds=[EIGHTY])
    return run.done()


def test_a_run_is_timed_between_two_looks_on_every_clock(results):
    found = {row["clock"]: row for row in times(results, seed=1, target_name="target")}
    expected = {
        "train_s": (20, 30), "wall_s": (22, 33), "epochs": (2, 3), "steps": (200, 300),
        "evaluations": (3, 4), "dollars": (0.02, 0.03),
    }  # fmt: skip
    assert {c: (r["lower"], pytest.approx(r["upper"])) for c, r in found.items()} == expected
    for row in found.values():
        assert row["reached"]
        assert row["spent"] == row["upper"]
        assert row["margin"] == pytest.approx(0.01)
        assert row["final_margin"] == pytest.approx(-0.01)
        assert (row["later"], row["falls_back"]) == (1, True)
        assert row["ended"] == "ok"


def test_a_run_that_misses_is_censored_where_it_ended(results):
    found = {row["clock"]: row for row in times(results, seed=2, target_name="target")}
    assert {c: (r["lower"], r["upper"], r["spent"]) for c, r in found.items()} == {
        "train_s": (30, None, 30), "wall_s": (33, None, 33), "epochs": (3, None, 3),
        "steps": (300, None, 300), "evaluations": (4, None, 4),
    }  # fmt: skip
    row = found["train_s"]
    assert row["reached"] is False
    assert row["margin"] is None
    assert row["later"] is None
    assert row["falls_back"] is None
    assert row["final_margin"] == pytest.approx(-0.05)


def test_without_a_price_there_are_no_dollars_and_without_counters_no_joules(results):
    assert {row["clock"] for row in times(results, seed=2)} == {
        "train_s", "wall_s", "epochs", "steps", "evaluations",
    }  # fmt: skip


def test_a_target_at_the_first_look_was_reached_at_the_start(tmp_path):
    run = TrainingResults(tmp_path).benchmark(target=0.05)
    run.study([curve(SHORT)])
    (row,) = times(run.done(), clock="train_s")
    assert (row["lower"], row["upper"], row["later"], row["falls_back"]) == (0, 0, 3, False)


def test_looks_that_are_not_numbers_reach_nothing(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    run.study([curve((0.1, math.nan, math.inf, 0.95)), curve((0.1, 0.95, math.nan))])
    rows = times(run.done(), clock="epochs")
    assert [(r["lower"], r["upper"], r["falls_back"]) for r in rows] == [
        (2, 3, None),
        (0, 1, True),
    ]


def test_a_loss_is_reached_from_above(tmp_path):
    run = TrainingResults(tmp_path).benchmark(metric="loss", direction="minimize", target=0.2)
    run.study([curve((2.0, 0.5, 0.1, 0.3), metric="loss")])
    (row,) = times(run.done(), clock="epochs")
    assert (row["lower"], row["upper"], row["falls_back"]) == (1, 2, True)
    assert row["margin"] == pytest.approx(0.1)


def test_failed_runs_reach_what_their_curve_shows_unless_it_was_refuted(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    ends = ["not_reached", "crash", "wrong_result", "cancelled"]
    run.study([run.trial(n, curve(RISING), kind=kind) for n, kind in enumerate(ends)])
    rows = times(run.done(), clock="epochs")
    assert [(r["ended"], r["reached"], r["upper"]) for r in rows] == [
        ("not_reached", True, 3), ("crash", True, 3), ("wrong_result", False, None),
    ]  # fmt: skip


def test_a_run_without_any_look_is_a_miss_that_cost_its_measuring_time(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    run.study([curve(RISING)], seed=1, price=3600)
    crashed = run.trial(0, (), kind="crash", phases={"measure": 7.0})
    run.study([crashed], seed=2, price=3600)
    found = {row["clock"]: row for row in times(run.done(), seed=2)}
    assert {c: (r["lower"], r["reached"], r["spent"]) for c, r in found.items()} == {
        "train_s": (0, False, 7), "wall_s": (0, False, 7), "dollars": (0, False, 7),
        "evaluations": (0, False, 0), "epochs": (0, False, 0), "steps": (0, False, 0),
    }  # fmt: skip


def test_the_suites_stop_rule_goes_before_the_benchmarks_target(tmp_path):
    run = TrainingResults(tmp_path).benchmark(target=0.9)
    run.study([curve(RISING)], seed=1, stop={"target": 0.5})
    run.study([curve(RISING)], seed=2, stop={"target": None, "epochs": 5})
    rows = times(run.done(), clock="epochs")
    assert [(r["threshold"], r["upper"]) for r in rows] == [(0.5, 1), (0.9, 3)]


def test_a_threshold_equal_to_the_target_is_not_listed_twice(tmp_path):
    run = TrainingResults(tmp_path).benchmark(target=0.8)
    run.study([curve(RISING)], thresholds=[EIGHTY])
    assert [row["target_name"] for row in times(run.done(), clock="epochs")] == ["accuracy-80"]


def test_published_percentages_turned_into_fractions_still_reach(tmp_path):
    value = 94.0 * 0.01  # a hair beyond 0.94; the other way round happens as well
    run = TrainingResults(tmp_path).benchmark(target=value)
    run.study([curve((0.1, 0.94))])
    assert times(run.done(), clock="epochs")[0]["reached"]


def test_thresholds_relative_to_a_reference_and_on_other_metrics(tmp_path):
    run = TrainingResults(tmp_path)
    run.writer.benchmark(
        {
            "benchmark": "train/image",
            "target": "train",
            "objectives": [{"name": "accuracy", "unit": "1", "direction": "maximize"}],
            "metrics": [{"name": "loss", "unit": "1", "direction": "minimize"}],
        }
    )
    reference = run.trial(0, curve(SHORT), reference="default")
    outcome = replace(reference.outcome, objectives={"accuracy": 0.85})
    run.study([replace(reference, outcome=outcome)], optimizer="references", role="reference")
    both = (*curve((0.1, 0.8, 0.9)), *curve((2.0, 1.0, 0.5), metric="loss"))
    both = tuple(replace(event, seq=i) for i, event in enumerate(both))
    run.study(
        [both],
        thresholds=[
            {"name": "as-default", "value": 1.0, "relative_to": "default"},
            {"name": "unknown", "value": 1.0, "relative_to": "expert"},
            {"name": "loss-1", "value": 1.0, "metric": "loss"},
            {"name": "elsewhere", "value": 1.0, "metric": "size"},
        ],
    )
    rows = [row for row in times(run.done(), clock="epochs") if row["optimizer"] == "sgd"]
    assert [(r["target_name"], r["threshold"], r["upper"]) for r in rows] == [
        ("as-default", 0.85, 2), ("loss-1", 1.0, 1),
    ]  # fmt: skip
    unknown = [r for r in times(run.folder) if r["target_name"] == "unknown"]
    assert all(r["reached"] is None and r["lower"] is None for r in unknown)


def test_energy_is_an_interval_whether_counted_along_the_curve_or_at_its_end(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    looks = curve(RISING)
    counted = []
    for i, event in enumerate(looks):
        counted += [
            replace(event, seq=2 * i),
            Event("energy", 100.0 * i, seq=2 * i + 1, epoch=event.epoch),
        ]
    run.study([tuple(counted)], seed=1)
    run.study([run.trial(0, looks, samples=[Sample("energy", 450.0)])], seed=2)
    run.study([run.trial(0, curve(SHORT), samples=[Sample("energy", 300.0)])], seed=3)
    rows = times(run.done(), clock="joules")
    assert [(r["lower"], r["upper"], r["spent"]) for r in rows] == [
        # the counter was read right after the look
        (100, 300, 300), (0, 450, 450), (300, None, 300),
    ]  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(
    curves=st.lists(
        st.lists(
            st.one_of(
                st.integers(0, 10).map(lambda n: n / 10), st.just(math.nan), st.just(math.inf)
            ),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=4,
    ),
    threshold=st.integers(1, 10).map(lambda n: n / 10),
)
def test_intervals_are_those_of_a_walk_along_the_curve(tmp_path_factory, curves, threshold):
    run = TrainingResults(tmp_path_factory.mktemp("walk")).benchmark(target=threshold)
    for values in curves:
        run.study([curve(values)])
    rows = times(run.done(), clock="epochs")
    for values, row in zip(curves, rows, strict=True):
        lower = upper = None
        for epoch, value in enumerate(values):
            if math.isfinite(value) and value >= threshold:
                upper = float(epoch)
                break
            lower = float(epoch)
        assert (row["upper"], row["lower"]) == (upper, lower or 0.0)
        if upper is not None:
            after = values[int(upper) + 1 :]
            below = any(not (math.isfinite(v) and v >= threshold) for v in after)
            assert row["later"] == len(after)
            assert row["falls_back"] is (below if after else None)


def test_a_studys_time_to_target_looks_inside_its_trials(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    # half a second to ask, 1.5 to build; each trial then takes its curve's wall clock
    run.study([curve((0.1, 0.5)), curve(RISING)], thresholds=[EIGHTY])
    rows = query("FROM time_to_target ORDER BY clock", run.done()).to_dict("records")
    assert [(r["clock"], r["lower"], r["upper"]) for r in rows] == [
        ("evaluations", 1, 2),
        # the first trial ends at 2 + 11; the second begins to train 2 s later
        ("seconds", 13 + 2 + 11, 13 + 2 + 22),
    ]


def test_a_study_reaches_a_threshold_in_a_trial_that_missed_its_own_target(tmp_path):
    run = TrainingResults(tmp_path).benchmark(target=0.99)
    run.study([run.trial(0, curve(SHORT), kind="not_reached")], thresholds=[EIGHTY], seed=1)
    run.study([run.trial(0, curve(SHORT), kind="wrong_result")], thresholds=[EIGHTY], seed=2)
    rows = query("FROM time_to_target WHERE clock = 'evaluations' ORDER BY seed", run.done())
    assert list(rows["reached"]) == [True, False]


def test_what_a_run_came_to(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    samples = [
        Sample("test_accuracy", 0.87), Sample("energy", 88.0),
        Sample("communication_s", 3.0), Sample("communication_s", 5.0, 1),
    ]  # fmt: skip
    run.study([run.trial(0, curve(RISING), samples=samples)], price=7.2)
    (row,) = query("FROM training_runs", run.done()).to_dict("records")
    expected = {
        "evaluations": 5, "first": 0.1, "last": 0.89, "best": 0.91, "epochs": 4, "steps": 400,
        "train_s": 40, "wall_s": 44, "seconds_per_epoch": 10, "epochs_per_s": 0.1,
        "steps_per_s": 10, "evaluation_share": 1 / 11, "communication_s": 8,
        "communication_share": 0.2, "dollars": 0.08, "joules": 88, "watts": 2,
        "test_metric": "test_accuracy", "test_value": 0.87, "gap": 0.02,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == {
        name: value if isinstance(value, str) else pytest.approx(value)
        for name, value in expected.items()
    }


def test_a_validation_metric_is_held_against_the_test_metric_of_that_name(tmp_path):
    run = TrainingResults(tmp_path).benchmark(metric="validation_loss", direction="minimize")
    events = curve((2.0, 0.5), metric="validation_loss")
    run.study([run.trial(0, events, samples=[Sample("test_loss", 0.8)])])
    (row,) = query("SELECT test_metric, gap FROM training_runs", run.done()).to_dict("records")
    assert row == {"test_metric": "test_loss", "gap": pytest.approx(0.3)}


def test_the_progress_metric_is_the_declared_one_else_that_of_a_threshold(tmp_path):
    run = TrainingResults(tmp_path)
    run.benchmark("train/a", target=0.7)
    run.benchmark("train/b", declared=False)
    both = (*curve(SHORT), *curve((2.0, 1.0), metric="a_loss"))
    both = tuple(replace(event, seq=i) for i, event in enumerate(both))
    run.study([both], benchmark="train/a")
    run.study([both], benchmark="train/b", thresholds=[EIGHTY])
    rows = query(
        "SELECT benchmark, metric, direction, declared FROM progress_metrics ORDER BY ALL",
        run.done(),
    )
    assert rows.values.tolist() == [
        ["train/a", "accuracy", "maximize", True],
        ["train/b", "accuracy", "maximize", False],
    ]


def test_repeats_of_one_training_are_kept_once_where_the_seed_decides(tmp_path):
    run = TrainingResults(tmp_path)
    run.benchmark("train/seeded", seeded=True).benchmark("train/free")
    for name in ("train/seeded", "train/free"):
        runs = [
            run.trial(n, curve(RISING, epoch_s=s), reference="default")
            for n, s in enumerate((12, 10, 11))
        ]
        run.study(runs, benchmark=name, seed=1, role="reference", optimizer="references")
    rows = query(
        "SELECT k.benchmark, r.train_s, k.repeats, k.kept FROM training_repeats k "
        "JOIN training_runs r USING (trial_id) ORDER BY k.benchmark, r.train_s",
        run.done(),
    )
    assert rows.values.tolist() == [
        ["train/free", 40, 1, True], ["train/free", 44, 1, True], ["train/free", 48, 1, True],
        ["train/seeded", 40, 3, False], ["train/seeded", 44, 3, True],
        ["train/seeded", 48, 3, False],
    ]  # fmt: skip


def test_learning_curves_come_with_their_entry_unit_and_direction(results):
    rows = query("FROM curves WHERE seed = 2 ORDER BY seq", results)
    assert list(rows["value"]) == list(SHORT)
    first = rows.iloc[0]
    assert (first["entry"], first["unit"], first["direction"]) == ("sgd", "1", "maximize")

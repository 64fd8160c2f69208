"""Each view against a case computed by hand, and two of them against an oracle in Python."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from small_results import FAILED, Results, trial

from daybreak.analysis import query, query_arrow
from daybreak.analysis.views import load_views
from daybreak.records import FailureKind, Sample, TrialStatus

NAN, INF = math.nan, math.inf


def ask(results, sql):
    return [tuple(row.values()) for row in query_arrow(sql, results).to_pylist()]


def test_best_so_far_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    study = run.study([FAILED, 5.0, 7.0, NAN, INF, 3.0, trial(6, 4.0, status=TrialStatus.STOPPED)])
    run.reference("expert", [1.0])
    assert ask(
        run.done(), "SELECT study_id, number, elapsed_s, best, evaluation FROM best_so_far"
    ) == [
        (study, 0, 1.0, None, 1),
        (study, 1, 2.0, 5.0, 2),
        (study, 2, 3.0, 5.0, 3),
        (study, 3, 4.0, 5.0, 4),
        (study, 4, 5.0, 5.0, 5),
        (study, 5, 6.0, 3.0, 6),
        (study, 6, 7.0, 3.0, 7),
    ]


def test_references_and_cancelled_trials_within_a_study_are_no_evaluations(tmp_path):
    run = Results(tmp_path).benchmark(direction="maximize")
    run.study(
        [
            2.0,
            trial(1, 99.0, reference="expert"),
            trial(2, None, kind=FailureKind.CANCELLED),
            1.0,
            3.0,
            trial(5, -INF),
        ]
    )
    run.done()
    assert ask(tmp_path, "SELECT number, best, evaluation FROM best_so_far ORDER BY 1") == [
        (0, 2.0, 1), (3, 2.0, 2), (4, 3.0, 3), (5, 3.0, 4),
    ]  # fmt: skip
    assert ask(
        tmp_path, "SELECT evaluations, failures, best_median, versus_expert FROM leaderboard"
    ) == [(4, 0, 3.0, pytest.approx(3 / 99))]


def test_leaderboard_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    run.reference("expert", [2.0, 4.0, FAILED, 3.0]).reference("default", [30.0])
    run.study([9.0, 2.0], optimizer="good")
    run.study([1.5, FAILED], optimizer="good")
    run.study([1.0, 8.0, NAN], optimizer="good", status="interrupted")
    run.study([6.0], optimizer="unlucky")
    run.study([FAILED, FAILED], optimizer="unlucky", status="failed")
    run.study([12.0], optimizer="unlucky")
    run.study([FAILED], optimizer="hopeless")
    run.study([], optimizer="absent", status="failed")
    run.done()
    assert ask(
        tmp_path,
        "SELECT benchmark, optimizer, studies, best_median, best_low, best_high, versus_expert, "
        "failures, evaluations, versus_default, expert, baseline, objective_unit, direction, "
        "failed_studies, open_studies, run_id, suite, machine_id FROM leaderboard",
    ) == [
        ("toy/b", "good", 3, 1.5, 1.0, 2.0, 2.0, 1, 7, 20.0, 3.0, 30.0, "s", "minimize", 0, 1,
         "r1", "toys", "m1"),
        # the failed study counts as the worst: the median of 6, 12, infinity is 12
        ("toy/b", "unlucky", 3, 12.0, 6.0, None, 0.25, 2, 4, 2.5, 3.0, 30.0, "s", "minimize", 1, 0,
         "r1", "toys", "m1"),
        ("toy/b", "absent", 0, None, None, None, None, 0, 0, None, 3.0, 30.0, "s", "minimize", 1, 0,
         "r1", "toys", "m1"),
        ("toy/b", "hopeless", 1, None, None, None, None, 1, 1, None, 3.0, 30.0, "s", "minimize", 0,
         0, "r1", "toys", "m1"),
    ]  # fmt: skip


def test_leaderboard_of_a_maximized_objective(tmp_path):
    run = Results(tmp_path).benchmark(direction="maximize", unit="GFLOP/s")
    run.reference("expert", [10.0])
    for best in (5.0, 20.0, 30.0):
        run.study([1.0, best])
    run.study([FAILED], optimizer="hopeless")
    run.study([40.0], optimizer="hopeless")
    run.done()
    assert ask(
        tmp_path,
        "SELECT optimizer, best_median, best_low, best_high, versus_expert FROM leaderboard",
    ) == [("random", 20.0, 5.0, 30.0, 2.0), ("hopeless", None, None, 40.0, None)]


@pytest.mark.parametrize("studies", [2, 5, 6, 9, 17, 40])
def test_the_interval_of_the_median_is_that_of_order_statistics(tmp_path, studies):
    run = Results(tmp_path).benchmark()
    for best in range(1, studies + 1):
        run.study([float(best)])
    run.done()
    ((low, high),) = ask(tmp_path, "SELECT best_low, best_high FROM leaderboard")
    # the largest rank with P(at most rank - 1 heads in n tosses) <= 2.5 %, else the extremes
    rank = max(
        [1, *(r for r in range(1, studies) if stats.binom.cdf(r - 1, studies, 0.5) <= 0.025)]
    )
    assert (low, high) == (rank, studies + 1 - rank)


def test_leaderboard_shows_the_newest_run_of_each_suite_and_machine(tmp_path):
    for run_id, suite, day, machine, values in (
        ("r1", "toys", 1, "m1", [1.0]),
        ("r2", "toys", 2, "m1", [2.0]),
        ("r3", "toys", 3, "m1", []),  # not begun in earnest
        ("r4", "toys", 1, "m2", [4.0]),
        ("r5", "others", 1, "m1", [5.0]),
    ):
        run = Results(
            tmp_path, run_id, suite=suite, started_at=f"2026-01-0{day}T00:00:00Z", machine=machine
        ).benchmark()
        run.reference("expert", [10.0 * int(run_id[1])])
        run.study(values)
        run.done()
    assert ask(tmp_path, "SELECT run_id, best_median, versus_expert FROM leaderboard ORDER BY 1") == [
        ("r2", 2.0, 10.0), ("r4", 4.0, 10.0), ("r5", 5.0, 10.0),
    ]  # fmt: skip
    assert len(ask(tmp_path, "FROM leaderboard_all")) == 5


TARGETS = (
    {"name": "expert", "value": 1.0, "relative_to": "expert"},
    {"name": "ten", "value": 10.0},
    {"name": "unknown", "value": 1.0, "relative_to": "nobody"},
)
TIME_TO = (
    "SELECT target_name, clock, threshold, lower, upper, reached FROM time_to_target ORDER BY 1, 2"
)


def test_time_to_target_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    run.reference("expert", [3.0, 2.0, 1.0])
    study = [
        trial(0, None, elapsed_s=1.5),
        trial(1, 5.0, elapsed_s=4.0),
        trial(2, 2.0, elapsed_s=7.0, status=TrialStatus.STOPPED),
        trial(3, 9.0, elapsed_s=8.0),
    ]
    run.study(study, thresholds=TARGETS)
    run.done()
    assert ask(tmp_path, TIME_TO) == [
        ("expert", "evaluations", 2.0, 2.0, 3.0, True),
        ("expert", "seconds", 2.0, 4.0, 7.0, True),
        ("ten", "evaluations", 10.0, 1.0, 2.0, True),
        ("ten", "seconds", 10.0, 1.5, 4.0, True),
        ("unknown", "evaluations", None, None, None, None),
        ("unknown", "seconds", None, None, None, None),
    ]


def test_time_to_target_at_the_first_evaluation_never_and_without_any(tmp_path):
    run = Results(tmp_path).benchmark(direction="maximize")
    run.study([12.0, 11.0], optimizer="a", thresholds=TARGETS[1:2])
    run.study([1.0, FAILED, NAN], optimizer="b", thresholds=TARGETS[1:2])
    run.study([], optimizer="c", thresholds=TARGETS[1:2])
    run.done()
    assert ask(
        tmp_path,
        "SELECT optimizer, clock, lower, upper, reached FROM time_to_target ORDER BY 1, 2",
    ) == [
        ("a", "evaluations", 0.0, 1.0, True),
        ("a", "seconds", 0.0, 1.0, True),
        ("b", "evaluations", 3.0, None, False),
        ("b", "seconds", 3.0, None, False),
        ("c", "evaluations", 0.0, None, False),
        ("c", "seconds", 0.0, None, False),
    ]


def test_time_to_target_of_other_metrics_and_units(tmp_path):
    run = Results(tmp_path).benchmark(
        objectives=[{"name": "time", "unit": "s"}, {"name": "energy", "unit": "J"}],
        metrics=[{"name": "accuracy", "unit": "1", "direction": "maximize"}],
    )
    trials = [
        trial(
            i,
            None,
            objectives={"time": time, "energy": energy},
            samples=[Sample("accuracy", accuracy, 0), Sample("accuracy", accuracy, 1)],
        )
        for i, (time, energy, accuracy) in enumerate(
            [(9e-3, 5.0, 0.5), (4e-3, 7.0, 0.9), (1, 1, 1)]
        )
    ]
    run.study(
        trials,
        thresholds=(
            {"name": "accurate", "value": 0.9, "metric": "accuracy"},
            {"name": "frugal", "value": 2.0, "metric": "energy"},
            {"name": "quick", "value": 5.0, "unit": "ms"},
        ),
    )
    run.done()
    assert ask(
        tmp_path, "SELECT target_name, metric, upper FROM time_to_target "
        "WHERE clock = 'evaluations' ORDER BY 1"
    ) == [("accurate", "accuracy", 2.0), ("frugal", "energy", 3.0), ("quick", "time", 2.0)]  # fmt: skip


objectives = st.none() | st.floats(width=16)
studies = st.lists(
    st.lists(st.tuples(objectives, st.floats(0, 100)), max_size=8), min_size=1, max_size=3
)


@settings(max_examples=25, deadline=None)
@given(studies, st.sampled_from(["minimize", "maximize"]), st.floats(-100, 100, width=16))
def test_best_so_far_and_time_to_target_against_an_oracle(
    tmp_path_factory, given_studies, direction, threshold
):
    folder = tmp_path_factory.mktemp("oracle")
    run = Results(folder).benchmark(direction=direction)
    sign = 1 if direction == "minimize" else -1
    bests, times = [], []
    for one in given_studies:
        clock, trials, best, before, hit = 0.0, [], None, 0.0, None
        for number, (value, seconds) in enumerate(one):
            clock += seconds
            trials.append(trial(number, value, elapsed_s=clock))
        study = run.study(trials, thresholds=[{"name": "t", "value": threshold}])
        for number, (value, _) in enumerate(one):
            elapsed = trials[number].elapsed_s
            if value is not None and math.isfinite(value):
                best = value if best is None else sign * min(sign * best, sign * value)
                if hit is None and sign * value <= sign * threshold:
                    hit = (float(number), float(number + 1), before, elapsed)
            bests.append((study, number, elapsed, best))
            before = elapsed
        if hit:
            times += [(study, "evaluations", *hit[:2], True), (study, "seconds", *hit[2:], True)]
        else:
            times += [
                (study, "evaluations", float(len(one)), None, False),
                (study, "seconds", before, None, False),
            ]
    run.done()
    assert (
        ask(folder, "SELECT study_id, number, elapsed_s, best FROM best_so_far ORDER BY 1, 2")
        == bests
    )
    assert (
        ask(
            folder,
            "SELECT study_id, clock, lower, upper, reached FROM time_to_target ORDER BY 1, 2",
        )
        == times
    )


def test_reference_values_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    run.reference("expert", [3.0, FAILED, 1.0, INF]).reference("default", [FAILED])
    run.study([trial(0, 2.0, reference="expert"), 5.0])
    run.done()
    assert ask(tmp_path, "SELECT * FROM reference_values ORDER BY reference") == [
        ("r1", "toy/b", "default", "time", "s", 0, 1, None, None, None),
        ("r1", "toy/b", "expert", "time", "s", 3, 2, 2.0, 1.0, 3.0),
    ]


def test_throughput_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    run.study([1.0, FAILED, 2.0])
    run.study([1.0])
    run.study([trial(0, 1.0, elapsed_s=0.0)], optimizer="instant")
    run.done()
    assert ask(tmp_path, "SELECT * FROM throughput ORDER BY optimizer") == [
        ("r1", "toy/b", "instant", 1, 1, 0.0, None, 0.0),
        ("r1", "toy/b", "random", 2, 4, 4.0, 3600.0, 1.0),
    ]


def test_percent_of_peak_by_hand(tmp_path):
    run = Results(tmp_path).benchmark(floors={"time": 0.5})
    run.benchmark("toy/rate", direction="maximize", unit="GFLOP/s", floors={"time": 80.0})
    run.benchmark("toy/unknown", floors={}).benchmark("toy/silent")
    share = [Sample("percent_of_peak", value, i) for i, value in enumerate((30.0, 50.0, 40.0))]
    first = run.study([2.0, 1.0, FAILED])
    second = run.study([20.0, 10.0], benchmark="toy/rate")
    third = run.study([7.0, trial(1, 5.0, samples=share)], benchmark="toy/unknown")
    run.study([7.0], benchmark="toy/silent")
    run.study([FAILED])
    run.done()
    assert ask(
        tmp_path,
        "SELECT study_id, source, best, peak, percent_of_peak FROM percent_of_peak ORDER BY 1",
    ) == [
        (first, "floor", 1.0, 0.5, 50.0),
        (second, "floor", 20.0, 80.0, 25.0),
        (third, "metric", 5.0, None, 40.0),
    ]


def test_failures_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    run.study(
        [
            1.0,
            trial(1, None, message="first"),
            trial(2, None, message="second"),
            trial(3, None, kind=FailureKind.CANCELLED),
        ]
    )
    run.study([1.0], optimizer="careful")
    run.reference("expert", [FAILED])
    run.done()
    assert ask(tmp_path, "SELECT * FROM failures ORDER BY failure_kind") == [
        ("r1", "toy/b", "random", "build", 2, 4, 0.5, "first"),
        ("r1", "toy/b", "random", "cancelled", 1, 4, 0.25, None),
    ]


def test_variation_by_hand(tmp_path):
    def measured(number, *values):
        samples = [Sample("time", value, i) for i, value in enumerate(values)]
        samples.append(Sample("energy", 1000.0, 0))
        return trial(number, sorted(values)[len(values) // 2], samples=samples)

    run = Results(tmp_path).benchmark()
    run.study([measured(0, 1.0, 2.0, 3.0), measured(1, 10.0, 10.0, 10.0), measured(2, 5.0)])
    run.study([4.0])
    run.reference("expert", [4.0, 6.0, FAILED, 5.0])
    run.done()
    assert ask(
        tmp_path, "SELECT optimizer, level, n, median, spread FROM variation ORDER BY 2"
    ) == [
        ("expert", "references", 3, 5.0, 0.2),
        # quarters of 1, 2, 3: 1.5 and 2.5, so 0.5; of the equal ones 0; between them 0.25
        ("random", "samples", 2, 6.0, 0.25),
        ("random", "studies", 2, 3.0, pytest.approx(1 / 3)),
    ]


def test_pareto_by_hand_in_two_directions(tmp_path):
    two = [
        {"name": "time", "unit": "s", "direction": "minimize"},
        {"name": "accuracy", "unit": "1", "direction": "maximize"},
    ]
    run = Results(tmp_path).benchmark().benchmark("toy/two", objectives=two)
    points = [
        (3, 0.9),
        (1, 0.5),
        (2, 0.5),
        (1, 0.4),
        (5, 0.95),
        (6, 0.95),
        (3, 0.9),
        (NAN, 1),
        (0, None),
    ]
    trials = [
        trial(i, None, objectives={"time": time, "accuracy": accuracy})
        for i, (time, accuracy) in enumerate(points)
    ]
    run.study(trials, benchmark="toy/two")
    run.study([1.0, 2.0])
    run.done()
    assert ask(tmp_path, "SELECT number FROM pareto ORDER BY number") == [(0,), (1,), (4,), (6,)]


@settings(max_examples=15, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda n: st.lists(st.tuples(*[st.integers(0, 3).map(float)] * n), min_size=1, max_size=12)
    )
)
def test_pareto_against_an_oracle(tmp_path_factory, points):
    folder = tmp_path_factory.mktemp("pareto")
    names = [f"o{i}" for i in range(len(points[0]))]
    run = Results(folder).benchmark(objectives=[{"name": name, "unit": "s"} for name in names])
    run.study(
        [
            trial(i, None, objectives=dict(zip(names, point, strict=True)))
            for i, point in enumerate(points)
        ]
    )
    run.done()
    front = [
        (i,)
        for i, p in enumerate(points)
        if not any(q != p and all(a <= b for a, b in zip(q, p, strict=True)) for q in points)
    ]
    assert ask(folder, "SELECT number FROM pareto ORDER BY number") == front


def test_overhead_by_hand(tmp_path):
    run = Results(tmp_path).benchmark()
    phases = {"build": 2.0, "verify": 1.0, "measure": 4.0}
    run.study(
        [
            trial(0, 1.0, phases=phases, ask_s=0.5, tell_s=0.25, total_s=8.0),
            trial(1, None, phases={"build": 1.0}, ask_s=0.5, tell_s=0.25, total_s=2.0),
        ]
    )
    run.reference("expert", [1.0])
    run.done()
    assert ask(tmp_path, "SELECT * FROM overhead") == [
        ("r1", "toy/b", "random", 2, 1.0, 3.0, 1.0, 4.0, 0.5, 0.5, 10.0, 0.2, 1.0)
    ]


def test_every_view_answers_on_results_without_any_trial(tmp_path):
    run = Results(tmp_path)
    run.done()
    for name in load_views():
        assert len(query(f"FROM {name}", tmp_path)) == 0

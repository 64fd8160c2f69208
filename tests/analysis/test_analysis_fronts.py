"""Several objectives: leaderboards, ranks and comparisons go by the share of the joint front."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from small_results import Results, trial

from daybreak import UserError
from daybreak.analysis import compare, query
from daybreak.analysis.curves import load_curves
from daybreak.analysis.hypervolume import Coverage, nondominated, read_coverage, volume
from daybreak.analysis.pairing import ALL, ALL_FRONTS, ALL_SINGLES
from daybreak.analysis.queries import open_index
from daybreak.analysis.ranking import mean_ranks
from daybreak.analysis.summary import summarize_run
from daybreak.records import TrialStatus
from daybreak.report.leaderboard import print_leaderboard

Point = Sequence[float]
GAIN_LOSS = [
    {"name": "gain", "unit": "1", "direction": "maximize"},
    {"name": "loss", "unit": "1", "direction": "minimize"},
]
HERE = {"gain": 0, "loss": 1}


def objectives(directions: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": f"o{i}", "unit": "s", "direction": d} for i, d in enumerate(directions)]


class Fronts:
    """A run on benchmarks with several objectives."""

    def __init__(self, folder: Path) -> None:
        self.run = Results(folder)
        self.names: dict[str, list[str]] = {}

    def benchmark(self, name: str, metrics: list[dict[str, Any]]) -> Fronts:
        self.names[name] = [one["name"] for one in metrics]
        self.run.benchmark(name, objectives=metrics)
        return self

    def study(
        self, benchmark: str, optimizer: str, seed: int, points: Sequence[Point | None], **row: Any
    ) -> Fronts:
        self.run.study(
            [self.trial(benchmark, i, point) for i, point in enumerate(points)],
            optimizer=optimizer,
            benchmark=benchmark,
            seed=seed,
            **row,
        )
        return self

    def reference(self, benchmark: str, name: str, points: Sequence[Point | None]) -> Fronts:
        self.run.study(
            [self.trial(benchmark, i, point, reference=name) for i, point in enumerate(points)],
            optimizer="references",
            benchmark=benchmark,
            role="reference",
            seed=0,
        )
        return self

    def trial(self, benchmark: str, i: int, point: Point | None, **more: Any) -> Any:
        if point is None:
            return trial(i, None, **more)
        values = dict(zip(self.names[benchmark], point, strict=True))
        return trial(i, None, objectives=values, **more)


@pytest.fixture
def fronts(tmp_path: Path) -> Fronts:
    """`wide` finds compromises, `narrow` the best gain; the box is [0, 10] x [0, 10]."""
    made = Fronts(tmp_path).benchmark("toy/two", GAIN_LOSS)
    for seed in range(6):
        made.study("toy/two", "wide", seed, [(0.0, 0.0), (8.0, 5.0)])
        made.study("toy/two", "narrow", seed, [None, (10.0, 10.0)])
    made.reference("toy/two", "default", [(5.0, 8.0)] * 3)
    made.reference("toy/two", "expert", [(10.0, 9.0), (10.0, 9.0)])
    made.run.benchmark("toy/b")
    return made


# by hand, minimised on the unit box: wide has (1, 0) and (0.2, 0.5), narrow (0, 1); reference 1.1
WIDE = 0.1 * 1.1 + 0.9 * 0.6 - 0.1 * 0.6
NARROW = 1.1 * 0.1
JOINT = WIDE + NARROW - 0.9 * 0.1  # (0, 1) adds what lies left of 0.2


def test_leaderboards_go_by_the_share_and_not_by_the_first_objective(fronts: Fronts) -> None:
    folder = fronts.run.done()
    frame = query("FROM leaderboard", folder)
    assert frame["optimizer"].tolist() == ["wide", "narrow"]
    assert frame["share_median"].tolist() == pytest.approx([WIDE / JOINT, NARROW / JOINT])
    assert frame["share_low"].tolist() == pytest.approx(frame["share_high"].tolist())
    # the first objective alone says the contrary
    assert frame["best_median"].tolist() == [8.0, 10.0]
    (two,) = [one for one in summarize_run(folder).benchmarks if one.benchmark == "toy/two"]
    assert [one.optimizer for one in two.optimizers] == ["wide", "narrow"]
    assert (two.objectives, two.front) == (("gain", "loss"), 3)


def test_where_references_stand(fronts: Fronts) -> None:
    folder = fronts.run.done()
    (two,) = [one for one in summarize_run(folder).benchmarks if one.benchmark == "toy/two"]
    default, expert = two.references
    # (5, 8) is (0.5, 0.8) in the box, and wide's (8, 5) beats it; (10, 9) beats narrow's (10, 10)
    assert default.share == pytest.approx(0.6 * 0.3 / JOINT)
    assert (default.beaten, expert.beaten) == (True, False)
    assert expert.share == pytest.approx(1.1 * 0.2 / JOINT)
    assert {one.optimizer: dict(one.beats) for one in two.optimizers} == {
        "wide": {"default": 6, "expert": 0},
        "narrow": {"default": 0, "expert": 0},
    }


def test_a_reference_may_cover_more_than_everything_or_stand_on_the_front(tmp_path: Path) -> None:
    made = Fronts(tmp_path).benchmark("toy/two", GAIN_LOSS)
    made.study("toy/two", "a", 0, [(0.0, 0.0), (10.0, 10.0)])
    made.reference("toy/two", "expert", [(20.0, -10.0)])
    made.reference("toy/two", "default", [(10.0, 10.0)])
    made.reference("toy/two", "failed", [None])
    made.reference("toy/two", "half", [(5.0, math.nan)])
    with open_index(made.run.done()) as index:
        (found,) = read_coverage(index, "r1")
    default, expert = found.references
    joint = 2 * 0.11 - 0.01
    assert (expert.share, expert.beaten) == (pytest.approx(2.1 * 2.1 / joint), False)
    # equal to a trial is not beaten
    assert (default.share, default.beaten) == (pytest.approx(0.11 / joint), False)
    assert found.ideal == (10.0, 0.0)  # references are no part of the joint front


def test_a_logarithm_of_a_reference_that_has_none(tmp_path: Path) -> None:
    made = Fronts(tmp_path).benchmark("toy/two", objectives(["minimize", "minimize"]))
    made.study("toy/two", "a", 0, [(1.0, 4.0), (2.0, 2.0)])
    made.reference("toy/two", "expert", [(0.0, 8.0)])
    with open_index(made.run.done()) as index:
        (found,) = read_coverage(index, "r1")
    assert found.logarithmic == (True, True)
    (expert,) = found.references
    assert (expert.share, expert.beaten, expert.values) == (None, False, (0.0, 8.0))


def test_the_table_for_the_terminal(fronts: Fronts) -> None:
    fronts.run.study([3.0], optimizer="wide", benchmark="toy/b", seed=0)
    out = io.StringIO()
    overview = summarize_run(fronts.run.done())
    print_leaderboard(overview, Console(file=out, width=80))
    text = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert "toy/two (gain x loss, 3 points)" in text
    at = text.index("toy/two (gain x loss, 3 points)")
    assert text[at + 1] == "n share of front beats default, expert evals failures"
    assert text[at + 2].split()[:4] == ["default", "3", f"{0.18 / JOINT:.3g}", "is"]
    assert text[at + 3].endswith("is not beaten")
    assert text[at + 4] == f"wide 6 {WIDE / JOINT:.3g} 6/6, 0/6 12"
    assert text[at + 5] == f"narrow 6 {NARROW / JOINT:.3g} 0/6, 0/6 12 build 6"
    # one objective: as ever
    assert "toy/b" in text
    assert text[text.index("toy/b") + 1].startswith("n time (s)")
    assert max(len(line) for line in out.getvalue().splitlines()) <= 80


def test_references_alone_are_listed_by_the_first_objective(tmp_path: Path) -> None:
    made = Fronts(tmp_path).benchmark("toy/two", GAIN_LOSS)
    made.reference("toy/two", "expert", [(7.0, 2.0)])
    (two,) = summarize_run(made.run.done()).benchmarks
    assert (two.front, two.references[0].share, two.references[0].beaten) == (0, None, None)
    out = io.StringIO()
    print_leaderboard(summarize_run(tmp_path), Console(file=out, width=80))
    assert "gain" in out.getvalue()
    assert ["expert", "1", "7", "1x"] in [line.split() for line in out.getvalue().splitlines()]


# -- comparisons


def test_a_comparison_takes_differences_of_shares(fronts: Fronts) -> None:
    folder = fronts.run.done()
    (found,) = compare("wide", "narrow", folder)
    assert (found.metric, found.objectives) == ("hypervolume", ("gain", "loss"))
    assert found.comparison.ratio is None
    assert found.comparison.difference == pytest.approx((WIDE - NARROW) / JOINT)
    assert found.comparison.verdict == "a"
    (after_one,) = compare("wide", "narrow", folder, at=1)
    assert after_one.comparison.difference == pytest.approx(0.11 / JOINT)
    # asked for by name, the first objective alone still is compared
    (best,) = compare("wide", "narrow", folder, metric="best")
    assert (best.metric, best.objectives) == ("best", ("gain", "loss"))
    assert best.comparison.ratio == pytest.approx(0.8)


def test_ratios_and_shares_are_not_mixed(fronts: Fronts) -> None:
    fronts.benchmark("toy/more", GAIN_LOSS).run.benchmark("toy/c")
    for seed in range(6):
        for optimizer, value in (("wide", 2.0), ("narrow", 1.0)):
            fronts.run.study([value], optimizer=optimizer, benchmark="toy/b", seed=seed)
            fronts.run.study([value], optimizer=optimizer, benchmark="toy/c", seed=seed)
            # nobody has a result here
            fronts.study("toy/more", optimizer, seed, [None])
    folder = fronts.run.done()
    found = {one.benchmark: one for one in compare("wide", "narrow", folder)}
    assert {name: one.metric for name, one in found.items()} == {
        "toy/b": "best",
        "toy/c": "best",
        "toy/more": "hypervolume",
        "toy/two": "hypervolume",
        ALL_SINGLES: "best",
        ALL_FRONTS: "hypervolume",
    }
    assert found[ALL_SINGLES].comparison.ratio == pytest.approx(0.5)
    assert found[ALL_FRONTS].comparison.pairs == 6
    assert found["toy/more"].comparison.pairs == 0
    asked = compare("wide", "narrow", folder, metric="hypervolume")
    assert [one.benchmark for one in asked] == ["toy/more", "toy/two", ALL]
    by_best = compare("wide", "narrow", folder, metric="best")
    assert [one.benchmark for one in by_best] == ["toy/b", "toy/c", "toy/more", "toy/two", ALL]


def test_a_study_that_found_nothing_covers_nothing(tmp_path: Path) -> None:
    made = Fronts(tmp_path).benchmark("toy/two", GAIN_LOSS)
    for seed in range(3):
        made.study("toy/two", "a", seed, [(0.0, 0.0), (10.0, 10.0)])
        made.study("toy/two", "b", seed, [None, None], status="failed")
    folder = made.run.done()
    (found,) = compare("a", "b", folder)
    assert (found.comparison.pairs, found.comparison.difference) == (3, pytest.approx(1.0))
    assert query("SELECT share_median FROM leaderboard", folder)["share_median"].tolist() == [1, 0]


def test_hypervolumes_need_several_objectives(tmp_path: Path) -> None:
    run = Results(tmp_path).benchmark()
    for optimizer in ("a", "b"):
        run.study([1.0], optimizer=optimizer, seed=0)
    with pytest.raises(UserError, match="several objectives"):
        compare("a", "b", run.done(), metric="hypervolume")


def test_ranks_go_by_shares(fronts: Fronts) -> None:
    curves = load_curves(fronts.run.done())
    assert [one.optimizer for one in mean_ranks(curves, 2)] == ["wide", "narrow"]
    assert curves.loss[curves.index("wide"), 0, 0].tolist() == pytest.approx(
        [-0.11 / JOINT, -WIDE / JOINT]
    )


# -- the view, against Python and against counting

SIDE = 4
COORDINATE = st.integers(0, SIDE).map(float)


def front_of(points: Sequence[Point]) -> list[Point]:
    return [
        p
        for p in points
        if not any(q != p and all(a <= b for a, b in zip(q, p, strict=True)) for q in points)
    ]


def shares_by_counting(
    studies: Sequence[Sequence[Point | None]], signs: Sequence[int]
) -> list[float]:
    """Shares from dominated cells of a grid fine enough for every point and the reference point."""
    turned = [
        [tuple(s * x for s, x in zip(signs, p, strict=True)) for p in study if p is not None]
        for study in studies
    ]
    everything = [point for study in turned for point in study]
    front = front_of(everything)
    low, high, worst = (
        [of(column) for column in zip(*points, strict=True)]
        for of, points in ((min, front), (max, front), (max, everything))
    )
    cells = []
    for bottom, top, seen in zip(low, high, worst, strict=True):
        wide = top > bottom
        extent = (top - bottom) if wide else (seen - bottom if seen > bottom else 1.0)
        end = bottom + extent * (1.1 if wide else 0.1)
        edges = sorted({bottom, end, *(v for v in range(-SIDE, SIDE + 1) if bottom < v < end)})
        cells.append([((a, b), (b - a) / extent) for a, b in itertools.pairwise(edges)])

    def size(points: Sequence[Point]) -> float:
        return math.fsum(
            math.prod(width for _, width in cell)
            for cell in itertools.product(*cells)
            if any(
                all(x <= a for x, ((a, _), _) in zip(point, cell, strict=True)) for point in points
            )
        )

    whole = size(front)
    return [size(study) / whole for study in turned]


def ends(found: Coverage) -> list[float]:
    """Shares at the studies' ends, by seed."""
    return [float(s.share[-1]) for s in sorted(found.studies, key=lambda study: study.seed)]


RUNS = st.integers(2, 3).flatmap(
    lambda d: st.tuples(
        st.lists(st.sampled_from(["minimize", "maximize"]), min_size=d, max_size=d),
        st.lists(
            st.lists(st.none() | st.tuples(*[COORDINATE] * d), min_size=1, max_size=5),
            min_size=1,
            max_size=3,
        ),
    )
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RUNS)
def test_view_python_and_counting_agree(tmp_path_factory: pytest.TempPathFactory, run: Any) -> None:
    directions, studies = run
    made = Fronts(tmp_path_factory.mktemp("run")).benchmark("toy/n", objectives(directions))
    # 0 is always seen in every objective, so that none of them is taken as a logarithm
    zero = tuple(0.0 for _ in directions)
    studies = [[zero, *studies[0]], *studies[1:]]
    for seed, points in enumerate(studies):
        made.study("toy/n", "a", seed, points)
    folder = made.run.done()
    signs = [-1 if one == "maximize" else 1 for one in directions]
    expected = shares_by_counting(studies, signs)
    with open_index(folder) as index:
        (found,) = read_coverage(index, "r1")
        seen = index.execute(
            "SELECT f.share FROM front_share f JOIN studies s USING (study_id) ORDER BY s.seed"
        ).fetchall()
        (points,) = index.execute("SELECT count(DISTINCT objectives) FROM pareto").fetchall()
    assert ends(found) == pytest.approx(expected)
    assert [share for (share,) in seen] == pytest.approx(expected)
    assert found.front == points[0]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.lists(st.tuples(*[st.floats(1e-9, 1e9)] * 2), min_size=1, max_size=12),
        min_size=1,
        max_size=3,
    )
)
def test_view_and_python_agree_on_logarithms(
    tmp_path_factory: pytest.TempPathFactory, studies: Any
) -> None:
    made = Fronts(tmp_path_factory.mktemp("run")).benchmark(
        "toy/n", objectives(["minimize", "maximize"])
    )
    for seed, points in enumerate(studies):
        made.study("toy/n", "a", seed, points)
    with open_index(made.run.done()) as index:
        (found,) = read_coverage(index, "r1")
        seen = index.execute(
            "SELECT f.share FROM front_share f JOIN studies s USING (study_id) ORDER BY s.seed"
        ).fetchall()
    assert found.logarithmic == (True, True)
    assert [share for (share,) in seen] == pytest.approx(ends(found), rel=1e-6, abs=1e-9)


def test_values_that_only_differ_before_their_logarithm_are_both_on_the_front(
    tmp_path: Path,
) -> None:
    big = 1e300
    made = Fronts(tmp_path).benchmark("toy/n", objectives(["minimize", "minimize"]))
    made.study("toy/n", "a", 0, [(big, 5.0), (math.nextafter(big, math.inf), 4.0)])
    with open_index(made.run.done()) as index:
        (found,) = read_coverage(index, "r1")
        (count,) = index.execute("SELECT count(*) FROM pareto").fetchone()
        (share,) = index.execute("SELECT share FROM front_share").fetchone()
    assert (found.front, count) == (2, 2)
    assert found.studies[0].share[-1] == share == 1.0


def test_what_was_stopped_counts_and_what_failed_or_lacks_an_objective_does_not(
    tmp_path: Path,
) -> None:
    made = Fronts(tmp_path).benchmark("toy/two", GAIN_LOSS)
    made.run.study(
        [
            trial(0, None, objectives={"gain": 0.0, "loss": 0.0}),
            trial(1, None, objectives={"gain": 10.0, "loss": 10.0}, status=TrialStatus.STOPPED),
            trial(2, None, objectives={"gain": 50.0, "loss": -5.0}, status=TrialStatus.FAILED),
            trial(3, None, objectives={"gain": 50.0, "loss": None}),
            trial(4, None, objectives={"gain": 50.0}),
            trial(5, None, objectives={"gain": math.inf, "loss": -5.0}),
        ],
        benchmark="toy/two",
    )
    with open_index(made.run.done()) as index:
        (found,) = read_coverage(index, "r1")
        seen = index.execute("SELECT evaluations, share FROM front_share").fetchall()
    assert (found.front, found.ideal, found.nadir) == (2, (10.0, 0.0), (0.0, 10.0))
    assert found.studies[0].share.tolist() == pytest.approx([0.11 / 0.21, *[1.0] * 5])
    assert seen == [(6, pytest.approx(1.0))]


def test_volumes_of_what_is_not_finite() -> None:
    points = np.asarray([[-math.inf, 0.0], [math.nan, 0.0], [0.5, 0.5]])
    assert volume(points, np.asarray([1.0, 1.0])) == 0.25
    assert nondominated(np.asarray([[0.0, -0.0], [-0.0, 0.0]])).tolist() == [[0.0, 0.0]]


def test_the_report_says_that_targets_are_of_the_first_objective(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from daybreak.report.making import make_report

    made = Fronts(tmp_path).benchmark("toy/two", GAIN_LOSS)
    goal = {"name": "goal", "value": 5.0}
    for seed in range(3):
        made.study("toy/two", "wide", seed, [(0.0, 0.0), (8.0, 5.0)], thresholds=[goal])
    sections = {one.name: one for one in make_report(made.run.done()).sections}
    drawn = sections["time-to-target"]
    assert drawn.body.notes[0].endswith("targets are of the first (gain)")

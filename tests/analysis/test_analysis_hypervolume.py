"""Hypervolumes by counting, and shares of a joint front by hand."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_results import Results, trial

from daybreak import UserError
from daybreak.analysis.answers import Asked, Estimate, answer
from daybreak.analysis.hypervolume import growth, nondominated, read_coverage, volume
from daybreak.analysis.queries import open_index

SIDE = 5


def cells(points: np.ndarray, dimensions: int) -> int:
    """Count unit cells of [0, SIDE)^d that some point dominates."""
    return sum(
        any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in points)
        for cell in itertools.product(range(SIDE), repeat=dimensions)
    )


POINTS = st.integers(2, 4).flatmap(
    lambda d: st.lists(
        st.tuples(*[st.integers(0, SIDE + 1).map(float)] * d), min_size=1, max_size=9
    )
)


@settings(max_examples=150, deadline=None)
@given(POINTS)
def test_a_volume_is_the_number_of_dominated_cells(points):
    array = np.asarray(points)
    reference = np.full(array.shape[1], float(SIDE))
    assert volume(array, reference) == pytest.approx(cells(array, array.shape[1]))


@settings(max_examples=60, deadline=None)
@given(POINTS)
def test_growth_is_the_volume_of_every_beginning(points):
    array = np.asarray(points)
    reference = np.full(array.shape[1], float(SIDE))
    found = growth(array, reference)
    assert found == pytest.approx(
        [cells(array[: i + 1], array.shape[1]) for i in range(len(array))]
    )


@settings(max_examples=100, deadline=None)
@given(POINTS)
def test_the_front_against_an_oracle(points):
    oracle = sorted(
        {
            p
            for p in points
            if not any(q != p and all(a <= b for a, b in zip(q, p, strict=True)) for q in points)
        }
    )
    assert [tuple(row) for row in nondominated(np.asarray(points)).tolist()] == oracle


def test_what_is_not_finite_dominates_nothing():
    points = np.asarray([[math.nan, 1.0], [math.inf, 0.0], [1.0, 1.0], [-math.inf, 0.0]])
    assert growth(points, np.asarray([2.0, 2.0])).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert volume(np.empty((0, 2)), np.asarray([1.0, 1.0])) == 0.0


TWO = [
    {"name": "gain", "unit": "1", "direction": "maximize"},
    {"name": "loss", "unit": "1", "direction": "minimize"},
]


def written(folder: Path, studies, objectives=TWO) -> Path:
    run = Results(folder).benchmark("toy/two", objectives=objectives).benchmark("toy/one")
    names = [one["name"] for one in objectives]
    for optimizer, points in studies:
        run.study(
            [
                trial(i, None)
                if point is None
                else trial(i, None, objectives=dict(zip(names, point, strict=True)))
                for i, point in enumerate(points)
            ],
            optimizer=optimizer,
            benchmark="toy/two",
        )
    run.study([1.0, 2.0], benchmark="toy/one")
    return run.done()


def test_shares_by_hand(tmp_path: Path):
    # gain is linear (0 is among its values), and so is loss: the box is [0, 10] x [0, 10]
    folder = written(
        tmp_path,
        [
            ("a", [(0.0, 0.0), None, (10.0, 10.0)]),
            ("b", [(5.0, 5.0)]),
            ("c", [(-1.0, 20.0)]),  # beaten by all
        ],
    )
    with open_index(folder) as index:
        (found,) = read_coverage(index, "r1")
    assert (found.benchmark, found.front, found.logarithmic) == ("toy/two", 3, (False, False))
    assert (found.ideal, found.nadir) == ((10.0, 0.0), (0.0, 10.0))
    # on the unit box, minimised: a has (1, 0) and (0, 1), b (0.5, 0.5); the reference is (1.1, 1.1)
    ends, middle = 0.1 * 1.1, 0.6 * 0.6
    joint = 2 * ends - 0.01 + middle - 2 * 0.1 * 0.6 + 0.01
    shares = {study.optimizer: study.share for study in found.studies}
    assert shares["a"] == pytest.approx([ends / joint, ends / joint, (2 * ends - 0.01) / joint])
    assert shares["b"] == pytest.approx([middle / joint])
    assert shares["c"] == pytest.approx([0.0])


def test_positive_objectives_are_taken_as_logarithms(tmp_path: Path):
    objectives = [{"name": name, "unit": "s", "direction": "minimize"} for name in ("x", "y")]
    folder = written(
        tmp_path, [("a", [(1.0, 100.0)]), ("b", [(100.0, 1.0), (10.0, 10.0)])], objectives
    )
    with open_index(folder) as index:
        (found,) = read_coverage(index, "r1")
    assert found.logarithmic == (True, True)
    assert found.ideal == pytest.approx((1.0, 1.0))
    assert found.nadir == pytest.approx((100.0, 100.0))
    joint = 2 * 0.11 - 0.01 + 0.36 - 2 * 0.06 + 0.01
    shares = {study.optimizer: study.share for study in found.studies}
    assert shares["a"] == pytest.approx([0.11 / joint])
    assert shares["b"] == pytest.approx([0.11 / joint, (0.11 + 0.36 - 0.06) / joint])


def test_a_front_of_one_point_is_all_there_is(tmp_path: Path):
    folder = written(tmp_path, [("a", [(3.0, 4.0), (5.0, 1.0)]), ("b", [(3.0, 4.0)])])
    with open_index(folder) as index:
        (found,) = read_coverage(index, "r1")
    shares = {study.optimizer: study.share.tolist() for study in found.studies}
    assert found.front == 1
    assert shares == {"a": [0.0, 1.0], "b": [0.0]}


def test_the_answer_ranks_at_the_last_budget(tmp_path: Path):
    folder = written(
        tmp_path,
        [
            ("slow", [(0.0, 0.0), (5.0, 5.0), (10.0, 10.0)]),
            ("quick", [(5.0, 5.0)] * 3),
            ("slow", [(0.0, 0.0)] * 3),
        ],
    )
    (found,) = answer("hypervolume", folder, Asked(at=(1, 3)))
    assert [(row["optimizer"], row["studies"]) for row in found.rows] == [("quick", 1), ("slow", 2)]
    assert found.columns == ("benchmark", "optimizer", "studies", "at 1", "at 3")
    slow = found.rows[1]["at 3"]
    assert isinstance(slow, Estimate)
    assert slow.high == pytest.approx(1.0)
    assert slow.value == pytest.approx((slow.low + slow.high) / 2)


def test_one_objective_has_no_front(tmp_path: Path):
    folder = Results(tmp_path).benchmark()
    folder.study([1.0])
    with pytest.raises(UserError, match="several objectives"):
        answer("hypervolume", folder.done())


def test_nothing_that_succeeded_is_said(tmp_path: Path):
    folder = written(tmp_path, [("a", [None, None])])
    with pytest.raises(UserError, match="gave all objectives"):
        answer("hypervolume", folder)

"""Scales of axes and labels beside them, against brute force and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("matplotlib")

from daybreak.report.figures.scales import near_one, plain, spread
from daybreak.report.figures.style import canvas


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.01, 0.1))
def test_labels_keep_apart_and_in_order(wanted, gap):
    wanted = sorted(wanted)
    found = spread(wanted, gap, 1.0)
    assert len(found) == len(wanted)
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(found))
    assert all(place <= 1 + 1e-9 for place in found)


def test_labels_that_have_room_stay_where_they_are():
    assert spread([0.1, 0.5, 0.9], 0.05) == [0.1, 0.5, 0.9]
    # three at one place: the last one cannot go above the edge
    assert spread([1.0, 1.0, 1.0], 0.1) == pytest.approx([0.8, 0.9, 1.0])


@pytest.mark.parametrize("axis", ["x", "y"])
def test_towards_one_each_tenth_of_what_is_missing_takes_as_much_room(axis):
    with canvas(4, 4) as figure:
        axes = figure.subplots()
        near_one(axes, axis, np.asarray([0.0, 0.9, 0.99]))
        ends = (0, 1) if axis == "x" else (1, 0)
        places = [
            axes.transData.transform([(value, 0.5)[i] for i in ends])[ends[0]]
            for value in (0.0, 0.9, 0.99)
        ]
        assert places[2] - places[1] == pytest.approx(places[1] - places[0])
        ticks = axes.get_xticks() if axis == "x" else axes.get_yticks()
        assert {0.0, 0.9, 0.99} <= {*np.asarray(ticks).tolist()}


def test_one_itself_has_a_place():
    with canvas(4, 4) as figure:
        axes = figure.subplots()
        near_one(axes, "y", np.asarray([0.5, 0.99, 1.0]))
        low, high = axes.get_ylim()
        assert np.isfinite([low, high]).all()
        assert low < 0.5 < 1.0 < high


def test_numbers_on_an_axis_are_short():
    assert [plain(x) for x in (0.0, 0.0001, 20.0, 1e-5, 2e6)] == [
        "0",
        "0.0001",
        "20",
        "1e-05",
        "2e+06",
    ]

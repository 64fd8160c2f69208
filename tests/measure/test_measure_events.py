"""Thinning of events: what is dropped must not move the moment at which a value was reached."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.measure.events import EventKeeper
from daybreak.records import Direction, Event

MOST = 16


def first_reached(curve: Sequence[tuple[int, float]], bound: float, sign: float) -> int | None:
    """Return the index within `curve` of the first value at or beyond `bound`."""
    return next((i for i, (_, value) in enumerate(curve) if sign * value >= sign * bound), None)


VALUES = st.floats(-5, 5, allow_nan=False).map(lambda value: round(value, 1))
CURVES = st.one_of(
    st.lists(VALUES, min_size=1, max_size=400),
    # ever better, with a spike here and there
    st.lists(st.floats(0, 0.1), min_size=1, max_size=400).map(
        lambda steps: [sum(steps[:i]) for i in range(len(steps))]
    ),
    st.lists(st.one_of(VALUES, st.just(math.nan), st.just(math.inf)), min_size=1, max_size=300),
)


@given(CURVES, st.sampled_from(list(Direction)), st.lists(VALUES, max_size=3), VALUES)
def test_intervals_to_any_threshold_stay_true(
    values: list[float], direction: Direction, watched: list[float], asked: float
) -> None:
    keeper = EventKeeper(MOST, directions={"m": direction}, watched={"m": watched})
    for value in values:
        keeper.add(Event("m", value))
    kept, dropped = keeper.finish()
    assert len(kept) + dropped == len(values)
    assert len(kept) <= MOST + 1 + 3 * len(watched)
    assert all(event.value is values[event.seq] for event in kept)
    sign = 1.0 if direction is Direction.MAXIMIZE else -1.0
    numbers = [sign * value for value in values if math.isfinite(value)]
    # an infinity is at every threshold: the curve diverged there, and nothing after it counts
    clean = all(math.isfinite(value) or math.isnan(value) for value in values)
    curve = [(event.seq, event.value) for event in kept]
    for bound in {*watched, asked, *values} if clean else set():
        if math.isnan(bound):
            continue
        true = first_reached(list(enumerate(values)), bound, sign)
        seen = first_reached(curve, bound, sign)
        assert (true is None) == (seen is None)
        if true is None or seen is None:
            continue
        assert curve[seen][0] >= true
        if seen:
            assert curve[seen - 1][0] < true
        if bound in watched:
            assert curve[seen][0] == true
            if true:
                assert curve[seen - 1][0] == true - 1
    if numbers and clean:
        best = max(numbers)
        assert any(sign * value == best for _, value in curve)


def test_a_monotone_curve_of_a_million_keeps_its_target_exactly() -> None:
    keeper = EventKeeper(1000, directions={"m": Direction.MINIMIZE}, watched={"m": [0.25]})
    count = 100_000
    for i in range(count):
        keeper.add(Event("m", 1.0 - i / count))
    kept, dropped = keeper.finish()
    places = [event.seq for event in kept]
    assert {0, 74_999, 75_000, count - 1} <= set(places)
    assert len(kept) <= 1004
    assert dropped == count - len(kept)
    # evenly: no gap is many times the mean one
    gaps = [b - a for a, b in itertools.pairwise(places)]
    assert max(gaps) <= 4 * count / len(kept)


def test_fresh_tells_every_kept_event_once_while_nothing_is_thinned() -> None:
    keeper = EventKeeper(directions={"m": Direction.MAXIMIZE}, watched={"m": [5.0]})
    told: list[int] = []
    for i in range(50):
        keeper.add(Event("m", float(i % 7)))
        if i % 9 == 0:
            told += [event.seq for event in keeper.fresh()]
    told += [event.seq for event in keeper.fresh()]
    assert told == list(range(50))
    assert keeper.fresh() == []


def test_fresh_is_bounded_but_never_leaves_a_watched_value_out() -> None:
    keeper = EventKeeper(directions={"m": Direction.MAXIMIZE}, watched={"m": [100.0]})
    for i in range(5000):
        keeper.add(Event("m", float(i)))
    told = [event.seq for event in keeper.fresh(10)]
    assert told[:2] == [99, 100]
    assert told[-10:] == list(range(4990, 5000))


@pytest.mark.parametrize("most", [1, 2, 3])
def test_tiny_keepers_do_not_loop(most: int) -> None:
    keeper = EventKeeper(most, directions={"a": Direction.MAXIMIZE, "b": Direction.MINIMIZE})
    for i in range(100):
        keeper.add(Event("ab"[i % 2], float(i)))
    kept, _ = keeper.finish()
    assert {event.metric for event in kept} == {"a", "b"}
    assert [event.seq for event in kept][-2:] == [98, 99]


def test_numbered_events_keep_their_numbers() -> None:
    keeper = EventKeeper()
    for seq in (3, 7, 11):
        keeper.take(Event("m", 1.0, seq))
    assert [event.seq for event in keeper.finish()[0]] == [3, 7, 11]

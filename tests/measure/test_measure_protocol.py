"""The protocol on simulated clocks: warm-up, repeats, hopeless configurations, natural ends."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.errors import TrialFailed, WrongResult
from daybreak.measure.events import EventKeeper
from daybreak.measure.protocol import WARMUP_CAP, Measurement, Stop, collect
from daybreak.measure.statistics import interval_coverage, median_interval
from daybreak.records import (
    Direction,
    Event,
    FailureKind,
    MeasurementProtocol,
    Metric,
    Repeats,
    Sample,
)

TIME = Metric("time", "s")
SPEED = Metric("speed", "GB/s", Direction.MAXIMIZE)
ENERGY = Metric("energy", "J")


class Kernel:
    """Yields `values` as times, each of which takes so long (or `lap`) on a clock of its own."""

    def __init__(self, values: list[float], lap: float | None = None, metric: str = "time") -> None:
        self.values = values
        self.lap = lap
        self.metric = metric
        self.now = 0.0
        self.closed = False
        self.yielded = 0

    def clock(self) -> float:
        return self.now

    def run(self) -> Iterator[Sample]:
        try:
            for value in self.values:
                self.now += value if self.lap is None else self.lap
                self.yielded += 1
                yield Sample(self.metric, value)
        finally:
            self.closed = True


def read(
    kernel: Kernel, protocol: MeasurementProtocol, *objectives: Metric, best: float | None = None
) -> Measurement:
    result = collect(kernel.run(), protocol, objectives or (TIME,), best=best, clock=kernel.clock)
    assert kernel.closed
    return result


def protocol(
    low: int = 5,
    high: int = 50,
    ci: float = 0.02,
    warmup: int | str = 0,
    timeout_s: float = 30.0,
    hopeless: float | None = 10.0,
) -> MeasurementProtocol:
    return MeasurementProtocol(
        repeats=Repeats(low, high, ci), warmup=warmup, timeout_s=timeout_s, hopeless=hopeless
    )


def test_equal_samples_end_at_the_fewest_repeats() -> None:
    result = read(Kernel([1e-3] * 99), protocol(low=3))
    assert result.values == {"time": [1e-3] * 3}
    assert result.stop is Stop.NARROW


def test_five_unequal_samples_are_never_narrow() -> None:
    result = read(Kernel([1e-3, 1.0000001e-3] * 50), protocol(low=5, ci=0.5))
    assert len(result.values["time"]) == 6
    assert result.stop is Stop.NARROW


def test_a_wide_interval_goes_on_to_the_cap() -> None:
    result = read(Kernel([1e-3, 2e-3] * 50), protocol(high=20))
    assert len(result.values["time"]) == 20
    assert result.stop is Stop.MOST


def test_counted_warmup_is_dropped() -> None:
    result = read(Kernel([9e-3, 8e-3] + [1e-3] * 90), protocol(warmup=2))
    assert result.warmup == 2
    assert set(result.values["time"]) == {1e-3}


def test_automatic_warmup_ends_when_stable() -> None:
    result = read(Kernel([9e-3, 4e-3, 1e-3, 1e-3, 1e-3] + [1.5e-3] * 90), protocol(warmup="auto"))
    assert result.warmup == 5
    assert set(result.values["time"]) == {1.5e-3}


def test_automatic_warmup_is_capped() -> None:
    falling = [2.0**-k for k in range(200)]
    result = read(Kernel(falling, lap=1e-4), protocol(warmup="auto", high=7))
    assert result.warmup == WARMUP_CAP
    assert len(result.values["time"]) == 7


def test_a_long_first_repetition_is_kept() -> None:
    result = read(Kernel([1.5] * 99), protocol(warmup="auto", low=3, timeout_s=60.0))
    assert result.warmup == 0
    assert len(result.values["time"]) == 3


@pytest.mark.parametrize("warmup", [0, 1, 3, 5, "auto"])
def test_a_natural_end_during_warmup_keeps_everything(warmup: int | str) -> None:
    result = read(Kernel([0.3, 0.2, 0.1]), protocol(warmup=warmup))
    assert result.stop is Stop.NATURAL
    if warmup != 1:
        assert result.values["time"] == [0.3, 0.2, 0.1]
        assert result.warmup == 0
    else:
        assert result.values["time"] == [0.2, 0.1]


def test_the_time_limit_ends_repetition_before_it_is_overrun() -> None:
    kernel = Kernel([0.4, 0.41] * 50)
    result = read(kernel, protocol(timeout_s=2.0))
    assert result.stop is Stop.TIME
    assert 1 <= len(result.values["time"]) <= 4
    assert kernel.now <= 2.0


def test_a_warmup_that_fills_the_time_gives_its_last_repetition() -> None:
    result = read(Kernel([0.9, 0.8, 0.7]), protocol(warmup=5, timeout_s=2.0))
    assert result.stop is Stop.TIME
    assert len(result.values["time"]) == 1
    assert result.warmup == 0


@pytest.mark.parametrize(
    ("objective", "best", "value", "stopped"),
    [
        (TIME, 1e-3, 11e-3, True),
        (TIME, 1e-3, 9e-3, False),
        (TIME, None, 11e-3, False),
        (TIME, math.inf, 11e-3, False),
        (SPEED, 100.0, 9.0, True),
        (SPEED, 100.0, 11.0, False),
        (SPEED, 1.0, 100.0, False),
    ],
)
def test_hopeless_follows_the_direction(
    objective: Metric, best: float | None, value: float, stopped: bool
) -> None:
    kernel = Kernel([value] * 99, lap=1e-3, metric=objective.name)
    result = read(kernel, protocol(low=2), objective, best=best)
    assert (result.stop is Stop.HOPELESS) == stopped
    assert kernel.yielded == (1 if stopped else 2)


def test_the_first_warmup_repetition_never_condemns() -> None:
    slow_start = Kernel([1.0, 1e-3] + [1e-3] * 99, lap=1e-3)
    assert read(slow_start, protocol(warmup="auto"), best=1e-3).stop is not Stop.HOPELESS
    slow = Kernel([1.0] * 99, lap=1e-3)
    result = read(slow, protocol(warmup="auto"), best=1e-3)
    assert result.stop is Stop.HOPELESS
    assert slow.yielded == 2
    assert result.values["time"] == [1.0]


def test_hopeless_may_be_switched_off() -> None:
    assert read(Kernel([1.0] * 9, 1e-3), protocol(hopeless=None), best=1e-9).stop is Stop.NARROW


def both(*pairs: tuple[float, float]) -> Iterator[Sample | Event]:
    for time, energy in pairs:
        yield Sample("time", time)
        yield Sample("energy", energy)


def test_a_repetition_has_a_sample_of_every_objective() -> None:
    result = collect(both(*[(1.0, 5.0)] * 9), protocol(low=4, warmup=2), (TIME, ENERGY))
    assert result.values == {"time": [1.0] * 4, "energy": [5.0] * 4}


def test_a_missing_objective_fails() -> None:
    with pytest.raises(TrialFailed, match="no sample of the objective 'speed'"):
        collect(both((1.0, 5.0)), protocol(), (TIME, SPEED))
    with pytest.raises(TrialFailed, match="no sample"):
        collect(iter(()), protocol(), (TIME,))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1e-9])
def test_impossible_times_are_wrong_results(value: float) -> None:
    with pytest.raises(WrongResult):
        collect(iter([Sample("time", value)]), protocol(), (TIME,))


def test_a_quantity_without_unit_may_be_negative() -> None:
    result = collect(iter([Sample("score", -3.0)]), protocol(), (Metric("score", ""),))
    assert result.values == {"score": [-3.0]}


def test_another_metric_may_be_anything() -> None:
    items = iter([Sample("note", math.nan), Sample("time", 1.0)])
    assert math.isnan(collect(items, protocol(), (TIME,)).values["note"][0])


def test_rubbish_in_the_stream_fails() -> None:
    with pytest.raises(TrialFailed, match="yielded int"):
        collect(iter([1]), protocol(), (TIME,))  # type: ignore[list-item]


def test_cancelling_closes_the_stream() -> None:
    kernel = Kernel([1e-3] * 9)
    with pytest.raises(TrialFailed) as caught:
        collect(kernel.run(), protocol(), (TIME,), cancelled=lambda: kernel.yielded == 2)
    assert caught.value.kind is FailureKind.CANCELLED
    assert kernel.closed


def test_events_pass_through_in_order() -> None:
    def job() -> Iterator[Sample | Event]:
        for step in range(5):
            yield Event("loss", 1.0 / (step + 1), step=step)
        yield Sample("time", 3.0)

    result = collect(job(), protocol(warmup="auto"), (TIME,))
    assert [event.seq for event in result.events] == [0, 1, 2, 3, 4]
    assert [event.step for event in result.events] == [0, 1, 2, 3, 4]
    assert result.values == {"time": [3.0]}
    assert result.stop is Stop.NATURAL


@given(
    values=st.lists(st.floats(min_value=1e-6, max_value=0.1), min_size=1, max_size=120),
    low=st.integers(1, 12),
    more=st.integers(0, 30),
    ci=st.sampled_from([0.001, 0.02, 0.3]),
    warmup=st.one_of(st.just("auto"), st.integers(0, 8)),
    best=st.one_of(st.none(), st.floats(min_value=1e-6, max_value=1.0)),
)
def test_every_stop_is_justified(
    values: list[float],
    low: int,
    more: int,
    ci: float,
    warmup: int | str,
    best: float | None,
) -> None:
    kernel = Kernel(values)
    rules = protocol(low, low + more, ci, warmup)
    result = read(kernel, rules, best=best)
    kept = result.values["time"]
    # What is kept is a stretch of what was yielded, after the warm-up.
    assert values[result.warmup : result.warmup + len(kept)] == kept
    assert result.warmup + len(kept) == kernel.yielded
    assert 1 <= len(kept) <= max(low + more, len(kept) if result.stop is Stop.NATURAL else 0)
    if result.stop is Stop.NARROW:
        middle, bottom, top = median_interval(kept)
        assert len(kept) >= low
        assert bottom == top or interval_coverage(len(kept)) >= 0.95
        assert (top - bottom) / 2 <= ci * middle * (1 + 1e-12)
    elif result.stop is Stop.MOST:
        assert len(kept) == low + more
    elif result.stop is Stop.HOPELESS:
        assert best is not None
        assert len(kept) == 1
        assert kept[0] > 10 * best
    else:
        assert result.stop is Stop.NATURAL
        assert kernel.yielded == len(values)


@given(st.integers(0, 400), st.integers(4, 50), st.integers(1, 3))
def test_thinned_curves_keep_their_ends(count: int, most: int, metrics: int) -> None:
    keeper = EventKeeper(most)
    for k in range(count):
        keeper.add(Event(f"m{k % metrics}", float(k)))
    kept, dropped = keeper.finish()
    assert len(kept) + dropped == count
    assert len(kept) <= most + metrics
    assert [event.seq for event in kept] == sorted({event.seq for event in kept})
    assert all(event.value == event.seq for event in kept)
    for metric in {f"m{k % metrics}" for k in range(count)}:
        curve = [event.seq for event in kept if event.metric == metric]
        first = int(metric[1:])
        assert curve[0] == first
        assert curve[-1] == max(range(first, count, metrics))

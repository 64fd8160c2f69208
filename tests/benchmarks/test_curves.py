"""How fast progress curves are read and thinned: none of it may disturb what is being trained.

    pytest tests/benchmarks/test_curves.py --benchmark-only --override-ini addopts= \\
        -p no:cacheprovider
"""

from __future__ import annotations

from typing import Any

import pytest

from daybreak.measure import CurveSetting
from daybreak.measure.curve import CurveReader
from daybreak.measure.events import EventKeeper
from daybreak.records import Curve, Direction, Event, MeasurementProtocol, Metric

TIME = Metric("time_to_target", "s")
ACCURACY = Metric("accuracy", "1", Direction.MAXIMIZE)
COUNT = 100_000


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return [
        Event("accuracy", 0.5 + 1e-7 * i, step=i, train_s=i * 1e-6, wall_s=i * 1e-6)
        for i in range(COUNT)
    ]


def test_events_are_read(benchmark: Any, events: list[Event]) -> None:
    """Checked, asked for every rule, thinned: 100,000 events of an ever better curve."""
    setting = CurveSetting(Curve("accuracy", 0.9), (TIME, ACCURACY), {"accuracy": (0.505,)})
    protocol = MeasurementProtocol(timeout_s=1e6)

    def read() -> int:
        keeper = setting.keeper(protocol)
        CurveReader(protocol, setting, (TIME,), keeper).read(iter(events), cancelled=lambda: False)
        return len(keeper.finish()[0])

    assert benchmark(read) < COUNT


def test_events_are_thinned(benchmark: Any, events: list[Event]) -> None:
    """The keeper alone."""

    def keep() -> int:
        keeper = EventKeeper(directions={"accuracy": Direction.MAXIMIZE})
        for event in events:
            keeper.add(event)
        return len(keeper.finish()[0])

    assert benchmark(keep) < COUNT

"""The measurement protocol: how long a session's stream of samples is read, and what is kept.

A repetition is complete when every objective has one more sample; a session therefore yields the
samples of other metrics of a repetition before its last objective. The rules, in order:

* **Warm-up.** An integer drops that many repetitions. ``"auto"`` drops repetitions until they are
  stable (`statistics.is_stable`), at most `WARMUP_CAP` of them and at most `WARMUP_SECONDS` or a
  tenth of the time limit. A first repetition of `LONG_REPETITION` seconds or more is kept: against
  that length, cold caches do not matter. A stream that ends by itself during warm-up (a training
  job, a recorded value) keeps all its samples, and its warm-up counts as none.
* **Hopeless.** When the first sample is ``protocol.hopeless`` times worse than the best so far,
  repetition ends (`Stop.HOPELESS`). During automatic warm-up this is asked from the second
  repetition on, for the first pays for what is only paid once.
* **Repeats.** At least ``repeats.min``; then until the half-width of the 95 % interval of the first
  objective's median is at most ``repeats.ci`` of the median (`Stop.NARROW`), or ``repeats.max``
  (`Stop.MOST`). Fewer than six samples only count as narrow when all are equal, since no interval
  of five samples reaches 95 %.
* **Time.** When the next repetition would run over the time limit, what has been measured counts
  (`Stop.TIME`); the last repetition of an unfinished warm-up then serves as the sample.
"""

from __future__ import annotations

import math
import time
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from daybreak.errors import TrialFailed, WrongResult
from daybreak.measure.events import EventKeeper
from daybreak.measure.statistics import interval_coverage, is_stable, sorted_interval
from daybreak.records import Direction, Event, FailureKind, MeasurementProtocol, Metric, Sample

__all__ = [
    "LONG_REPETITION",
    "NEVER_NEGATIVE",
    "WARMUP_CAP",
    "WARMUP_SECONDS",
    "Measurement",
    "Stop",
    "collect",
]

#: Most repetitions that automatic warm-up drops.
WARMUP_CAP = 10
#: Most seconds that automatic warm-up takes before the repetition in progress becomes its last.
WARMUP_SECONDS = 1.0
#: A first repetition of so many seconds is kept as a sample.
LONG_REPETITION = 1.0
#: Units of which a negative value is nonsense, so that the trial fails as `wrong_result`.
NEVER_NEGATIVE = frozenset(
    {"s", "ms", "us", "µs", "ns", "min", "h", "J", "mJ", "kJ", "Wh", "W", "mW"}
    | {"B", "KiB", "MiB", "GiB", "kB", "MB", "GB", "cycles", "instructions", "tokens", "USD"}
)

#: Seconds between two reports of what has been measured so far.
_REPORT_EVERY = 0.5


class Stop(StrEnum):
    """Why reading the stream ended."""

    NARROW = "narrow"
    MOST = "most"
    NATURAL = "natural"
    HOPELESS = "hopeless"
    TIME = "time"
    # only of progress curves, see `daybreak.measure.curve`
    TARGET = "target"
    BUDGET = "budget"
    DIVERGED = "diverged"
    CUTOFF = "cutoff"


@dataclass(slots=True)
class Measurement:
    """What `collect` kept: values by metric in the order of their repetitions, and events."""

    values: dict[str, list[float]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    warmup: int = 0
    stop: Stop = Stop.NATURAL
    events_dropped: int = 0


def collect(
    stream: Iterable[Sample | Event],
    protocol: MeasurementProtocol,
    objectives: tuple[Metric, ...],
    *,
    best: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    report: Callable[[Mapping[str, list[float]], list[Event]], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
    keeper: EventKeeper | None = None,
) -> Measurement:
    """Read `stream` under `protocol` until it is known well enough, and close it.

    Args:
        stream: what `Session.measure` returned.
        protocol: warm-up, repetitions, hopeless factor, seconds for the whole measurement.
        objectives: the first one decides about repetition and early stop.
        best: the best value of the first objective so far, in its unit.
        cancelled: asked after every item; True ends the trial as `cancelled`.
        report: called now and then with what has been measured, for trials that die later.
        clock: seconds; replaced in tests.
        keeper: takes the events, and has them still when this raises.

    Raises:
        WrongResult: an objective's sample is not finite, or negative although its unit forbids it.
        TrialFailed: the session yielded something else than a sample or an event, no sample of an
            objective, or the trial was cancelled.
    """
    reader = _Reader(protocol, objectives, best, clock, keeper or EventKeeper())
    reported = clock()
    try:
        for item in stream:
            if cancelled is not None and cancelled():
                raise TrialFailed("cancelled", kind=FailureKind.CANCELLED)
            stop = reader.take(item)
            if stop is not None:
                reader.result.stop = stop
                break
            if report is not None and reader.now - reported >= _REPORT_EVERY:
                reported = reader.now
                report(reader.result.values, reader.events.fresh())
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    return reader.finish()


class _Reader:
    """The state of one reading."""

    __slots__ = (
        "auto",
        "best",
        "checks",
        "clock",
        "dropped",
        "events",
        "first",
        "mark",
        "measured",
        "names",
        "now",
        "objectives",
        "ordered",
        "protocol",
        "repetitions",
        "result",
        "started",
        "warming",
    )

    def __init__(
        self,
        protocol: MeasurementProtocol,
        objectives: tuple[Metric, ...],
        best: float | None,
        clock: Callable[[], float],
        keeper: EventKeeper,
    ) -> None:
        self.protocol = protocol
        self.objectives = objectives
        self.names = tuple(metric.name for metric in objectives)
        self.checks = {metric.name: metric.unit in NEVER_NEGATIVE for metric in objectives}
        self.first = objectives[0]
        self.best = best if best is not None and 0.0 < best < math.inf else None
        self.clock = clock
        self.started = self.mark = self.now = clock()
        self.auto = not isinstance(protocol.warmup, int)
        self.warming = self.auto or int(protocol.warmup) > 0
        self.result = Measurement()
        self.dropped: dict[str, list[float]] = {}
        self.events = keeper
        self.ordered: list[float] = []
        self.repetitions = 0
        self.measured = 0

    def take(self, item: Any) -> Stop | None:
        """Take one item of the stream; say why to stop, or None to go on."""
        self.now = self.clock()
        if type(item) is not Sample:
            if isinstance(item, Event):
                self.events.add(item)
                return None
            raise TrialFailed(
                f"the session's measurement yielded {type(item).__name__}, "
                "neither a Sample nor an Event"
            )
        value = float(item.value)
        never_negative = self.checks.get(item.metric)
        if never_negative is not None:
            if not math.isfinite(value):
                raise WrongResult(f"the measured {item.metric} is {value}, no finite number")
            if never_negative and value < 0.0:
                raise WrongResult(f"the measured {item.metric} is negative: {value}")
        values = self.result.values
        values.setdefault(item.metric, []).append(value)
        expected = (self.measured if not self.warming else self.repetitions) + 1
        for name in self.names:
            if len(values.get(name, ())) < expected:
                return None
        self.repetitions += 1
        lap, self.mark = self.now - self.mark, self.now
        newest = values[self.first.name][expected - 1]
        if self.warming:
            return self._warm(newest, lap)
        return self._measure(newest, lap)

    def _warm(self, newest: float, lap: float) -> Stop | None:
        elapsed = self.now - self.started
        limit = self.protocol.timeout_s
        if self.auto and self.repetitions == 1 and lap >= LONG_REPETITION:
            self.warming = False
            return self._measure(newest, lap)
        if self.auto and self.repetitions > 1 and self._hopeless(newest):
            self._end_warmup(keep=1)
            return Stop.HOPELESS
        if elapsed + 2.5 * lap > limit:
            self._end_warmup(keep=1)
            return Stop.TIME
        if self.auto:
            over = (
                self.repetitions >= WARMUP_CAP
                or elapsed >= min(WARMUP_SECONDS, 0.1 * limit)
                or is_stable(self.result.values[self.first.name])
            )
        else:
            over = self.repetitions >= int(self.protocol.warmup)
        if over:
            self._end_warmup(keep=0)
        return None

    def _end_warmup(self, keep: int) -> None:
        """Drop the repetitions so far but for the last `keep`."""
        self.warming = False
        self.result.warmup = self.repetitions - keep
        self.dropped = self.result.values
        self.result.values = (
            {name: values[-keep:] for name, values in self.dropped.items()} if keep else {}
        )

    def _measure(self, newest: float, lap: float) -> Stop | None:
        self.measured += 1
        insort(self.ordered, newest)
        repeats = self.protocol.repeats
        if self.measured == 1 and self._hopeless(newest):
            return Stop.HOPELESS
        if self.measured >= repeats.max:
            return Stop.MOST
        if self.measured >= repeats.min and self._narrow(repeats.ci):
            return Stop.NARROW
        if self.now - self.started + 1.5 * lap > self.protocol.timeout_s:
            return Stop.TIME
        return None

    def _narrow(self, ci: float) -> bool:
        ordered = self.ordered
        if ordered[0] == ordered[-1]:
            return True
        if interval_coverage(len(ordered)) < 0.95:
            return False
        middle, low, high = sorted_interval(ordered)
        return (high - low) / 2.0 <= ci * abs(middle)

    def _hopeless(self, value: float) -> bool:
        factor = self.protocol.hopeless
        if factor is None or self.best is None or value < 0.0:
            return False
        if self.first.direction is Direction.MINIMIZE:
            return value > factor * self.best
        return value * factor < self.best

    def finish(self) -> Measurement:
        result = self.result
        if result.stop is Stop.NATURAL and not result.values.get(self.first.name):
            # The stream ended right after warm-up: there is nothing better than what was dropped.
            result.values, result.warmup = self.dropped, 0
        for name in self.names:
            if not result.values.get(name):
                raise TrialFailed(f"the session yielded no sample of the objective '{name}'")
        result.events, result.events_dropped = self.events.finish()
        return result

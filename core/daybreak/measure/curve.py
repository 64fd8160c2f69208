"""Reading a progress curve: how long a training job's stream of events is read, and why it ended.

After every event of the progress metric, in this order:

* **Diverged.** The value is no finite number (`Stop.DIVERGED`).
* **Target.** The value is at or beyond the target: it is reached, at this event's training clock.
  There the stream is closed (`Stop.TARGET`), unless the stop rule says to train on.
* **Budget.** The stop rule's seconds of the training clock, or epochs, are used up
  (`Stop.BUDGET`). An event past the budget that is at the target has reached it all the same.
* **Hopeless.** The training clock, if it is the first objective, has passed ``protocol.hopeless``
  times the best so far without reaching the target (`Stop.HOPELESS`).
* **Time.** The next event would come after the time limit of the phase, if it takes half as long
  again as this one did (`Stop.TIME`).

An optimizer's cutoffs (`Stop.CUTOFF`) are asked after every event of their own metric, once the
progress metric's rules have been. A stream that ends by itself is `Stop.NATURAL`.

Clocks, steps and epochs that run back within a metric, a training clock ahead of the wall clock, and
numbers that are none break the contract: the trial fails as `internal`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daybreak.errors import TrialFailed, WrongResult
from daybreak.measure.cutoffs import PendingCutoff
from daybreak.measure.event_checks import EventChecker
from daybreak.measure.events import EventKeeper
from daybreak.measure.pacing import ReportPace
from daybreak.measure.protocol import NEVER_NEGATIVE, Stop
from daybreak.records import (
    TIME_TO_TARGET,
    Curve,
    Cutoff,
    Direction,
    Event,
    FailureKind,
    MeasurementProtocol,
    Metric,
    Sample,
)

__all__ = ["CurveReader", "CurveSetting", "beyond"]


@dataclass(frozen=True, slots=True)
class CurveSetting:
    """What a bench knows of its benchmark's curve.

    Attributes:
        curve: the progress metric and the benchmark's own target.
        metrics: all metrics of the benchmark, the objectives among them.
        watched: values by metric whose first reaching must survive the thinning of events.
    """

    curve: Curve
    metrics: tuple[Metric, ...]
    watched: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def directions(self) -> dict[str, Direction]:
        """The direction of every metric."""
        return {metric.name: metric.direction for metric in self.metrics}

    @property
    def progress(self) -> Metric:
        """The progress metric.

        Raises:
            TrialFailed: the benchmark does not list it.
        """
        for metric in self.metrics:
            if metric.name == self.curve.metric:
                return metric
        raise TrialFailed(
            f"the curve's metric '{self.curve.metric}' is none of the benchmark's metrics"
        )

    def target(self, protocol: MeasurementProtocol) -> float | None:
        """The value whose reaching is timed: the stop rule's, else the benchmark's own."""
        rule = protocol.stop
        if rule is not None and rule.target is not None:
            return rule.target
        return self.curve.target

    def keeper(self, protocol: MeasurementProtocol) -> EventKeeper:
        """Return a keeper that loses nothing around the target and the watched values."""
        watched = dict(self.watched)
        target = self.target(protocol)
        if target is not None:
            watched[self.curve.metric] = (*watched.get(self.curve.metric, ()), target)
        return EventKeeper(directions=self.directions, watched=watched)


def beyond(value: float, bound: float, direction: Direction) -> bool:
    """Whether `value` is at or beyond `bound`; NaN never is."""
    return value >= bound if direction is Direction.MAXIMIZE else value <= bound


class CurveReader:
    """Reads one curve. Afterwards, however it ended:

    Attributes:
        stop: why reading ended; None while it goes on, or if it raised.
        reached: the first event at or beyond the target.
        first, last: the first and the last event of the progress metric.
        best: its best finite value.
        newest: the last finite value of every metric that had an event.
        samples: values by metric that were yielded as samples.
        cutoff: the cutoff that ended it.
        train_s: the training clock at the last event of the progress metric, if it has one.
    """

    def __init__(
        self,
        protocol: MeasurementProtocol,
        setting: CurveSetting,
        objectives: tuple[Metric, ...],
        keeper: EventKeeper,
        *,
        best: float | None = None,
        cutoffs: Sequence[Cutoff] = (),
    ) -> None:
        self.stop: Stop | None = None
        self.reached: Event | None = None
        self.first: Event | None = None
        self.last: Event | None = None
        self.best: float | None = None
        self.newest: dict[str, float] = {}
        self.samples: dict[str, list[float]] = {}
        self.cutoff: Cutoff | None = None
        self.target = setting.target(protocol)
        self._protocol = protocol
        self._keeper = keeper
        self._progress = setting.progress
        self._direction = self._progress.direction
        self._timed = any(metric.name == TIME_TO_TARGET for metric in objectives)
        self._checks = {metric.name: metric.unit in NEVER_NEGATIVE for metric in objectives}
        rule = protocol.stop
        self._ends_at_target = rule is None or rule.target is not None
        self._train_s = None if rule is None else rule.train_s
        self._epochs = None if rule is None else rule.epochs
        self._hopeless_s = math.inf
        if objectives[0].name == TIME_TO_TARGET and protocol.hopeless is not None and best:
            self._hopeless_s = protocol.hopeless * best
        self._needs_clock = (
            self._timed or self._train_s is not None or math.isfinite(self._hopeless_s)
        )
        self._checker = EventChecker()
        directions = setting.directions
        self._cutoffs: dict[str, list[PendingCutoff]] = {}
        for cutoff in cutoffs:
            pending = PendingCutoff(cutoff, directions.get(cutoff.metric, Direction.MINIMIZE))
            self._cutoffs.setdefault(cutoff.metric, []).append(pending)

    @property
    def train_s(self) -> float | None:
        """The training clock at the last event of the progress metric."""
        return None if self.last is None else self.last.train_s

    def read(
        self,
        stream: Iterable[Sample | Event],
        *,
        cancelled: Callable[[], bool],
        report: Callable[[list[Event]], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Read `stream` until it ends or a rule ends it, and close it.

        Args:
            stream: what `Session.measure` returned.
            cancelled: asked after every item; True ends the trial as `cancelled`.
            report: called with events that it was not yet called with, for trials that die later.
            clock: seconds of the wall; one that stands switches the time limit off.

        Raises:
            WrongResult: an objective's sample is not finite, or negative although its unit forbids.
            TrialFailed: the session broke the contract, yielded no event of the progress metric,
                or the trial was cancelled.
        """
        pace = ReportPace(time.perf_counter)
        started = mark = clock()
        limit = self._protocol.timeout_s
        try:
            for item in stream:
                if cancelled():
                    raise TrialFailed("cancelled", kind=FailureKind.CANCELLED)
                stop = self._take(item)
                if stop is None and type(item) is not Sample and item.metric == self._progress.name:
                    now = clock()
                    if now - started + 1.5 * (now - mark) > limit:
                        stop = Stop.TIME
                    mark = now
                if stop is not None:
                    self.stop = stop
                    break
                if report is not None and pace.allows():
                    report(self._keeper.fresh())
            else:
                self.stop = Stop.NATURAL
        finally:
            _close(stream)
        if self.last is None:
            self.stop = None
            raise TrialFailed(
                f"the session yielded no event of the progress metric '{self._progress.name}'"
            )

    def _take(self, item: Any) -> Stop | None:
        if isinstance(item, Event):
            event = self._checker.checked(item, self._keeper.seen)
            self._keeper.take(event)
            if event.metric != self._progress.name:
                if math.isfinite(event.value):
                    self.newest[event.metric] = event.value
                return self._cut(event)
            return self._advance(event) or self._cut(event)
        if not isinstance(item, Sample):
            raise TrialFailed(
                f"the session's measurement yielded {type(item).__name__}, "
                "neither a Sample nor an Event"
            )
        self.take_sample(item)
        return None

    def take_sample(self, sample: Sample) -> None:
        """Take a sample of a further metric, or of an objective that is not read off the curve.

        Raises:
            WrongResult: an objective's sample is not finite, or negative although its unit forbids.
            TrialFailed: it is of an objective that is read off the curve.
        """
        name, value = sample.metric, float(sample.value)
        if name == TIME_TO_TARGET:
            raise TrialFailed(
                f"the session yielded a sample of '{name}', which Daybreak reads off the curve"
            )
        never_negative = self._checks.get(name)
        if never_negative is not None:
            if not math.isfinite(value):
                raise WrongResult(f"the measured {name} is {value}, no finite number")
            if never_negative and value < 0.0:
                raise WrongResult(f"the measured {name} is negative: {value}")
        self.samples.setdefault(name, []).append(value)

    def _advance(self, event: Event) -> Stop | None:
        """Take an event of the progress metric; say why to stop, or None to go on."""
        if self.first is None:
            self.first = event
        self.last = event
        train_s, epoch = event.train_s, event.epoch
        if train_s is None and self._needs_clock:
            raise TrialFailed(
                f"event {event.seq} of the progress metric '{event.metric}' has no train_s, which "
                "time_to_target and a budget of seconds need"
            )
        if epoch is None and self._epochs is not None:
            raise TrialFailed(
                f"event {event.seq} of the progress metric '{event.metric}' has no epoch, which "
                "a budget of epochs needs"
            )
        value = event.value
        if not math.isfinite(value):
            return Stop.DIVERGED
        self.newest[event.metric] = value
        if self.best is None or (value != self.best and beyond(value, self.best, self._direction)):
            self.best = value
        if (
            self.reached is None
            and self.target is not None
            and beyond(value, self.target, self._direction)
        ):
            self.reached = event
            if self._ends_at_target:
                return Stop.TARGET
        if self._train_s is not None and train_s is not None and train_s >= self._train_s:
            return Stop.BUDGET
        if self._epochs is not None and epoch is not None and epoch >= self._epochs:
            return Stop.BUDGET
        if self.reached is None and train_s is not None and train_s > self._hopeless_s:
            return Stop.HOPELESS
        return None

    def _cut(self, event: Event) -> Stop | None:
        for pending in self._cutoffs.get(event.metric, ()):
            if pending.cuts(event):
                self.cutoff = pending.cutoff
                return Stop.CUTOFF
        return None


def _close(stream: Any) -> None:
    close = getattr(stream, "close", None)
    if close is None:
        return
    try:
        close()
    except RuntimeError as error:
        if "GeneratorExit" not in str(error):
            raise
        raise TrialFailed(
            "the session's measurement goes on although it was closed",
            detail="a generator must not yield once it got GeneratorExit: let it pass, and tidy "
            "up in `finally`",
        ) from error

"""Conformance of training jobs: what a progress curve and its conclusion must be like."""

# ruff: noqa: S101 - the kit's checks are assertions, as in any test

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import ClassVar

import pytest

from daybreak.measure import CurveSetting
from daybreak.plugin.contracts import Benchmark, Concludes, Reference, Session, Simulates
from daybreak.records import (
    TIME_TO_TARGET,
    Configuration,
    Event,
    FailureKind,
    MeasurementProtocol,
    Outcome,
    Repeats,
    Sample,
)
from daybreak.suite.stopping import curve_problem

__all__ = ["CurveConformance", "curve_setting", "result_of"]

#: A session's clocks may begin this many seconds before the kit's, and run this much faster.
_SLACK_S = 0.05
_SLACK = 0.01


def curve_setting(benchmark: Benchmark) -> CurveSetting | None:
    """Return what a bench must know of the benchmark's curve; None: it has none."""
    if benchmark.curve is None:
        return None
    return CurveSetting(benchmark.curve, (*benchmark.objectives, *benchmark.metrics))


def result_of(benchmark: Benchmark, outcome: Outcome) -> bool:
    """Whether a curve that ended before its target is a result here."""
    return benchmark.curve is not None and outcome.failure_kind is FailureKind.NOT_REACHED


class CurveConformance:
    """The rules for benchmarks with a curve; the others skip them.

    Attributes:
        curve_events: so many events of a curve are looked at, past its target too.
        curve_s: wall seconds after which no more of a curve is read.
    """

    curve_events: ClassVar[int] = 200
    curve_s: ClassVar[float] = 10.0

    @classmethod
    def require(cls) -> None:
        """Skip the test if something is missing."""
        raise NotImplementedError

    @classmethod
    def define(cls, case: str) -> Benchmark:
        """Return the benchmark `case`."""
        raise NotImplementedError

    @classmethod
    def configurations_of(cls, benchmark: Benchmark) -> list[Reference]:
        """Return the references, or a configuration in their place."""
        raise NotImplementedError

    def _opened(self, benchmark: Benchmark) -> AbstractContextManager[Session]:
        raise NotImplementedError

    def test_curve_is_declared(self, case: str) -> None:
        """The curve is of a declared metric; `time_to_target` is in seconds, and has a curve."""
        benchmark = self.define(case)
        if benchmark.curve is None:
            names = [metric.name for metric in benchmark.objectives]
            assert TIME_TO_TARGET not in names, f"'{TIME_TO_TARGET}' needs a curve to be read off"
            pytest.skip("the benchmark has no progress curve")
        problem = curve_problem(benchmark)
        assert problem is None, f"the benchmark {problem}"

    def test_events_are_in_order(self, case: str) -> None:
        """No clock, step or epoch of a metric runs back; training is not ahead of the wall clock."""
        benchmark = self._training(case)
        with self._opened(benchmark) as session:
            for reference in self.configurations_of(benchmark):
                events = self._events(session, benchmark, reference.configuration)
                assert events, f"'{reference.name}' yields no event"
                _check_order(events)

    def test_clocks_are_true(self, case: str) -> None:
        """Every event has both clocks, and no more seconds passed on them than really did."""
        benchmark = self._training(case)
        with self._opened(benchmark) as session:
            configuration = self.configurations_of(benchmark)[0].configuration
            artifact = session.build(configuration)
            began = time.perf_counter()
            for event in self._events(session, benchmark, configuration, artifact=artifact):
                assert event.train_s is not None, f"{event} has no train_s"
                assert event.wall_s is not None, f"{event} has no wall_s"
                passed = time.perf_counter() - began
                assert isinstance(session, Simulates) or (
                    event.wall_s <= passed * (1.0 + _SLACK) + _SLACK_S
                ), f"{event} says {event.wall_s:g} s after {passed:g} s"

    def test_seed_changes_the_curve(self, case: str) -> None:
        """Where the benchmark is seeded, another seed gives another curve."""
        benchmark = self._training(case)
        if not benchmark.seeded:
            pytest.skip("the benchmark is not seeded")
        first, second = (self._curve(benchmark, seed) for seed in (1, 2))
        shared = min(len(first), len(second))
        assert first[:shared] != second[:shared], "seeds 1 and 2 give the same curve"

    def test_same_seed_repeats_the_curve(self, case: str) -> None:
        """A curve that is said to be deterministic is the same again, in another session too."""
        benchmark = self._training(case)
        assert benchmark.curve is not None
        if not benchmark.curve.deterministic:
            pytest.skip("the benchmark does not say that its curve is deterministic")
        first, second = (self._curve(benchmark, 1) for _ in range(2))
        shared = min(len(first), len(second))
        assert first[:shared] == second[:shared], "the same seed gives another curve"

    def test_conclusion_is_repeatable(self, case: str) -> None:
        """Asked twice, `conclude` says the same: finite samples of declared metrics."""
        benchmark = self._training(case)
        declared = {metric.name for metric in (*benchmark.objectives, *benchmark.metrics)}
        with self._opened(benchmark) as session:
            if not isinstance(session, Concludes):
                pytest.skip("the session does not conclude (see Concludes)")
            configuration = self.configurations_of(benchmark)[0].configuration
            artifact = session.build(configuration)
            session.verify(artifact)
            self._events(session, benchmark, configuration, artifact=artifact)
            first, second = list(session.conclude(artifact)), list(session.conclude(artifact))
            for sample in first:
                assert isinstance(sample, Sample), f"conclude() gave {sample!r}"
                assert sample.metric in declared, f"'{sample.metric}' is no declared metric"
                assert math.isfinite(sample.value), f"'{sample.metric}' is {sample.value}"
            assert first == second, f"asked twice, conclude() gave {first} and {second}"

    # ---- how a curve is read ----------------------------------------------------------------------

    def _training(self, case: str) -> Benchmark:
        benchmark = self.define(case)
        if benchmark.curve is None:
            pytest.skip("the benchmark has no progress curve")
        self.require()
        return benchmark

    def _curve(self, benchmark: Benchmark, seed: int) -> list[tuple[int | None, str]]:
        """Return step and exact value of the progress metric's events of a new session.

        Other metrics may be rates, which are never the same.
        """
        assert benchmark.curve is not None
        metric = benchmark.curve.metric
        with self._opened(benchmark) as session:
            configuration = self.configurations_of(benchmark)[0].configuration
            events = self._events(session, benchmark, configuration, seed=seed)
        return [(one.step, float(one.value).hex()) for one in events if one.metric == metric]

    def _events(
        self,
        session: Session,
        benchmark: Benchmark,
        configuration: Configuration,
        *,
        seed: int = 0,
        artifact: object = None,
    ) -> list[Event]:
        """Return the events of a curve, read on past its target as far as the kit looks."""
        protocol = MeasurementProtocol(
            repeats=Repeats(1, 1), warmup=0, hopeless=None, seed=seed if benchmark.seeded else 0
        )
        if artifact is None:
            artifact = session.build(configuration)
            session.verify(artifact)
        stream = session.measure(artifact, protocol)
        found: list[Event] = []
        until = time.monotonic() + self.curve_s
        try:
            for item in stream:
                if isinstance(item, Event):
                    found.append(item)
                if len(found) >= self.curve_events or time.monotonic() > until:
                    break
        finally:
            stream.close()  # type: ignore[attr-defined]
        return found


def _check_order(events: Sequence[Event]) -> None:
    # of each metric its own: several at one look may come in any order
    latest: dict[tuple[str, str], float] = {}
    for event in events:
        for name in ("train_s", "wall_s", "step", "epoch"):
            value = getattr(event, name)
            if value is None:
                continue
            assert math.isfinite(value), f"{name} of {event} is {value}"
            key = (name, event.metric)
            before = latest.get(key, 0.0)
            assert value >= before, f"{name} runs back from {before:g} in {event}"
            latest[key] = value
        if event.train_s is not None and event.wall_s is not None:
            assert event.train_s <= event.wall_s + 1e-3 * (1.0 + event.wall_s), (
                f"training is ahead of the wall clock in {event}"
            )

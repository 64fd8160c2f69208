"""The optimizer: random configurations, each given up where it falls behind those before it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from daybreak import Configuration, Cutoff, Direction, Event, FailureKind, Problem, Trial
from daybreak_halving.drawing import Drawing
from daybreak_halving.options import HalvingOptions
from daybreak_halving.rungs import Ladder, Point

__all__ = ["Halving"]

#: failures by which a curve says nothing of the configuration beyond where it ended
_CUT_SHORT = frozenset({FailureKind.NOT_REACHED, FailureKind.TIMEOUT, FailureKind.CANCELLED})


class Halving:
    """Random search without repetition that stops trials at rungs; see `daybreak_halving.rungs`.

    What is proposed depends on the seed alone, so with the same seed and budget of evaluations it
    tries the very configurations that it would have tried without giving any up. What is given up
    depends on the trials told before. Without a curve nothing is given up.
    """

    def __init__(self, problem: Problem, options: dict[str, Any]) -> None:
        self._options = HalvingOptions.model_validate(options)
        self._drawing = Drawing(problem.space, problem.seed)
        self._ladder = Ladder(
            self._options.eta,
            first=self._options.first,
            last=self._options.last,
            rungs=self._options.rungs,
        )
        self._metric = None if problem.curve is None else problem.curve.metric
        directions = {
            metric.name: metric.direction for metric in (*problem.metrics, *problem.objectives)
        }
        falls = directions.get(self._metric or "") is not Direction.MAXIMIZE
        self._sign = 1.0 if falls else -1.0
        self.tell(problem.history)

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose up to `n` configurations; fewer when the space is used up."""
        return self._drawing.take(n)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take in the trials' curves."""
        self._drawing.know(trials)
        for trial in trials:
            outcome = trial.outcome
            points = list(self._points(outcome.events))
            if not points:
                continue  # it never trained: a build that failed, say
            stop = outcome.facts.get("stop")
            failed = outcome.failure_kind is not None and outcome.failure_kind not in _CUT_SHORT
            self._ladder.add(points, reached=stop == "target", broken=failed or stop == "diverged")

    def cutoffs(self, configuration: Configuration) -> list[Cutoff]:  # noqa: ARG002 - alike for all
        """Return what a trial must have reached at each rung, by those told of so far."""
        if self._metric is None:
            return []
        return [
            Cutoff(self._metric, self._sign * rung.cutoff, **self._place(rung.at))
            for rung in self._ladder.rungs()
            if rung.cutoff is not None and math.isfinite(rung.cutoff)
        ]

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:  # noqa: ARG002
        """Return the rungs by which the proposal just made is judged.

        Of each rung: where it is `at` on the `clock`, how many `trials` had come to it, how many of
        them and this one it would `keep`, and the `cutoff` in the metric's unit: null where every
        trial goes on, or where only trials that broke came to it.
        """
        rungs = []
        for rung in self._ladder.rungs():
            row = asdict(rung)
            if rung.cutoff is not None:
                finite = math.isfinite(rung.cutoff)
                row["cutoff"] = self._sign * rung.cutoff if finite else None
            rungs.append(row)
        return {
            "metric": self._metric,
            "clock": self._options.clock,
            "eta": self._options.eta,
            "rungs": rungs,
        }

    def _place(self, at: float) -> dict[str, Any]:
        if self._options.clock == "step":
            return {"step": -int(-at // 1)}
        return {self._options.clock: at}

    def _points(self, events: Sequence[Event]) -> Iterator[Point]:
        for event in events:
            clock = getattr(event, self._options.clock)
            if event.metric == self._metric and clock is not None:
                yield Point(float(clock), self._sign * event.value)

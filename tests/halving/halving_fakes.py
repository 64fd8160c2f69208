"""A training job on a made-up clock, and a judge of who must be given up."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from daybreak import (
    TIME_TO_TARGET,
    Benchmark,
    Configuration,
    Curve,
    Direction,
    Event,
    Integer,
    MeasurementProtocol,
    Metric,
    Requirement,
    Sample,
    Space,
    Verdict,
)

__all__ = ["EPOCHS", "Target", "accuracy", "judge"]

EPOCHS = 27
EPOCH_S = 2.0


def judge(
    curves: Sequence[Sequence[float]],
    eta: int,
    rungs: Sequence[float],
    reached: Collection[int] = (),
) -> list[int | None]:
    """Say at which epoch each curve must end: by ranking everybody anew at every rung.

    Args:
        curves: losses by epoch, of trials in their order.
        eta: one in so many goes on.
        rungs: epochs.
        reached: numbers of the curves that end at the target.
    """
    ends: list[int | None] = []
    for i, curve in enumerate(curves):
        end = None
        for rung in rungs:
            epoch = math.ceil(rung)
            if epoch >= len(curve) or (i in reached and epoch == len(curve) - 1):
                break  # at its target it is not asked any more
            there = []
            for j in range(i):
                last = len(curves[j]) - 1 if ends[j] is None else ends[j]
                if epoch <= last or (ends[j] is None and j in reached):
                    there.append(min(curves[j][: epoch + 1]))
            mine = min(curve[: epoch + 1])
            allowed = (len(there) + 1) // eta
            if allowed and sum(other < mine for other in there) >= allowed:
                end = epoch
                break
        ends.append(end)
    return ends


def accuracy(x: int, epoch: int) -> float:
    """Rises towards 1, the quicker the larger ``x % 100``; a third of the slow begins with a rush."""
    pace = 0.01 + 0.3 * (x % 100) / 100
    rush = 0.05 if x % 3 == 0 and x % 100 < 50 and 0 < epoch < 3 else 0.0
    return min(0.999, 1.0 - math.exp(-pace * epoch) + rush)


class Target:
    """`job` to an accuracy of 0.9, `level` as good as it gets in 27 epochs, `plain` with no curve."""

    def benchmarks(self) -> Iterable[Benchmark]:
        return [self.define(name, {}) for name in ("job", "level", "plain")]

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        metric = Metric("accuracy", "1", Direction.MAXIMIZE)
        timed = Metric(TIME_TO_TARGET, "s")
        return Benchmark(
            name=name,
            space=Space([Integer("x", 0, 9_999)]),
            objectives=(timed if name == "job" else metric,),
            metrics=(metric,) if name == "job" else (),
            options=dict(options),
            curve=None if name == "plain" else Curve("accuracy", 0.9 if name == "job" else None),
        )

    def check(self) -> Iterable[Requirement]:
        return []

    def open(self, benchmark: Benchmark) -> Session:
        return Session()


class Session:
    identity: Mapping[str, str] = {}
    floors: Mapping[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Configuration) -> int:
        x = configuration["x"]
        assert isinstance(x, int)
        return x

    def verify(self, artifact: int) -> Verdict:
        return Verdict(correct=True)

    def measure(self, artifact: int, protocol: MeasurementProtocol) -> Iterator[Sample | Event]:
        for epoch in range(EPOCHS + 1):
            yield Event(
                "accuracy",
                accuracy(artifact, epoch),
                step=10 * epoch,
                epoch=float(epoch),
                train_s=EPOCH_S * epoch,
            )

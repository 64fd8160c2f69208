"""`Trainer` keeps every rule for training jobs; each other class breaks one."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from daybreak import (
    TIME_TO_TARGET,
    Benchmark,
    Configuration,
    Curve,
    Direction,
    Event,
    MeasurementProtocol,
    Metric,
    Ordinal,
    Reference,
    Requirement,
    Sample,
    Space,
    Verdict,
)


class Session:
    """Halves a loss at every step, from a start that the seed draws; reaches 0.01 at once."""

    identity: Mapping[str, str] = {"data": "none"}
    floors: Mapping[str, float] = {}

    def __init__(self, benchmark: Benchmark) -> None:
        self.loss = math.inf

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Configuration) -> Any:
        return dict(configuration)

    def verify(self, artifact: Any) -> Verdict:
        return Verdict(correct=True)

    def start(self, seed: int) -> float:
        return 1.0 + seed / 7

    def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Event]:
        self.loss = self.start(protocol.seed)
        began = time.perf_counter()
        for step in range(30):
            passed = time.perf_counter() - began
            yield Event("loss", self.loss, step=step, train_s=passed / 2, wall_s=passed)
            self.loss /= 2

    def conclude(self, artifact: Any) -> Iterable[Sample]:
        return [Sample("held_out", self.loss + 0.001)]


class Trainer:
    """A target with one training job."""

    session: type[Session] = Session

    def benchmarks(self) -> Iterable[Benchmark]:
        return [self.define("job", {"numbers": 100})]

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        return Benchmark(
            name="job",
            space=Space([Ordinal("chunk", (1, 2, 4, 8))], name="job"),
            objectives=(Metric(TIME_TO_TARGET, "s"),),
            metrics=(Metric("loss", "1"), Metric("held_out", "1", Direction.MINIMIZE)),
            references=(Reference("default", {"chunk": 1}),),
            options=dict(options),
            hidden_constraints=False,
            curve=Curve("loss", 0.01, deterministic=True),
            seeded=True,
        )

    def check(self) -> Iterable[Requirement]:
        return [Requirement("numbers", met=True)]

    def open(self, benchmark: Benchmark) -> Session:
        return self.session(benchmark)


class Milliseconds(Trainer):
    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        made = super().define(name, options)
        return replace(made, objectives=(Metric(TIME_TO_TARGET, "ms"),))


class ClockRunsBack(Trainer):
    class session(Session):  # noqa: N801
        def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Event]:
            for event in super().measure(artifact, protocol):
                # once the target is reached, as if training began anew
                yield event if event.value > 0.005 else replace(event, train_s=0.0)


class ClockRunsFast(Trainer):
    class session(Session):  # noqa: N801
        def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Event]:
            for step, event in enumerate(super().measure(artifact, protocol)):
                yield replace(event, wall_s=3600.0 * step)


class DeafToItsSeed(Trainer):
    class session(Session):  # noqa: N801
        def start(self, seed: int) -> float:
            return 1.0


class Whimsical(Trainer):
    class session(Session):  # noqa: N801
        def start(self, seed: int) -> float:
            return 1.0 + int.from_bytes(os.urandom(6)) / 2**48


class ConcludesAnew(Trainer):
    class session(Session):  # noqa: N801
        def conclude(self, artifact: Any) -> Iterable[Sample]:
            self.loss += 1.0
            return super().conclude(artifact)

"""A target small enough to run in a moment, and a peer whose library breaks inside `ask`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import optuna

from daybreak import (
    Benchmark,
    BuildFailed,
    Configuration,
    MeasurementProtocol,
    Metric,
    Ordinal,
    Requirement,
    Sample,
    Space,
    Verdict,
)
from daybreak_peers.optuna_peer import OptunaTPE


class Basin:
    """|a - 8| + |b - 4| + 1; b = 32 does not build."""

    def benchmarks(self) -> Iterable[Benchmark]:
        yield self.define("basin", {})

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        values = [1, 2, 4, 8, 16, 32]
        space = Space([Ordinal("a", values), Ordinal("b", values)], ["a * b <= 256"])
        return Benchmark(name, space, (Metric("time", "ms"),))

    def check(self) -> Iterable[Requirement]:
        return []

    def open(self, benchmark: Benchmark) -> BasinSession:
        return BasinSession()


class BasinSession:
    identity: Mapping[str, str] = {"data": "basin-1"}
    floors: Mapping[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Configuration) -> Configuration:
        if configuration["b"] == 32:
            raise BuildFailed("b is too large")
        return configuration

    def verify(self, artifact: Configuration) -> Verdict:
        return Verdict(correct=True)

    def measure(self, artifact: Configuration, protocol: MeasurementProtocol) -> Iterator[Sample]:
        while True:
            yield Sample("time", abs(artifact["a"] - 8) + abs(artifact["b"] - 4) + 1.0)  # type: ignore[operator]


class BreaksInAsk(OptunaTPE):
    """Its sampler raises from the fourth trial on."""

    def sampler(self) -> Any:
        made = optuna.samplers.RandomSampler(seed=self.seed)
        drawn = made.sample_independent
        left = iter(range(3 * len(self.space.parameters)))

        def sample(*arguments: Any) -> Any:
            if next(left, None) is None:
                raise FloatingPointError("the library divided by zero")
            return drawn(*arguments)

        made.sample_independent = sample  # type: ignore[method-assign]
        return made

"""A target that costs nothing: the sum of its parameters, in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from daybreak import (
    Benchmark,
    Configuration,
    MeasurementProtocol,
    Metric,
    Ordinal,
    Requirement,
    Sample,
    Space,
    Verdict,
)

VALUES = [1, 2, 4, 8, 16, 32, 64, 128]


class Noop:
    def benchmarks(self) -> Iterable[Benchmark]:
        yield self.define("sum", {})

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        space = Space([Ordinal(f"p{i}", VALUES) for i in range(6)])
        return Benchmark(name=name, space=space, objectives=(Metric("sum", "1"),))

    def check(self) -> Iterable[Requirement]:
        return []

    def open(self, benchmark: Benchmark) -> NoopSession:
        return NoopSession()


class NoopSession:
    identity: Mapping[str, str] = {}
    floors: Mapping[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Configuration) -> Configuration:
        return configuration

    def verify(self, artifact: Configuration) -> Verdict:
        return Verdict(correct=True)

    def measure(self, artifact: Configuration, protocol: MeasurementProtocol) -> Iterator[Sample]:
        while True:
            yield Sample("sum", float(sum(artifact.values())))  # type: ignore[arg-type]

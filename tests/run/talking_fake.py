"""A target whose builds take half a second, and say so."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from daybreak import (
    Benchmark,
    Configuration,
    MeasurementProtocol,
    Metric,
    Ordinal,
    Progress,
    Requirement,
    Sample,
    Space,
    Verdict,
)


class Talking:
    def benchmarks(self) -> Iterable[Benchmark]:
        yield self.define("talk", {})

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        return Benchmark(
            name=name, space=Space([Ordinal("a", [1, 2])]), objectives=(Metric("time", "s"),)
        )

    def check(self) -> Iterable[Requirement]:
        return []

    def open(self, benchmark: Benchmark) -> Session:
        return Session()


class Session:
    identity: Mapping[str, str] = {}
    floors: Mapping[str, float] = {}

    def __init__(self) -> None:
        self.progress: Progress = lambda share, what: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Configuration) -> Configuration:
        self.progress(0.5, "thinking hard")
        time.sleep(0.5)
        return configuration

    def verify(self, artifact: Configuration) -> Verdict:
        return Verdict(correct=True)

    def measure(self, artifact: Configuration, protocol: MeasurementProtocol) -> Iterator[Sample]:
        yield Sample("time", 1.0)

"""A recorded table as a target: simulated seconds, and a landscape that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from run_fakes import SPACE, bowl
from run_fakes import registry as fakes

from daybreak import (
    Benchmark,
    BuildFailed,
    Configuration,
    Direction,
    Landscape,
    MeasurementProtocol,
    Metric,
    Reference,
    Requirement,
    Sample,
    TargetSpec,
    Verdict,
)
from daybreak.plugin import Component, Isolation, Registry

#: simulated seconds of building any configuration, and of one repetition
BUILD_S, REPETITION_S = 3600.0, 60.0


def attained() -> tuple[list[float], int]:
    """What every configuration attains, and how many fail; from the space itself."""
    everything = [dict(configuration) for configuration in SPACE.grid()]
    good = [bowl(configuration) for configuration in everything if configuration["b"] != 32]
    return good, len(everything) - len(good)


class Table:
    def benchmarks(self) -> Iterable[Benchmark]:
        yield self.define("table", {})

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        maximize = options.get("instance") == "negative"
        direction = Direction.MAXIMIZE if maximize else Direction.MINIMIZE
        area = (Metric("area", "1"),) if options.get("instance") == "two" else ()
        return Benchmark(
            name=name,
            instance=str(options.get("instance", "")),
            space=SPACE,
            objectives=(Metric("speed" if maximize else "time", "x", direction), *area),
            references=(Reference("expert", {"a": 4, "b": 4}),),
            options=dict(options),
        )

    def check(self) -> Iterable[Requirement]:
        return []

    def open(self, benchmark: Benchmark) -> TableSession:
        return TableSession(benchmark)


class TableSession:
    identity: Mapping[str, str] = {}
    floors: Mapping[str, float] = {}
    asked = 0

    def __init__(self, benchmark: Benchmark) -> None:
        self.metric = benchmark.objectives[0].name
        self.sign = -1.0 if self.metric == "speed" else 1.0
        self.instance = benchmark.instance

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Configuration) -> Configuration:
        if configuration["b"] == 32:
            raise BuildFailed("recorded: b is too large")
        return configuration

    def verify(self, artifact: Configuration) -> Verdict:
        return Verdict(correct=True)

    def measure(self, artifact: Configuration, protocol: MeasurementProtocol) -> Iterator[Sample]:
        while True:
            if self.instance == "two":
                yield Sample("area", 40.0 - float(artifact["a"]))
            yield Sample(self.metric, self.sign * bowl(artifact))

    def simulated_phases(
        self, configuration: Configuration, repetitions: int
    ) -> Mapping[str, float]:
        return {"build": BUILD_S, "measure": repetitions * REPETITION_S}

    def landscape(self) -> Landscape | None:
        TableSession.asked += 1
        if self.instance == "unknown":
            return None
        if self.instance == "broken":
            raise ZeroDivisionError("no values")
        if self.instance == "all-fail":
            return Landscape([], 36)
        values, failures = attained()
        return Landscape([self.sign * v for v in values], failures, BUILD_S + REPETITION_S)


def registry() -> Registry:
    others = fakes()
    specs = [
        component.spec
        for kind in ("target", "optimizer")
        for component in others.components(kind).values()
    ]
    table = TargetSpec(
        name="recorded",
        factory="recorded_fakes:Table",
        summary="x",
        isolation=Isolation.INLINE,
        options="run_fakes_options:Options",
    )
    return Registry(components=[Component(spec, "local") for spec in [*specs, table]])

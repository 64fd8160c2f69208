"""A target with training jobs and one benchmark that is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from daybreak.plugin import OptimizerSpec, Registry, TargetSpec
from daybreak.plugin.contracts import Benchmark, Reference, Requirement
from daybreak.records import TIME_TO_TARGET, Curve, Direction, Metric
from daybreak.space import Ordinal, Space

TIMED = Metric(TIME_TO_TARGET, "s")
ACCURACY = Metric("accuracy", "1", Direction.MAXIMIZE)
LOSS = Metric("loss", "nats")


class Trainers:
    """`job` has a target, `open` has none; `kernel` is no training job; the others are broken."""

    def benchmarks(self) -> Iterable[Benchmark]:
        names = ("job", "open", "kernel", "misspelt", "milliseconds", "unbounded")
        return [self.define(name, {}) for name in names]

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        space = Space([Ordinal("batch", (1, 2, 4))])
        made = Benchmark(
            name=name,
            space=space,
            objectives=(TIMED,),
            references=(Reference("expert", {"batch": 2}),),
            metrics=(ACCURACY, LOSS),
            options=dict(options),
            curve=Curve("accuracy", 0.9),
        )
        if name == "kernel":
            return replace(made, objectives=(Metric("time", "ms"),), curve=None)
        if name == "open":
            return replace(made, curve=Curve("accuracy"))
        if name == "misspelt":
            return replace(made, curve=Curve("acuracy", 0.9))
        if name == "milliseconds":
            return replace(made, objectives=(Metric(TIME_TO_TARGET, "ms"),))
        if name == "unbounded":
            return replace(made, curve=Curve("accuracy", float("inf")))
        return made

    def check(self) -> Iterable[Requirement]:
        return []

    def open(self, benchmark: Benchmark) -> Any:
        raise AssertionError("planning opens nothing")


def _optimizer(*_: Any) -> None:
    raise AssertionError("planning makes no optimizer")


def training_suite_registry() -> Registry:
    return Registry.from_specs(
        TargetSpec(name="fake", factory="training_suite_fakes:Trainers", summary="trainers"),
        OptimizerSpec(name="random", factory="training_suite_fakes:_optimizer", summary="r"),
    )

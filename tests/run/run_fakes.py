"""A small deterministic target and misbehaving optimizers for the tests of the run loop."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from daybreak import (
    Benchmark,
    BuildFailed,
    Configuration,
    Isolation,
    MeasurementProtocol,
    Metric,
    OptimizerSpec,
    Ordinal,
    Problem,
    Reference,
    Requirement,
    Sample,
    Space,
    TargetSpec,
    Trial,
    UserError,
    Verdict,
)
from daybreak.plugin import Registry

_SESSIONS = itertools.count(1)

SPACE = Space(
    [Ordinal("a", [1, 2, 4, 8, 16, 32]), Ordinal("b", [1, 2, 4, 8, 16, 32])],
    ["a * b <= 256"],
)


class Bowl:
    """(log2 a - 2)^2 + (log2 b - 3)^2 + 1, the same each time; b == 32 does not build."""

    def benchmarks(self) -> Iterable[Benchmark]:
        yield self.define("bowl", {})

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        return Benchmark(
            name=name,
            instance=str(options.get("instance", "")),
            space=SPACE,
            objectives=(Metric("time", "ms"),),
            references=(
                Reference("expert", {"a": 4, "b": 4}),
                Reference("default", {"plain": 1}, in_space=False),
            ),
            options=dict(options),
            isolation=Isolation(options["place"]) if options.get("place") else None,
        )

    def check(self) -> Iterable[Requirement]:
        return []

    def open(self, benchmark: Benchmark) -> BowlSession:
        return BowlSession(benchmark)


class BowlSession:
    identity: Mapping[str, str] = {"data": "bowl-1"}
    floors: Mapping[str, float] = {"time": 0.5}

    def __init__(self, benchmark: Benchmark) -> None:
        self._delay = float(benchmark.options.get("delay", 0.0))
        self._noise = float(benchmark.options.get("noise", 0.0))
        self._spin = int(benchmark.options.get("spin", 0))
        self._rng = np.random.default_rng(next(_SESSIONS))
        self._clock = 0
        if benchmark.options.get("unreadable"):
            raise UserError("the matrix is empty", file="data.mtx", line=2)
        if benchmark.options.get("broken"):
            raise RuntimeError("this session cannot be opened")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def build(self, configuration: Configuration) -> Configuration:
        if configuration.get("b") == 32:
            raise BuildFailed("b is too large", detail="error: b = 32")
        return configuration

    def verify(self, artifact: Configuration) -> Verdict:
        return Verdict(correct=True, error=0.0, tolerance=1e-9)

    def measure(self, artifact: Configuration, protocol: MeasurementProtocol) -> Iterator[Sample]:
        if self._delay:
            time.sleep(self._delay)
        while True:
            if self._spin:
                yield Sample("time", 1e3 * _spun(self._spin))
            else:
                yield Sample("time", bowl(artifact) * self._disturbed())

    def _disturbed(self) -> float:
        """A machine that gets slower and faster in waves, with heavy-tailed noise on top."""
        if not self._noise:
            return 1.0
        self._clock += 1
        wave = 1 + 0.2 * math.sin(self._clock / 7)
        return wave * math.exp(self._noise * float(self._rng.standard_t(3)))


def _spun(loops: int) -> float:
    """Seconds that a real loop takes on this machine now."""
    began = time.perf_counter()
    total = 0
    for i in range(loops):
        total += i
    return time.perf_counter() - began


def bowl(configuration: Configuration) -> float:
    if "plain" in configuration:
        return 20.0
    a, b = (math.log2(float(configuration[k])) for k in ("a", "b"))  # type: ignore[arg-type]
    return (a - 2) ** 2 + (b - 3) ** 2 + 1


class Descent:
    """Depends on what it was told: walks to the best neighbour; draws only from its seed."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        self.space = problem.space
        self.rng = np.random.default_rng(problem.seed)
        self.best: tuple[float, Configuration] | None = None
        self.told = 0

    def ask(self, n: int = 1) -> list[Configuration]:
        if self.best is None or self.rng.random() < 0.3:
            return list(self.space.sample(n, self.rng))
        around = self.space.neighbours(self.best[1])
        return [around[int(self.rng.integers(len(around)))] for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self.told += 1
            value = trial.objective
            if value is not None and (self.best is None or value < self.best[0]):
                self.best = (value, trial.configuration)


class RaisesInAsk(Descent):
    def ask(self, n: int = 1) -> list[Configuration]:
        if self.told >= 3:
            raise ZeroDivisionError("the model has no rank")
        return super().ask(n)


class RaisesInTell(Descent):
    def tell(self, trials: Sequence[Trial]) -> None:
        super().tell(trials)
        if self.told >= 3:
            raise ValueError("cannot take this")


class LeavesTheSpace(Descent):
    def ask(self, n: int = 1) -> list[Configuration]:
        return [{"a": 32, "b": 16}] if self.told >= 2 else super().ask(n)


class Unseeded(Descent):
    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        super().__init__(problem, options)
        self.rng = np.random.default_rng(int.from_bytes(os.urandom(8)))


class Empty(Descent):
    def ask(self, n: int = 1) -> list[Configuration]:
        return [] if self.told >= 4 else super().ask(n)


class Fixed(Descent):
    """Proposes one and the same configuration, for the A/A test."""

    def ask(self, n: int = 1) -> list[Configuration]:
        return [{"a": 8, "b": 8}] * n


class Worse(Fixed):
    """Proposes a configuration that is ten times slower, for the A/B test."""

    def ask(self, n: int = 1) -> list[Configuration]:
        return [{"a": 32, "b": 1}] * n


class Spender(Descent):
    def spent(self) -> Mapping[str, float]:
        return {"dollars": 0.5 * self.told}


class Talker(Descent):
    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        return {"mean": self.told, "a": configuration["a"]}


def registry(isolation: Isolation = Isolation.INLINE) -> Registry:
    optimizers = [
        ("descent", "Descent"),
        ("raises-in-ask", "RaisesInAsk"),
        ("raises-in-tell", "RaisesInTell"),
        ("leaves-the-space", "LeavesTheSpace"),
        ("unseeded", "Unseeded"),
        ("empty", "Empty"),
        ("fixed", "Fixed"),
        ("worse", "Worse"),
        ("spender", "Spender"),
        ("talker", "Talker"),
    ]
    return Registry.from_specs(
        TargetSpec(
            name="fake",
            factory="run_fakes:Bowl",
            summary="A bowl.",
            isolation=isolation,
            options="run_fakes_options:Options",
        ),
        OptimizerSpec(
            name="random",
            factory="daybreak_random.sampling:Random",
            summary="x",
            max_objectives=0,
        ),
        OptimizerSpec(
            name="references", factory="daybreak_random.references:References", summary="x"
        ),
        *(
            OptimizerSpec(name=name, factory=f"run_fakes:{cls}", summary="x")
            for name, cls in optimizers
        ),
    )

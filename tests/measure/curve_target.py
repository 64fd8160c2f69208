"""A target of training jobs that stream what their options say, well or badly."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from daybreak.errors import WrongResult
from daybreak.plugin.contracts import Benchmark, Verdict
from daybreak.records import Curve, Direction, Event, MeasurementProtocol, Metric, Sample
from daybreak.space import Real, Space

ACCURACY = Metric("accuracy", "1", Direction.MAXIMIZE)
LOSS = Metric("loss", "1")
HELD_OUT = Metric("test_accuracy", "1", Direction.MAXIMIZE)
TIME = Metric("time_to_target", "s")
CURVE = Curve("accuracy", 0.9, deterministic=True)


def epoch(number: int, value: float, **more: Any) -> Event:
    """Return an event of the accuracy, a second of training and two of the wall for each epoch."""
    values: dict[str, Any] = {
        "step": 10 * number,
        "epoch": float(number),
        "train_s": float(number),
        "wall_s": 2.0 * number,
    }
    return Event("accuracy", value, **{**values, **more})


def steady(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    for number in range(12):
        yield Event("loss", 1.0 / (number + 1), step=10 * number, train_s=float(number))
        yield epoch(number, number / 10)


def seeded(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    rng = np.random.default_rng(protocol.seed)
    for number in range(12):
        yield epoch(number, number / 10 + float(rng.uniform(0.0, 0.01)))


def stubborn(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    """Go on although closed."""
    number = 0
    while True:
        number += 1
        try:
            yield epoch(number, 0.95)
        except GeneratorExit:
            continue


def dies(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    for number in range(5):
        yield epoch(number, number / 10)
    os.kill(os.getpid(), signal.SIGKILL)


def hangs(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    for number in range(5):
        yield epoch(number, number / 10)
    while True:
        time.sleep(0.05)


def waits_for_killer(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    """Say who measures, after two bursts, and wait to be killed."""
    for number in range(1000):
        yield Event("loss", 1.0, step=number)
    for number in range(5):
        yield epoch(number, number / 10)
    Path(os.environ["DAYBREAK_CURVE_PID"]).write_text(f"{os.getpid()} {os.getppid()}")
    while True:
        time.sleep(0.05)


def raises(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, 0.1)
    yield Sample("noise", 3.0)
    yield epoch(1, 0.2)
    raise ZeroDivisionError("in the middle")


def nan_first(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, math.nan)
    yield epoch(1, 0.95)


def diverges(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, 0.1)
    yield epoch(1, 0.5)
    yield epoch(2, math.inf)


def runs_back(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, 0.1)
    yield epoch(3, 0.2)
    yield epoch(4, 0.95, train_s=2.0)


def ahead(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, 0.1)
    yield epoch(1, 0.95, train_s=5.0, wall_s=4.0)


def many(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    for number in range(1_000_000):
        value = 0.95 if number >= 777_777 else 0.5 + 1e-7 * number
        yield Event("accuracy", value, step=number, train_s=number * 1e-6, wall_s=number * 1e-6)


def silent(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield Event("loss", 1.0)


def own_time(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, 0.1)
    yield Sample("time_to_target", 1e-9)


def huge_step(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, 0.1)
    yield epoch(1, 0.2, step=10**30)


def huge_value(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, 0.1)
    yield epoch(1, 10**400)  # type: ignore[arg-type]


def odd_numbers(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    """NumPy's numbers, as sessions have them."""
    yield Event("accuracy", np.float32(0.5), step=np.int64(1), train_s=np.float64(1.0))
    yield Event(
        "accuracy", np.array(0.95), step=np.int32(2), epoch=np.float32(2), train_s=np.float32(2)
    )


def words(protocol: MeasurementProtocol) -> Iterator[Event | Sample]:
    yield epoch(0, "good")  # type: ignore[arg-type]


class Session:
    identity: Mapping[str, str] = {}
    floors: Mapping[str, float] = {}

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def build(self, configuration: Mapping[str, Any]) -> Any:
        return SimpleNamespace(configuration=configuration, facts={"built": True})

    def verify(self, artifact: Any) -> Verdict:
        return Verdict(True)

    def measure(self, artifact: Any, protocol: MeasurementProtocol) -> Iterator[Sample | Event]:
        found: Iterator[Sample | Event] = globals()[self._options.get("stream", "steady")](protocol)
        return found


class Concluding(Session):
    def conclude(self, artifact: Any) -> list[Sample]:
        how = self._options["conclude"]
        if how == "wrong":
            raise WrongResult("the held-out accuracy is 0.1, the curve says 0.9")
        if how == "raises":
            raise KeyError("held out")
        if how == "hangs":
            while True:
                time.sleep(0.05)
        if how == "event":
            return [Event("test_accuracy", 0.5)]  # type: ignore[list-item]
        return [Sample("test_accuracy", 0.85)]


class Modelled(Session):
    """Its clocks are a model's."""

    def simulated_phases(
        self, configuration: Mapping[str, Any], repetitions: int
    ) -> Mapping[str, float]:
        return {"build": 5.0}


class Target:
    def benchmarks(self) -> list[Benchmark]:
        return [self.define("job", {})]

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        return Benchmark(
            name,
            Space([Real("x", 0.0, 1.0)]),
            (TIME,),
            metrics=(ACCURACY, LOSS, HELD_OUT),
            options=options,
            curve=CURVE,
            seeded=True,
        )

    def check(self) -> list[Any]:
        return []

    def open(self, benchmark: Benchmark) -> Session:
        if benchmark.options.get("modelled"):
            return Modelled(benchmark.options)
        return (Concluding if "conclude" in benchmark.options else Session)(benchmark.options)

"""What one trial costs beyond its own work: inline, in a worker, in a fork, with a no-op session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from daybreak.measure import open_bench
from daybreak.measure.statistics import median_interval
from daybreak.plugin.contracts import Verdict
from daybreak.plugin.specs import Isolation
from daybreak.records import Limits, MeasurementProtocol, Metric, Sample, TrialStatus

TIME = Metric("time", "s")
CORRECT = Verdict(correct=True)
CONFIGURATION = {"a": 1, "b": 2.0, "c": "x", "order": (2, 0, 1)}


class NoSession:
    """Builds, verifies and measures nothing; `count` equal samples, then its natural end."""

    identity: Mapping[str, str] = {}
    floors: Mapping[str, float] = {}

    def __init__(self, count: int) -> None:
        self.samples = [Sample("time", 1.0)] * count

    def __enter__(self) -> NoSession:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def build(self, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
        return configuration

    def verify(self, artifact: object) -> Verdict:
        return CORRECT

    def measure(self, artifact: object, protocol: object) -> Iterator[Sample]:
        yield from self.samples


class NoTarget:
    def define(self, name: str, options: Mapping[str, Any]) -> Any:
        return SimpleNamespace(name=name, options=options)

    def open(self, benchmark: Any) -> NoSession:
        return NoSession(benchmark.options["count"])


def bench(isolation: str, count: int = 1) -> Any:
    return open_bench(
        factory=f"{Path(__file__).stem}:NoTarget",
        name="nothing",
        options={"count": count},
        protocol=MeasurementProtocol(),
        limits=Limits(),
        isolation=Isolation(isolation),
        objectives=(TIME,),
    )


@pytest.mark.parametrize("sandbox", ["limits", "auto"])
@pytest.mark.parametrize("isolation", ["inline", "worker", "fork"])
def test_one_trial(benchmark: Any, isolation: str, sandbox: str, monkeypatch: Any) -> None:
    if isolation == "inline" and sandbox == "auto":
        pytest.skip("inline has no sandbox")
    monkeypatch.setenv("DAYBREAK_SANDBOX", sandbox)
    with bench(isolation) as opened:
        outcome = benchmark(opened.measure, CONFIGURATION)
    assert outcome.status is TrialStatus.OK
    assert outcome.objectives == {"time": 1.0}


def test_one_inline_trial_with_ten_samples(benchmark: Any) -> None:
    with bench("inline", count=10) as opened:
        outcome = benchmark(opened.measure, CONFIGURATION)
    assert len(outcome.samples) >= 5


@pytest.mark.parametrize("sandbox", ["limits", "auto"])
def test_opening_a_worker(benchmark: Any, sandbox: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("DAYBREAK_SANDBOX", sandbox)

    def open_and_close() -> None:
        with bench("worker"):
            pass

    benchmark.pedantic(open_and_close, rounds=3)


@pytest.mark.parametrize("n", [5, 50, 1000])
def test_median_interval(benchmark: Any, n: int) -> None:
    values = [(k * 7919 % n) / n for k in range(n)]
    _, low, high = benchmark(median_interval, values)
    assert low <= high

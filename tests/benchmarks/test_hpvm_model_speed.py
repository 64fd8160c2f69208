"""How long the model takes for a configuration: transforming, and predicting."""

from __future__ import annotations

import itertools

import pytest

pytest.importorskip("pytest_benchmark")

from daybreak_hpvm import benchmarks
from daybreak_hpvm.devices import DEVICES
from daybreak_hpvm.model import nodes
from daybreak_hpvm.model.predict import predict
from daybreak_hpvm.transforms import transform


@pytest.mark.parametrize("name", ["bfs", "audio", "preeuler", "edge"])
def test_a_configuration(benchmark, name: str) -> None:
    """A different one each time, as in a search; nodes that did not change are kept in memory."""
    found = benchmarks.define(name)
    configurations = itertools.cycle(found.space.sample(200, 1))
    nodes._cost.cache_clear()

    def one() -> float:
        program = transform(found.program, next(configurations))
        return predict(program, DEVICES["ecp5-85k"]).seconds

    assert benchmark(one) > 0

"""What replaying costs: reading a large table, and a trial's look-up."""

from __future__ import annotations

import json
import random
from itertools import cycle, islice, product

import pytest

from daybreak import MeasurementProtocol
from daybreak_replay.loading import Reading, _tables, load_table
from daybreak_replay.options import TableOptions
from daybreak_replay.target import ReplayTarget

ROWS, REPETITIONS = 100_000, 32


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A T4 file of 100,000 configurations with 32 repetitions each, some 90 MB."""
    draw = random.Random(0)
    path = tmp_path_factory.mktemp("replay") / "large.json"
    values = product(range(10), range(10), range(10), range(10), range(10))
    names = ("a", "b", "c", "d", "e")
    results = []
    for key in islice(values, ROWS):
        base = 1.0 + draw.random()
        results.append({
            "configuration": {**dict(zip(names, key, strict=True)), "f": 1},
            "times": {
                "compilation": 100.5, "framework": 1.5, "validation": 3.5,
                "runtimes": [base * (1.0 + 0.01 * draw.random()) for _ in range(REPETITIONS)],
            },
            "invalidity": "correct", "correctness": 1,
            "measurements": [{"name": "time", "value": base, "unit": ""}],
            "objectives": ["time"],
        })  # fmt: skip
    content = {"schema_version": "1.0.0", "metadata": {"timeunit": "milliseconds"}}
    path.write_text(json.dumps({**content, "results": results}))
    return path


def test_first_reading(benchmark, file, tmp_path, monkeypatch):
    folders = (tmp_path / str(i) for i in range(100))

    def forget():
        _tables.clear()
        monkeypatch.setenv("XDG_CACHE_HOME", str(next(folders)))

    table = benchmark.pedantic(load_table, (file, Reading()), setup=forget, rounds=3)
    assert len(table) == ROWS


def test_later_reading(benchmark, file, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load_table(file, Reading())
    table = benchmark.pedantic(load_table, (file, Reading()), setup=_tables.clear, rounds=5)
    assert len(table) == ROWS


def test_look_up(benchmark, file, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    target = ReplayTarget()
    defined = target.define("table", TableOptions(path=str(file)).model_dump(mode="json"))
    configurations = cycle(defined.space.sample(2000, 0))
    protocol = MeasurementProtocol()
    with target.open(defined) as session:

        def trial():
            artifact = session.build(next(configurations))
            session.verify(artifact)
            stream = session.measure(artifact, protocol)
            for _ in range(6):
                next(stream)
            stream.close()

        benchmark(trial)

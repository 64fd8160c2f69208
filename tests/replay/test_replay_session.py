"""Replaying: exact look-up, order of repetitions, simulated clock, the whole space."""

from __future__ import annotations

import statistics
from collections import Counter

import pytest
from replay_files import cache, entry, result, t4, write

from daybreak.plugin.contracts import Simulates, Surveyed
from daybreak.records import FailureKind, TrialStatus
from daybreak_replay.target import ReplayTarget

SERIES = {(x, y): [x + y / 10 + i / 100 for i in range(8)] for x in (1, 2, 4) for y in (0, 1)}


@pytest.fixture
def path(tmp_path):
    rows = [result({"x": x, "y": y}, times) for (x, y), times in SERIES.items() if (x, y) != (4, 1)]
    rows.append(result({"x": 4, "y": 1}, None, invalidity="compile", compilation=500.0))
    return write(tmp_path / "a.json", t4(rows))


def samples(outcome, metric="time"):
    return [sample.value for sample in outcome.samples if sample.metric == metric]


def test_every_configuration_is_answered_exactly(path, opened):
    benchmark, bench = opened(path=path)
    for configuration in benchmark.space.grid():
        outcome = bench.measure(configuration)
        key = (configuration["x"], configuration["y"])
        if key == (4, 1):
            assert outcome.failure_kind is FailureKind.BUILD
            assert outcome.message == "recorded as invalid: RuntimeFailedConfig"
            assert outcome.phases == {"build": 0.5, "verify": 0.01, "framework": 0.001}
        else:
            assert sorted(samples(outcome)) == SERIES[key]
            assert outcome.objectives["time"] == pytest.approx(statistics.median(SERIES[key]))
            assert outcome.facts["warmup"] == 0
            assert outcome.facts["recorded_result"] == list(SERIES).index(key)


def test_the_order_is_drawn_from_seed_and_configuration(path, opened):
    orders = {}
    for seed in (0, 0, 1, 2):
        _, bench = opened(path=path, seed=seed)
        found = tuple(samples(bench.measure({"x": 2, "y": 0})))
        assert orders.setdefault(seed, found) == found
        assert tuple(samples(bench.measure({"x": 2, "y": 0}))) == found
    assert len(set(orders.values())) == 3
    _, bench = opened(path=path, seed=None)
    assert samples(bench.measure({"x": 2, "y": 0})) == SERIES[2, 0]


def test_the_order_does_not_depend_on_the_files_order(path, tmp_path, opened):
    rows = [result({"y": y, "x": float(x)}, SERIES[x, y]) for x in (4, 2, 1) for y in (1, 0)]
    other = write(tmp_path / "b.json", t4(rows))
    _, first = opened(path=path)
    _, second = opened(path=other)
    configuration = {"x": 2, "y": 1}
    assert samples(first.measure(configuration)) == samples(second.measure(configuration))


def test_orders_of_different_configurations_differ_and_are_uniform(tmp_path, opened):
    rows = [result({"x": x}, (1.0, 2.0, 3.0, 4.0)) for x in range(600)]
    _, bench = opened(path=write(tmp_path / "a.json", t4(rows)))
    firsts = Counter(samples(bench.measure({"x": x}))[0] for x in range(600))
    # 600 draws out of four: mean 150, deviation 10.6
    assert all(abs(count - 150) < 5 * 10.6 for count in firsts.values())


def test_fewer_repetitions_are_a_beginning_of_more(path, opened):
    _, few = opened(path=path, repeats=3)
    _, many = opened(path=path)
    configuration = {"x": 1, "y": 1}
    assert samples(few.measure(configuration)) == samples(many.measure(configuration))[:3]


def test_simulated_time_of_a_part_of_the_repetitions(path, opened):
    _, bench = opened(path=path, repeats=3)
    outcome = bench.measure({"x": 1, "y": 1})
    assert outcome.phases["measure"] == pytest.approx(sum(samples(outcome)) / 1e3)
    assert outcome.phases["build"] == pytest.approx(0.1)
    assert outcome.phases["verify"] == pytest.approx(0.01)
    assert outcome.simulated_s == pytest.approx(0.111 + sum(samples(outcome)) / 1e3)


def test_recorded_time_of_measuring_is_shared_among_the_repetitions(tmp_path, opened):
    entries = [entry(x, y, (2.0, 4.0, 6.0, 8.0)) for x in (1, 2, 4) for y in (0, 1)]
    entries[-1] = entry(4, 1, "RuntimeFailedConfig")
    _, bench = opened(path=write(tmp_path / "a.json", cache(entries)), repeats=3)
    assert bench.measure({"x": 1, "y": 0}).phases["measure"] == pytest.approx(0.02 * 3 / 4)
    failed = bench.measure({"x": 4, "y": 1})
    assert failed.failure_kind is FailureKind.CRASH
    assert failed.phases["measure"] == pytest.approx(0.02)


def test_several_metrics_keep_their_repetitions_together(tmp_path, opened):
    rows = [
        result(
            {"x": x},
            (1.0, 2.0, 3.0),
            measurements=[
                {"name": "time", "value": 2.0, "unit": ""},
                {"name": "energy", "value": [10.0, 20.0, 30.0], "unit": "J"},
                {"name": "GFLOP/s", "value": 7.0, "unit": "GFLOP/s"},
            ],
        )
        for x in (1, 2)
    ]
    path = write(tmp_path / "a.json", t4(rows))
    benchmark, bench = opened(path=path, objectives=["time", "energy"])
    assert [m.name for m in benchmark.objectives] == ["time", "energy"]
    outcome = bench.measure({"x": 1})
    assert [10 * t for t in samples(outcome)] == samples(outcome, "energy")
    assert samples(outcome, "GFLOP/s") == [7.0]
    assert outcome.objectives == {"time": 2.0, "energy": 20.0}


def test_objectives_with_different_numbers_of_repetitions(tmp_path, opened):
    rows = [
        result(
            {"x": x},
            (1.0, 2.0, 3.0),
            measurements=[
                {"name": "time", "value": 2.0, "unit": ""},
                {"name": "GFLOP/s", "value": 7.0 * x, "unit": "GFLOP/s"},
            ],
        )
        for x in (1, 2)
    ]
    _, bench = opened(path=write(tmp_path / "a.json", t4(rows)), objectives=["GFLOP/s", "time"])
    outcome = bench.measure({"x": 2})
    assert outcome.status is TrialStatus.OK
    assert outcome.objectives == {"GFLOP/s": 14.0, "time": 2.0}


def test_wrong_results_and_timeouts_keep_their_kind(tmp_path, opened):
    rows = [result({"x": 1})] + [
        result({"x": x}, None, invalidity=word)
        for x, word in ((2, "correctness"), (3, "timeout"), (4, "runtime"))
    ]
    _, bench = opened(path=write(tmp_path / "a.json", t4(rows)))
    kinds = [bench.measure({"x": x}).failure_kind for x in (2, 3, 4)]
    assert kinds == [FailureKind.WRONG_RESULT, FailureKind.TIMEOUT, FailureKind.CRASH]


def test_the_landscape_is_the_table(path, define):
    session = ReplayTarget().open(define(path=path))
    assert isinstance(session, Simulates)
    assert isinstance(session, Surveyed)
    with session:
        known = session.landscape()
    expected = [statistics.median(times) for key, times in SERIES.items() if key != (4, 1)]
    assert sorted(known.values) == pytest.approx(sorted(expected))
    assert known.failures == 1
    seconds = [0.111 + sum(times) / 1e3 for key, times in SERIES.items() if key != (4, 1)]
    assert known.seconds == pytest.approx((sum(seconds) + 0.511) / 6)


def test_references_of_which_only_a_value_is_known(opened):
    benchmark, bench = opened("asum-gpu")
    expert = next(one for one in benchmark.references if one.name == "expert")
    outcome = bench.measure(expert.configuration)
    assert outcome.objectives["runtime"] == 0.75568
    assert bench.measure({"reference": "nobody"}).failure_kind == "missing"


def test_identity_is_the_files_digest(path, define):
    import hashlib

    session = ReplayTarget().open(define(path=path))
    assert session.identity == {"table": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_labels_and_kinds(path, define):
    benchmark = define(path=path)
    assert benchmark.instance == "a"
    assert benchmark.hidden_constraints
    assert any("Recorded kinds of failure: build." in note for note in benchmark.notes)
    assert any(
        "clock is simulated from recorded times of build, verify" in n for n in benchmark.notes
    )

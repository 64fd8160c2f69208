"""The target: fidelities kept apart, what each needs, failures with their numbers, the candidates' way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from daybreak import (
    FailureKind,
    Installable,
    Isolation,
    MeasurementProtocol,
    Requirement,
    RequirementError,
    ResourceExceeded,
    Sample,
    UserError,
    run_suite,
)
from daybreak.measure import open_bench
from daybreak.plugin import load_plugins
from daybreak.records import Limits, TrialStatus
from daybreak_hpvm import building, candidates, options
from daybreak_hpvm.devices import DEVICES, RESOURCES
from daybreak_hpvm.ir import Const, Expr
from daybreak_hpvm.ir.walk import map_body
from daybreak_hpvm.model.fit import fit_prices
from daybreak_hpvm.session import Design, check_fits
from daybreak_hpvm.target import HpvmTarget

SMALL = {"height": 8, "width": 8}


def defined(name: str = "edge", **more: object):
    model = {
        "edge": options.EdgeOptions,
        "bfs": options.BfsOptions,
        "preeuler": options.PreEulerOptions,
        "audio": options.AudioOptions,
    }[name]
    return HpvmTarget().define(name, model(**more).model_dump())


def test_setting_up_makes_tools_ready_or_says_what_is_missing(monkeypatch: pytest.MonkeyPatch):
    from daybreak_hpvm.rtl import tools

    def prepared(progress: Callable[[float | None, str], None]) -> str:
        progress(1.0, "done")
        return "Yosys 1 (PATH)"

    monkeypatch.setattr(tools, "prepare", prepared)
    there = tools.Tool("c++", ("c++",), "c++ 12", "PATH")
    monkeypatch.setattr(tools, "compiler", lambda: there)
    monkeypatch.setattr(building, "requirements", lambda family: [Requirement("yosys", True)])
    told: list[str] = []
    target = HpvmTarget()
    assert isinstance(target, Installable)
    assert target.setup(lambda _, text: told.append(text)) == "Yosys 1 (PATH), c++ 12"
    assert told == ["done"]
    lacking = [
        Requirement("amaranth", False, remedy="pip install it"),
        Requirement("yosys", False, "yosys is too old", "pip install it"),
    ]
    monkeypatch.setattr(building, "requirements", lambda family: lacking)
    with pytest.raises(RequirementError, match="amaranth is missing; yosys is too old") as caught:
        target.setup(lambda *_: None)
    assert caught.value.remedy == "pip install it"


def test_whatever_results_depend_on_is_in_the_name():
    names = {
        defined(**more).instance
        for more in (
            {},
            {"fidelity": "rtl"},
            {"device": "ecp5-45k"},
            {"objectives": "both"},
            {"objectives": "area"},
            {"clock_mhz": 80.0},
            {"data_seed": 2},
            {"height": 9},
        )
    }
    assert len(names) == 8
    assert defined().instance == "20x20-ecp5-85k-model"


def test_fidelities_live_where_they_belong_and_need_what_they_need(
    monkeypatch: pytest.MonkeyPatch,
):
    missing = Requirement("yosys", False, "not there", "pip install it")
    monkeypatch.setattr(building, "requirements", lambda family: [missing])
    target = HpvmTarget()
    assert defined().isolation is Isolation.INLINE
    assert list(target.demands(defined())) == []
    assert defined(fidelity="rtl").isolation is Isolation.WORKER
    assert list(target.demands(defined(fidelity="rtl"))) == [missing]
    # the target as a whole works without
    assert [one.needed for one in target.check()] == [False]


def test_seven_series_has_a_given_clock_and_needs_no_router():
    assert options.EdgeOptions(device="xc7a35t").clock_mhz == 100.0
    assert options.EdgeOptions(device="xc7a35t", clock_mhz=50).clock_mhz == 50
    needs = {one.name for one in building.requirements("ecp5")}
    assert needs - {one.name for one in building.requirements("xc7")} == {"nextpnr-ecp5"}
    with HpvmTarget().open(defined(device="xc7a35t", **SMALL)) as session:
        built = session.build(defined().references[0].configuration)
    assert built.values["clock"] == 100.0
    assert built.values["seconds"] == pytest.approx(built.values["cycles"] / 100e6)


def test_objectives_are_chosen_and_the_rest_are_metrics():
    for chosen, names in (
        ("seconds", ["seconds"]),
        ("area", ["area"]),
        ("both", ["seconds", "area"]),
    ):
        benchmark = defined(objectives=chosen, **SMALL)
        assert [one.name for one in benchmark.objectives] == names
        everything = {"seconds", "area", "cycles", "clock", *RESOURCES}
        assert {one.name for one in (*benchmark.objectives, *benchmark.metrics)} == everything
        with HpvmTarget().open(benchmark) as session:
            built = session.build(benchmark.references[0].configuration)
            samples = list(session.measure(built, MeasurementProtocol()))
        assert {one.metric for one in samples if isinstance(one, Sample)} == everything
        # the objectives complete the repetition
        assert [one.metric for one in samples[-len(names) :]] == names


def test_a_design_that_does_not_fit_says_by_how_much():
    used = {"lut": 30_000.0, "ff": 10.0, "dsp": 29.0, "bram": 56.0}
    with pytest.raises(ResourceExceeded) as caught:
        check_fits(used, DEVICES["ecp5-25k"])
    assert caught.value.numbers == {"lut": 30_000.0, "dsp": 29.0}
    assert "30000 LUT of 24288" in caught.value.message
    assert "bram: 56 of 56" in (caught.value.detail or "")
    check_fits({**used, "lut": 24_288, "dsp": 28}, DEVICES["ecp5-25k"])


def test_overflowing_is_a_failed_trial_of_its_kind():
    benchmark = defined("preeuler", cells=4)
    ((kind, configuration),) = HpvmTarget().faults(benchmark)
    assert kind is FailureKind.RESOURCE
    with open_bench(
        factory="daybreak_hpvm.target:HpvmTarget",
        name="preeuler",
        options=benchmark.options,
        protocol=MeasurementProtocol(),
        limits=Limits(),
        isolation=Isolation.INLINE,
        objectives=benchmark.objectives,
    ) as bench:
        outcome = bench.measure(configuration)
        assert outcome.status is TrialStatus.FAILED
        assert outcome.failure_kind is FailureKind.RESOURCE
        assert "does not fit ecp5-85k" in (outcome.message or "")
        assert bench.measure(benchmark.references[0].configuration).status is TrialStatus.OK


def test_a_program_that_computes_something_else_is_found_out():
    benchmark = defined(**SMALL)
    with HpvmTarget().open(benchmark) as session:
        built = session.build(benchmark.references[1].configuration)
        assert session.verify(built).correct
        # hardware of another program: edges are marked by 254
        nodes = tuple(
            replace(node, body=map_body(node.body, expr=_marked)) for node in built.program.nodes
        )
        wrong = Design(replace(built.program, nodes=nodes), built.values)
        verdict = session.verify(wrong)
    assert not verdict.correct
    assert "of 64 elements of 'E' are wrong" in verdict.message
    assert "254 instead of 255" in verdict.message


def _marked(part: Expr) -> Expr:
    return Const(254, part.type) if isinstance(part, Const) and part.value == 255 else part


def test_a_small_space_is_known_as_a_whole():
    benchmark = defined("bfs", vertices=8, levels=2)
    with HpvmTarget().open(benchmark) as session:
        landscape = session.landscape()
        assert landscape is not None
        assert len(landscape.values) + landscape.failures == 256
        best = min(
            session.build(one).values["seconds"] for one in map(benchmark.space.at, range(256))
        )
        assert min(landscape.values) == best
    with HpvmTarget().open(defined("bfs", survey=255)) as session:
        assert session.landscape() is None


SUITE = """\
suite: 1
name: small
benchmarks:
  - hpvm/edge: {height: 8, width: 8, objectives: both}
optimizers: [random]
seeds: 1
budget: {evaluations: 25}
protocol: {repeats: 1, warmup: 0, interleave: 0, hopeless: null}
"""


def test_what_a_search_found_is_measured_elsewhere(tmp_path: Path):
    (tmp_path / "small.yaml").write_text(SUITE)
    results = tmp_path / "results"
    run_suite(tmp_path / "small.yaml", results=results, registry=load_plugins())
    file = tmp_path / "candidates.json"
    arguments = ["hpvm/edge:*-both-model", "--results", str(results), "--most", "3"]
    assert candidates.main([*arguments, "--out", str(file)]) == 0
    told = json.loads(file.read_text())["candidates"]
    assert 1 <= len(told) <= 3
    times = [one["objectives"]["seconds"] for one in told]
    assert times == sorted(times)
    benchmark = defined(fidelity="rtl", candidates=str(file), **SMALL)
    assert [one.name for one in benchmark.references][2:] == [one["name"] for one in told]
    for reference in benchmark.references:
        assert reference.configuration in benchmark.space
    # no two of the front beat one another
    points = [tuple(one["objectives"].values()) for one in told]
    assert not any(
        p != q and all(a <= b for a, b in zip(p, q, strict=True)) for p in points for q in points
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no file of candidates"),
        ('{"candidates": [{"name": "a"}]}', "no file of candidates"),
        ('{"candidates": [{"name": "a", "configuration": {"TLP": 2}}]}', "not in this benchmark"),
    ],
)
def test_a_file_that_holds_no_candidates_is_refused(tmp_path: Path, text: str, words: str):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        defined(candidates=str(tmp_path / "c.json"))
    assert caught.value.field == "candidates"
    with pytest.raises(UserError, match="cannot be read"):
        defined(candidates=str(tmp_path / "none.json"))


def test_candidates_of_what_was_never_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "small.yaml").write_text(SUITE.replace("evaluations: 25", "evaluations: 1"))
    run_suite(tmp_path / "small.yaml", results=tmp_path / "r", registry=load_plugins())
    assert candidates.main(["hpvm/bfs:*", "--results", str(tmp_path / "r")]) == 2
    assert "nothing was run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("items", "most", "chosen"),
    [("abc", 5, "abc"), ("abcde", 3, "ace"), ("abcde", 1, "a"), ("abcdef", 2, "af")],
)
def test_spaced_keeps_the_ends(items: str, most: int, chosen: str):
    assert "".join(candidates.spaced(items, most)) == chosen


def test_prices_are_found_again_and_the_prior_decides_where_designs_do_not():
    amounts = [{"a": x, "b": y} for x, y in ((1, 5), (4, 1), (3, 3), (9, 2))]
    totals = [2.0 * one["a"] + 0.5 * one["b"] for one in amounts]
    prior = {"a": 1.0, "b": 1.0, "c": 7.0}
    found = fit_prices(amounts, totals, ("a", "b", "c"), prior=prior, pull=1e-4)
    assert found["a"] == pytest.approx(2.0, rel=0.01)
    assert found["b"] == pytest.approx(0.5, rel=0.01)
    assert found["c"] == pytest.approx(7.0)
    with pytest.raises(ValueError, match="use something"):
        fit_prices([], [], ("a",), prior={"a": 1.0}, pull=0.1)

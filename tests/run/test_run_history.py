"""Earlier trials given to an optimizer: which, in what order, and the same ones on resuming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Runner
from history_fakes import registry
from run_fakes import bowl

from daybreak import SuiteError, UserError, query
from daybreak.store import read_run
from daybreak.suite import load_suite, plan_suite
from daybreak.suite.schema import suite_schema

HISTORIAN = "{historian: , history: %s}"


def _proposals(results: Path, optimizer: str = "historian") -> list[dict[str, Any]]:
    found = query(
        "SELECT proposal FROM trials JOIN studies USING (study_id) "
        f"WHERE optimizer = '{optimizer}' ORDER BY studies.started_at, seed, number",
        results,
    )
    return [json.loads(text) for text in found["proposal"]]


def _history(results: Path) -> dict[str, Any]:
    return _proposals(results)[0]


def _details(results: Path) -> list[dict[str, Any]]:
    found = query("SELECT details FROM studies WHERE role = 'optimizer' ORDER BY ALL", results)
    return [json.loads(text) for text in found["details"]]


def test_it_gets_each_configuration_once_best_first_failures_last(
    run: Runner, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    run("random, grid", using=registry_with_grid(), seeds=2, evaluations=12, name="earlier")
    run(HISTORIAN % "true", using=registry(), evaluations=1, name="later")
    given = _history(results)
    measured = query(
        "SELECT DISTINCT configuration->>'a' AS a, configuration->>'b' AS b FROM trials "
        "JOIN studies USING (study_id) JOIN runs USING (run_id) "
        "WHERE suite = 'earlier' AND configuration->>'plain' IS NULL",
        results,
    )
    expected = {(int(a), int(b)) for a, b in measured.itertuples(index=False)}
    got = [(c["a"], c["b"]) for c in given["configurations"]]
    assert len(got) == len(set(got))
    assert set(got) == expected
    good = [objective for objective in given["objectives"] if objective is not None]
    assert good == sorted(good)
    assert given["objectives"] == good + [None] * (len(got) - len(good))
    for configuration, objective, kind in zip(
        given["configurations"], given["objectives"], given["kinds"], strict=True
    ):
        failed = configuration["b"] == 32
        assert kind == ("build" if failed else None)
        assert objective == (None if failed else bowl(configuration))
    assert all(
        (count > 0) == (kind is None)
        for count, kind in zip(given["samples"], given["kinds"], strict=True)
    )
    assert {source["benchmark"] for source in given["from"]} == {"fake/bowl"}
    assert given["related"] == {}
    (summary,) = [d["history"] for d in _details(results) if "history" in d]
    assert summary["trials"] == len(got)
    # the kernel outside the space, a reference, does not fit
    assert summary["left_out"] == 1


def registry_with_grid() -> Any:
    from daybreak import OptimizerSpec
    from daybreak.plugin import Component, Registry

    base = registry()
    specs = [c.spec for kind in ("target", "optimizer") for c in base.components(kind).values()]
    grid = OptimizerSpec(
        name="grid",
        factory="daybreak_random.grid:Grid",
        summary="x",
        options="daybreak_random.options:GridOptions",
    )
    return Registry(components=[Component(spec, "local") for spec in [*specs, grid]])


def test_without_results_or_history_there_is_none(run: Runner, tmp_path: Path) -> None:
    run(HISTORIAN % "true", using=registry(), evaluations=1, name="first")
    assert _history(tmp_path / "results")["objectives"] == []
    run("historian", using=registry(), evaluations=1, name="second")
    run(HISTORIAN % "false", using=registry(), evaluations=1, name="third")
    assert [len(p["objectives"]) for p in _proposals(tmp_path / "results")] == [0, 0, 0]
    assert sum("history" in details for details in _details(tmp_path / "results")) == 1


def test_optimizers_and_runs_are_chosen_by_pattern(run: Runner, tmp_path: Path) -> None:
    results = tmp_path / "results"
    run("random, descent", evaluations=4, name="one", using=registry())
    run("random", evaluations=3, name="two", using=registry())
    for i, (choice, optimizers, suites) in enumerate(
        [
            ("{optimizers: desc*}", {"descent"}, {"one"}),
            ("{runs: two}", {"random", "references"}, {"two"}),
            ("{runs: [one, two], optimizers: [random, descent]}", {"random", "descent"}, None),
        ]
    ):
        run(HISTORIAN % choice, using=registry(), evaluations=1, name=f"later{i}")
        sources = _proposals(results)[-1]["from"]
        assert {source["optimizer"] for source in sources} <= optimizers
        runs = {info for source in sources for info in [source["run"]]}
        if suites is not None:
            names = query("SELECT run_id, suite FROM runs", results).set_index("run_id")["suite"]
            assert {names[run_id] for run_id in runs} == suites


def test_the_most_are_spread_from_best_to_worst(run: Runner, tmp_path: Path) -> None:
    run("random", using=registry(), seeds=2, evaluations=20, name="earlier")
    run(HISTORIAN % "true", using=registry(), evaluations=1, name="all")
    run(HISTORIAN % "{most: 5, runs: earlier}", using=registry(), evaluations=1, name="some")
    everything, some = _proposals(tmp_path / "results")
    assert len(some["objectives"]) == 5
    assert some["objectives"][0] == everything["objectives"][0]
    assert set(map(str, some["configurations"])) <= set(map(str, everything["configurations"]))
    assert some["objectives"] != everything["objectives"][:5]


def test_other_benchmarks_are_related_and_not_mixed_in(run: Runner, tmp_path: Path) -> None:
    results = tmp_path / "results"
    both = "  - fake/bowl: {instance: one}\n  - fake/bowl: {instance: two}"
    run("random", benchmarks=both, using=registry(), evaluations=3, name="earlier")
    optimizer = "{transferrer: , history: {benchmarks: fake/*}}"
    run(
        optimizer,
        benchmarks="  - fake/bowl: {instance: two}",
        using=registry(),
        evaluations=1,
        name="later",
    )
    (given,) = _proposals(results, "transferrer")
    assert {source["benchmark"] for source in given["from"]} == {"fake/bowl:two"}
    assert set(given["related"]) == {"fake/bowl:one"}
    assert len(given["related"]["fake/bowl:one"]) >= 3


def test_benchmarks_with_other_parameters_or_objectives_are_left_out(
    run: Runner, tmp_path: Path
) -> None:
    from recorded_fakes import registry as recorded

    # the same parameters, but a metric in another unit
    run("random", benchmarks="  - recorded/table", using=recorded(), evaluations=3, name="earlier")
    run(
        "{transferrer: , history: {benchmarks: 'recorded/*'}}",
        using=registry(),
        evaluations=1,
        name="later",
    )
    (given,) = _proposals(tmp_path / "results", "transferrer")
    assert (given["objectives"], given["related"]) == ([], {})


def test_a_resumed_run_gets_the_very_same(run: Runner, tmp_path: Path) -> None:
    """Also when there is more in the results by then, and when the run is extended."""
    results = tmp_path / "results"
    run("random", using=registry(), evaluations=5, name="earlier")
    careless = "{careless: , history: true}"
    first, _ = run(careless, using=registry(), evaluations=2, name="mine")
    run("random, descent", using=registry(), seeds=3, evaluations=9, name="more")
    second, recorder = run(careless, using=registry(), seeds=2, evaluations=3, name="mine")
    assert second.run_id == first.run_id
    # no proposal differed from what was recorded
    assert not [w for w in recorder.of("warning") if "was resumed" in w["message"]]
    given = [p["objectives"] for p in _proposals(results, "careless")]
    assert len(given) == 6
    assert all(one == given[0] for one in given)
    record = read_run(results, first.run_id)
    assert len(record.histories) == 1
    digests = {
        study.row.details["history"]["digest"]
        for study in record.studies.values()
        if study.row.role == "optimizer"
    }
    assert digests == {record.histories[0]["digest"]}


def test_another_choice_is_another_study(run: Runner, tmp_path: Path) -> None:
    run("random", using=registry(), evaluations=3, name="earlier")
    first, _ = run(HISTORIAN % "true", using=registry(), evaluations=2, name="mine")
    again, recorder = run(HISTORIAN % "{most: 2}", using=registry(), evaluations=2, name="mine")
    assert again.run_id == first.run_id
    assert not any(t["replayed"] for t in recorder.trials())
    assert [len(p["objectives"]) for p in _proposals(tmp_path / "results")][-1] == 2


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("{optimizers: randum}", r"optimizers: randum[\s\S]*did you mean: random"),
        ("{benchmarks: fake/bwol}", r"benchmarks: fake/bwol[\s\S]*did you mean: fake/bowl"),
        ("{runs: erlier}", r"runs: erlier[\s\S]*did you mean: earlier"),
    ],
)
def test_a_choice_that_fits_nothing_is_told_before_measuring(
    run: Runner, tmp_path: Path, choice: str, words: str
) -> None:
    run("random", using=registry(), evaluations=2, name="earlier")
    with pytest.raises(UserError, match=words):
        run(HISTORIAN % choice, using=registry(), evaluations=2, name="later")
    found = query(
        "SELECT count(*) AS n FROM studies WHERE optimizer = 'historian'", tmp_path / "results"
    )
    assert found["n"][0] == 0


class TestSuite:
    @pytest.mark.parametrize(
        ("choice", "words"),
        [
            ("{most: 0}", "most"),
            ("{mots: 3}", "did you mean: most"),
            ("yes", "wrong type: text 'yes'"),
            ("[fake/*]", "wrong type: a list"),
        ],
    )
    def test_faults_are_placed(self, write_suite: Any, choice: str, words: str) -> None:
        with pytest.raises(SuiteError, match=rf"fakes.yaml:5:\d+: [\s\S]*{words}"):
            load_suite(write_suite(HISTORIAN % choice))

    def test_an_optimizer_that_does_not_transfer_is_warned_of(self, write_suite: Any) -> None:
        suite = load_suite(write_suite(HISTORIAN % "{benchmarks: fake/*}"))
        (warning,) = [w for w in plan_suite(suite, registry()).warnings if "history" in w]
        assert "'historian' makes nothing of other benchmarks' trials" in warning
        other = "{transferrer: , history: {benchmarks: fake/*}}"
        suite = load_suite(write_suite(other))
        assert not [w for w in plan_suite(suite, registry()).warnings if "history" in w]

    def test_with_and_without_are_two_if_named_apart(self, write_suite: Any) -> None:
        pair = "historian, {historian: , history: true, as: warm}"
        plan = plan_suite(load_suite(write_suite(pair)), registry())
        assert [(s.optimizer, s.history is not None) for s in plan.studies] == [
            ("historian", False),
            ("warm", True),
        ]
        with pytest.raises(SuiteError, match="listed twice"):
            plan_suite(
                load_suite(write_suite("historian, {historian: , history: true}")), registry()
            )

    def test_the_schema_knows_it(self, write_suite: Any) -> None:
        import jsonschema
        import yaml

        validator = jsonschema.Draft202012Validator(suite_schema(registry()))
        for choice in ("true", "{benchmarks: fake/*, most: 3}", "{runs: [a, b]}"):
            text = write_suite(HISTORIAN % choice).read_text()
            assert not list(validator.iter_errors(yaml.safe_load(text)))
        text = write_suite(HISTORIAN % "{mots: 3}").read_text()
        assert list(validator.iter_errors(yaml.safe_load(text)))

from __future__ import annotations

from pathlib import Path

import pytest
from suite_fakes import fake_registry

from daybreak.errors import SuiteError, UserError
from daybreak.plugin import Registry, TargetSpec
from daybreak.records import Budget, Repeats
from daybreak.suite import (
    RunPlan,
    TimeBound,
    missing_requirements,
    parse_suite,
    plan_suite,
    study_bound,
    total_bound,
)

HEAD = "suite: 1\nname: mine\n"
REST = "optimizers: [random]\nbudget: {evaluations: 5}\n"


def plan(text: str, only: str | None = None) -> RunPlan:
    return plan_suite(parse_suite(text), fake_registry(), only=only)


def simple(more: str = "", **keys: str) -> str:
    given = {"benchmarks": "[fake/spmm, fake/spmv]", "optimizers": "[random, baco]"} | keys
    given.setdefault("budget", "{evaluations: 5}")
    return HEAD + "".join(f"{key}: {value}\n" for key, value in given.items()) + more


def test_studies_are_interleaved_by_seed_then_benchmark_then_optimizer():
    made = plan(simple(seeds="[7, 3]"))
    assert [(s.seed, s.benchmark, s.optimizer) for s in made.studies] == [
        (seed, benchmark, optimizer)
        for seed in (7, 3)
        for benchmark in ("fake/spmm:airfoil-k64", "fake/spmv:airfoil-k64")
        for optimizer in ("random", "baco")
    ]


def test_an_optimizer_may_have_seeds_of_its_own():
    made = plan(
        simple(
            benchmarks="[fake/spmm]",
            optimizers="[random, {baco: {}, seeds: 2}, {random: {}, as: grid, seeds: [9, 1]}]",
            seeds="3",
        )
    )
    assert [(s.seed, s.optimizer) for s in made.studies] == [
        (0, "random"),
        (0, "baco"),
        (1, "random"),
        (1, "baco"),
        (1, "grid"),
        (2, "random"),
        (9, "grid"),
    ]


def test_a_study_carries_all_that_the_run_needs():
    made = plan(
        HEAD
        + """
benchmarks:
  - fake/spmm: {columns: 32}
    budget: {seconds: 2min}
    protocol: {timeout: 1min, repeats: 3}
    limits: {memory: 1GiB}
    targets: {fast: {value: 2, unit: s}, expert: [1.0, 1.5]}
optimizers: [{baco: {preset: paper}, as: paper, batch: 4}]
budget: {evaluations: 5, dollars: 1}
seeds: 2
"""
    )
    study = made.studies[1]
    assert study.target == "fake"
    assert study.name == "spmm"
    assert study.benchmark == "fake/spmm:airfoil-k32"
    assert study.options == {
        "matrix": "airfoil", "columns": 32, "sizes": [1, 2], "mode": "fast",
    }  # fmt: skip
    assert study.optimizer == "paper"
    assert study.component == "baco"
    assert study.optimizer_options == {"preset": "paper", "prior": None, "samples": 7}
    assert study.seed == 1
    assert study.budget == Budget(evaluations=5, seconds=120.0, dollars=1.0)
    assert study.protocol.timeout_s == 60.0
    assert study.protocol.repeats == Repeats(min=3, max=3)
    assert study.limits.memory_bytes == 1024**3
    assert study.batch == 4
    thresholds = {t.name: (t.value, t.relative_to, t.unit) for t in study.thresholds}
    assert thresholds == {
        "fast": (2000.0, None, "ms"),  # in the metric's own unit
        "expert-1": (1.0, "expert", None),
        "expert-1.5": (1.5, "expert", None),
    }


def test_every_combination_of_a_matrix_is_a_benchmark():
    made = plan(
        simple(
            benchmarks="\n  - fake/spmm: {mode: exact}\n"
            "    each: {matrix: [cage12, airfoil], columns: [32, 64]}"
        )
    )
    assert list(made.benchmarks) == [
        "fake/spmm:cage12-k32",
        "fake/spmm:cage12-k64",
        "fake/spmm:airfoil-k32",
        "fake/spmm:airfoil-k64",
    ]
    assert {study.options["mode"] for study in made.studies} == {"exact"}


def test_options_that_the_instance_does_not_show_tell_benchmarks_apart():
    made = plan(simple(benchmarks="\n  - fake/spmm\n    each: {mode: [fast, exact]}".replace(
        "fake/spmm\n", "fake/spmm: {}\n")))  # fmt: skip
    assert list(made.benchmarks) == [
        "fake/spmm:airfoil-k64,mode=fast",
        "fake/spmm:airfoil-k64,mode=exact",
    ]


def test_a_benchmark_may_have_a_name_of_its_own():
    made = plan(simple(benchmarks="[{fake/spmm: {columns: 3}, as: small}]"))
    assert made.studies[0].benchmark == "fake/spmm:small"
    assert made.benchmarks["fake/spmm:small"].instance == "small"


def test_the_same_optimizer_with_different_options_gets_different_labels():
    text = simple(
        optimizers="[baco, baco: {preset: paper}, baco: {preset: paper, prior: {near: expert}}]"
    )
    labels = dict.fromkeys(study.optimizer for study in plan(text).studies)
    assert list(labels) == ["baco", "baco:preset=paper", "baco:preset=paper,prior.near=expert"]


def test_the_same_optimizer_twice_is_refused_unless_it_is_named():
    with pytest.raises(SuiteError, match="optimizer 'random' is listed twice: here and on line 5"):
        plan(simple(optimizers="\n  - random\n  - random"))
    with pytest.raises(SuiteError, match="is listed twice"):
        plan(simple(optimizers="[baco, baco: {preset: default}]"))
    made = plan(simple(optimizers="[{random: {}, as: a}, {random: {}, as: b}]"))
    assert {study.optimizer for study in made.studies} == {"a", "b"}


def test_an_optimizer_may_be_kept_to_some_benchmarks():
    made = plan(simple(optimizers="[random, {baco: {}, only: '*/spmv'}]"))
    assert {s.benchmark for s in made.studies if s.optimizer == "baco"} == {"fake/spmv:airfoil-k64"}


@pytest.mark.parametrize(
    ("only", "count"),
    [
        ("fake/spmm", 2),
        ("fake/spmm:airfoil-k64", 2),
        ("*spmv*", 2),
        ("fake", 4),
        ("baco", 2),
        ("ba*", 2),
        ("fake/spmm+baco", 1),
        ("*spmm*+*", 2),
    ],
)
def test_only_picks_by_benchmark_by_optimizer_or_by_both(only, count):
    assert len(plan(simple(), only).studies) == count


def test_only_that_picks_nothing_names_the_nearest():
    with pytest.raises(UserError, match="no study fits 'fake/spmmm:airfoil-k64'") as caught:
        plan(simple(), "fake/spmmm:airfoil-k64")
    assert caught.value.nearest == "fake/spmm:airfoil-k64"


def test_the_key_is_of_what_is_measured_and_how():
    key = plan(simple()).suite_key
    same = [
        simple(budget="{evaluations: 50}"),
        simple(seeds="9"),
        simple(optimizers="[random]"),
        simple(benchmarks="[fake/spmv, {fake/spmm: {columns: 64}}]"),
        simple("description: other words\n"),
        simple("limits: {memory: 1GiB}\n"),
    ]
    assert {plan(text).suite_key for text in same} == {key}
    assert plan(simple(), "baco").suite_key == key
    other = [
        simple(benchmarks="[fake/spmm]"),
        simple(benchmarks="[{fake/spmm: {columns: 65}}, fake/spmv]"),
        simple("protocol: {repeats: 4}\n"),
        simple().replace("mine", "yours"),
    ]
    assert len({plan(text).suite_key for text in other} | {key}) == 5


def test_defaults_lie_under_the_options_of_what_they_fit():
    text = simple(
        "defaults: {fake/*: {columns: 16}, fake/spmv: {mode: exact}, ba*: {preset: paper}}\n",
        benchmarks="[{fake/spmm: {columns: 8}}, fake/spmv]",
    )
    made = plan(text)
    options = {study.name: study.options for study in made.studies}
    assert (options["spmm"]["columns"], options["spmm"]["mode"]) == (8, "fast")
    assert (options["spmv"]["columns"], options["spmv"]["mode"]) == (16, "exact")
    assert made.studies[1].optimizer_options["preset"] == "paper"


def test_defaults_that_fit_nothing_are_warned_about():
    suite = parse_suite(simple("defaults: {fake/spmw: {columns: 16}}\n"))
    (warning,) = suite.warnings
    assert "<text>:6: defaults for 'fake/spmw' fit nothing in this suite" in warning
    assert "did you mean" in warning


def test_the_name_of_a_listed_instance_stands_for_its_options():
    made = plan(simple(benchmarks="['fake/spmv:listed-k7']"))
    assert made.studies[0].benchmark == "fake/spmv:listed-k7"
    assert made.studies[0].options["columns"] == 7


def test_an_instance_that_is_not_listed_is_chosen_by_options():
    with pytest.raises(SuiteError, match="unknown instance 'fake/spmm:cage12'") as caught:
        plan(simple(benchmarks="['fake/spmm:cage12']"))
    assert caught.value.expected == "'fake/spmm' with options that say which instance"


def test_several_objectives_go_to_optimizers_that_take_them():
    assert len(plan(simple(benchmarks="[fake/pareto]", optimizers="[random]")).studies) == 1


def test_a_budget_of_dollars_does_for_optimizers_that_spend():
    made = plan(simple(benchmarks="[fake/program]", optimizers="[agent]", budget="{dollars: 2}"))
    bound = study_bound(made.studies[0], made.benchmarks["fake/program"])
    assert bound.seconds is None
    assert total_bound(made.studies, made.benchmarks).seconds is None


def test_time_is_bounded_by_seconds_or_by_timeouts():
    made = plan(
        simple(
            "protocol: {timeout: 10s, interleave: 5}\n",
            benchmarks="[fake/spmm, {fake/spmv: {}, budget: {seconds: 60}}]",
            optimizers="[random]",
        )
    )
    first, second = made.studies
    worst = study_bound(first, made.benchmarks[first.benchmark])
    # 5 trials and 2 references at the start and again after 5: three phases of 10 s each
    assert (worst.seconds, worst.by_budget) == (3 * 10 * (5 + 2 * 2), False)
    timed = study_bound(second, made.benchmarks[second.benchmark])
    assert (timed.seconds, timed.by_budget) == (60, True)
    total = total_bound(made.studies, made.benchmarks)
    assert (total.seconds, total.by_budget) == (330, False)


MIXED = simple(
    "protocol: {timeout: 10s, interleave: 0}\n",
    benchmarks="[table/spmm, {table/spmv: {}, budget: {seconds: 5}}, fake/spmm]",
    optimizers="[random]",
    seeds="2",
)


def recorded() -> Registry:
    """A registry with a target whose sessions simulate their clock."""
    return fake_registry(
        TargetSpec(
            name="table",
            factory="suite_fakes:FakeTarget",
            summary="recorded",
            capabilities=frozenset({"simulates"}),
        )
    )


def test_a_simulated_clock_bounds_nothing_but_itself():
    made = plan_suite(parse_suite(MIXED), recorded())
    assert made.simulated == {"table/spmm", "table/spmv"}
    bounds = {
        study.benchmark: study_bound(
            study,
            made.benchmarks[study.benchmark],
            simulated=study.benchmark in made.simulated,
        )
        for study in made.studies
    }
    assert bounds["table/spmm"] == bounds["table/spmv"] == TimeBound(None, False, simulated=1)
    # of the others: 5 trials and 2 references, three phases of 10 s each
    assert bounds["fake/spmm:airfoil-k64"] == TimeBound(3 * 10 * 7, False)
    total = total_bound(made.studies, made.benchmarks, made.simulated)
    assert total == TimeBound(2 * 3 * 10 * 7, False, simulated=4)
    alone = plan_suite(parse_suite(MIXED), recorded(), only="table")
    total = total_bound(alone.studies, alone.benchmarks, alone.simulated)
    assert total == TimeBound(None, False, simulated=4)


def test_timeouts_of_a_simulated_clock_are_not_warned_about():
    warned = [one for one in plan_suite(parse_suite(MIXED), recorded()).warnings if "longer" in one]
    assert warned == []
    real = MIXED.replace("table/spmv: {}", "fake/spmv: {}")
    (warning,) = [
        one for one in plan_suite(parse_suite(real), recorded()).warnings if "longer" in one
    ]
    assert warning.startswith("fake/spmv")


def test_what_the_machine_lacks_is_listed_once():
    made = plan(simple(benchmarks="[fake/bound]", optimizers="[random]", seeds="3"))
    (missing,) = missing_requirements(made, fake_registry())
    assert (missing.kind, missing.name) == ("target", "fake")
    assert missing.requirement.remedy == "apt install gcc"


def test_more_evaluations_than_points_are_warned_about():
    made = plan(simple(budget="{evaluations: 100}"))
    assert any("exceeds the 24 points" in warning for warning in made.warnings)


def test_required_plugins_that_are_there_are_fine():
    made = plan(simple("requires_plugins: ['pydantic>=2', \"nothing; sys_platform == 'plan9'\"]\n"))
    assert made.requires_plugins[0] == "pydantic>=2"


def test_the_plan_keeps_the_text_of_every_file(tmp_path: Path):
    (tmp_path / "base.yaml").write_text("budget: {evaluations: 3}\n")
    text = HEAD + "include: base.yaml\nbenchmarks: [fake/spmm]\noptimizers: [random]\n"
    made = plan_suite(parse_suite(text, path=tmp_path / "mine.yaml"), fake_registry())
    assert made.source == text
    assert [Path(path).name for path in made.sources] == ["mine.yaml", "base.yaml"]
    assert made.studies[0].budget.evaluations == 3

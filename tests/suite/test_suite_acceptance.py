"""An optimizer's own check of a benchmark: what it refuses, and what becomes of a broken check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from suite_fakes import fake_registry

from daybreak.errors import BuildFailed, PluginError, SuiteError, UserError
from daybreak.plugin import Component, OptimizerSpec, Registry
from daybreak.plugin.contracts import Benchmark
from daybreak.suite import RunPlan, missing_requirements, parse_suite, plan_suite

_asked: list[tuple[str, dict[str, Any]]] = []


def takes(benchmark: Benchmark, options: dict[str, Any]) -> None:
    _asked.append((benchmark.name, options))


def picky(benchmark: Benchmark, options: dict[str, Any]) -> None:
    if benchmark.name.startswith("spm"):
        raise UserError("the kernel is sparse", expected="a dense one")
    if benchmark.name == "bound":
        raise UserError("it has bounds")


def blames_an_option(benchmark: Benchmark, options: dict[str, Any]) -> None:
    raise UserError(
        "no sample so small", field="prior.strength", nearest="2.0", remedy="take a larger one"
    )


def crashes(benchmark: Benchmark, options: dict[str, Any]) -> None:
    raise ZeroDivisionError(f"{benchmark.name} has no rank")


def fails_a_trial(benchmark: Benchmark, options: dict[str, Any]) -> None:
    raise BuildFailed("no trial is running")


def leaves(benchmark: Benchmark, options: dict[str, Any]) -> None:
    raise SystemExit(3)


def answers(benchmark: Benchmark, options: dict[str, Any]) -> bool:
    return False


def changes(benchmark: Benchmark, options: dict[str, Any]) -> None:
    options["samples"] = 99
    if options["prior"]:
        options["prior"]["near"] = "elsewhere"


def imports_late(benchmark: Benchmark, options: dict[str, Any]) -> None:
    import surely_not_installed  # noqa: F401


not_callable = 3

TEXT = """\
suite: 1
name: mine
benchmarks: [{benchmarks}]
optimizers:
  - random
  - choosy: {{prior: {{near: expert, strength: 1}}}}
budget: {{evaluations: 5}}
"""


@pytest.fixture
def plan() -> Callable[..., RunPlan]:
    _asked.clear()

    def make(
        accepts: str, *, only: str | None = None, benchmarks: str = "fake/spmm", **spec: Any
    ) -> RunPlan:
        return plan_suite(
            parse_suite(TEXT.format(benchmarks=benchmarks)),
            registry(accepts, **spec),
            only=only,
        )

    return make


def registry(accepts: str, **spec: Any) -> Registry:
    choosy = OptimizerSpec(
        name="choosy",
        factory="suite_fakes:_optimizer",
        summary="c",
        options="suite_fakes:BacoOptions",
        accepts=accepts if ":" in accepts else f"{__name__}:{accepts}",
        **spec,
    )
    known = fake_registry()
    others = [one for kind in ("target", "optimizer") for one in known.components(kind).values()]
    return Registry(components=[*others, Component(choosy, "choosers", "daybreak-choosy", "2.1")])


def test_what_is_accepted_runs_and_the_check_is_given_validated_options(plan):
    made = plan("takes", benchmarks="fake/spmm, fake/spmv")
    assert {study.optimizer for study in made.studies} == {"random", "choosy"}
    options = {"preset": "default", "prior": {"near": "expert", "strength": 1.0}, "samples": 7}
    assert _asked == [("spmm", options), ("spmv", options)]


def test_what_is_refused_is_said_at_the_optimizer_with_a_remedy(plan):
    with pytest.raises(SuiteError) as caught:
        plan("picky")
    assert str(caught.value) == (
        "<text>:6:5: optimizers[1].choosy: 'choosy' cannot take fake/spmm:airfoil-k64: "
        "the kernel is sparse\n"
        "  expected: a dense one\n"
        "  remedy: leave it to others: 'only: PATTERN' beside 'choosy', or remove one of the two"
    )


def test_one_reason_for_several_benchmarks_is_said_once(plan):
    with pytest.raises(SuiteError) as caught:
        plan("picky", benchmarks="fake/spmm, fake/bound, fake/spmv")
    words = str(caught.value)
    assert words.count("the kernel is sparse") == 1
    assert "cannot take fake/spmm:airfoil-k64, fake/spmv:airfoil-k64: the kernel" in words
    assert "cannot take fake/bound: it has bounds" in words


def test_many_benchmarks_are_counted(plan):
    entries = ", ".join(f"{{fake/spmm: {{columns: {n}}}}}" for n in range(1, 13))
    with pytest.raises(SuiteError) as caught:
        plan("picky", benchmarks=entries)
    assert "fake/spmm:airfoil-k4 and 8 more: the kernel is sparse" in str(caught.value)


def test_an_option_that_is_to_blame_is_pointed_at(plan):
    with pytest.raises(SuiteError) as caught:
        plan("blames_an_option")
    assert (caught.value.line, caught.value.field) == (6, "optimizers[1].choosy.prior.strength")
    assert (caught.value.nearest, caught.value.remedy) == ("2.0", "take a larger one")


def test_studies_that_are_not_picked_are_not_asked_about(plan):
    assert len(plan("picky", only="random").studies) == 1


def test_the_check_is_not_made_where_the_types_do_not_fit_anyway(plan):
    with pytest.raises(SuiteError, match="takes no permutation") as caught:
        plan("crashes", parameter_types=frozenset({"ordinal"}))
    assert "rank" not in str(caught.value)
    with pytest.raises(SuiteError, match="takes 1 objective, but") as caught:
        plan("crashes", benchmarks="fake/pareto")
    assert "rank" not in str(caught.value)


@pytest.mark.parametrize(
    ("accepts", "words"),
    [
        ("crashes", "raised ZeroDivisionError: spmm has no rank, asked about 'spmm'"),
        ("fails_a_trial", "raised BuildFailed: no trial is running"),
        ("leaves", "raised SystemExit: 3"),
        ("answers", "returned False; expected nothing, or a UserError raised"),
        ("not_callable", "is not callable"),
        ("gone", "cannot be imported: AttributeError"),
        ("no_such_module:accepts", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_broken_check_names_plugin_and_distribution_before_the_run(plan, accepts, words):
    with pytest.raises(PluginError) as caught:
        plan(accepts)
    said = str(caught.value)
    assert said.startswith("plugin 'choosers' (from daybreak-choosy 2.1): optimizer 'choosy': ")
    assert words in said
    # the others can be run without it
    assert len(plan(accepts, only="random").studies) == 1


@pytest.mark.parametrize("accepts", ["imports_late", "surely_not_installed:accepts"])
def test_a_check_that_lacks_what_is_missing_anyway_refuses_nothing(plan, accepts):
    wants = ("surely-not-installed-package>=1",)
    made = plan(accepts, requires=wants)
    found = missing_requirements(made, registry(accepts, requires=wants))
    # the remedy for that is said by whoever looks for what is missing
    assert [one.requirement.name for one in found if one.kind == "optimizer"] == [*wants]


def test_a_check_cannot_change_the_options_of_a_study(plan):
    study = plan("changes").studies[1]
    assert study.optimizer_options["samples"] == 7
    assert study.optimizer_options["prior"]["near"] == "expert"

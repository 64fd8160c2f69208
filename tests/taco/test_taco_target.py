"""The target's face: specs, benchmarks, options, spaces, references."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError
from taco_support import define

from daybreak import FailureKind, Installable, Isolation, KnowsFaults, Rehearses, UserError
from daybreak.plugin.specs import load_object
from daybreak_taco import options as models
from daybreak_taco.kernels import KERNELS
from daybreak_taco.plugin import daybreak_register_targets
from daybreak_taco.target import TacoTarget

PUBLISHED = {
    "spmv": 3_024_000, "spmm": 46_656, "sddmm": 77_760, "ttv": 16_632_000, "mttkrp": 680_400,
}  # fmt: skip


def test_listing_imports_nothing_heavy() -> None:
    script = (
        "import sys; from daybreak_taco.plugin import daybreak_register_targets as r; r();"
        "print(sorted({'numpy', 'scipy', 'pydantic', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_defining_imports_no_scipy() -> None:
    script = (
        "import sys; from daybreak_taco.target import TacoTarget; list(TacoTarget().benchmarks());"
        "print([m for m in sys.modules if m.split('.')[0] == 'scipy'][:3])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_spec_leads_to_target_and_options() -> None:
    (spec,) = daybreak_register_targets()
    assert spec.isolation is Isolation.FORK
    assert spec.exclusive
    assert isinstance(load_object(spec.factory)(), Installable)
    for name, path in spec.benchmark_options:
        model = load_object(path)
        assert TacoTarget().define(name, model().model_dump()).name == name
    assert {name for name, _ in spec.benchmark_options} == set(KERNELS)


def test_every_benchmark_is_listed_with_its_defaults() -> None:
    listed = {benchmark.name: benchmark for benchmark in TacoTarget().benchmarks()}
    assert set(listed) == set(PUBLISHED)
    for benchmark in listed.values():
        assert [metric.name for metric in benchmark.objectives] == ["time"]
        assert benchmark.summary
        assert benchmark.instance
        assert any("omp_num_threads is clipped" in note for note in benchmark.notes)
    assert listed["spmm"].instance == "power-law-n8k-z200k-s1-k256"
    assert listed["ttv"].hidden_constraints


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_spaces_are_as_published_but_for_the_threads(name: str) -> None:
    options: dict[str, Any] = {"threads": 64}
    if name == "mttkrp":
        options["orders"] = "published"
    space = define(name, **options).space
    assert space.count() == PUBLISHED[name]


@pytest.mark.parametrize(
    ("threads", "values"), [(1, 1), (2, 2), (3, 2), (4, 3), (31, 5), (32, 6), (64, 6)]
)
def test_threads_above_the_bound_are_clipped_out(threads: int, values: int) -> None:
    space = define("spmm", threads=threads).space
    assert space.count() == PUBLISHED["spmm"] // 6 * values


def test_the_bound_is_what_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daybreak_taco.kernels.base.usable_cpus", lambda: 9)
    assert define("spmm").space.count() == PUBLISHED["spmm"] // 6 * 4
    assert define("spmm").references[1].configuration["omp_num_threads"] == 8
    assert define("spmm").references[0].configuration["omp_num_threads"] == 9


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_the_expert_lies_in_the_space_and_says_what_was_changed(name: str) -> None:
    for threads in (1, 2, 32):
        benchmark = define(name, threads=threads)
        default, expert = benchmark.references
        assert expert.in_space
        assert expert.configuration in benchmark.space
        assert expert.configuration["omp_num_threads"] == threads
        assert ("32 threads in the source" in expert.note) == (threads != 32)
        assert not default.in_space
    assert ("not published" in benchmark.references[1].note) == (name in ("ttv", "mttkrp"))


def test_the_storage_order_of_mttkrp_is_a_known_constraint_by_default() -> None:
    assert define("mttkrp", threads=64).space.count() == PUBLISHED["mttkrp"] * 5 // 120


def test_unknown_benchmarks_name_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean: sddmm"):
        TacoTarget().define("sdmm", {})


@pytest.mark.parametrize(
    ("model", "given", "part"),
    [
        ("SpmmOptions", {"matrx": "x"}, "Extra inputs"),
        ("SpmmOptions", {"columns": 0}, "greater than or equal to 1"),
        ("SpmmOptions", {"columns": "many"}, "valid integer"),
        ("SpmmOptions", {"matrix": "pyamg:airfiol"}, "did you mean: airfoil"),
        ("SpmvOptions", {"columns": 3}, "Extra inputs"),
        ("SpmvOptions", {"flags": "-O3 file.c"}, "'file.c' is no flag"),
        ("SpmvOptions", {"flags": "-O3 '"}, "cannot be split"),
        ("SpmvOptions", {"threads": 0}, "greater than or equal to 1"),
        ("TtvOptions", {"tensor": "pyamg:airfoil"}, "ships no tensor"),
        ("MttkrpOptions", {"orders": "all"}, "'stored' or 'published'"),
    ],
)
def test_bad_options_are_refused(model: str, given: dict[str, Any], part: str) -> None:
    with pytest.raises(ValidationError) as caught:
        getattr(models, model)(**given)
    assert part in str(caught.value)


def test_options_round_trip_through_json() -> None:
    import json

    for name in KERNELS:
        model = getattr(models, f"{name.capitalize()}Options")
        once = model().model_dump()
        assert model(**json.loads(json.dumps(once))).model_dump() == once
        assert TacoTarget().define(name, once).options == once


def test_the_published_space_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KERNELS:
        define(name, threads=3)

    def never(path: Any) -> None:
        raise AssertionError(f"read {path} again")

    monkeypatch.setattr("daybreak_taco.kernels.base.load_space", never)
    for name in KERNELS:
        assert define(name, threads=3).space is define(name, threads=3).space


@pytest.mark.parametrize("orders", ["stored", "published"])
def test_variants_and_bounds_of_a_space_are_kept_apart(orders: str) -> None:
    counts = [define("mttkrp", orders=orders, threads=n).space.count() for n in (2, 64, 2)]
    assert counts[0] == counts[2] != counts[1]
    assert (counts[1] == PUBLISHED["mttkrp"]) == (orders == "published")


def test_rehearsal_and_faults_fit_the_benchmarks() -> None:
    target = TacoTarget()
    assert isinstance(target, Rehearses)
    assert isinstance(target, KnowsFaults)
    assert set(target.rehearsal()) == set(KERNELS)
    for name, options in target.rehearsal().items():
        benchmark = define(name, **options)
        kinds = [kind for kind, _ in target.faults(benchmark)]
        assert FailureKind.BUILD in kinds
        assert (FailureKind.WRONG_RESULT in kinds) == (name in ("spmv", "ttv"))
        for _, configuration in target.faults(benchmark):
            assert benchmark.space.violations(configuration)

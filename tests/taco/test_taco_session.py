"""The session: what it says of itself, what it yields, and what it does with bad kernels."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from taco_support import define

from daybreak import (
    FailureKind,
    Isolation,
    Limits,
    MeasurementProtocol,
    Repeats,
    Sample,
    TrialStatus,
    UserError,
    WrongResult,
)
from daybreak.measure import Bench, open_bench
from daybreak_taco.ccompiler import find_compiler, finish
from daybreak_taco.session import Built, TacoSession
from daybreak_taco.target import TacoTarget
from daybreak_taco.toolchain import Taco

Opened = Callable[..., AbstractContextManager[TacoSession]]
PROTOCOL = MeasurementProtocol(repeats=Repeats(2, 3, 0.5), warmup=1, timeout_s=60.0)


def test_samples_come_one_after_another_for_as_long_as_wanted(opened: Opened) -> None:
    with opened("spmm") as session:
        artifact = session.build({"schedule": "unscheduled"})
        stream = session.measure(artifact, PROTOCOL)
        found = list(itertools.islice(stream, 10))
        assert all(isinstance(sample, Sample) for sample in found)
        times = [s for s in found if isinstance(s, Sample) and s.metric == "time"]
        rates = [s for s in found if isinstance(s, Sample) and s.metric == "throughput"]
        assert [s.i for s in times] == [0, 1, 2, 3, 4]
        flops = 2.0 * 900 * 33
        for time, rate in zip(times, rates, strict=True):
            assert time.value > session.floors["time"] > 0
            assert rate.value == pytest.approx(flops / (time.value * 1e6))
        assert set(artifact.phases) == {"emit", "compile"}


def test_tiny_kernels_are_called_often_enough_for_the_clock(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened("spmv") as session:
        artifact = session.build({"schedule": "unscheduled", "omp_num_threads": 1})
        runner = session._runner(artifact)
        asked: list[int] = []
        monkeypatch.setattr("daybreak_taco.session.LEAST_SECONDS", 3600.0)
        stream = iter(session.measure(artifact, PROTOCOL))
        monkeypatch.setattr(runner, "run", lambda repeats=1: asked.append(repeats) or 2.0 * repeats)
        list(itertools.islice(stream, 4))
        assert asked == [1, 1, 1800, 1800]
        asked.clear()
        monkeypatch.setattr("daybreak_taco.session.LEAST_SECONDS", 1.0)
        list(itertools.islice(session.measure(artifact, PROTOCOL), 4))
        assert asked == [1, 1]
        asked.clear()
        monkeypatch.setattr("daybreak_taco.session.LEAST_SECONDS", 3600.0)
        flushing = dataclasses.replace(PROTOCOL, flush_cache=True)
        list(itertools.islice(session.measure(artifact, flushing), 4))
        assert asked == [1, 1]


def test_flushing_evicts_the_operands(opened: Opened) -> None:
    with opened("spmm") as session:
        runner = session._runner(session.build({"schedule": "unscheduled"}))
        runner.run()
        before = runner.result()
        runner.flush()
        runner.run()
        assert (runner.result() == before).all()


def test_identity_names_everything_that_changes_a_result(opened: Opened, taco: Taco) -> None:
    with opened("spmm") as one, TacoTarget().open(define("spmm", taco=str(taco.path))) as same:
        assert one.identity == same.identity
        assert one is not same
        assert set(one.identity) == {"data", "taco", "compiler", "flags"}
        matrix = "generate:power-law(rows=101, nnz=900, skew=3, seed=2)"
        for options in ({"matrix": matrix}, {"columns": 32}, {"flags": "-O1"}):
            with opened("spmm", **options) as other:
                assert other.identity != one.identity


def test_builds_are_kept_within_a_session_only(taco: Taco) -> None:
    configuration = {"schedule": "unscheduled"}
    with TacoTarget().open(define("spmv", taco=str(taco.path))) as session:
        one, two = session.build(configuration), session.build(configuration)
        assert one.library == two.library
        assert one.library.exists()
        scratch = one.library.parent
    assert not scratch.exists()
    session.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="not open"):
        session.build(configuration)


def test_a_file_that_has_gone_since_is_told_when_the_session_opens(
    taco: Taco, tmp_path: Path
) -> None:
    path = tmp_path / "gone.mtx"
    path.touch()
    benchmark = define("spmv", matrix=str(path), taco=str(taco.path))
    path.unlink()
    with pytest.raises(UserError, match="no such file"), TacoTarget().open(benchmark):
        pass


def spoiled(session: TacoSession, old: str, new: str) -> Built:
    """Return the unscheduled kernel with a piece of its C replaced, as if TACO had emitted that."""
    schedule, text = session.emit({"schedule": "unscheduled", "omp_num_threads": 1})
    assert old in text
    compiler = find_compiler()
    inputs = 1 + len(session._open()[0].inputs)
    source = finish(text.replace(old, new), inputs, compiler, independent=False)
    library = compiler.build(source, ("-O0",), session._open()[1])
    return Built(library, schedule, source, {}, {})


STORE = "A_vals[kA] = A_vals[kA] + "


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A_vals[pA] = 0.0;", ";"),
        ("A_vals[pA] = 0.0;", "if (pA) A_vals[pA] = 0.0;"),
        (STORE, "if (i != 3) A_vals[kA] = A_vals[kA] + "),
        (STORE, "A_vals[kA] = A_vals[kA] + 1.00000001 * "),
        ("i < B1_dimension; i++", "i < B1_dimension - 1; i++"),
        ("return 0;", "A_vals[0] = 0.0 / 0.0; return 0;"),
    ],
)
def test_wrong_kernels_do_not_pass(opened: Opened, old: str, new: str) -> None:
    with opened("spmm") as session:
        assert session.verify(spoiled(session, "return 0;", "return 0;")).correct
        assert not session.verify(spoiled(session, old, new)).correct


def test_a_kernel_that_is_right_only_once_does_not_pass(opened: Opened) -> None:
    with opened("spmm") as session:
        once = "static int calls; if (calls++) return 0; A_vals[pA] = 0.0;"
        assert not session.verify(
            spoiled(session, "return 0;\n}", "static int n; if (n++) A_vals[1] = 7.0; return 0;\n}")
        ).correct
        assert once


def test_errors_and_writes_beside_the_output_are_wrong_results(opened: Opened) -> None:
    with opened("spmm") as session:
        with pytest.raises(WrongResult, match="reports an error"):
            session.verify(spoiled(session, "return 0;\n}", "return 1;\n}"))
        for place in ("-1", "(long)A1_dimension * A2_dimension"):
            with pytest.raises(WrongResult, match="outside its output"):
                session.verify(
                    spoiled(session, "return 0;\n}", f"A_vals[{place}] = 1.0; return 0;\n}}")
                )


@pytest.fixture
def bench(taco: Taco) -> Iterator[Callable[..., Any]]:
    """Open a benchmark in Daybreak's own forking worker."""

    def open_(name: str, **options: Any) -> AbstractContextManager[Bench]:
        benchmark = define(name, taco=str(taco.path), **options)
        return open_bench(
            factory="daybreak_taco.target:TacoTarget",
            name=name,
            options=benchmark.options,
            protocol=PROTOCOL,
            limits=Limits(),
            isolation=Isolation.FORK,
            devices=("cpu",),
            objectives=benchmark.objectives,
        )

    return open_


def test_precompute_with_a_new_variable_is_caught(bench: Callable[..., Any]) -> None:
    """The fastest kernel of all runs over an extent that the result lacks: it must not count."""
    with bench("spmv", matrix="generate:uniform(rows=20000, columns=20000, nnz=2e5)") as opened:
        outcome = opened.measure({"schedule": ["precompute(B(i,j)*c(j),j,jp)"]})
        assert outcome.status is TrialStatus.FAILED
        assert outcome.failure_kind is FailureKind.WRONG_RESULT
        assert outcome.objectives == {"time": None}
        honest = opened.measure({"schedule": ["precompute(B(i,j)*c(j),j,j)"]})
        after = opened.measure({"schedule": "unscheduled"})
        assert after.status is TrialStatus.OK, after.message
        assert honest.status is TrialStatus.OK or honest.failure_kind is not None


def test_a_write_outside_every_array_is_a_crash_and_the_study_goes_on(
    bench: Callable[..., Any],
) -> None:
    """The published TTV schedule, as this TACO compiles it, writes in front of its result."""
    commands = [
        "split(i,i0,i1,16)", "fuse(i1,j,f)", "pos(f,fpos,B)", "split(fpos,chunk,fpos2,8)",
        "reorder(i0,chunk,fpos2,k)", "parallelize(chunk,CPUThread,NoRaces)",
    ]  # fmt: skip
    with bench("ttv") as opened:
        outcome = opened.measure({"schedule": commands, "omp_num_threads": 1})
        assert outcome.status is TrialStatus.FAILED
        assert outcome.failure_kind in (FailureKind.WRONG_RESULT, FailureKind.CRASH)
        after = opened.measure({"schedule": "unscheduled"})
        assert after.status is TrialStatus.OK, after.message


@pytest.mark.parametrize("name", ["spmm", "spmv"])
def test_daybreaks_worker_measures_both_references(bench: Callable[..., Any], name: str) -> None:
    with bench(name) as opened:
        assert opened.opened.floors["time"] > 0
        for reference in define(name).references:
            outcome = opened.measure(reference.configuration)
            assert outcome.status is TrialStatus.OK, outcome.message
            assert outcome.objectives["time"] > 0
            assert "build.compile" in outcome.phases


def test_the_target_opens_sessions_that_are_not_entered() -> None:
    session = TacoTarget().open(define("spmm"))
    assert session.identity == {}


@pytest.mark.slow
def test_seven_of_the_120_orders_of_ttv_are_right(bench: Callable[..., Any]) -> None:
    configuration = {
        "chunk_size_fpos": 4, "chunk_size_i": 4, "chunk_size_k": 4,
        "omp_num_threads": 2, "omp_scheduling_type": 0, "omp_chunk_size": 1,
    }  # fmt: skip
    with bench("ttv") as opened:
        outcomes = [
            opened.measure({**configuration, "permutation": order})
            for order in itertools.permutations(range(5))
        ]
    right = [outcome for outcome in outcomes if outcome.status is TrialStatus.OK]
    assert len(right) == 7
    kinds = {outcome.failure_kind for outcome in outcomes} - {None}
    assert kinds <= {FailureKind.BUILD, FailureKind.WRONG_RESULT, FailureKind.CRASH}

"""Conformance of a target: what a benchmark, a session and a measurement must be like."""

# ruff: noqa: S101 - the kit's checks are assertions, as in any test

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from daybreak.plugin import Component, Isolation, TargetSpec
from daybreak.plugin.contracts import (
    Announces,
    Benchmark,
    Demands,
    KnowsFaults,
    Landscape,
    Reference,
    Rehearses,
    Requirement,
    Session,
    Simulates,
    Surveyed,
    Target,
    Verdict,
)
from daybreak.records import (
    Configuration,
    Direction,
    Event,
    FailureKind,
    Limits,
    MeasurementProtocol,
    Metric,
    Outcome,
    Repeats,
    Sample,
    TrialStatus,
)
from daybreak.testing.components import ComponentConformance
from daybreak.testing.curves import CurveConformance, curve_setting, result_of
from daybreak.testing.options import check_options
from daybreak.testing.probe import ask_process, describe_component

__all__ = ["TargetConformance"]

_BENCHMARK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
#: ends that a sampled configuration may come to where there are hidden constraints
_HIDDEN = frozenset(
    {
        FailureKind.BUILD,
        FailureKind.CRASH,
        FailureKind.MEMORY,
        FailureKind.MISSING,
        FailureKind.RESOURCE,
        FailureKind.TIMEOUT,
        FailureKind.WRONG_RESULT,
    }
)


class TargetConformance(ComponentConformance, CurveConformance):
    """Hold a target to its contract: subclass it in a test file and name the target.

    ::

        class TestMatmul(TargetConformance):
            component_name = "matmul"
            benchmarks = {"square": {"size": 64}}

    Attributes:
        benchmarks: options by name of the benchmarks to try; None: what the target's `rehearsal`
            says, else every benchmark with its default options.
        configurations: how many sampled configurations are measured for each benchmark.
        timeout_s: wall seconds that a trial may take.
        fault_timeout_s: the same for configurations that must hang.
        memory_bytes: address space of the worker.
    """

    kind: ClassVar[str] = "target"
    benchmarks: ClassVar[Mapping[str, Mapping[str, Any]] | None] = None
    configurations: ClassVar[int] = 3
    timeout_s: ClassVar[float] = 60.0
    fault_timeout_s: ClassVar[float] = 3.0
    memory_bytes: ClassVar[int | None] = 2 * 1024**3

    # ---- what the tests start from ----------------------------------------------------------

    @classmethod
    def target(cls) -> Target:
        """Return a new target."""
        made: Target = cls.component().create()
        return made

    @classmethod
    def cases(cls) -> dict[str, Mapping[str, Any]]:
        """Return options by name of the benchmarks to try."""
        if cls.benchmarks is not None:
            return dict(cls.benchmarks)
        target = cls.target()
        if isinstance(target, Rehearses):
            return dict(target.rehearsal())
        return {benchmark.name: {} for benchmark in target.benchmarks()}

    @classmethod
    def faults(cls, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return configurations that must fail, with the kind; by default what the target knows."""
        target = cls.target()
        return list(target.faults(benchmark)) if isinstance(target, KnowsFaults) else []

    @classmethod
    def missing(cls) -> list[str]:
        """Return what the component and the target itself say is missing."""
        missing = super().missing()
        if missing:
            return missing
        target = cls.target()
        asked = [one for one in target.check() if one.needed]
        if isinstance(target, Demands):
            for case in cls.cases():
                asked += target.demands(cls.define(case))
        unmet = {one.name: one for one in asked if not one.met}
        return [f"{one.name}: {one.detail}; {one.remedy}" for one in unmet.values()]

    @classmethod
    def define(cls, case: str) -> Benchmark:
        """Return the benchmark `case` with its options validated."""
        options = cls.component().validate(cls.cases()[case], benchmark=case)
        return cls.target().define(case, options)

    @classmethod
    def configurations_of(cls, benchmark: Benchmark) -> list[Reference]:
        """Return the references that must be right; without one, the default or a sample."""
        if benchmark.references:
            return list(benchmark.references)
        default = benchmark.space.default()
        if default in benchmark.space:
            return [Reference("default", default)]
        return [Reference("sample", benchmark.space.sample(1, 0)[0])]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test that takes a `case` once for each benchmark."""
        if "case" not in metafunc.fixturenames:
            return
        try:
            names = list(self.cases())
        except Exception:
            # collecting must not fail: `test_benchmarks_are_listed` says what is wrong
            names = []
        metafunc.parametrize("case", names)

    @contextmanager
    def _opened(self, benchmark: Benchmark) -> Iterator[Session]:
        with self.target().open(benchmark) as session:
            yield session

    # ---- the target ---------------------------------------------------------------------------

    def test_requirements_are_reported(self) -> None:
        """`check` returns requirements; an unmet one says what mends it."""
        for requirement in self.target().check():
            assert isinstance(requirement, Requirement), f"check() gave {requirement!r}"
            assert requirement.name, "a requirement has no name"
            assert requirement.met or requirement.remedy, f"'{requirement.name}' has no remedy"

    def test_benchmarks_are_listed(self) -> None:
        """`benchmarks` returns at least one, with distinct names; the cases are among them."""
        listed = list(self.target().benchmarks())
        assert listed, "benchmarks() lists none"
        for benchmark in listed:
            assert isinstance(benchmark, Benchmark), f"benchmarks() gave {benchmark!r}"
            assert _BENCHMARK_NAME.fullmatch(benchmark.name), f"{benchmark.name!r} is no name"
        names = [benchmark.name for benchmark in listed]
        assert len(names) == len(set(names)), f"a benchmark is listed twice: {names}"
        unknown = set(self.cases()) - set(names)
        assert not unknown, f"{sorted(unknown)} to be tried, but not listed"

    # ---- a benchmark, without loading its data --------------------------------------------------

    def test_options_round_trip(self, case: str) -> None:
        """Options survive JSON, keep under validation, and misspelt ones are refused."""
        check_options(
            self.component(),
            self.cases()[case],
            benchmark=case,
            accepts_any=self.accepts_any_option,
        )

    def test_definition_is_repeatable(self, case: str) -> None:
        """Defining twice gives the same benchmark, which knows its options."""
        first, second = self.define(case), self.define(case)
        assert first.name == case, f"define('{case}') gave a benchmark named '{first.name}'"
        assert first.space.fingerprint() == second.space.fingerprint(), "the space changes"
        assert first.instance == second.instance, "the instance's label changes"
        assert dict(first.options) == dict(second.options), "the options change"
        again = self.target().define(case, dict(first.options))
        assert again.instance == first.instance, "defined with its own options it is another one"
        assert again.space.fingerprint() == first.space.fingerprint(), "... and another space"

    def test_metrics_have_unit_and_direction(self, case: str) -> None:
        """Objectives and metrics are complete and have distinct names."""
        benchmark = self.define(case)
        assert benchmark.objectives, "there is no objective"
        metrics = [*benchmark.objectives, *benchmark.metrics]
        for metric in metrics:
            assert isinstance(metric, Metric), f"{metric!r} is no Metric"
            assert metric.name.strip(), "a metric has no name"
            assert metric.unit.strip(), f"metric '{metric.name}' has no unit ('1' for a number)"
            assert metric.direction in tuple(Direction), f"'{metric.name}': {metric.direction!r}"
        names = [metric.name for metric in metrics]
        assert len(names) == len(set(names)), f"a metric is declared twice: {names}"

    def test_references_fit_the_space(self, case: str) -> None:
        """A reference is feasible, or says that it is not in the space; names are distinct."""
        benchmark = self.define(case)
        names = [reference.name for reference in benchmark.references]
        assert len(names) == len(set(names)), f"a reference is listed twice: {names}"
        for reference in benchmark.references:
            if reference.in_space:
                problems = benchmark.space.violations(reference.configuration)
                assert not problems, (
                    f"reference '{reference.name}' is not in the space ({'; '.join(problems)}); "
                    "mend it, or say in_space=False"
                )

    def test_space_can_be_sampled(self, case: str) -> None:
        """The space is not empty, and what is drawn is in it."""
        space = self.define(case).space
        for configuration in space.sample(10, 0):
            assert configuration in space, f"drew {configuration}, which is not in the space"

    # ---- a session, in this process -------------------------------------------------------------

    def test_session_opens_and_closes(self, case: str) -> None:
        """A session may be closed twice and opened anew."""
        self.require()
        benchmark = self.define(case)
        for _ in range(2):
            session = self.target().open(benchmark)
            with session as entered:
                assert entered is session, "__enter__ must return the session itself"
            session.__exit__(None, None, None)

    def test_identity_and_floors_are_well_formed(self, case: str) -> None:
        """The identity maps names to texts; floors map declared metrics to finite numbers."""
        self.require()
        benchmark = self.define(case)
        declared = {metric.name for metric in (*benchmark.objectives, *benchmark.metrics)}
        with self._opened(benchmark) as session:
            for name, value in session.identity.items():
                assert isinstance(name, str), f"identity: {name!r} is no text"
                assert isinstance(value, str), f"identity: '{name}' is {value!r}, no text"
            for name, floor in session.floors.items():
                assert name in declared, f"floors: '{name}' is no declared metric"
                assert math.isfinite(floor), f"floors: '{name}' is {floor}"

    def test_identity_is_the_same_in_every_process(self, case: str) -> None:
        """Space, options and identity do not depend on the process: they are part of trial keys."""
        self.require()
        component = self.component()
        question = {
            "component": describe_component(component),
            "name": case,
            "options": component.validate(self.cases()[case], benchmark=case),
        }
        first, second = (
            ask_process("identity", question, hash_seed=seed, timeout_s=self.process_timeout_s)
            for seed in (1, 2)
        )
        assert first == second, f"two processes disagree: {first} {second}"

    def test_references_are_right(self, case: str) -> None:
        """References build, also twice, and are verified as correct, also twice."""
        self.require()
        benchmark = self.define(case)
        with self._opened(benchmark) as session:
            for reference in self.configurations_of(benchmark):
                for _ in range(2):
                    artifact = session.build(reference.configuration)
                    for _ in range(2):
                        verdict = session.verify(artifact)
                        assert isinstance(verdict, Verdict), f"verify() gave {verdict!r}"
                        assert verdict.correct, f"reference '{reference.name}': {verdict}"

    def test_samples_are_finite_and_declared(self, case: str) -> None:
        """Measuring yields finite samples of declared metrics, among them every objective.

        With a progress curve, an objective may be an event's, or come with the conclusion.
        """
        self.require()
        benchmark = self.define(case)
        declared = {metric.name for metric in (*benchmark.objectives, *benchmark.metrics)}
        with self._opened(benchmark) as session:
            for reference in self.configurations_of(benchmark):
                items = self._measured(session, benchmark, reference.configuration)
                for item in items:
                    assert isinstance(item, Sample | Event), f"measure() yielded {item!r}"
                    assert item.metric in declared, f"'{item.metric}' is no declared metric"
                    assert math.isfinite(item.value), f"'{item.metric}' is {item.value}"
                if benchmark.curve is not None:
                    progress = benchmark.curve.metric
                    streamed = {item.metric for item in items if isinstance(item, Event)}
                    assert progress in streamed, f"no event of the progress metric '{progress}'"
                    continue
                sampled = {item.metric for item in items if isinstance(item, Sample)}
                for metric in benchmark.objectives:
                    assert metric.name in sampled, f"objective '{metric.name}' was not sampled"

    def test_measuring_may_be_stopped_early(self, case: str) -> None:
        """The caller closes the generator when it has seen enough, and may measure again."""
        self.require()
        benchmark = self.define(case)
        with self._opened(benchmark) as session:
            artifact = session.build(self.configurations_of(benchmark)[0].configuration)
            for _ in range(2):
                stream = session.measure(artifact, self._protocol())
                assert hasattr(stream, "close"), "measure() must return a generator"
                next(stream)
                stream.close()
            assert session.verify(artifact).correct, "after an early stop the result is wrong"

    def test_simulated_seconds_are_durations(self, case: str) -> None:
        """A session with a clock of its own gives finite seconds, more for more repetitions."""
        self.require()
        benchmark = self.define(case)
        with self._opened(benchmark) as session:
            if not isinstance(session, Simulates):
                pytest.skip("the session's time is the wall's (see Simulates)")
            for reference in self.configurations_of(benchmark):
                totals = []
                for repetitions in (0, 1, 2):
                    phases = session.simulated_phases(reference.configuration, repetitions)
                    for name, seconds in phases.items():
                        assert math.isfinite(seconds), f"{name} takes {seconds} s"
                        assert seconds >= 0.0, f"{name} takes {seconds} s"
                    totals.append(math.fsum(s for name, s in phases.items() if "." not in name))
                assert totals == sorted(totals), f"more repetitions take less time: {totals}"

    def test_progress_is_told_in_shares_and_words(self, case: str) -> None:
        """A session that announces how far it is says None or 0 to 1, and what is going on."""
        self.require()
        benchmark = self.define(case)
        with self._opened(benchmark) as session:
            if not isinstance(session, Announces) or inspect.ismethod(session.progress):
                pytest.skip("the session announces nothing (see Announces)")
            told: list[tuple[Any, ...]] = []
            own, session.progress = session.progress, lambda *words: told.append(words)
            reference = self.configurations_of(benchmark)[0]
            session.verify(session.build(reference.configuration))
            session.progress = own
            for words in told:
                assert len(words) == 2, f"progress{words}: a share and words are expected"
                share, text = words
                assert share is None or 0 <= share <= 1, f"progress{words}: a share is 0 to 1"
                assert isinstance(text, str), f"progress{words}: what is going on is text"
                assert text.strip(), f"progress{words}: what is going on?"

    def test_landscape_is_of_this_space(self, case: str) -> None:
        """A session that knows its whole space knows no more than there is, in finite values."""
        self.require()
        benchmark = self.define(case)
        with self._opened(benchmark) as session:
            landscape = session.landscape() if isinstance(session, Surveyed) else None
            if landscape is None:
                pytest.skip("the session does not know its whole space (see Surveyed)")
            assert isinstance(landscape, Landscape), f"landscape() gave {landscape!r}"
            assert landscape.failures >= 0, f"{landscape.failures} configurations fail"
            assert all(map(math.isfinite, landscape.values)), "a value is not finite"
            assert landscape.seconds is None or 0.0 <= landscape.seconds < math.inf
            known, count = len(landscape.values) + landscape.failures, benchmark.space.count()
            assert count is None or known <= count, f"knows {known} of {count} configurations"

    def test_leaves_nothing_in_the_working_folder(
        self, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Files go to a temporary folder of the session's own, which it removes."""
        self.require()
        monkeypatch.chdir(tmp_path)
        benchmark = self.define(case)
        with self._opened(benchmark) as session:
            artifact = session.build(self.configurations_of(benchmark)[0].configuration)
            session.verify(artifact)
        left = sorted(path.name for path in tmp_path.iterdir())
        assert not left, f"left behind: {left}"

    # ---- on the bench, as in a run --------------------------------------------------------------

    def test_configurations_come_to_an_end(self, case: str) -> None:
        """References are measured on the bench; sampled configurations fail only as they may.

        A curve that ends before its target is a result, but one reference must reach it.
        """
        self.require()
        benchmark = self.define(case)
        with self._bench(benchmark, self.timeout_s) as bench:
            missed = []
            references = self.configurations_of(benchmark)
            for reference in references:
                outcome = bench.measure(reference.configuration)
                if result_of(benchmark, outcome):
                    missed.append(f"{reference.name}: {outcome.message}")
                    continue
                assert outcome.status is TrialStatus.OK, (
                    f"reference '{reference.name}': {outcome.failure_kind} {outcome.message}\n"
                    f"{outcome.detail or ''}"
                )
            assert len(missed) < len(references), "; ".join(missed)
            for configuration in benchmark.space.sample(self.configurations, 0):
                outcome = bench.measure(configuration)
                if outcome.status is not TrialStatus.FAILED or result_of(benchmark, outcome):
                    continue
                assert benchmark.hidden_constraints, (
                    f"{configuration} failed ({outcome.failure_kind}: {outcome.message}), but the "
                    "benchmark says that it has no hidden constraints"
                )
                assert outcome.failure_kind in _HIDDEN, (
                    f"{configuration}: {outcome.failure_kind} {outcome.message}\n"
                    f"{outcome.detail or ''}"
                )

    def test_wrong_results_are_rejected(self, case: str) -> None:
        """A configuration that computes something wrong is found out before it is timed."""
        self._try_faults(case, lambda kind: kind is FailureKind.WRONG_RESULT)

    def test_faults_are_classified(self, case: str) -> None:
        """Configurations that crash, hang or take all memory fail as just that, one by one."""
        self._try_faults(case, lambda kind: kind is not FailureKind.WRONG_RESULT)

    def _try_faults(self, case: str, wanted: Any) -> None:
        benchmark = self.define(case)
        faults = [(kind, one) for kind, one in self.faults(benchmark) if wanted(kind)]
        if not faults:
            pytest.skip("the target names no such configuration (see KnowsFaults)")
        self.require()
        hanging = [fault for fault in faults if fault[0] is FailureKind.TIMEOUT]
        others = [fault for fault in faults if fault[0] is not FailureKind.TIMEOUT]
        if hanging:
            with self._bench(benchmark, self.fault_timeout_s) as bench:
                for kind, configuration in hanging:
                    _check_fault(kind, configuration, bench.measure(configuration))
        if others:
            with self._bench(benchmark, self.timeout_s) as bench:
                for kind, configuration in others:
                    _check_fault(kind, configuration, bench.measure(configuration))
                after = bench.measure(self.configurations_of(benchmark)[0].configuration)
                assert after.status is TrialStatus.OK, f"after a fault: {after.message}"

    # ---- how it is measured ---------------------------------------------------------------------

    def _protocol(self, timeout_s: float | None = None) -> MeasurementProtocol:
        return MeasurementProtocol(
            repeats=Repeats(min=2, max=3, ci=1.0),
            warmup=0,
            timeout_s=timeout_s or self.timeout_s,
            hopeless=None,
        )

    def _measured(
        self, session: Session, benchmark: Benchmark, configuration: Configuration
    ) -> list[Sample | Event]:
        stream = session.measure(session.build(configuration), self._protocol())
        most = 4 * len((*benchmark.objectives, *benchmark.metrics))
        return list(itertools.islice(stream, most))

    def _bench(self, benchmark: Benchmark, timeout_s: float) -> Any:
        from daybreak.measure import open_bench

        component: Component = self.component()
        spec = component.spec
        assert isinstance(spec, TargetSpec)
        isolation = benchmark.isolation or spec.isolation
        inline = isolation is Isolation.INLINE
        return open_bench(
            factory=spec.factory,
            name=benchmark.name,
            options=dict(benchmark.options),
            protocol=self._protocol(timeout_s),
            limits=Limits(memory_bytes=None if inline else self.memory_bytes),
            isolation=isolation,
            devices=spec.devices,
            objectives=benchmark.objectives,
            curve=curve_setting(benchmark),
            caches=spec.caches,
            reserves=spec.reserves,
        )


def _check_fault(kind: FailureKind, configuration: Configuration, outcome: Outcome) -> None:
    assert outcome.status is TrialStatus.FAILED, (
        f"{dict(configuration)} must fail as {kind}, but it was taken: {dict(outcome.objectives)}"
    )
    assert outcome.failure_kind is kind, (
        f"{dict(configuration)} must fail as {kind}, but failed as "
        f"{outcome.failure_kind}: {outcome.message}"
    )

"""Conformance of an optimizer: what it may propose, take, remember and touch."""

from __future__ import annotations

# ruff: noqa: S101 - the kit's checks are assertions, as in any test
import atexit
import copy
import dataclasses
import functools
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from daybreak.plugin import OptimizerSpec
from daybreak.plugin.contracts import Curtails, Explains, Optimizer, Problem, Spends
from daybreak.plugin.specs import Isolation
from daybreak.records import Configuration, Cutoff, FailureKind, Outcome, Trial
from daybreak.run.cutoffs import check_cutoff
from daybreak.run.optimizers import Optimizers
from daybreak.testing.clocks import forbid_clocks
from daybreak.testing.components import ComponentConformance
from daybreak.testing.exercises import (
    OUTSIDE,
    drive,
    failed,
    measured,
    problems,
    streamed,
    training_problem,
    trial_of,
)
from daybreak.testing.options import check_options
from daybreak.testing.probe import ask_process, describe_component

__all__ = ["OptimizerConformance"]

#: of an optimizer with isolation `worker`: what is only promised of it in its own process ...
_ONLY_IN_ITS_PROCESS = {
    "test_same_seed_same_proposals",
    "test_other_seeds_other_proposals",
    "test_resumed_equals_uninterrupted",
}
#: ... and what can only be seen in this one
_ONLY_HERE = {
    "test_proposals_stay_as_they_were",
    "test_leaves_the_global_random_state_alone",
    "test_does_not_read_the_clock",
    "test_leaves_problem_and_trials_alone",
}


class OptimizerConformance(ComponentConformance):
    """Hold an optimizer to its contract: subclass it in a test file and name the optimizer.

    ::

        class TestHillClimb(OptimizerConformance):
            component_name = "hill-climb"

    Every test runs once for each of the kit's problems whose parameter types the optimizer takes.
    With isolation `worker` it runs in this process and in the optimizer's own, but for tests that
    make sense in one of them only.

    Attributes:
        options: the options to try it with.
        trials: how many trials a test drives.
        seeded: its proposals depend on the seed; None: as the capability `seeded` says.
        exhausts: it ends a finite space by proposing nothing; None: as the capability `exhausts`
            says.
        skip_problems: names of problems to leave out; say why beside it.
        directly: with isolation `worker`, try it in this process too; False for a library that
            this would harm.
    """

    kind: ClassVar[str] = "optimizer"
    options: ClassVar[Mapping[str, Any]] = {}
    trials: ClassVar[int] = 24
    seeded: ClassVar[bool | None] = None
    exhausts: ClassVar[bool | None] = None
    skip_problems: ClassVar[frozenset[str]] = frozenset()
    directly: ClassVar[bool] = True
    #: where the test under way makes its optimizers
    _isolation: ClassVar[Isolation] = Isolation.INLINE
    _made: ClassVar[list[Optimizer]] = []

    # ---- what the tests start from ------------------------------------------------------------

    @classmethod
    def _spec(cls) -> OptimizerSpec:
        spec = cls.component().spec
        assert isinstance(spec, OptimizerSpec)
        return spec

    @classmethod
    def problem_names(cls) -> list[str]:
        """Return the names of the kit's problems that this optimizer takes."""
        takes = cls._spec().parameter_types
        return [
            name
            for name, problem in problems().items()
            if {parameter.type for parameter in problem.space.parameters} <= takes
            and name not in cls.skip_problems
        ]

    @classmethod
    def create(cls, problem: Problem) -> Optimizer:
        """Return a new optimizer for `problem`, with the class's options validated."""
        cls.require()
        component = cls.component()
        made = _optimizers().create(
            component, problem, component.validate(cls.options), isolation=cls._isolation
        )
        cls._made.append(made)
        return made

    @classmethod
    def isolations(cls, test: str) -> list[Isolation]:
        """Return where `test` makes its optimizers; it runs once for each."""
        if cls._spec().isolation is Isolation.INLINE:
            return [Isolation.INLINE]
        places = []
        if cls.directly and test not in _ONLY_IN_ITS_PROCESS:
            places.append(Isolation.INLINE)
        if test not in _ONLY_HERE:
            places.append(Isolation.WORKER)
        return places

    @pytest.fixture(autouse=True)
    def place(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """Say where this test makes its optimizers, and end their processes after it."""
        cls = type(self)
        cls._isolation = getattr(request, "param", Isolation.INLINE)
        cls._made = []
        yield
        for optimizer in cls._made:
            _optimizers().release(optimizer)

    @classmethod
    def _has(cls, flag: bool | None, capability: str) -> bool:
        return capability in cls._spec().capabilities if flag is None else flag

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test that takes a `case` once for each problem."""
        if "case" not in metafunc.fixturenames:
            return
        try:
            names = self.problem_names()
            places = self.isolations(metafunc.function.__name__)
        except Exception:
            # collecting must not fail: `test_it_takes_some_problem` says what is wrong
            names, places = [], []
        if places != [Isolation.INLINE]:
            metafunc.parametrize("place", places, indirect=True, ids=[str(one) for one in places])
        metafunc.parametrize("case", names)

    # ---- the component ------------------------------------------------------------------------

    def test_it_takes_some_problem(self) -> None:
        """At least one of the kit's spaces consists of parameter types that it takes."""
        assert self.problem_names(), (
            f"none of the kit's problems fits parameter_types {sorted(self._spec().parameter_types)}"
        )

    def test_options_round_trip(self) -> None:
        """Options survive JSON, keep under validation, and misspelt ones are refused."""
        check_options(self.component(), self.options, accepts_any=self.accepts_any_option)

    # ---- what it proposes ---------------------------------------------------------------------

    def test_keeps_to_the_space(self, case: str) -> None:
        """Every proposal is a feasible configuration, or one of the references."""
        problem = problems()[case]
        done = drive(
            self.create(problem), problem, self.trials, check=lambda one: _feasible(one, problem)
        )
        assert done, "the first ask proposed nothing"

    def test_proposals_stay_as_they_were(self, case: str) -> None:
        """A proposal is the caller's: the optimizer does not change it afterwards."""
        problem = problems()[case]
        seen: list[tuple[Configuration, Configuration]] = []
        drive(
            self.create(problem),
            problem,
            self.trials,
            check=lambda one: seen.append((one, copy.deepcopy(dict(one)))),
        )
        for live, kept in seen:
            assert dict(live) == kept, f"proposed {kept}, which has since become {dict(live)}"

    def test_takes_batches(self, case: str) -> None:
        """`ask(n)` proposes at most `n`, all feasible, also when nothing was told before."""
        problem = problems()[case]
        done = drive(
            self.create(problem),
            problem,
            self.trials,
            batch=4,
            check=lambda one: _feasible(one, problem),
        )
        assert done, "the first ask(4) proposed nothing"

    def test_ends_a_finite_space_in_order(self, case: str) -> None:
        """Asked beyond the size of a space it repeats itself or proposes nothing; never raises."""
        problem = problems(evaluations=400)[case]
        count = problem.space.count()
        if count is None or count > 100:
            pytest.skip("the space is too large to be used up")
        optimizer = self.create(problem)
        done = drive(optimizer, problem, 3 * count + 10, check=lambda one: _feasible(one, problem))
        if self._has(self.exhausts, "exhausts"):
            assert len(done) < 3 * count + 10, f"still proposing after {len(done)} of {count}"
            assert optimizer.ask(1) == [], "proposed something after it had nothing left"

    # ---- on what it depends -------------------------------------------------------------------

    def test_same_seed_same_proposals(self, case: str) -> None:
        """Seed and results decide the proposals, also in another process with other hashes."""
        problem = problems(seed=7)[case]
        first = _proposals(drive(self.create(problem), problem, self.trials))
        second = _proposals(drive(self.create(problem), problem, self.trials))
        assert first == second, _difference(first, second)
        other = self._in_another_process(seed=7)[case]
        here = json.loads(json.dumps(first))
        assert here == other, "in another process: " + _difference(here, other)

    def test_other_seeds_other_proposals(self, case: str) -> None:
        """With the capability `seeded` another seed gives other proposals; without it, the same."""
        count = problems()[case].space.count()
        if count is not None and count < 30:
            pytest.skip("the space is too small to tell")
        runs = []
        for seed in range(4):
            problem = problems(seed=seed)[case]
            if not self._deterministic(problem):
                pytest.skip("not even the same under one seed: see test_same_seed_same_proposals")
            runs.append(_proposals(drive(self.create(problem), problem, self.trials)))
        differ = any(run != runs[0] for run in runs[1:])
        if self._has(self.seeded, "seeded"):
            assert differ, "four seeds give the same proposals; is the problem's seed used?"
        else:
            assert not differ, "seeds make a difference: add the capability 'seeded' to the spec"

    def test_resumed_equals_uninterrupted(self, case: str) -> None:
        """Replaying recorded trials to a new optimizer brings it to where the first one was."""
        problem = problems(seed=3)[case]
        if not self._deterministic(problem):
            pytest.skip("not deterministic: see test_same_seed_same_proposals")
        live = drive(self.create(problem), problem, self.trials, outcome=_mixed)
        half = live[: len(live) // 2]
        resumed = drive(self.create(problem), problem, self.trials, outcome=_mixed, recorded=half)
        first, second = _proposals(live), _proposals(resumed)
        assert first == second, "after a resumption: " + _difference(first, second)

    # ---- what it takes ------------------------------------------------------------------------

    def test_takes_failed_trials(self, case: str) -> None:
        """Nothing but failures, of every kind."""
        problem = problems()[case]
        for kind in FailureKind:
            self._drive_with(problem, functools.partial(_always_failed, kind))

    def test_takes_extreme_values(self, case: str) -> None:
        """NaN, infinities, zero and huge values, alone and among ordinary ones."""
        problem = problems()[case]
        for value in (math.nan, math.inf, -math.inf, 0.0, 1e308):
            for every in (1, 3):
                self._drive_with(problem, functools.partial(_extreme, value, every))

    def test_takes_trials_it_did_not_propose(self, case: str) -> None:
        """Trials of others are told before the first ask and in between, references among them."""
        problem = problems()[case]
        optimizer = self.create(problem)
        optimizer.tell(self._foreign(problem))
        drive(optimizer, problem, 6, check=lambda one: _feasible(one, problem))
        optimizer.tell(self._foreign(problem))
        optimizer.tell([])
        drive(optimizer, problem, 6, check=lambda one: _feasible(one, problem))

    def test_takes_a_history(self, case: str) -> None:
        """A problem may come with earlier trials to start warm from."""
        problem = problems()[case]
        warm = dataclasses.replace(problem, history=tuple(self._foreign(problem)))
        drive(self.create(warm), warm, 12, check=lambda one: _feasible(one, warm))

    def test_takes_a_reordered_batch(self, case: str) -> None:
        """The trials of a batch may be told one by one and in another order."""
        problem = problems()[case]
        optimizer = self.create(problem)
        for _ in range(3):
            proposed = optimizer.ask(4)
            for number, configuration in reversed(list(enumerate(proposed))):
                _feasible(configuration, problem)
                kept = dict(configuration)
                optimizer.tell([trial_of(number, kept, measured(kept, problem))])

    def test_takes_several_objectives(self, case: str) -> None:
        """With `max_objectives` 0 or above 1 it copes with two, one of them maximised."""
        if self._spec().max_objectives == 1:
            pytest.skip("it takes one objective")
        problem = problems(objectives=2)[case]
        drive(
            self.create(problem),
            problem,
            self.trials,
            outcome=_mixed,
            check=lambda one: _feasible(one, problem),
        )

    # ---- what it leaves alone -----------------------------------------------------------------

    def test_leaves_the_global_random_state_alone(self, case: str) -> None:
        """It draws from a generator of its own, not from `random` or `numpy.random`."""
        import numpy as np

        if self._spec().isolation is Isolation.WORKER:
            pytest.skip("in its own process the global generators are its own")
        problem = problems()[case]
        random.seed(99)
        np.random.seed(99)
        before = (random.getstate(), repr(np.random.get_state()))
        drive(self.create(problem), problem, self.trials)
        assert random.getstate() == before[0], "the state of `random` has changed"
        assert repr(np.random.get_state()) == before[1], "the state of `numpy.random` has changed"

    def test_does_not_read_the_clock(self, case: str) -> None:
        """Time is the harness's business; an optimizer that reads it cannot be resumed."""
        problem = problems()[case]
        package = self.component().spec.factory.partition(":")[0].partition(".")[0]
        with forbid_clocks(package) as readings:
            drive(self.create(problem), problem, self.trials)
        assert not readings, f"reads the clock: {', '.join(readings)}"

    def test_leaves_problem_and_trials_alone(self, case: str) -> None:
        """What it is given is shared with others."""
        problem = problems()[case]
        space = problem.space.to_dict()
        done = drive(self.create(problem), problem, self.trials)
        assert problem.space.to_dict() == space, "the space was changed"
        for number, trial in enumerate(done):
            expected = trial_of(number, trial.configuration, trial.outcome)
            assert trial == expected, f"trial {number} was changed"
            assert dict(trial.outcome.objectives) == dict(
                measured(trial.configuration, problem).objectives
            ), f"the configuration of trial {number} was changed"

    # ---- what it may say ----------------------------------------------------------------------

    def test_explanations_and_spending_are_json(self) -> None:
        """If it explains its proposals or spends, these are plain JSON values."""
        problem = problems()[self.problem_names()[0]]
        optimizer = self.create(problem)
        if not isinstance(optimizer, Explains | Spends):
            pytest.skip("it neither explains nor spends")
        for configuration in optimizer.ask(1):
            if isinstance(optimizer, Explains):
                json.dumps(dict(optimizer.explain(configuration)), allow_nan=False)
        if isinstance(optimizer, Spends):
            for clock, total in optimizer.spent().items():
                assert clock in ("dollars", "tokens"), f"'{clock}' is no clock of a budget"
                assert math.isfinite(total), f"'{clock}' is {total}"
                assert total >= 0, f"'{clock}' is {total}"

    def test_cutoffs_are_sound(self) -> None:
        """If it gives curves up: at declared metrics, each at one clock, the same each time."""
        problem = training_problem(problems(seed=3)[self.problem_names()[0]])
        if not isinstance(self.create(problem), Curtails):
            pytest.skip("it gives no curve up (see Curtails)")
        known = {metric.name for metric in (*problem.objectives, *problem.metrics)}
        plays: list[list[Cutoff]] = []
        for _ in range(2):
            optimizer = self.create(problem)
            assert isinstance(optimizer, Curtails)
            found: list[Cutoff] = []

            def ask(
                configuration: Configuration,
                optimizer: Curtails = optimizer,
                found: list[Cutoff] = found,
            ) -> None:
                for cutoff in optimizer.cutoffs(configuration):
                    check_cutoff(cutoff, known)
                    found.append(cutoff)

            # asked before the trial is measured, as in a study
            drive(optimizer, problem, self.trials, outcome=streamed, check=ask)
            plays.append(found)
        assert plays[0] == plays[1], "the same trials, and other cutoffs"

    # ---- helpers ------------------------------------------------------------------------------

    @classmethod
    def _in_another_process(cls, *, seed: int) -> Any:
        component = cls.component()
        question = {
            "component": describe_component(component),
            "names": cls.problem_names(),
            "options": component.validate(cls.options),
            "seed": seed,
            "trials": cls.trials,
        }
        return _ask_proposals(json.dumps(question), cls.process_timeout_s)

    def _drive_with(
        self, problem: Problem, outcome: Callable[[int, Configuration, Problem], Outcome]
    ) -> None:
        drive(
            self.create(problem),
            problem,
            12,
            outcome=outcome,
            check=lambda one: _feasible(one, problem),
        )

    def _deterministic(self, problem: Problem) -> bool:
        first, second = (
            _proposals(drive(self.create(problem), problem, self.trials)) for _ in range(2)
        )
        return first == second

    def _foreign(self, problem: Problem) -> list[Trial]:
        if any(parameter.type == "program" for parameter in problem.space.parameters):
            drawn: list[Any] = [problem.space.default()]
        else:
            drawn = problem.space.sample(5, 17)
        told = [trial_of(n, one, _mixed(n, one, problem)) for n, one in enumerate(drawn)]
        for reference in problem.references:
            outcome = measured(reference.configuration, problem)
            told.append(
                trial_of(len(told), reference.configuration, outcome, reference=reference.name)
            )
        assert told[-1].reference == OUTSIDE
        return told


@functools.cache
def _optimizers() -> Optimizers:
    """Keep the processes that fork optimizers for the whole session: starting them costs."""
    made = Optimizers()
    atexit.register(made.close)
    return made


@functools.cache
def _ask_proposals(question: str, timeout_s: float) -> Any:
    """Ask once for all problems: starting a process costs more than driving an optimizer."""
    return ask_process("proposals", json.loads(question), hash_seed=12345, timeout_s=timeout_s)


def _feasible(configuration: Configuration, problem: Problem) -> None:
    if configuration in problem.space:
        return
    if any(dict(one.configuration) == dict(configuration) for one in problem.references):
        return
    problems_found = problem.space.violations(configuration)
    raise AssertionError(f"proposed {dict(configuration)}: {'; '.join(problems_found)}")


def _always_failed(
    kind: FailureKind, _number: int, _configuration: Configuration, problem: Problem
) -> Outcome:
    return failed(problem, kind)


def _extreme(
    value: float, every: int, number: int, configuration: Configuration, problem: Problem
) -> Outcome:
    return measured(configuration, problem, value if number % every == 0 else None)


def _mixed(number: int, configuration: Configuration, problem: Problem) -> Outcome:
    """Every fourth trial fails, in turn with each kind."""
    if number % 4 == 2:
        kinds = list(FailureKind)
        return failed(problem, kinds[number // 4 % len(kinds)])
    return measured(configuration, problem)


def _proposals(trials: list[Trial]) -> list[dict[str, Any]]:
    return [dict(trial.configuration) for trial in trials]


def _difference(first: list[Any], second: list[Any]) -> str:
    for number, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return f"proposal {number} is {left} once and {right} another time"
    return f"{len(first)} proposals once and {len(second)} another time"

"""A library's loop turned inside out, against libraries small enough to see through."""

from __future__ import annotations

import gc
import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from daybreak import Budget, Metric, Ordinal, Problem, Space
from daybreak.testing.exercises import drive, measured, trial_of
from daybreak_peers.generators import Generators
from daybreak_peers.inverted import Left, Loop, LoopingPeer, Objective


def _threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]


def _walk(answers: list[float | None]) -> Callable[[Objective[int]], None]:
    def run(objective: Objective[int]) -> None:
        for point in range(3):
            answers.append(objective(point))

    return run


class TestLoop:
    def test_proposals_and_answers_take_turns(self) -> None:
        answers: list[float | None] = []
        loop = Loop(_walk(answers))
        assert loop.propose() == 0
        loop.answer(10.0)
        assert answers == [], "the library went on before it was asked"
        assert loop.propose() == 1
        assert answers == [10.0]
        loop.answer(None)
        assert loop.propose() == 2
        loop.answer(30.0)
        assert loop.propose() is None
        assert answers == [10.0, None, 30.0]
        assert loop.propose() is None
        assert not loop.alive

    def test_a_proposal_waits_for_its_answer(self) -> None:
        loop = Loop(_walk([]))
        loop.propose()
        with pytest.raises(RuntimeError, match="no cost yet"):
            loop.propose()
        loop.answer(1.0)
        with pytest.raises(RuntimeError, match="no proposal waits"):
            loop.answer(1.0)
        assert loop.close()

    @pytest.mark.parametrize("error", [ValueError("odd"), KeyError("x"), SystemExit(3)])
    def test_an_error_surfaces_with_its_type_and_place(self, error: BaseException) -> None:
        def run(objective: Objective[int]) -> None:
            objective(1)
            raise error

        loop = Loop(run)
        loop.propose()
        loop.answer(0.0)
        with pytest.raises(type(error)) as caught:
            loop.propose()
        assert caught.value is error
        assert any(entry.name == "run" for entry in caught.traceback)
        assert loop.propose() is None
        assert not loop.alive

    def test_leaving_a_loop_that_would_never_end(self) -> None:
        unwound = []

        def run(objective: Objective[int]) -> None:
            try:
                while True:
                    objective(0)
            finally:
                unwound.append(True)

        loop = Loop(run)
        loop.propose()
        assert loop.alive
        assert loop.close()
        assert loop.close(), "closing twice is safe"
        assert unwound == [True]

    def test_leaving_a_library_that_swallows_every_exception(self) -> None:
        calls = []

        def run(objective: Objective[int]) -> None:
            for point in range(5):
                try:
                    objective(point)
                except BaseException as error:  # as some libraries do
                    calls.append(type(error))

        loop = Loop(run)
        loop.propose()
        assert loop.close()
        assert calls == [Left] * 5

    def test_a_loop_that_was_never_started_has_no_thread(self) -> None:
        loop = Loop(_walk([]), name="unstarted")
        assert loop.close()
        assert not _threads("unstarted")


class TestGenerators:
    def test_global_draws_are_seeded_and_the_process_keeps_its_own(self) -> None:
        random.seed(1)
        np.random.seed(1)
        before = random.getstate(), repr(np.random.get_state())

        def drawn() -> list[Any]:
            generators = Generators(5)
            found = []
            for _ in range(2):
                with generators.in_place():
                    found += [random.random(), np.random.rand(), np.random.default_rng().random()]
            return found

        first = drawn()
        assert first == drawn()
        assert len(set(first)) == 6, "the second turn repeats the first"
        assert (random.getstate(), repr(np.random.get_state())) == before
        assert np.random.default_rng(3).random() == np.random.Generator(np.random.PCG64(3)).random()

    def test_the_process_gets_its_own_back_after_an_error(self) -> None:
        original = np.random.default_rng
        random.seed(2)
        before = random.getstate()
        with pytest.raises(ZeroDivisionError), Generators(1).in_place():
            raise ZeroDivisionError
        assert np.random.default_rng is original
        assert random.getstate() == before

    def test_a_seed_given_by_the_library_is_respected(self) -> None:
        expected = np.random.default_rng(7).random()
        with Generators(1).in_place():
            assert np.random.default_rng(7).random() == expected


SPACE = Space([Ordinal("tile", tuple(range(1, 11))), Ordinal("unroll", (1, 2))], ["tile > unroll"])


def _problem(**changes: Any) -> Problem:
    made = {
        "benchmark": "kit/inverted",
        "space": SPACE,
        "objectives": (Metric("time", "s"),),
        "seed": 3,
        "budget": Budget(evaluations=20),
    }
    return Problem(**{**made, **changes})


class _Scripted(LoopingPeer):
    """Runs a function in the place of a library's loop; points are tuples of values."""

    script: Callable[[int, Objective[Any]], None]

    def prepare(self) -> None:
        pass

    def run(self) -> Callable[[Objective[Any]], Any]:
        script, number = type(self).script, self.runs
        return lambda objective: script(number, objective)

    def configuration(self, point: Any) -> dict[str, Any]:
        return dict(zip(("tile", "unroll"), point, strict=True))


def _scripted(script: Callable[[int, Objective[Any]], None]) -> type[_Scripted]:
    return type("Scripted", (_Scripted,), {"script": staticmethod(script)})


class TestLoopingPeer:
    def test_duplicates_and_violations_are_answered_and_counted(self) -> None:
        seen = []

        def script(_number: int, objective: Objective[Any]) -> None:
            for point in [(5, 1), (5, 1), (1, 2), (1, 1), (5, 1), (6, 1)]:
                seen.append((point, objective(point)))

        problem = _problem()
        optimizer = _scripted(script)(problem, {})
        (first,) = optimizer.ask()
        assert first == {"tile": 5, "unroll": 1}
        optimizer.tell([trial_of(0, first, measured(first, problem, 2.5))])
        (second,) = optimizer.ask()
        assert second == {"tile": 6, "unroll": 1}
        assert seen == [((5, 1), 2.5), ((5, 1), 2.5), ((1, 2), None), ((1, 1), None), ((5, 1), 2.5)]
        explained = optimizer.explain(second)
        assert (explained["duplicates"], explained["infeasible"]) == (2, 2)
        assert explained["source"] == "model"

    def test_a_loop_that_ends_starts_again_with_other_draws(self) -> None:
        def script(_number: int, objective: Objective[Any]) -> None:
            objective((random.randint(3, 10), random.randint(1, 2)))

        done = drive(_scripted(script)(_problem(), {}), _problem(), 10)
        proposed = [tuple(trial.configuration.values()) for trial in done]
        assert len(set(proposed)) == 10, "the runs repeat each other"
        again = drive(_scripted(script)(_problem(), {}), _problem(), 10)
        assert proposed == [tuple(trial.configuration.values()) for trial in again]
        other = drive(_scripted(script)(_problem(seed=4), {}), _problem(), 10)
        assert proposed != [tuple(trial.configuration.values()) for trial in other]

    def test_a_library_that_only_ends_leaves_the_rest_to_chance(self) -> None:
        started = []
        optimizer = _scripted(lambda number, _objective: started.append(number))(_problem(), {})
        done = drive(optimizer, _problem(), 40)
        assert len(done) == SPACE.count() == 17
        assert started == list(range(1, 21)), "twenty runs without a proposal are enough"
        assert optimizer.explain(done[-1].configuration) == {}

    def test_an_error_of_the_library_surfaces_from_ask(self) -> None:
        def script(_number: int, objective: Objective[Any]) -> None:
            objective((5, 1))
            raise FloatingPointError("the library broke")

        problem = _problem()
        optimizer = _scripted(script)(problem, {})
        (first,) = optimizer.ask()
        optimizer.tell([trial_of(0, first, measured(first, problem))])
        with pytest.raises(FloatingPointError, match="the library broke"):
            optimizer.ask()

    def test_a_batch_gets_one_and_an_impatient_ask_a_random_one(self) -> None:
        def script(_number: int, objective: Objective[Any]) -> None:
            for tile in range(3, 11):
                objective((tile, 1))

        problem = _problem()
        optimizer = _scripted(script)(problem, {})
        batch = optimizer.ask(4)
        assert batch == [{"tile": 3, "unroll": 1}]
        (other,) = optimizer.ask()
        assert other != batch[0]
        assert optimizer.explain(other)["source"] == "random"
        told = [trial_of(n, c, measured(c, problem)) for n, c in enumerate([other, batch[0]])]
        optimizer.tell(told)
        (following,) = optimizer.ask()
        assert following["unroll"] == 1
        assert optimizer.explain(following)["source"] == "model"

    def test_no_thread_is_left(self) -> None:
        def script(_number: int, objective: Objective[Any]) -> None:
            while True:
                objective((random.randint(3, 10), 1))

        optimizer = _scripted(script)(_problem(), {})
        optimizer.ask()
        assert _threads("Scripted-")
        optimizer.close()
        assert not _threads("Scripted-")
        optimizer = _scripted(script)(_problem(), {})
        optimizer.ask()
        del optimizer
        gc.collect()
        assert not _threads("Scripted-"), "an optimizer that nobody holds keeps its thread"

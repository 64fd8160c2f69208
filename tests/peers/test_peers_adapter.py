"""The peers' base class, against a library that says exactly what a test wants it to say."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from daybreak import (
    Budget,
    Categorical,
    Configuration,
    Direction,
    Metric,
    Ordinal,
    Outcome,
    Problem,
    Space,
    Trial,
    TrialStatus,
)
from daybreak.testing.exercises import drive, failed, measured, trial_of
from daybreak_peers.adapter import COST_LIMIT, PeerOptimizer, Proposal

SPACE = Space(
    [Ordinal("a", (1, 2, 4)), Ordinal("b", (1, 2, 4)), Categorical("c", ("x", "y"))], ["a * b <= 4"]
)
A, B, C = ({"a": 1, "b": 1, "c": "x"}, {"a": 1, "b": 2, "c": "x"}, {"a": 1, "b": 4, "c": "y"})
BAD = {"a": 4, "b": 4, "c": "x"}


class Scripted(PeerOptimizer):
    """Suggests what its script holds, again and again, and writes down what it is told."""

    script: Sequence[Configuration | None] = (A,)
    ends = False

    def start(self) -> None:
        self.said: list[tuple[str, Any, Any]] = []
        self._at = 0

    def suggest(self) -> Proposal | None:
        if self.ends and self._at >= len(self.script):
            return None
        found = self.script[self._at % len(self.script)]
        self._at += 1
        return Proposal(found, handle=self._at, facts={"belief": 0.5})

    def report(self, proposal: Proposal, cost: float | None) -> None:
        self.said.append(("report", proposal.handle, cost))

    def repeat(self, proposal: Proposal, cost: float | None) -> None:
        self.said.append(("repeat", proposal.handle, cost))

    def refuse(self, proposal: Proposal) -> None:
        self.said.append(("refuse", proposal.handle, None))

    def withdraw(self, proposal: Proposal) -> None:
        self.said.append(("withdraw", proposal.handle, None))

    def inject(self, configuration: Configuration, cost: float | None) -> None:
        self.said.append(("inject", dict(configuration), cost))


def _problem(space: Space = SPACE, **more: Any) -> Problem:
    metric = Metric("time", "s", more.pop("direction", Direction.MINIMIZE))
    return Problem("x/y", space, (metric,), more.pop("seed", 0), Budget(evaluations=20), **more)


def _made(script: Sequence[Configuration | None], ends: bool = False, **more: Any) -> Scripted:
    kind = type("Made", (Scripted,), {"script": script, "ends": ends})
    options: Mapping[str, Any] = more.pop("options", {})
    made: Scripted = kind(_problem(**more), options)
    return made


def _trial(number: int, configuration: Configuration, value: float) -> Trial:
    return trial_of(number, configuration, Outcome(TrialStatus.OK, objectives={"time": value}))


def test_a_measured_configuration_is_answered_from_memory() -> None:
    peer = _made([A, A, A, B])
    assert peer.ask() == [A]
    peer.tell([_trial(0, A, 3.0)])
    assert peer.ask() == [B]
    assert peer.said == [("report", 1, 3.0), ("repeat", 2, 3.0), ("repeat", 3, 3.0)]
    assert peer.explain(B) == {
        "belief": 0.5,
        "source": "model",
        "duplicates": 2,
        "infeasible": 0,
    }


def test_a_violation_is_refused_and_not_measured() -> None:
    peer = _made([BAD, None, {"a": 3, "b": 1, "c": "x"}, A])
    assert peer.ask() == [A]
    assert [said[:2] for said in peer.said] == [("refuse", 1), ("refuse", 2), ("refuse", 3)]
    assert peer.explain(A)["infeasible"] == 3


def test_a_proposal_that_waits_is_withdrawn_in_a_batch() -> None:
    peer = _made([A, A, B])
    assert peer.ask(2) == [A, B]
    assert peer.said == [("withdraw", 2, None)]
    assert peer.pending == [A, B]
    peer.tell([_trial(0, B, 2.0)])
    peer.tell([_trial(1, A, 1.0)])
    assert peer.said[1:] == [("report", 3, 2.0), ("report", 1, 1.0)]
    assert peer.pending == []


def test_after_too_many_in_a_row_one_is_drawn_at_random() -> None:
    peer = _made([A, BAD], options={"patience": 6})
    assert peer.ask() == [A]
    peer.tell([_trial(0, A, 3.0)])
    (drawn,) = peer.ask()
    assert drawn != A
    assert drawn in SPACE
    explained = peer.explain(drawn)
    assert (explained["source"], explained["duplicates"], explained["infeasible"]) == (
        "random",
        3,
        3,
    )
    peer.tell([_trial(1, drawn, 5.0)])
    assert peer.said[-1] == ("inject", drawn, 5.0), "the library hears of what was drawn for it"


def test_a_library_that_ends_is_followed_by_random_draws_until_all_is_seen() -> None:
    peer = _made([A], ends=True)
    done = drive(peer, _problem(), 100)
    proposed = [tuple(trial.configuration.values()) for trial in done]
    assert Counter(proposed) == Counter(tuple(c.values()) for c in SPACE.grid())
    assert peer.ask() == []


def test_random_draws_are_uniform_over_what_was_not_seen() -> None:
    """With A seen, each of the other 11 feasible configurations comes first about as often."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for seed in range(1100):
        peer = _made([], ends=True, seed=seed, history=(_trial(0, A, 1.0),))
        counts[tuple(peer.ask()[0].values())] += 1
    assert SPACE.count() == 12
    assert len(counts) == 11
    # binomial(1100, 1/11): mean 100, deviation 9.5
    assert all(60 <= count <= 140 for count in counts.values()), counts


def test_history_and_foreign_trials_are_injected_once() -> None:
    peer = _made([A, B], history=(_trial(0, A, 7.0),))
    assert peer.said == [("inject", A, 7.0)]
    peer.tell([_trial(0, A, 7.0), _trial(1, C, 4.0)])
    assert peer.said[1:] == [("inject", C, 4.0)]
    assert peer.ask() == [B]
    assert peer.said[2] == ("repeat", 1, 7.0)


def test_configurations_outside_the_space_are_passed_over() -> None:
    peer = _made([A])
    peer.tell([_trial(0, BAD, 1.0), _trial(1, {"scheduled": False}, 1.0)])
    assert peer.said == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_failures(value: float) -> None:
    peer = _made([A])
    peer.ask()
    peer.tell([_trial(0, A, value)])
    assert peer.said == [("report", 1, None)]


def test_a_failed_trial_has_no_cost() -> None:
    peer = _made([A, A, B])
    peer.ask()
    peer.tell([trial_of(0, A, failed(_problem()))])
    peer.ask()
    assert peer.said == [("report", 1, None), ("repeat", 2, None)]


def test_a_maximised_objective_is_negated_and_a_huge_one_cut() -> None:
    peer = _made([A, B], direction=Direction.MAXIMIZE)
    peer.ask(2)
    peer.tell([_trial(0, A, 5.0), _trial(1, B, 1e300)])
    assert [said[2] for said in peer.said] == [-5.0, -COST_LIMIT]


def test_the_logarithm_is_taken_where_it_is_asked_for() -> None:
    peer = _made([A, B], options={"log_objective": True})
    peer.ask(2)
    peer.tell([_trial(0, A, math.e**2)])
    assert peer.said[0][2] == pytest.approx(2.0)
    with pytest.raises(ValueError, match="needs objectives above 0, and trial 1 has 0"):
        peer.tell([_trial(1, B, 0.0)])


def test_seeds_differ_and_repeat() -> None:
    first, again, other = (_made([A], seed=seed) for seed in (5, 5, 6))
    assert first.seed == again.seed != other.seed
    assert 0 <= first.seed < 2**31
    assert _made([A], seed=2**80).seed < 2**31


def test_a_space_of_one_configuration_asks_nothing_of_the_library() -> None:
    space = Space([Ordinal("a", (8,)), Categorical("b", ("x",))])
    peer = _made([None], space=space)
    problem = dataclasses.replace(_problem(), space=space)
    done = drive(peer, problem, 5, outcome=lambda _n, c, p: measured(c, p))
    assert [dict(trial.configuration) for trial in done] == [{"a": 8, "b": "x"}]
    assert peer.said == []

"""pyATF's search techniques over its own chain of trees.

pyATF is asked and told as its `Tuner` does it: the technique gives coordinates in (0, 1], the
search space turns them into a configuration, weighted by leaves, and the cost goes back.
"""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable
from typing import Any

from daybreak import Configuration, Constraint, Integer, Parameter, Space
from daybreak_peers.adapter import Proposal
from daybreak_peers.single import OneAtATime

# importing pyATF puts a handler of its own in place of the process's for Ctrl-C
_interrupt = signal.getsignal(signal.SIGINT)

from pyatf import TP, Interval, Set, search_techniques  # noqa: E402
from pyatf.search_space import SearchSpace  # noqa: E402

if _interrupt is not None and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, _interrupt)

__all__ = ["PyAtf", "tuning_parameters"]


class PyAtf(OneAtATime):
    """A search technique of pyATF.

    Pattern search and Torczon's method close in on a point for good, by ever smaller steps; from
    there on proposals come from the random resort.
    """

    def prepare(self) -> None:
        """Generate pyATF's search space and initialise the technique."""
        name = self.options.get("technique", "auc_bandit")
        self._by_index = name == "exhaustive"
        self._pyatf_space = SearchSpace(
            *tuning_parameters(self.space), enable_1d_access=self._by_index, verbosity=0
        )
        self._upcoming: list[Any] = []
        self._reported: dict[Any, float | None] = {}
        self._technique = _technique(name)
        self._technique.initialize(
            self._pyatf_space.constrained_size if self._by_index else self._pyatf_space.num_tps
        )

    def turn(self) -> Proposal | None:
        """Take the next coordinates of the technique, as pyATF's `Tuner.make_step` does."""
        technique = self._technique
        following = technique.get_next_indices if self._by_index else technique.get_next_coordinates
        if not self._upcoming:
            if self._reported:
                technique.report_costs(self._reported)
                self._reported = {}
            self._upcoming = sorted(following(), reverse=True)
        if not self._upcoming:
            return None
        at = self._upcoming.pop()
        return Proposal(self._configuration(at), at)

    def settle(self, proposal: Proposal, cost: float | None) -> None:
        """Note the cost; the technique gets it with its next turn, None for a failure."""
        self._reported[proposal.handle] = cost

    def _configuration(self, at: Any) -> Configuration:
        found = self._pyatf_space.get_configuration(at)
        return {name: found[name] for name in self.space.names}


def tuning_parameters(space: Space) -> list[Any]:
    """Return pyATF's parameters, in order of declaration.

    A constraint belongs to the last of its parameters and refers to the earlier ones, as pyATF
    demands. Orders are numbered lexicographically and made when they are looked up.
    """
    latest = {name: i for i, name in enumerate(space.names)}
    belonging: dict[str, list[Constraint]] = {name: [] for name in space.names}
    for constraint in (*space.constraints, *space.conditions):
        if constraint.names:
            belonging[max(constraint.names, key=latest.__getitem__)].append(constraint)
    return [
        TP(p.name, _values(p), _test(p.name, belonging[p.name], latest)) for p in space.parameters
    ]


def _values(parameter: Parameter) -> Any:
    if isinstance(parameter, Integer):
        return Interval(parameter.low, parameter.high)
    size = parameter.size or 0
    if parameter.type == "permutation":
        return Interval(0, size - 1, 1, parameter.value_at)
    return Set(*(parameter.value_at(i) for i in range(size)))


def _test(
    name: str, constraints: list[Constraint], latest: dict[str, int]
) -> Callable[..., bool] | None:
    """Return a predicate with a named argument for each parameter that the constraints name."""
    if not constraints:
        return None
    names = {name, *(other for constraint in constraints for other in constraint.names)}
    tests = [constraint.test for constraint in constraints]

    def holds(**values: Any) -> bool:
        return all(test(values) for test in tests)

    # pyATF reads the names off the signature
    holds.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(other, inspect.Parameter.KEYWORD_ONLY)
            for other in sorted(names, key=latest.__getitem__)
        ]
    )
    return holds


def _technique(name: str) -> Any:
    """Return a new technique; those made of others get their own, which pyATF would share."""
    makers = {
        "simulated_annealing": search_techniques.SimulatedAnnealing,
        "pattern_search": search_techniques.PatternSearch,
        "differential_evolution": search_techniques.DifferentialEvolution,
        "torczon": search_techniques.Torczon,
        "random": search_techniques.Random,
        "exhaustive": search_techniques.Exhaustive,
    }
    if name == "auc_bandit":
        parts = ("simulated_annealing", "pattern_search", "torczon")
        return search_techniques.AUCBandit([makers[part]() for part in parts])
    if name == "round_robin":
        parts = ("simulated_annealing", "differential_evolution", "pattern_search", "torczon")
        return search_techniques.RoundRobin([makers[part]() for part in parts])
    return makers[name]()

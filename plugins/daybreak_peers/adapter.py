"""Turns another library's suggest and report into Daybreak's ask and tell, fairly.

What a library sees and what it costs:

- It searches the same feasible space. A proposal that breaks a known constraint is answered as the
  library's own users would answer it, and never measured: it costs nothing of the budget.
- A proposal that was measured before is answered from memory, and costs nothing either.
- Both are counted; `explain` gives how many came before a proposal.
- After too many of both in a row, an unseen feasible configuration is drawn at random in the
  library's stead, so that a study never hangs; its source is `random`, and the library is told of
  it like of any other trial that it did not propose.
- It minimises a cost: the first objective, negated where that is maximised.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration, Direction, Problem, SpaceError, Trial
from daybreak_peers.unseen import Unseen

__all__ = ["COST_LIMIT", "PeerOptimizer", "Proposal"]

#: Costs are cut to +-this: libraries square them when they standardise, which overflows beyond.
COST_LIMIT = 1e30


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a library suggests.

    Attributes:
        configuration: the values for Daybreak's parameters; None if the library's point stands for
            no configuration at all. It may break constraints.
        handle: what the library knows the proposal by; given back to `report`.
        source: `design` for a library's initial points, `model` for what it reasoned.
        facts: further JSON values for `explain`.
    """

    configuration: Configuration | None
    handle: Any = None
    source: str = "model"
    facts: Mapping[str, Any] = field(default_factory=dict)


class PeerOptimizer(ABC):
    """Base class of the peers: keeps the memory, counts, and answers what needs no measuring.

    Attributes:
        patience: proposals in a row that are duplicates or infeasible before a configuration is
            drawn at random; the option `patience`, if there is one, overrides it.
        space: the search space.
        problem: the problem.
        options: the validated options.
        seed: 31 bits drawn from the problem's seed, for the library.
        rng: a generator of the adapter's own, from the problem's seed.
        sign: -1 where the objective is maximised, else 1: an objective times this is a cost.
    """

    patience: ClassVar[int] = 1000

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        """Start the library and tell it of the problem's history."""
        self.problem = problem
        self.space = problem.space
        self.options = dict(options)
        sequences = np.random.SeedSequence(problem.seed).spawn(2)
        self.rng = np.random.default_rng(sequences[0])
        self.seed = int(sequences[1].generate_state(1)[0]) & 0x7FFFFFFF
        self.sign = -1.0 if problem.objectives[0].direction is Direction.MAXIMIZE else 1.0
        self._patience = int(self.options.get("patience") or self.patience)
        self._unseen = Unseen(self.space, self.rng)
        #: costs of what was told, by configuration; None: failed
        self._costs: dict[tuple[Any, ...], float | None] = {}
        #: proposals not told yet; None: drawn at random
        self._pending: dict[tuple[Any, ...], Proposal | None] = {}
        self._explanations: dict[tuple[Any, ...], dict[str, Any]] = {}
        #: a space of one configuration leaves a library nothing to do
        self._ended = self._unseen.count == 1
        self._idle = self._ended
        self.start()
        self.tell(problem.history)

    # -- the library's side ---------------------------------------------------------------------

    @abstractmethod
    def start(self) -> None:
        """Make the library's objects; called once, before anything else.

        In a space of one configuration nothing else is called.
        """

    @abstractmethod
    def suggest(self) -> Proposal | None:
        """Return the library's next proposal; None if it has ended and will propose no more."""

    @abstractmethod
    def report(self, proposal: Proposal, cost: float | None) -> None:
        """Tell the library what its proposal cost (lower is better); None: it failed."""

    @abstractmethod
    def inject(self, configuration: Configuration, cost: float | None) -> None:
        """Tell the library of a feasible configuration that it did not propose."""

    def repeat(self, proposal: Proposal, cost: float | None) -> None:
        """Answer a proposal that was measured before from memory; by default: report it."""
        self.report(proposal, cost)

    def refuse(self, proposal: Proposal) -> None:
        """Tell the library that its proposal breaks a known constraint; by default: it failed."""
        self.report(proposal, None)

    def withdraw(self, proposal: Proposal) -> None:
        """Tell the library that its proposal is being measured already; by default: it failed."""
        self.report(proposal, None)

    @property
    def pending(self) -> list[Configuration]:
        """The proposals that were not told yet."""
        return [dict(zip(self.space.names, key, strict=True)) for key in self._pending]

    # -- ask and tell ---------------------------------------------------------------------------

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose up to `n` configurations, none twice; fewer when the space is used up."""
        asked: list[Configuration] = []
        while len(asked) < n:
            configuration = self._next()
            if configuration is None:
                break
            asked.append(configuration)
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        """Pass results on, in the order given; configurations outside the space are passed over."""
        for trial in trials:
            try:
                configuration = self.space.normalise(trial.configuration)
            except SpaceError:
                continue
            if not self.space.feasible(configuration):
                continue
            key = tuple(configuration.values())
            cost = self._cost(trial)
            proposal = self._pending.pop(key, None)
            self._explanations.pop(key, None)
            self._unseen.add(key)
            known = key in self._costs
            self._costs[key] = cost
            if self._idle:
                continue
            if proposal is not None:
                self.report(proposal, cost)
            elif not known:
                self.inject(configuration, cost)

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        """Return `source`, `duplicates` and `infeasible` of a proposal just made."""
        key = tuple(self.space.normalise(configuration).values())
        return dict(self._explanations.get(key, {}))

    # -- inside ---------------------------------------------------------------------------------

    def _next(self) -> Configuration | None:
        if self._unseen.exhausted:
            return None
        duplicates = infeasible = 0
        while not self._ended and duplicates + infeasible < self._patience:
            proposal = self.suggest()
            if proposal is None:
                self._ended = True
                break
            configuration = self._feasible(proposal.configuration)
            if configuration is None:
                infeasible += 1
                self.refuse(proposal)
                continue
            key = tuple(configuration.values())
            if key in self._pending:
                duplicates += 1
                self.withdraw(proposal)
            elif key in self._costs:
                duplicates += 1
                self.repeat(proposal, self._costs[key])
            else:
                self._keep(key, proposal, proposal.source, duplicates, infeasible, proposal.facts)
                return configuration
        drawn = self._unseen.draw()
        if drawn is None:
            return None
        why = "the library has ended" if self._ended else f"after {self._patience} proposals"
        self._keep(
            tuple(drawn.values()),
            None,
            "random",
            duplicates,
            infeasible,
            {"note": f"random: {why}"},
        )
        return drawn

    def _feasible(self, configuration: Configuration | None) -> dict[str, Any] | None:
        if configuration is None:
            return None
        try:
            found = self.space.normalise(configuration)
        except SpaceError:
            return None
        return found if self.space.feasible(found) else None

    def _keep(
        self,
        key: tuple[Any, ...],
        proposal: Proposal | None,
        source: str,
        duplicates: int,
        infeasible: int,
        facts: Mapping[str, Any],
    ) -> None:
        self._unseen.add(key)
        self._pending[key] = proposal
        counted = {"source": source, "duplicates": duplicates, "infeasible": infeasible}
        self._explanations[key] = {**facts, **counted}

    def _cost(self, trial: Trial) -> float | None:
        """Return what the library minimises; None for a failure or a value that is not finite."""
        value = trial.objective
        if value is None or not math.isfinite(value):
            return None
        if self.options.get("log_objective"):
            if value <= 0:
                raise ValueError(
                    f"`log_objective` needs objectives above 0, and trial {trial.number} has "
                    f"{value:g}"
                )
            value = math.log(value)
        return max(-COST_LIMIT, min(COST_LIMIT, self.sign * value))

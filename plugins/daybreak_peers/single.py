"""Libraries that want the result of one proposal before they make the next."""

from __future__ import annotations

import warnings
from abc import abstractmethod

from daybreak import Configuration
from daybreak_peers.adapter import PeerOptimizer, Proposal
from daybreak_peers.generators import Generators

__all__ = ["OneAtATime"]


class OneAtATime(PeerOptimizer):
    """Proposes one configuration at a time: a larger batch gets one.

    Asked again before it was told, it draws an unseen configuration at random, since the library
    cannot go on. The library runs within `ask` only, with random generators of its own in the place
    of the process's; its warnings, about settings that it chose itself, are dropped.

    Attributes:
        generators: the library's random generators.
    """

    def start(self) -> None:
        """Seed the generators and prepare the library."""
        # modules may draw when they are first imported, which must not depend on who came first
        self.load()
        self.generators = Generators(self.seed)
        self._open = False
        with self.generators.in_place():
            self.prepare()

    def load(self) -> None:
        """Import what the library imports late."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the library's objects; called once, before anything else."""

    @abstractmethod
    def turn(self) -> Proposal | None:
        """Let the library go on to its next proposal; None if it has ended."""

    @abstractmethod
    def settle(self, proposal: Proposal, cost: float | None) -> None:
        """Give the library the cost of its proposal; None: it failed or breaks a constraint."""

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose one configuration, however many are asked for."""
        with self.generators.in_place(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return super().ask(min(n, 1))

    def suggest(self) -> Proposal | None:
        """Return the library's next proposal, or a random one while it waits."""
        if self._open:
            drawn = self._unseen.draw()
            note = {"note": "random: the library waits for a result"}
            return None if drawn is None else Proposal(drawn, self, "random", note)
        proposal = self.turn()
        self._open = proposal is not None
        return proposal

    def report(self, proposal: Proposal, cost: float | None) -> None:
        """Pass the cost on, unless the proposal was drawn at random."""
        if proposal.handle is not self:
            self._open = False
            self.settle(proposal, cost)

    def inject(self, configuration: Configuration, cost: float | None) -> None:
        """Do nothing: the library has no way to be told; the memory answers if it proposes it."""

"""Turning a library's own loop inside out: it calls for a value, Daybreak is asked and told.

A library that owns its loop (``optimize(objective)``) runs in a thread. Its call of the objective
hands the proposal over and waits until the value is known. The two threads take strict turns, so
that nothing of the library runs while Daybreak does, and global random generators can be swapped
around each turn.
"""

from __future__ import annotations

import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeAlias, TypeVar

from daybreak import Configuration
from daybreak_peers.adapter import Proposal
from daybreak_peers.single import OneAtATime

__all__ = ["Left", "Loop", "LoopingPeer", "Objective"]

P = TypeVar("P")

#: What a library's loop calls: a point, to its cost; None: the point failed or breaks a constraint.
Objective: TypeAlias = Callable[[P], "float | None"]

#: how long a library may take to unwind once it was told to leave
_PATIENCE_S = 5.0
#: runs of a library's loop that end one after another without a proposal
_BARREN = 20


class Left(BaseException):
    """Raised in the library's call of the objective when its loop is no longer wanted.

    No `Exception`, so that a library's ``except Exception`` around the objective lets it pass.
    """


class Loop(Generic[P]):
    """One run of a library's loop, as a sequence of proposals that wait for their cost.

    Args:
        run: called in a thread with the objective; returns when the loop ends by itself.
        name: of the thread.
    """

    def __init__(self, run: Callable[[Objective[P]], Any], name: str = "peer") -> None:
        self._run = run
        self._turns: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._answers: SimpleQueue[tuple[bool, float | None]] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        #: a proposal that waits for its cost, a cost that waits for the library's next turn
        self._waiting = False
        self._answer: tuple[float | None] | None = None
        self._ended = False

    @property
    def waiting(self) -> bool:
        """Whether a proposal waits for its cost."""
        return self._waiting

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def propose(self) -> P | None:
        """Let the library run up to its next proposal; None when its loop has ended by itself.

        Raises:
            RuntimeError: the last proposal has no cost yet.
            Exception: whatever the library raised, with its own type and traceback.
        """
        if self._waiting:
            raise RuntimeError("the last proposal has no cost yet")
        if self._ended:
            return None
        if self._thread.ident is None:
            self._thread.start()
        elif self._answer is not None:
            self._answers.put((True, self._answer[0]))
            self._answer = None
        kind, content = self._turns.get()
        if kind == "proposal":
            self._waiting = True
            proposal: P = content
            return proposal
        self._ended = True
        self._thread.join(_PATIENCE_S)
        if kind == "error":
            raise content
        return None

    def answer(self, cost: float | None) -> None:
        """Give the cost that the library waits for; it goes on with the next `propose`.

        Raises:
            RuntimeError: no proposal waits.
        """
        if not self._waiting:
            raise RuntimeError("no proposal waits for its cost")
        self._waiting = False
        self._answer = (cost,)

    def close(self) -> bool:
        """Leave the loop and say whether its thread has ended. Safe to call twice.

        A library that swallows `Left` gets it again at each further call. One that calls no more
        keeps its thread, a daemon, until the process ends.
        """
        self._ended = True
        self._waiting = False
        if self._thread.ident is not None:
            self._answers.put((False, None))
            self._thread.join(_PATIENCE_S)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._run(self._objective)
        except Left:
            pass
        except BaseException as error:
            self._turns.put(("error", error))
            return
        self._turns.put(("end", None))

    def _objective(self, proposal: P) -> float | None:
        if self._ended:
            raise Left
        self._turns.put(("proposal", proposal))
        go_on, cost = self._answers.get()
        if not go_on:
            raise Left
        return cost


class LoopingPeer(OneAtATime):
    """A library that owns its loop.

    A loop that ends by itself is started again: its generators go on where they were, so that the
    new run is another one, and what was measured is answered from memory. After too many runs
    without a proposal the library counts as ended.
    """

    def start(self) -> None:
        """Prepare the library; the loop starts with the first `ask`."""
        self.runs = 0
        self._loop: Loop[Any] | None = None
        self._farewell: weakref.finalize[..., Any] | None = None
        super().start()

    @abstractmethod
    def run(self) -> Callable[[Objective[Any]], Any]:
        """Return a function that runs the library's loop once with the objective it is given.

        The function must not hold this object, whose disposal ends the loop.
        """

    @abstractmethod
    def configuration(self, point: Any) -> Configuration | None:
        """Return what a point of the library stands for; None if for nothing."""

    def turn(self) -> Proposal | None:
        """Let the library run to its next proposal, in a new run of its loop if need be."""
        for _ in range(_BARREN):
            loop = self._loop if self._loop is not None else self._begin()
            point = loop.propose()
            if point is not None:
                facts = {"runs": self.runs} if self.runs > 1 else {}
                return Proposal(self.configuration(point), loop, facts=facts)
            self.close()
        return None

    def settle(self, proposal: Proposal, cost: float | None) -> None:
        """Keep the cost for the library's next turn."""
        proposal.handle.answer(cost)

    def close(self) -> None:
        """End the library's loop and its thread."""
        if self._farewell is not None:
            self._farewell()
        self._loop = self._farewell = None

    def _begin(self) -> Loop[Any]:
        self.runs += 1
        loop: Loop[Any] = Loop(self.run(), name=f"{type(self).__name__}-{self.runs}")
        self._loop = loop
        self._farewell = weakref.finalize(self, loop.close)
        return loop

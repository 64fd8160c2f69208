"""The default preset: Bayesian optimisation for 20 to 100 evaluations of constrained spaces.

A few typical configurations first (`design`), then always the one whose expected improvement times
probability of success is largest (`posterior`, `candidates`). Nothing is proposed twice. The same
seed and the same tells give the same proposals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import Configuration, Direction, Problem, Trial
from daybreak_baco.default.belief import Belief, believed
from daybreak_baco.default.candidates import Candidates
from daybreak_baco.default.coding import Coding
from daybreak_baco.default.design import design
from daybreak_baco.default.features import Features
from daybreak_baco.default.front import Front
from daybreak_baco.default.memory import Memory
from daybreak_baco.default.options import DefaultOptions
from daybreak_baco.default.past import Past
from daybreak_baco.default.posterior import Posterior

__all__ = ["DefaultBaco"]

Array = NDArray[np.float64]

#: rows that are varied for candidates
_VARIED = 5
#: the start has one row more than there are parameters to choose, but between these
_FEWEST, _MOST = 4, 5


class DefaultBaco:
    """Our own Bayesian optimisation.

    Args:
        problem: `history` starts it warm, with one objective.
        options: of this preset.

    Raises:
        UserError: the prior names an unknown reference, parameter or value.
    """

    def __init__(self, problem: Problem, options: DefaultOptions) -> None:
        space, seed = problem.space, problem.seed
        maximise = problem.objectives[0].direction is Direction.MAXIMIZE
        sign = -1.0 if maximise else 1.0
        self._space, self._seed = space, seed
        self._coding = Coding(space)
        self._features = Features(space, self._coding, seed)
        self._candidates = Candidates(
            space, self._coding, self._features, options.exact, options.candidates
        )
        self._belief: Belief | None = None
        if options.prior is not None:
            budget = problem.budget.evaluations
            self._belief = believed(space, self._coding, options.prior, problem.references, budget)
        front, names = None, [metric.name for metric in problem.objectives]
        if len(names) > 1:
            front = Front(self._features, problem.objectives, seed)
        self._posterior = Posterior(self._features, sign, self._belief, front)
        self._memory = Memory(space, self._coding, names if front is not None else ())
        self._past = Past(space, self._coding, problem.history, sign)
        self._size = _design_size(len(self._coding.free), problem.budget.evaluations, options)
        self._design: deque[tuple[Array, str]] | None = None
        self._asked = 0
        self._said: dict[bytes, dict[str, Any]] = {}

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose up to `n` configurations; fewer when the space is used up."""
        rows = []
        for _ in range(n):
            row = self._next()
            if row is None:
                break
            self._memory.propose(row)
            self._asked += 1
            rows.append(row)
        return list(self._coding.configurations(np.array(rows))) if rows else []

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take results, also of configurations that were not proposed."""
        self._memory.tell(trials)

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        """Return what was believed about a proposal when it was made; empty if there was none."""
        key = self._coding.codes([self._space.normalise(configuration)])[0].tobytes()
        return self._said.get(key, {})

    def _next(self) -> Array | None:
        known = self._memory.known
        for row, source in self._designed():
            if row.tobytes() not in known:
                self._said[row.tobytes()] = {"source": source}
                return row
        return self._by_model(known)

    def _designed(self) -> Iterator[tuple[Array, str]]:
        """Yield what is left of the start."""
        if self._design is None:
            rng = np.random.default_rng([self._seed, 0])
            again = [(row, "history") for row in self._past.best]
            size = max(0, self._size - len(self._past)) if again else self._size
            rows = design(self._space, self._coding, self._features, size, rng)
            believed_first = [(row, "prior") for row in self._centre()]
            start = [*again, *believed_first, *((row, "design") for row in rows)]
            self._design = deque(start)
        while self._design:
            yield self._design.popleft()

    def _centre(self) -> Array:
        """Return the row that is believed to be best; none without such a belief."""
        centre = None if self._belief is None else self._belief.centre
        return self._coding.codes([] if centre is None else [centre])

    def _by_model(self, known: set[bytes]) -> Array | None:
        rng = np.random.default_rng([self._seed, 1, self._asked])
        posterior = self._posterior
        if not len(self._memory) and not len(self._past):
            row = self._candidates.any(known, rng)
            if row is not None:
                self._said[row.tobytes()] = {"source": "random"}
            return row
        posterior.update(self._memory, self._past, rng)
        varied = np.vstack([self._centre(), posterior.good[:_VARIED]])
        row = self._candidates.best(posterior.log_acquisition, known, varied, rng)
        if row is not None:
            note = {} if posterior.trained else {"note": "nothing has succeeded yet"}
            self._said[row.tobytes()] = {"source": "model", **posterior.describe(row), **note}
        return row


def _design_size(free: int, evaluations: int | None, options: DefaultOptions) -> int:
    if options.design is not None:
        return options.design
    size = max(_FEWEST, min(_MOST, free + 1))
    # a model on two points beats none when there are only six evaluations
    return min(size, max(2, evaluations // 3)) if evaluations else size

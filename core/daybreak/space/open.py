"""Parts that cannot be listed: they hold real parameters, or are too large for a tree.

They are sampled by rejection: the countable parameters are drawn from their own trees, the real
ones from their ranges, and combinations that break a constraint are thrown away. What remains is
uniform over the feasible region.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError
from daybreak.space.building import TooLargeError
from daybreak.space.constraint import Constraint
from daybreak.space.parameters import Parameter, Real
from daybreak.space.parts import Part, uncountable, values_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MAX_DRAWS", "OpenPart"]

#: Draws without enough feasible ones among them after which sampling gives up.
MAX_DRAWS = 4_000_000

_BATCH = 262_144


class OpenPart:
    """Linked parameters sampled by rejection.

    Args:
        parameters: all parameters of the part, in order of declaration.
        constraints: all constraints among them.
        proposals: parts over the countable parameters, drawn from first.
        remaining: the constraints that the proposals do not already satisfy.
        conditions: for each conditional real parameter, its `when`, in an order in which every
            condition only needs values that are already final.
        reason: why the part cannot be counted; None if it holds real parameters.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        constraints: Sequence[Constraint],
        proposals: Sequence[Part],
        remaining: Sequence[Constraint],
        conditions: Sequence[tuple[Real, Constraint]],
        reason: TooLargeError | None = None,
    ) -> None:
        self._parameters = tuple(parameters)
        self.names = tuple(parameter.name for parameter in parameters)
        self.constraints = tuple(constraints)
        self._proposals = tuple(proposals)
        self._remaining = tuple(remaining)
        self._conditions = tuple(conditions)
        self._reals = [p for p in parameters if isinstance(p, Real)]
        self._reason = reason

    def count(self) -> int | None:
        """Return None for a continuous part.

        Raises:
            SpaceError: the part is countable in principle and too large in fact.
        """
        if self._reason is not None:
            raise uncountable(self._reason, self.names)
        return None

    def draw(self, rng: np.random.Generator, n: int, *, path: bool) -> dict[str, list[Any]]:
        """Draw `n` feasible combinations by rejection.

        Raises:
            SpaceError: fewer than `n` feasible ones among `MAX_DRAWS` + 1,000 n draws.
        """
        kept: dict[str, list[Any]] = {name: [] for name in self.names}
        drawn = accepted = 0
        while accepted < n:
            if drawn >= MAX_DRAWS + 1000 * n:
                raise self._too_few(accepted, drawn)
            # twice what the acceptance seen so far suggests
            rate = max(accepted, 0.5) / drawn if drawn else 1.0
            batch = min(_BATCH, max(256, int(2 * (n - accepted) / rate)))
            drawn += batch
            proposed = self._propose(rng, batch, path=path)
            ok = self._test(proposed, batch).nonzero()[0][: n - accepted].tolist()
            accepted += len(ok)
            for name, values in kept.items():
                column = proposed[name]
                values.extend([column[i] for i in ok])
        return kept

    def _propose(self, rng: np.random.Generator, n: int, *, path: bool) -> dict[str, list[Any]]:
        from daybreak.space.vector import column_of

        proposed: dict[str, list[Any]] = {}
        for part in self._proposals:
            proposed.update(part.draw(rng, n, path=path))
        for real in self._reals:
            proposed[real.name] = values_of(real, rng, n)
        for real, condition in self._conditions:
            columns = {name: column_of(proposed[name]) for name in condition.names}
            active = condition.holds_for(columns, n).tolist()
            values = proposed[real.name]
            proposed[real.name] = [
                value if on else real.rest for value, on in zip(values, active, strict=True)
            ]
        return proposed

    def _test(self, proposed: Mapping[str, list[Any]], n: int) -> NDArray[np.bool_]:
        import numpy as np

        from daybreak.space.vector import column_of

        ok = np.ones(n, dtype=np.bool_)
        columns: dict[str, NDArray[Any]] = {}
        for constraint in self._remaining:
            for name in constraint.names:
                if name not in columns:
                    columns[name] = column_of(proposed[name])
            ok &= constraint.holds_for({c: columns[c] for c in constraint.names}, n)
        return ok

    def _too_few(self, accepted: int, drawn: int) -> SpaceError:
        quoted = "; ".join(f"`{constraint.text}`" for constraint in self._remaining)
        return SpaceError(
            f"only {accepted} of {drawn:,} draws of {', '.join(self.names)} satisfy {quoted}",
            remedy="narrow the ranges towards the feasible region, or use ordinal parameters",
        )

    def columns(self, at: Sequence[int]) -> dict[str, list[Any]]:
        """Refuse: the combinations have no numbers."""
        raise NotImplementedError

    def walk(self) -> Iterator[dict[str, Any]]:
        """Refuse: the combinations cannot be listed."""
        raise NotImplementedError

    def weights(self) -> NDArray[np.float64]:
        """Refuse: the combinations cannot be listed."""
        raise NotImplementedError

    def find(self, configuration: Mapping[str, Any]) -> bool:
        """Test values and constraints directly."""
        try:
            values = {p.name: p.normalise(configuration[p.name]) for p in self._parameters}
        except SpaceError:
            return False
        return all(constraint.test(values) for constraint in self.constraints)

"""The parts of a space that can be drawn from independently of each other.

A space falls into parts along its constraints: parameters that no constraint links are in
different parts. There are three sorts: a *free* parameter without any constraint, a *tree* of
linked countable parameters, and an *open* part, which holds real parameters or is too large for
a tree and is sampled by rejection.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from daybreak.errors import SpaceError
from daybreak.space.building import TooLargeError
from daybreak.space.constraint import Constraint
from daybreak.space.parameters import Categorical, Integer, Ordinal, Parameter, Permutation, Real
from daybreak.space.tree import Tree, blame, empty_error

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FreePart", "Part", "TreePart", "values_of"]

_BLOCK = 4096


class Part(Protocol):
    """Some of a space's parameters, independent of all others."""

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, in order of declaration."""
        ...

    def count(self) -> int | None:
        """Return the exact number of feasible combinations; None if they cannot be counted."""
        ...

    def draw(self, rng: np.random.Generator, n: int, *, path: bool) -> dict[str, list[Any]]:
        """Draw `n` feasible combinations, a list of values per parameter."""
        ...

    def columns(self, at: Sequence[int]) -> dict[str, list[Any]]:
        """Return the combinations number `at`; only if they can be counted."""
        ...

    def walk(self) -> Iterator[dict[str, Any]]:
        """Yield all combinations in order; only if they can be counted."""
        ...

    def weights(self) -> NDArray[np.float64]:
        """Return the log probability of every combination under a path-biased draw."""
        ...

    def find(self, configuration: Mapping[str, Any]) -> bool:
        """Say whether the values for this part's names are feasible, given as normalised values.

        May raise KeyError or TypeError for values that are not normalised.
        """
        ...


class FreePart:
    """One parameter without constraints."""

    def __init__(self, parameter: Parameter) -> None:
        self._parameter = parameter
        self.names = (parameter.name,)
        self._members = (
            frozenset(parameter.values) if isinstance(parameter, Ordinal | Categorical) else None
        )

    def count(self) -> int | None:
        """Return the number of values."""
        return self._parameter.size

    def draw(self, rng: np.random.Generator, n: int, *, path: bool) -> dict[str, list[Any]]:  # noqa: ARG002
        """Draw values, all equally likely (a real on its scale)."""
        return {self._parameter.name: values_of(self._parameter, rng, n)}

    def columns(self, at: Sequence[int]) -> dict[str, list[Any]]:
        """Return values by their numbers."""
        value_at = self._parameter.value_at
        return {self._parameter.name: [value_at(int(i)) for i in at]}

    def walk(self) -> Iterator[dict[str, Any]]:
        """Yield the values in order."""
        for i in range(self._parameter.size or 0):
            yield {self._parameter.name: self._parameter.value_at(i)}

    def weights(self) -> NDArray[np.float64]:
        """Return -log(size) for every value."""
        import numpy as np

        size = self._parameter.size or 1
        return np.full(size, -math.log(size))

    def find(self, configuration: Mapping[str, Any]) -> bool:
        """Say whether the value is one of the parameter's."""
        value = configuration[self._parameter.name]
        if self._members is not None:
            return value in self._members
        return self._parameter.contains(value)


class TreePart:
    """Countable parameters linked by constraints, as a tree that is built at once.

    Raises:
        SpaceError: no combination is feasible; names the constraints that exclude each other.
        TooLargeError: the tree exceeds its limits.
    """

    def __init__(
        self, parameters: Sequence[Parameter], constraints: Sequence[Constraint], space: str
    ) -> None:
        self.names = tuple(parameter.name for parameter in parameters)
        self.tree = Tree(parameters, constraints)
        if self.tree.count == 0:
            raise empty_error(blame(parameters, constraints), space)

    def count(self) -> int:
        """Return the number of leaves."""
        return self.tree.count

    def draw(self, rng: np.random.Generator, n: int, *, path: bool) -> dict[str, list[Any]]:
        """Draw leaves: uniformly, or by a walk that picks uniformly among children."""
        tree = self.tree
        return tree.columns(tree.draw_paths(rng, n) if path else tree.draw(rng, n))

    def columns(self, at: Sequence[int]) -> dict[str, list[Any]]:
        """Return leaves by their numbers."""
        import numpy as np

        return self.tree.columns(np.asarray(at, dtype=np.intp))

    def walk(self) -> Iterator[dict[str, Any]]:
        """Yield the leaves in lexicographic order."""
        import numpy as np

        for start in range(0, self.tree.count, _BLOCK):
            block = self.tree.columns(np.arange(start, min(start + _BLOCK, self.tree.count)))
            for row in zip(*block.values(), strict=True):
                yield dict(zip(self.names, row, strict=True))

    def weights(self) -> NDArray[np.float64]:
        """Return the leaves' log probabilities under path-biased draws."""
        return self.tree.path_weights()

    def find(self, configuration: Mapping[str, Any]) -> bool:
        """Look the leaf up."""
        return self.tree.find(configuration)


def values_of(parameter: Parameter, rng: np.random.Generator, n: int) -> list[Any]:
    """Draw `n` values of a parameter, each equally likely.

    A real is uniform on its range, on the logarithm where it is on a log scale; a program is its
    baseline.
    """
    import numpy as np

    match parameter:
        case Real():
            if not parameter.log:
                drawn = rng.uniform(parameter.low, parameter.high, n)
            else:
                drawn = np.exp(rng.uniform(math.log(parameter.low), math.log(parameter.high), n))
            return np.clip(drawn, parameter.low, parameter.high).tolist()  # type: ignore[no-any-return]
        case Permutation():
            orders = np.tile(np.arange(parameter.length), (n, 1))
            return list(map(tuple, rng.permuted(orders, axis=1).tolist()))
        case Integer() if parameter.size >= 2**62:
            return [parameter.low + _large(rng, parameter.size) for _ in range(n)]
        case _ if parameter.size is None:
            return [parameter.rest] * n
        case _:
            value_at: Any = parameter.value_at
            return [value_at(i) for i in rng.integers(0, parameter.size, n).tolist()]


def _large(rng: np.random.Generator, size: int) -> int:
    """Draw a whole number below `size`, however large, by rejection on its bits."""
    bits = size.bit_length()
    while True:
        drawn = int.from_bytes(rng.bytes((bits + 7) // 8), "little") >> (-bits % 8)
        if drawn < size:
            return drawn


def uncountable(error: TooLargeError, names: Sequence[str]) -> SpaceError:
    """Return the error for a part that is too large to be listed."""
    return SpaceError(
        f"the combinations of {', '.join(names)} cannot be counted: {error}",
        remedy="sampling still works; for an exact count give these parameters fewer values "
        "or constraints that involve fewer of them",
    )

"""The quantities that a space's known constraints bound: what experts think in.

A constraint such as ``block_x * block_y <= 1024`` says more than what is feasible: that threads
per block matter. From each constraint between numbers that links two or more parameters:

- a bound (``<``, ``<=``, ``>``, ``>=``): both sides brought together and constants dropped. Terms
  of one sign give their sum (``a*b + c`` of ``4096 - a*b - c >= 0``), one term against another
  their ratio (``a / (b*c)`` of ``a >= b*c``), anything else the signed sum;
- divisibility (``a % b == 0``): the quotient ``a / b``;
- ``and``, ``or``, ``not``: the quantities of their operands.

Equalities and memberships bound nothing and give none; nor do permutations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.space.expression import (
    Arithmetic,
    Compare,
    Constant,
    Item,
    Logic,
    Negative,
    Node,
    Not,
    Position,
    children,
    names_in,
    write,
)
from daybreak.space.vector import column_of, numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from daybreak.space.constraint import Constraint

__all__ = ["Quantity", "quantities"]

_BOUNDS = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that follows from two or more parameters.

    Attributes:
        text: the expression, written out.
        names: the parameters in it.
        tree: the parsed expression.
    """

    text: str
    names: tuple[str, ...]
    tree: Node

    def values(self, columns: Mapping[str, Any], rows: int) -> NDArray[np.float64]:
        """Return the quantity of `rows` configurations; NaN where it is undefined (`x / 0`).

        Args:
            columns: for every parameter in `names`, its value in each configuration, listed or as
                the arrays that `Constraint.holds_for` takes.
            rows: number of configurations.
        """
        taken = {n: columns[n] for n in self.names}
        ready = {n: c if hasattr(c, "dtype") else column_of(c) for n, c in taken.items()}
        return numbers(self.tree, ready, rows)


def quantities(constraints: Sequence[Constraint]) -> list[Quantity]:
    """Return the quantities that `constraints` bound, each once, in order of appearance."""
    found: dict[str, Quantity] = {}
    for constraint in constraints:
        # listed rows have no expression
        whole: Node | None = getattr(constraint, "tree", None)
        for tree in _quantities(whole) if whole is not None else ():
            names = tuple(dict.fromkeys(name for name, _ in names_in(tree)))
            if len(names) > 1 and not _orders(tree):
                text = write(tree)
                found.setdefault(text, Quantity(text, names, tree))
    return list(found.values())


def _quantities(node: Node) -> Iterator[Node]:
    match node:
        case Logic() | Not():
            for child in children(node):
                yield from _quantities(child)
        case Compare(operands, ops):
            for i, op in enumerate(ops):
                left, right = operands[i], operands[i + 1]
                if op in _BOUNDS:
                    yield from _bounded(left, right)
                else:
                    yield from _quotient(left)
                    yield from _quotient(right)
        case _:
            return


def _quotient(node: Node) -> Iterator[Node]:
    match node:
        case Arithmetic("%", left, right):
            yield Arithmetic("/", left, right)
        case _:
            return


def _bounded(left: Node, right: Node) -> Iterator[Node]:
    """Yield the quantity in `left <= right`, the constants dropped."""
    terms = [*_terms(left, 1), *((-sign, term) for sign, term in _terms(right, 1))]
    terms = [(sign, term) for sign, term in terms if any(True for _ in names_in(term))]
    up = [term for sign, term in terms if sign > 0]
    down = [term for sign, term in terms if sign < 0]
    if not up or not down:
        if up or down:
            yield _sum(up or down)
    elif len(up) == len(down) == 1:
        yield Arithmetic("/", up[0], down[0])
    else:
        yield Arithmetic("-", _sum(up), _sum(down))


def _terms(node: Node, sign: int) -> Iterator[tuple[int, Node]]:
    """Yield the addends of `node` with their signs."""
    match node:
        case Arithmetic("+", left, right):
            yield from _terms(left, sign)
            yield from _terms(right, sign)
        case Arithmetic("-", left, right):
            yield from _terms(left, sign)
            yield from _terms(right, -sign)
        case Negative(operand):
            yield from _terms(operand, -sign)
        case Constant():
            return
        case _:
            yield sign, node


def _sum(terms: Sequence[Node]) -> Node:
    total = terms[0]
    for term in terms[1:]:
        total = Arithmetic("+", total, term)
    return total


def _orders(node: Node) -> bool:
    """Say whether a permutation occurs in `node`."""
    return isinstance(node, Item | Position) or any(_orders(child) for child in children(node))

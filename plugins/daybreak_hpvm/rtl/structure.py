"""A node's body as a tree of parts, each of which becomes a controller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from daybreak_hpvm.ir import BOOL, Assign, Expr, If, Loop, Scalar, Stmt, ne
from daybreak_hpvm.ir.walk import loops

__all__ = ["Branch", "Part", "Region", "Repeat", "Sequence", "structure"]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A perfect nest of `loops` (outermost first; none: straight-line code) around `body`."""

    loops: tuple[Loop, ...]
    body: tuple[Stmt, ...]

    @property
    def iterations(self) -> int:
        """How often the body runs."""
        total = 1
        for loop in self.loops:
            total *= loop.trips
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One part after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """A loop around a part that is more than a region's body."""

    loop: Loop
    part: Part


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Goes on with one of two parts, by a register that an earlier region wrote."""

    condition: Scalar
    then: Part | None
    otherwise: Part | None


Part = Region | Sequence | Repeat | Branch


def structure(body: Iterable[Stmt]) -> tuple[Part | None, tuple[Scalar, ...]]:
    """Return the tree (None: nothing to do) and the registers that branches need beyond the node's.

    Loops must be expanded (`transforms.expand`). The registers' names begin with an underscore,
    which no scalar of a program's does.
    """
    builder = _Builder()
    part = builder.sequence(tuple(body))
    return part, tuple(builder.conditions)


class _Builder:
    def __init__(self) -> None:
        self.conditions: list[Scalar] = []

    def sequence(self, body: tuple[Stmt, ...]) -> Part | None:
        parts: list[Part] = []
        straight: list[Stmt] = []

        def flush() -> None:
            if straight:
                parts.append(Region((), tuple(straight)))
                straight.clear()

        for stmt in body:
            if isinstance(stmt, Loop):
                part = self.loop(stmt)
                if part is not None:
                    flush()
                    parts.append(part)
            elif isinstance(stmt, If) and any(True for _ in loops((stmt,))):
                condition = Scalar(f"_branch{len(self.conditions)}", BOOL)
                self.conditions.append(condition)
                straight.append(Assign(condition, _truth(stmt)))
                flush()
                branch = Branch(condition, self.sequence(stmt.then), self.sequence(stmt.otherwise))
                parts.append(branch)
            else:
                straight.append(stmt)
        flush()
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def loop(self, loop: Loop) -> Part | None:
        nest = [loop]
        while len(nest[-1].body) == 1 and isinstance(nest[-1].body[0], Loop):
            nest.append(nest[-1].body[0])
        inner = nest[-1].body
        if not inner:
            return None
        if not any(True for _ in loops(inner)):
            return Region(tuple(nest), inner)
        part = self.sequence(inner)
        for one in reversed(nest):
            part = None if part is None else Repeat(one, part)
        return part


def _truth(stmt: If) -> Expr:
    condition = stmt.condition
    return condition if condition.type == BOOL else ne(condition, 0)

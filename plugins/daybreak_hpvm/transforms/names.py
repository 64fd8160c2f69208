"""Names that are not taken yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from daybreak_hpvm.ir.expr import Expr, Index, Load, Scalar
from daybreak_hpvm.ir.program import Loop, Node, Program, Stmt, Store
from daybreak_hpvm.ir.walk import loops, map_body

__all__ = ["Names", "rename", "rename_body"]


class Names:
    """Gives out names within one node of a program."""

    def __init__(self, program: Program, *nodes: Node) -> None:
        self._taken = {a.name for a in program.arrays} | {n.name for n in program.nodes}
        for node in nodes:
            self._taken |= {a.name for a in node.locals} | {x.name for x in node.scalars}
            self._taken |= {loop.var for loop in loops(node.body)}

    def fresh(self, base: str) -> str:
        """Return `base`, or `base` with the first free number."""
        name, number = base, 0
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name


def rename_body(body: Iterable[Stmt], names: dict[str, str]) -> tuple[Stmt, ...]:
    """Return `body` with scalars, loop variables and arrays renamed."""

    def expr(found: Expr) -> Expr:
        if isinstance(found, Index | Scalar) and found.name in names:
            return replace(found, name=names[found.name])
        if isinstance(found, Load) and found.array in names:
            return replace(found, array=names[found.array])
        return found

    def stmt(found: Stmt) -> Iterable[Stmt]:
        if isinstance(found, Loop) and found.var in names:
            return (replace(found, var=names[found.var]),)
        if isinstance(found, Store) and found.array in names:
            return (replace(found, array=names[found.array]),)
        return (found,)

    return map_body(body, expr=expr, stmt=stmt)


def rename(node: Node, fresh: Callable[[str], str], taken: Iterable[str]) -> Node:
    """Return `node` with those of its own names (locals, scalars, loops) changed that are taken."""
    clash = set(taken)
    own = [a.name for a in node.locals] + [x.name for x in node.scalars]
    own += [loop.var for loop in loops(node.body)]
    names = {name: fresh(name) for name in own if name in clash}
    if not names:
        return node
    return replace(
        node,
        body=rename_body(node.body, names),
        locals=tuple(replace(a, name=names.get(a.name, a.name)) for a in node.locals),
        scalars=tuple(replace(x, name=names.get(x.name, x.name)) for x in node.scalars),
    )

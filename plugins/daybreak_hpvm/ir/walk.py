"""Walking over and rebuilding statements and expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from daybreak_hpvm.ir.expr import Binary, Cast, Expr, Load, Select, Unary
from daybreak_hpvm.ir.program import Assign, If, Loop, Reduce, Stmt, Store

__all__ = [
    "children",
    "expressions",
    "loads",
    "loops",
    "map_body",
    "map_expr",
    "statements",
    "subexpressions",
]


def children(expr: Expr) -> tuple[Expr, ...]:
    """Return the direct operands of `expr`, in evaluation order."""
    if isinstance(expr, Binary):
        return (expr.left, expr.right)
    if isinstance(expr, Unary | Cast):
        return (expr.operand,)
    if isinstance(expr, Select):
        return (expr.condition, expr.yes, expr.no)
    if isinstance(expr, Load):
        return expr.indices
    return ()


def subexpressions(expr: Expr) -> Iterator[Expr]:
    """Yield all of `expr`'s operands, the innermost first, and then itself."""
    for child in children(expr):
        yield from subexpressions(child)
    yield expr


def statements(body: Iterable[Stmt]) -> Iterator[Stmt]:
    """Yield every statement in program order, a compound one before what it holds."""
    for stmt in body:
        yield stmt
        if isinstance(stmt, Loop):
            yield from statements(stmt.body)
        elif isinstance(stmt, If):
            yield from statements(stmt.then)
            yield from statements(stmt.otherwise)


def loops(body: Iterable[Stmt]) -> Iterator[Loop]:
    """Yield every loop in program order, an outer one before its inner ones."""
    return (stmt for stmt in statements(body) if isinstance(stmt, Loop))


def expressions(stmt: Stmt) -> tuple[Expr, ...]:
    """Return the expressions that `stmt` itself evaluates (not those of what it holds)."""
    if isinstance(stmt, Assign | Reduce):
        return (stmt.value,)
    if isinstance(stmt, Store):
        return (*stmt.indices, stmt.value)
    if isinstance(stmt, If):
        return (stmt.condition,)
    return ()


def loads(body: Iterable[Stmt]) -> Iterator[Load]:
    """Yield every load in program order, as often as it is written down."""
    for stmt in statements(body):
        for expr in expressions(stmt):
            for found in subexpressions(expr):
                if isinstance(found, Load):
                    yield found


def map_expr(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Rebuild `expr` from the leaves up, every (rebuilt) part passed through `change`.

    The whole keeps its value if each change keeps its part's value, even where a part's type
    changes. Casts are put in where types matter: below ``not``, which depends on its operand's, and
    where operands of the new types would have no result (a signed amount of a shift, too many bits).
    """
    if isinstance(expr, Binary):
        left, right = map_expr(expr.left, change), map_expr(expr.right, change)
        if left is not expr.left or right is not expr.right:
            expr = _rebuilt(expr, left, right)
    elif isinstance(expr, Unary):
        operand = map_expr(expr.operand, change)
        if operand is not expr.operand:
            if expr.op == "not" and operand.type != expr.operand.type:
                operand = Cast(operand, expr.operand.type)
            expr = Unary(expr.op, operand)
    elif isinstance(expr, Cast):
        operand = map_expr(expr.operand, change)
        if operand is not expr.operand:
            expr = Cast(operand, expr.type)
    elif isinstance(expr, Select):
        parts = tuple(map_expr(part, change) for part in children(expr))
        if any(new is not old for new, old in zip(parts, children(expr), strict=True)):
            expr = Select(*parts)
    elif isinstance(expr, Load):
        indices = tuple(map_expr(index, change) for index in expr.indices)
        if any(new is not old for new, old in zip(indices, expr.indices, strict=True)):
            expr = replace(expr, indices=indices)
    return change(expr)


def _rebuilt(old: Binary, left: Expr, right: Expr) -> Binary:
    """Return `old` of operands that have the values of its own, be their types others."""
    try:
        return Binary(old.op, left, right)
    except ValueError:
        parts = [
            new if new.type == kind else Cast(new, kind)
            for new, kind in ((left, old.left.type), (right, old.right.type))
        ]
        return Binary(old.op, *parts)


def map_body(
    body: Iterable[Stmt],
    *,
    expr: Callable[[Expr], Expr] | None = None,
    stmt: Callable[[Stmt], Iterable[Stmt]] | None = None,
) -> tuple[Stmt, ...]:
    """Rebuild `body`, innermost statements first.

    Args:
        body: the statements.
        expr: passed every part of every expression, as in `map_expr`. Targets of assignments are
            passed too and must come back as scalars.
        stmt: passed every statement after its parts were rebuilt; what it yields replaces it.
    """
    rebuilt: list[Stmt] = []

    def value(found: Expr) -> Expr:
        return found if expr is None else map_expr(found, expr)

    for old in body:
        new = old
        if isinstance(old, Assign | Reduce):
            target = old.target if expr is None else expr(old.target)
            new = replace(old, target=target, value=value(old.value))  # type: ignore[arg-type]
        elif isinstance(old, Store):
            indices = tuple(value(index) for index in old.indices)
            new = replace(old, indices=indices, value=value(old.value))
        elif isinstance(old, If):
            new = If(
                value(old.condition),
                map_body(old.then, expr=expr, stmt=stmt),
                map_body(old.otherwise, expr=expr, stmt=stmt),
            )
        elif isinstance(old, Loop):
            new = replace(old, body=map_body(old.body, expr=expr, stmt=stmt))
        rebuilt.extend((new,) if stmt is None else stmt(new))
    return tuple(rebuilt)

"""Expressions as constants plus multiples of loop variables, and simplification."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from daybreak_hpvm.ir.bounds import Interval, interval
from daybreak_hpvm.ir.expr import Binary, Cast, Const, Expr, Index, Load, Select, Unary
from daybreak_hpvm.ir.program import If, Loop, Stmt
from daybreak_hpvm.ir.types import IntType
from daybreak_hpvm.ir.walk import map_body, map_expr, subexpressions

__all__ = ["Affine", "affine", "substitute", "tighten"]


@dataclass(frozen=True, slots=True)
class Affine:
    """``constant + sum(factor * variable)``; no factor is zero; variables in sorted order."""

    constant: int
    terms: tuple[tuple[str, int], ...] = ()

    def factor(self, var: str) -> int:
        """Return the factor of `var`, 0 if it does not occur."""
        return dict(self.terms).get(var, 0)

    def without(self, var: str) -> Affine:
        """Return the rest."""
        return Affine(self.constant, tuple(t for t in self.terms if t[0] != var))

    @property
    def variables(self) -> frozenset[str]:
        """Names of the variables."""
        return frozenset(name for name, _ in self.terms)


def _sum(a: Affine, b: Affine, sign: int) -> Affine:
    terms = dict(a.terms)
    for name, factor in b.terms:
        terms[name] = terms.get(name, 0) + sign * factor
    kept = tuple(sorted((n, f) for n, f in terms.items() if f))
    return Affine(a.constant + sign * b.constant, kept)


def _scaled(a: Affine, by: int) -> Affine:
    return Affine(a.constant * by, tuple((n, f * by) for n, f in a.terms) if by else ())


def affine(expr: Expr) -> Affine | None:
    """Return `expr` as an affine form of loop variables, or None if it is none."""
    if isinstance(expr, Const):
        return Affine(expr.value)
    if isinstance(expr, Index):
        return Affine(0, ((expr.name, 1),))
    if isinstance(expr, Unary) and expr.op == "neg":
        operand = affine(expr.operand)
        return None if operand is None else _scaled(operand, -1)
    if not isinstance(expr, Binary):
        return None
    left, right = affine(expr.left), affine(expr.right)
    if left is None or right is None:
        return None
    if expr.op in ("add", "sub"):
        return _sum(left, right, 1 if expr.op == "add" else -1)
    if expr.op == "mul" and not right.terms:
        return _scaled(left, right.constant)
    if expr.op == "mul" and not left.terms:
        return _scaled(right, left.constant)
    if expr.op == "shl" and not right.terms:
        return _scaled(left, 1 << right.constant)
    return None


def substitute(
    body: Iterable[Stmt], values: dict[str, Expr], keep: Collection[str] = ()
) -> tuple[Stmt, ...]:
    """Replace loop variables by expressions of the same value, and simplify what becomes of it.

    No load of the arrays `keep` is dropped, even where its value is of no account: a stream's
    elements have to be taken, each once.
    """

    def change(expr: Expr) -> Expr:
        if isinstance(expr, Index) and expr.name in values:
            return values[expr.name]
        return _unless_lost(expr, _step(expr), keep)

    return map_body(body, expr=change)


def tighten(
    body: Iterable[Stmt],
    scope: Mapping[str, Interval] | None = None,
    keep: Collection[str] = (),
) -> tuple[Stmt, ...]:
    """Drop minima and maxima that the loops' bounds decide, as those of a clamped index often are.

    `scope` bounds the variables of the loops around `body`. No load of the arrays `keep` is dropped.
    """
    known = dict(scope or {})

    def decided(expr: Expr) -> Expr:
        return _unless_lost(expr, simpler(expr), keep)

    def simpler(expr: Expr) -> Expr:
        if isinstance(expr, Binary) and expr.op in ("min", "max"):
            left, right = interval(expr.left, known), interval(expr.right, known)
            smaller = expr.op == "min"
            if left[1] <= right[0]:
                return expr.left if smaller else expr.right
            if right[1] <= left[0]:
                return expr.right if smaller else expr.left
        return _step(expr)

    done: list[Stmt] = []
    for stmt in body:
        if isinstance(stmt, Loop):
            last = stmt.start + (stmt.trips - 1) * stmt.step
            inner = tighten(stmt.body, {**known, stmt.var: (stmt.start, last)}, keep)
            done.append(replace(stmt, body=inner))
        elif isinstance(stmt, If):
            condition = map_expr(stmt.condition, decided)
            then = tighten(stmt.then, known, keep)
            done.append(If(condition, then, tighten(stmt.otherwise, known, keep)))
        else:
            done.extend(map_body((stmt,), expr=decided))
    return tuple(done)


def _unless_lost(old: Expr, new: Expr, keep: Collection[str]) -> Expr:
    """Return `new`, or `old` if `new` has fewer loads of the arrays `keep`."""
    if not keep or new is old:
        return new
    counts = [
        sum(isinstance(part, Load) and part.array in keep for part in subexpressions(expr))
        for expr in (old, new)
    ]
    return old if counts[1] < counts[0] else new


def _const(expr: Expr) -> int | None:
    return expr.value if isinstance(expr, Const) else None


def _step(expr: Expr) -> Expr:
    """Simplify `expr`, whose operands are simple already."""
    if isinstance(expr, Select):
        condition = _const(expr.condition)
        return expr if condition is None else (expr.yes if condition else expr.no)
    if isinstance(expr, Cast):
        value = _const(expr.operand)
        if value is not None:
            return Const(expr.type.wrap(value), expr.type)
        return expr.operand if expr.operand.type == expr.type else expr
    if isinstance(expr, Unary):
        value = _const(expr.operand)
        return expr if value is None else Const(_apply_unary(expr.op, value, expr.operand.type))
    if isinstance(expr, Binary):
        return _binary(expr)
    return expr


def _apply_unary(op: str, value: int, kind: IntType) -> int:
    if op == "neg":
        return -value
    if op == "abs":
        return abs(value)
    return ~value if kind.signed else kind.high - value


_FOLD: Final[dict[str, Callable[[int, int], int]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "min": min,
    "max": max,
    "shl": lambda a, b: a << b,
    "shr": lambda a, b: a >> b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "eq": lambda a, b: int(a == b),
    "ne": lambda a, b: int(a != b),
    "lt": lambda a, b: int(a < b),
    "le": lambda a, b: int(a <= b),
    "gt": lambda a, b: int(a > b),
    "ge": lambda a, b: int(a >= b),
}


def _binary(expr: Binary) -> Expr:
    op, left, right = expr.op, expr.left, expr.right
    a, b = _const(left), _const(right)
    if a is not None and b is not None:
        return Const(_FOLD[op](a, b))
    if b == 0 and op in ("add", "sub", "or", "xor", "shl", "shr"):
        return left
    if a == 0 and op in ("add", "or", "xor"):
        return right
    if op == "mul" and (a == 1 or b == 1):
        return right if a == 1 else left
    if (op in ("mul", "and") and (a == 0 or b == 0)) or (op in ("shl", "shr") and a == 0):
        return Const(0)
    # (x + c) + d and (x + c) - d: one addition of a constant
    if (
        b is not None
        and op in ("add", "sub")
        and isinstance(left, Binary)
        and left.op in ("add", "sub")
    ):
        inner = _const(left.right)
        if inner is not None:
            total = (inner if left.op == "add" else -inner) + (b if op == "add" else -b)
            return _offset(left.left, total)
    return expr


def _offset(base: Expr, by: int) -> Expr:
    if by == 0:
        return base
    return Binary("add", base, Const(by)) if by > 0 else Binary("sub", base, Const(-by))

"""Rules for registers of several scalars."""

from __future__ import annotations

from collections.abc import Mapping

from daybreak_rise.building import Pending
from daybreak_rise.dsl import as_scalar, as_vector, fst, snd, unzip, vector_from_scalar, zip_
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.errors import RiseTypeError
from daybreak_rise.expr import Expr, Identifier, Lambda, Primitive, spine
from daybreak_rise.nat import Size, divide_exactly
from daybreak_rise.patterns import PATTERNS, Layer
from daybreak_rise.rules.forms import as_map, called, lam, mapping
from daybreak_rise.types import (
    ArrayType,
    PairType,
    ScalarType,
    Type,
    boolean,
)

__all__ = ["vectorise"]


def vectorise(k: Size) -> Strategy:
    """`*f -> asVector(k) >> *f' >> asScalar`, f' doing on k scalars at once what f does on one.

    Needs: f computes one number of a scalar, or of pairs of scalars, by operations that vectors
    have; k divides the size. What f uses from outside is copied to all k places.
    """

    def run(e: Expr) -> Expr | str | None:
        form = as_map(e)
        if form is None or type(form.function) is not Lambda:
            return None
        array, x, body = form.array.type, form.function.param, form.function.body
        assert isinstance(array, ArrayType)  # noqa: S101  (what is mapped over)
        if not _number(body.type) or not _numbers(x.type):
            return f"the function is no function of numbers: {form.function.type}"
        if divide_exactly(array.size, k) is None:
            return f"{k} does not divide {array.size}"
        vectors = _vectors(form.array, k)
        assert isinstance(vectors.type, ArrayType)  # noqa: S101  (what asVector gives)
        try:
            inner = lam(vectors.type.element, lambda v: _widened(body, {x.name: v}, k), x.name)
        except _NotWidened as fault:
            return str(fault)
        return mapping(form.head, inner, vectors) | as_scalar

    return rule(f"vectorise({k})", run, needs="a map of a lambda")


class _NotWidened(Exception):  # noqa: N818  (never leaves this module)
    """An expression has no counterpart on vectors."""


def _number(type_: Type) -> bool:
    return isinstance(type_, ScalarType) and type_ is not boolean


def _numbers(type_: Type) -> bool:
    if isinstance(type_, PairType):
        return _numbers(type_.first) and _numbers(type_.second)
    return _number(type_)


def _vectors(array: Expr, k: Size) -> Expr:
    """Return an array of scalars, or of pairs of them, as one of vectors, or of pairs of them."""
    assert isinstance(array.type, ArrayType)  # noqa: S101  (callers have one)
    if not isinstance(array.type.element, PairType):
        found: Expr = array | as_vector(k)
        return found
    both = called(array, "zip")
    left, right = both[1] if both is not None else (fst(unzip(array)), snd(unzip(array)))
    made: Expr = zip_(_vectors(left, k), _vectors(right, k))
    return made


def _widened(e: Expr, wide: Mapping[str, Identifier], k: Size) -> Expr:
    """Return `e` computed on vectors, `wide` being what stands for the scalar parameters."""
    if not any(name in e.free for name in wide):
        if not _number(e.type):
            raise _NotWidened(f"there are no vectors of {e.type}")
        copies: Expr = vector_from_scalar(k)(e)
        return copies
    if isinstance(e, Identifier):
        return wide[e.name]
    head, arguments = spine(e)
    if not isinstance(head, Primitive) or len(arguments) != PATTERNS[head.name].arity:
        raise _NotWidened("the function does more than compute with numbers")
    if head.name in ("fst", "snd", "pair") or PATTERNS[head.name].layer is Layer.SCALAR:
        ready = [_widened(a, wide, k) for a in arguments]
        try:
            made: Expr = Pending(head.name, head.statics)(*ready)
        except RiseTypeError:
            raise _NotWidened(f"{head.name} does not work on vectors") from None
        return made
    raise _NotWidened(f"{head.name} does not work on vectors")

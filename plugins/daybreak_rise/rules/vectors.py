"""Rules for registers of several scalars."""

from __future__ import annotations

from collections.abc import Mapping

from daybreak_rise.building import Pending
from daybreak_rise.dsl import (
    as_scalar,
    as_scalar_pairs,
    as_vector,
    fst,
    let,
    map_,
    pair,
    snd,
    transpose,
    unzip,
    vector_from_scalar,
    zip_,
)
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.errors import RiseTypeError
from daybreak_rise.expr import Expr, Identifier, Lambda, Primitive, fresh, spine
from daybreak_rise.nat import Size, divide_exactly
from daybreak_rise.patterns import MAPS, PATTERNS, REDUCES, Layer
from daybreak_rise.rules.forms import as_map, called, lam, mapping, reducing
from daybreak_rise.types import (
    ArrayType,
    PairType,
    ScalarType,
    Type,
    VectorType,
    boolean,
)

__all__ = ["vectorise"]

#: functions that a rule remembers what became of
_KEPT = 32


def vectorise(k: Size) -> Strategy:
    """`*f -> asVector(k) >> *f' >> asScalar`, f' doing on k scalars at once what f does on one.

    Where f takes an array, a window of a row say, f' takes an array of vectors: lane i of them all
    is the i-th array. Where f gives a pair of numbers, f' gives a pair of vectors.

    Needs: f computes a number, or a pair of them, of numbers, pairs and arrays of these, by
    operations that vectors have; k divides the size. What f uses from outside is copied to all k
    places where it meets a vector.
    """
    # the same function is often mapped over several arrays: it is rewritten once
    known: dict[int, tuple[Lambda, Type, Lambda]] = {}

    def widened(function: Lambda, element: Type) -> Lambda:
        kept = known.get(id(function))
        if kept is not None and kept[0] is function and kept[1] is element:
            return kept[2]
        wide, x = _Wide(k), function.param
        made = lam(element, lambda v: wide.full(wide.of(function.body, {x.name: v})), x.name)
        if len(known) >= _KEPT:
            known.clear()
        known[id(function)] = (function, element, made)
        return made

    def run(e: Expr) -> Expr | str | None:
        form = as_map(e)
        if form is None or type(form.function) is not Lambda:
            return None
        array, x, body = form.array.type, form.function.param, form.function.body
        assert isinstance(array, ArrayType)  # noqa: S101  (what is mapped over)
        pairs = isinstance(body.type, PairType)
        if not (_number(body.type) or (pairs and _both_numbers(body.type))):
            return f"the function is no function of numbers: {form.function.type}"
        if not _numbers(x.type):
            return f"the function is no function of numbers: {form.function.type}"
        if divide_exactly(array.size, k) is None:
            return f"{k} does not divide {array.size}"
        vectors = _vectors(form.array, k)
        assert isinstance(vectors.type, ArrayType)  # noqa: S101  (what asVector gives)
        try:
            inner = widened(form.function, vectors.type.element)
        except _NotWidened as fault:
            return str(fault)
        except RiseTypeError as fault:
            return f"the function does not work on vectors: {fault.message}"
        return mapping(form.head, inner, vectors) | (as_scalar_pairs if pairs else as_scalar)

    return rule(f"vectorise({k})", run, needs="a map of a lambda")


class _NotWidened(Exception):  # noqa: N818  (never leaves this module)
    """An expression has no counterpart on vectors."""


def _number(type_: Type) -> bool:
    return isinstance(type_, ScalarType) and type_ is not boolean


def _both_numbers(type_: Type) -> bool:
    return isinstance(type_, PairType) and _number(type_.first) and _number(type_.second)


def _numbers(type_: Type) -> bool:
    if isinstance(type_, PairType):
        return _numbers(type_.first) and _numbers(type_.second)
    return _numbers(type_.element) if isinstance(type_, ArrayType) else _number(type_)


def _vectors(array: Expr, k: Size) -> Expr:
    """Return an array read k elements at a time: what has a scalar has a vector of k instead."""
    assert isinstance(array.type, ArrayType)  # noqa: S101  (callers have one)
    if isinstance(array.type.element, ArrayType):
        deep: Expr = array | transpose | map_(lambda column: _vectors(column, k)) | transpose
        return deep
    if not isinstance(array.type.element, PairType):
        found: Expr = array | as_vector(k)
        return found
    both = called(array, "zip")
    left, right = both[1] if both is not None else (fst(unzip(array)), snd(unzip(array)))
    made: Expr = zip_(_vectors(left, k), _vectors(right, k))
    return made


class _Wide:
    """Computes on vectors of k. Only what depends on the vectors becomes one.

    Types tell what did: where a scalar meets a vector it is copied to all places.
    """

    def __init__(self, k: Size) -> None:
        self.k = k

    def of(self, e: Expr, wide: Mapping[str, Identifier]) -> Expr:
        """Return `e` with the parameters named in `wide` replaced by what holds vectors."""
        if not any(name in e.free for name in wide):
            return e
        if isinstance(e, Identifier):
            return wide[e.name]
        head, arguments = spine(e)
        if not isinstance(head, Primitive) or len(arguments) != PATTERNS[head.name].arity:
            raise _NotWidened("the function does more than compute with numbers")
        if head.name in MAPS:
            return self._map(head, arguments, wide)
        if head.name in REDUCES:
            return self._reduce(head, arguments, wide)
        if head.name == "let":
            value = self.of(arguments[0], wide)
            named: Expr = let(value, self._function(arguments[1], value.type, wide))
            return named
        ready = [self.of(one, wide) for one in arguments]
        if PATTERNS[head.name].layer is Layer.SCALAR or head.name == "select":
            if any(isinstance(one.type, VectorType) for one in ready):
                ready = [self.full(one) if _number(one.type) else one for one in ready]
        elif PATTERNS[head.name].layer is not Layer.MOVE and head.name not in _PLAIN:
            raise _NotWidened(f"{head.name} does not work on vectors")
        try:
            made: Expr = Pending(head.name, head.statics)(*ready)
        except RiseTypeError:
            raise _NotWidened(f"{head.name} does not work on vectors") from None
        return made

    def full(self, e: Expr) -> Expr:
        """Return `e` with every scalar in it a vector: those that are none yet are copied."""
        if _number(e.type):
            copies: Expr = vector_from_scalar(self.k)(e)
            return copies
        if isinstance(e.type, PairType) and _narrow(e.type):
            both: Expr = pair(self.full(fst(e)), self.full(snd(e)))
            return both
        if isinstance(e.type, ArrayType) and _narrow(e.type):
            each: Expr = e | map_(self.full)
            return each
        if _narrow(e.type):
            raise _NotWidened(f"there are no vectors of {e.type}")
        return e

    def _map(
        self, head: Primitive, arguments: tuple[Expr, ...], wide: Mapping[str, Identifier]
    ) -> Expr:
        function, array = arguments[0], self.of(arguments[1], wide)
        assert isinstance(array.type, ArrayType)  # noqa: S101  (what is mapped over)
        return mapping(head, self._function(function, array.type.element, wide), array)

    def _reduce(
        self, head: Primitive, arguments: tuple[Expr, ...], wide: Mapping[str, Identifier]
    ) -> Expr:
        function, start, array = arguments[0], *(self.of(one, wide) for one in arguments[1:])
        start = self.full(start)
        assert isinstance(array.type, ArrayType)  # noqa: S101  (what is folded)
        if type(function) is not Lambda:
            return reducing(head, self._operation(function), start, self.full(array))
        kept = fresh(function.param.name, start.type)
        inner = self._function(
            function.body, array.type.element, {**wide, function.param.name: kept}, full=True
        )
        if not isinstance(inner, Lambda):
            raise _NotWidened("the function does more than compute with numbers")
        return reducing(head, Lambda(kept, inner), start, array)

    def _operation(self, function: Expr) -> Pending:
        """Return an operation that stands by itself, `add` say, ready for vectors."""
        if type(function) is not Primitive or PATTERNS[function.name].layer is not Layer.SCALAR:
            raise _NotWidened("the function does more than compute with numbers")
        return Pending(function.name, function.statics)

    def _function(
        self, function: Expr, type_: Type, wide: Mapping[str, Identifier], *, full: bool = False
    ) -> Lambda | Pending:
        """Return a function of arguments of `type_`; its result is vectors where `full`."""
        if type(function) is not Lambda:
            return self._operation(function)

        def body(value: Identifier) -> Expr:
            found = self.of(function.body, {**wide, function.param.name: value})
            return self.full(found) if full else found

        return lam(type_, body, function.param.name)


# what else works on whatever it gets
_PLAIN = frozenset({"fst", "snd", "pair", "toMem"})


def _narrow(type_: Type) -> bool:
    """Return whether there is a scalar in the type that is no vector."""
    if isinstance(type_, PairType):
        return _narrow(type_.first) or _narrow(type_.second)
    return (
        _narrow(type_.element)
        if isinstance(type_, ArrayType)
        else not isinstance(type_, VectorType)
    )

"""Addresses of accesses, and which accesses must keep their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from daybreak_hpvm.ir import IntType, Loop
from daybreak_hpvm.rtl.costs import signed_digits
from daybreak_hpvm.rtl.operations import Graph, Op
from daybreak_hpvm.rtl.storage import Storage, place_of
from daybreak_hpvm.transforms.affine import Affine

__all__ = ["AccessRecord", "Order", "memory_order", "place_op"]


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """A load or store: its operation, its position if that is affine, and its bank."""

    op: Op
    store: bool
    form: Affine | None
    bank: int


@dataclass(frozen=True, slots=True)
class Order:
    """`second`, `distance` iterations later, comes at least `cycles` after `first`."""

    first: Op
    second: Op
    cycles: int
    distance: int


def place_op(
    graph: Graph,
    storage: Storage,
    form: Affine | None,
    computed: Sequence[Op],
    loops: Mapping[str, Loop],
    index: Callable[[str, bool], Op],
) -> tuple[int, Op]:
    """Return bank and place of an access: of affine `form`, or at the `computed` indices.

    `index` gives the variable of a loop, or how many of its iterations came before.
    """
    type_ = IntType(storage.address_bits)
    if form is None:
        terms: list[tuple[int, int, Op]] = []
        stride = 1
        for op, extent in zip(reversed(computed), reversed(storage.array.shape), strict=True):
            terms.extend((sign, by, op) for sign, by in signed_digits(stride))
            stride *= extent
        return 0, _total(graph, terms, 0, type_)
    place = place_of(form, storage.banks, loops)
    terms = [
        (sign, by, index(name, counted))
        for counted, factors in ((False, place.indices), (True, place.counts))
        for name, factor in factors
        for sign, by in signed_digits(factor)
    ]
    return place.bank, _total(graph, terms, place.constant, type_)


def _total(graph: Graph, terms: Sequence[tuple[int, int, Op]], constant: int, type_: IntType) -> Op:
    """Return the sum of shifted terms modulo the type: a tree, and the constant at its root."""
    plus = [graph.shift(op, by, type_) for sign, by, op in terms if sign > 0]
    minus = [graph.shift(op, by, type_) for sign, by, op in terms if sign < 0]
    while len(plus) > 1:
        plus = _halved(graph, plus, type_)
    while len(minus) > 1:
        minus = _halved(graph, minus, type_)
    base = plus[0] if plus else graph.const(0, type_)
    if minus:
        base = graph.binary("sub", base, minus[0], type_)
    return graph.binary("add", base, graph.const(constant, type_), type_)


def _halved(graph: Graph, level: list[Op], type_: IntType) -> list[Op]:
    pairs = [
        graph.binary("add", level[k], level[k + 1], type_) for k in range(0, len(level) - 1, 2)
    ]
    return pairs + ([level[-1]] if len(level) % 2 else [])


def memory_order(
    records: Sequence[AccessRecord], loops: Sequence[Loop], *, overlap: bool
) -> Iterator[Order]:
    """Yield the order that accesses of one array must keep, in and between iterations.

    With `overlap`, an element may be stored to in the cycle in which it is loaded: registers. What
    a RAM's load gives then is undefined.

    `records` are in program order. Two accesses at affine positions that differ by a constant other
    than 0 never meet in an iteration, and those at the same position, different for every iteration
    of the region, never meet in two.
    """
    for number, first in enumerate(records):
        for second in records[number:]:
            if not (first.store or second.store):
                continue
            if first is not second and not _apart(first, second):
                yield Order(first.op, second.op, _cycles(first, overlap), 0)
            if not _never_again(first, second, loops):
                if first is not second:
                    yield Order(first.op, second.op, _cycles(first, overlap), 1)
                yield Order(second.op, first.op, _cycles(second, overlap), 1)


def _cycles(first: AccessRecord, overlap: bool) -> int:
    """Return the least distance to what follows: a store takes effect at the end of its cycle."""
    return 0 if overlap and not first.store else 1


def _apart(a: AccessRecord, b: AccessRecord) -> bool:
    """Whether both are always at different elements in one iteration."""
    if a.bank != b.bank:
        return True
    if a.form is None or b.form is None:
        return False
    return a.form.terms == b.form.terms and a.form.constant != b.form.constant


def _never_again(a: AccessRecord, b: AccessRecord, loops: Sequence[Loop]) -> bool:
    """Whether no iteration meets an element that the other access meets in another one."""
    if a.bank != b.bank:
        return True
    if a.form is None or b.form is None or a.form.terms != b.form.terms:
        return False
    strides = [
        (abs(a.form.factor(loop.var) * loop.step), loop.trips) for loop in loops if loop.trips > 1
    ]
    strides.sort()
    # each stride must jump over all that the smaller ones span, and over the constant between them
    span = abs(a.form.constant - b.form.constant)
    for stride, trips in strides:
        if stride <= span:
            return False
        span += stride * (trips - 1)
    return True

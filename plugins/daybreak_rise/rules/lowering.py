"""Rules that say how: which loop, which threads, straight-line code or not.

Each changes one primitive and no value, so each applies to the bare primitive (as when a
traversal meets it) and to the primitive with its arguments.
"""

from __future__ import annotations

from collections.abc import Callable

from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import App, Expr, Primitive
from daybreak_rise.patterns import MAPS
from daybreak_rise.types import AddressSpace

__all__ = [
    "reduce_to_seq",
    "to_high_level",
    "to_map_global",
    "to_map_local",
    "to_map_par",
    "to_map_seq",
    "to_map_seq_unroll",
    "to_map_work_group",
    "unroll",
]


def _at_head(name: str, change: Callable[[Primitive], Primitive | None], needs: str) -> Strategy:
    """Return the rule that changes a primitive, with or without arguments."""

    def run(e: Expr) -> Expr | None:
        if type(e) is Primitive:
            return change(e)
        if type(e) is App:
            fun = run(e.fun)
            return None if fun is None else App(fun, e.arg)
        return None

    return rule(name, run, needs=needs)


def _map_as(name: str, *statics: int) -> Strategy:
    def change(p: Primitive) -> Primitive | None:
        return Primitive(name, statics, p.type) if p.name == "map" else None

    shown = f"({statics[0]})" if statics else ""
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return _at_head(f"to_{words}{shown}", change, "a map")


# map -> a loop; straight-line code; a loop shared by the threads of a CPU
to_map_seq = _map_as("mapSeq")
to_map_seq_unroll = _map_as("mapSeqUnroll")
to_map_par = _map_as("mapPar")


def to_map_global(dimension: int) -> Strategy:
    """`map -> mapGlobal(dimension)`: over all work-items."""
    return _map_as("mapGlobal", dimension)


def to_map_work_group(dimension: int) -> Strategy:
    """`map -> mapWorkGroup(dimension)`: over work-groups."""
    return _map_as("mapWorkGroup", dimension)


def to_map_local(dimension: int) -> Strategy:
    """`map -> mapLocal(dimension)`: over a group's work-items."""
    return _map_as("mapLocal", dimension)


def reduce_to_seq(address: AddressSpace = AddressSpace.PRIVATE) -> Strategy:
    """`reduce -> reduceSeq(address)`."""

    def change(p: Primitive) -> Primitive | None:
        return Primitive("reduceSeq", (address.value,), p.type) if p.name == "reduce" else None

    return _at_head(f"reduce_to_seq({address.value})", change, "a reduce")


def _unrolled(p: Primitive) -> Primitive | None:
    if p.name == "reduceSeq":
        return Primitive("reduceSeqUnroll", p.statics, p.type)
    return Primitive("mapSeqUnroll", (), p.type) if p.name == "mapSeq" else None


# mapSeq -> mapSeqUnroll, reduceSeq -> reduceSeqUnroll
unroll = _at_head("unroll", _unrolled, "a mapSeq or a reduceSeq")


def _high(p: Primitive) -> Primitive | None:
    return Primitive("map", (), p.type) if p.name in MAPS and p.name != "map" else None


# any map -> map: to decide again
to_high_level = _at_head("to_high_level", _high, "a low-level map")

"""Strategies that say how what is left runs: nests over threads, copies, loops for the rest."""

from __future__ import annotations

from daybreak_rise.building import Pending
from daybreak_rise.elevate.strategy import Result, Strategy, predicate, seq
from daybreak_rise.elevate.traversal import argument, body, fmap, function, normalise
from daybreak_rise.expr import Expr, Primitive, nodes
from daybreak_rise.nat import Size
from daybreak_rise.patterns import MAPS, PATTERNS, REDUCES, Layer
from daybreak_rise.rules.forms import as_map
from daybreak_rise.rules.lowering import reduce_to_seq, to_map_seq
from daybreak_rise.rules.memory import Copy, copy_after, stage
from daybreak_rise.strategies.normal import dfnf
from daybreak_rise.types import AddressSpace

__all__ = [
    "computes",
    "in_fold",
    "is_computing_map",
    "lower_nest",
    "lower_rest",
    "result_copied",
    "stage_fold",
    "start_copied",
    "upstream",
]

_COMPUTING = frozenset({*REDUCES, *MAPS, "rotateValues", "toMem", "let", "select"}) - {"map"}


def _computing(e: Expr) -> bool:
    return any(
        isinstance(one, Primitive)
        and (one.name in _COMPUTING or PATTERNS[one.name].layer is Layer.SCALAR)
        for one in nodes(e)
    )


#: whether an expression calculates something, rather than only moving and pairing data
computes = predicate("computes", _computing)


def _computing_map(e: Expr) -> bool:
    form = as_map(e)
    return form is not None and _computing(form.function)


#: whether an expression is a map whose function calculates something
is_computing_map = predicate("is_computing_map", _computing_map)


def upstream(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` here or to the first data that flow into here where it applies.

    It goes from `join(transpose(x))` to x, never into the functions that are mapped.
    """

    def run(e: Expr) -> Result:
        return either.run(e)

    again = Strategy(f"upstream({strategy.name})", run)
    either = strategy | argument(again)
    return again


def lower_nest(*rules: Strategy) -> Strategy:
    """Return what applies one rule to each map of a nest, outermost first.

    Only maps that compute count; movements may stand between: `map(x. join(map(f)(split(x))))` is a
    nest of two.
    """
    head, *rest = rules
    here = is_computing_map >> head
    return seq(here, fmap(upstream(lower_nest(*rest)))) if rest else here


#: every map that computes becomes a loop and every reduction a sequential one; maps that only
#: move data stay what they are, index arithmetic
lower_rest = seq(
    normalise((is_computing_map >> to_map_seq) | reduce_to_seq()),
    dfnf,
)


def in_fold(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to the body of a reduction's function: what one step does."""
    return function(function(argument(body(body(strategy)))))


def stage_fold(address: AddressSpace, copy: Copy, second: Copy | None = None) -> Strategy:
    """Return what copies each element that a reduction takes into `address` first.

    Of pairs both parts are copied, the second by `second` where it is given.
    """
    return seq(function(function(argument(body(stage(address, copy, second))))), dfnf)


def start_copied(*maps: Pending) -> Strategy:
    """Return what writes a reduction's start into its accumulator by these maps."""
    return function(argument(copy_after(*maps)))


def result_copied(*maps: Pending, width: Size = 1) -> Strategy:
    """Return what writes an array, a reduction's result say, by these maps.

    The innermost map writes `width` scalars at a time.
    """
    return copy_after(*maps, width=width)

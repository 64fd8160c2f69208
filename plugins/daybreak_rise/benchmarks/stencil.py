"""Acoustics in a room: a step of a wave equation on a three-dimensional grid.

The scheme is the room-acoustics kernel of the Lift and RISE papers (B. Hamilton et al.; Stoltzfus
et al., "Tiling Optimizations for Stencil Computations Using Rewrite Rules in Lift", TACO 2019):
``next = cf * ((2 - K l2) now + l2 (sum of the six neighbours) - cf2 before)`` where K is the number
of neighbours inside the room and the factors cf, cf2 take energy away at the walls.
"""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration, Parameter
from daybreak_rise.benchmarks.answers import Expected, rounding
from daybreak_rise.benchmarks.base import (
    Sizes,
    Work,
    Workload,
    launch_constraints,
    launch_parameters,
)
from daybreak_rise.dsl import (
    cast,
    drop,
    eq,
    fst,
    fun,
    generate,
    idx,
    let,
    literal,
    lt,
    map_,
    or_,
    select,
    slide,
    slide_2d,
    snd,
    take,
    transpose,
    zip_,
)
from daybreak_rise.elevate.strategy import Strategy, seq
from daybreak_rise.elevate.traversal import argument, in_lambdas, top_down
from daybreak_rise.expr import Expr
from daybreak_rise.rules.lowering import to_map_global, to_map_seq
from daybreak_rise.rules.rotation import slide_to_rotate_values
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.strategies.lowering import lower_nest, upstream
from daybreak_rise.strategies.normal import dfnf
from daybreak_rise.types import IndexType, array, f32, i32

__all__ = ["Stencil"]

_RATE, _ALPHA, _SPEED = 441.0, 0.005, 344.0
_H = math.sqrt(3.0) * _SPEED / _RATE
_LAMBDA = _SPEED / _RATE / _H
_L2 = _LAMBDA**2
_WALL = 1.0 / (1.0 + _LAMBDA * _ALPHA)
_WALL2 = 1.0 - _LAMBDA * _ALPHA
_SIX = ((0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 2), (1, 2, 1), (2, 1, 1))


class Stencil(Workload):
    """The next state of a room from the two before it."""

    name = "stencil"
    summary = "a step of a wave equation in a room: seven points, three dimensions"
    published: ClassVar[Sizes] = {"o": 1024, "n": 1024, "m": 64}
    rehearsal: ClassVar[Sizes] = {"o": 16, "n": 32, "m": 16}
    notes = (
        "a work-item goes through the planes in order and keeps what it needs of three of them in "
        "registers, as in the published kernel",
    )

    def parameters(self, sizes: Sizes) -> list[Parameter]:
        """Return the four parameters."""
        return launch_parameters()

    def constraints(self, sizes: Sizes, limits: DeviceLimits) -> list[str]:
        """Return the published constraints."""
        return launch_constraints(limits)

    def configurations(self, sizes: Sizes) -> dict[str, Configuration]:
        """Return the published ones, which fit every size."""
        return {
            "default": {"ls0": 1, "ls1": 1, "gs0": 1024, "gs1": 1024},
            "expert": {"ls0": 32, "ls1": 32, "gs0": 1024, "gs1": 1024},
        }

    def program(self, sizes: Sizes) -> Expr:
        """Return a map over rows and columns of a map over planes, put back into their order."""
        o, n, m = sizes["o"], sizes["n"], sizes["m"]
        padded = array(o + 2, n + 2, m + 2, f32)
        return fun(padded, padded, lambda before, now: _next(before, now, o, n, m))

    def strategy(self, sizes: Sizes, configuration: Configuration) -> Strategy:
        """Return a work-item for a row and a column, which keeps three planes in registers."""
        planes = seq(to_map_seq, argument(slide_to_rotate_values @ top_down))
        items = lower_nest(to_map_global(1), to_map_global(0), planes)
        return in_lambdas(seq(dfnf, upstream(items)))

    def draw(self, sizes: Sizes, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], ...]:
        """Return two states; outside the walls there is silence."""
        inside = (sizes["o"], sizes["n"], sizes["m"])
        found = []
        for _ in range(2):
            state = np.zeros([size + 2 for size in inside], np.float32)
            state[1:-1, 1:-1, 1:-1] = rng.random(inside, dtype=np.float32) - np.float32(0.5)
            found.append(state)
        return tuple(found)

    def expected(
        self,
        sizes: Sizes,
        configuration: Configuration,
        inputs: Sequence[np.ndarray[Any, Any]],
    ) -> Expected:
        """Return the next state."""
        before, now = (one.astype(np.float64) for one in inputs)
        inside = (slice(1, -1),) * 3
        around = np.zeros_like(now[inside])
        for place in _SIX:
            around += now[tuple(slice(p, p + s) for p, s in zip(place, around.shape, strict=True))]
        count = np.full(around.shape, 6)
        for axis in range(3):
            for wall in (0, -1):
                outermost: list[Any] = [slice(None)] * 3
                outermost[axis] = wall
                count[tuple(outermost)] -= 1
        at_wall = count < 6
        first = (2.0 - count * _L2) * now[inside]
        last = np.where(at_wall, _WALL2, 1.0) * before[inside]
        values = (first + _L2 * around - last) * np.where(at_wall, _WALL, 1.0)
        # every term is below 4 in magnitude, and there are ten of them
        return Expected(values, 4.0, rounding(10))

    def work(self, sizes: Sizes) -> Work:
        """Return fourteen operations, two reads and a write for each cell."""
        cells = sizes["o"] * sizes["n"] * sizes["m"]
        return Work(14.0 * cells, 12.0 * cells)


def _next(before: Expr, now: Expr, o: int, n: int, m: int) -> Expr:
    """Return the next state of every cell.

    For each row and column, what a cell needs is listed along the planes: (neighbours inside,
    (state before, 3 x 3 x 3 states)).
    """
    earlier = _planes_last(before) | (drop(1) >> take(n)) | map_(drop(1) >> take(m))  # n.m.O
    around = _planes_last(now) | slide_2d(3, 3)  # n.m.3.3.O

    def column(j: Expr, i: Expr, last: Expr, near: Expr) -> Expr:
        def count(k: Expr) -> Expr:
            found: Expr = literal(6, i32) - _outermost(k, o) - _outermost(j, n) - _outermost(i, m)
            return found

        planes = near | map_(transpose) | transpose  # O.3.3
        cells = zip_(last | (drop(1) >> take(o)), planes | slide(3, 1))
        made: Expr = zip_(generate(o)(count), cells) | map_(_step)
        return made

    made: Expr = (
        zip_(generate(n)(lambda j: j), zip_(earlier, around))
        | map_(
            lambda row: (
                zip_(generate(m)(lambda i: i), zip_(fst(snd(row)), snd(snd(row))))
                | map_(lambda one: column(fst(row), fst(one), fst(snd(one)), snd(snd(one))))
            )
        )
        | _planes_first
    )
    return made


def _planes_last(e: Expr) -> Expr:
    """Return o.n.m as n.m.o."""
    found: Expr = e | transpose | map_(transpose)
    return found


def _planes_first(e: Expr) -> Expr:
    """Return n.m.o as o.n.m."""
    found: Expr = e | map_(transpose) | transpose
    return found


def _outermost(place: Expr, size: int) -> Expr:
    number = cast(i32)(place)
    found: Expr = select(or_(eq(number, 0), eq(number, size - 1)), literal(1, i32), literal(0, i32))
    return found


def _step(cell: Expr) -> Expr:
    states = snd(snd(cell))

    def at(k: int, j: int, i: int) -> Expr:
        found: Expr = states
        for place in (k, j, i):
            found = idx(literal(place, IndexType(3)), found)
        return found

    def value(count: Expr) -> Expr:
        around = at(*_SIX[0])
        for place in _SIX[1:]:
            around = around + at(*place)
        at_wall = lt(count, 6)
        last = select(at_wall, literal(_WALL2, f32), literal(1.0, f32)) * fst(snd(cell))
        first = at(1, 1, 1) * (2.0 - cast(f32)(count) * literal(_L2, f32))
        factor = select(at_wall, literal(_WALL, f32), literal(1.0, f32))
        found: Expr = (first + (around * literal(_L2, f32) - last)) * factor
        return found

    found: Expr = let(fst(cell), value)
    return found

"""Random nodes full of dependences: whatever a transformation may overlook, one of them has.

Every array and scalar is initialised first and put out at the end, so that a wrong order of any two
accesses shows in the outputs.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from daybreak_hpvm.ir import (
    Array,
    Assign,
    Const,
    Expr,
    If,
    Load,
    Loop,
    Node,
    Program,
    Reduce,
    Scalar,
    Select,
    Stmt,
    Store,
    maximum,
    minimum,
    s,
    u,
    validate,
)

__all__ = ["tangles"]

#: elements of an array; loops have at most half as many iterations, so that sums of two are in range
EXTENT = 12
TRIPS = 6
_TYPES = (u(4), s(7), u(9))


class _Tangle:
    """Writes one node over two local arrays, two scalars and an input."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.names = 0
        self.input = Array("x", s(5), (EXTENT,))
        types = st.sampled_from(_TYPES)
        self.arrays = [Array(f"m{k}", draw(types), (EXTENT,)) for k in range(2)]
        self.scalars = [Scalar(f"v{k}", draw(types)) for k in range(2)]
        self.budget = draw(st.integers(2, 9))

    def var(self) -> str:
        self.names += 1
        return f"i{self.names}"

    def loop(self, body: Callable[[Expr], list[Stmt]], *, whole: bool = False) -> Loop:
        """Write a loop; `whole`: over all elements."""
        draw = self.draw
        start, stop, step = 0, EXTENT, 1
        if not whole:
            start = draw(st.sampled_from([0, 0, 0, 1]))
            stop = draw(st.sampled_from([TRIPS, TRIPS, TRIPS - 1, start + 1, start + 2]))
            step = draw(st.sampled_from([1, 1, 1, 2]))
        made = Loop(self.var(), stop, (), start=start, step=step)
        return Loop(made.var, stop, tuple(body(made.index)), start=start, step=step)

    def place(self, loops: tuple[Expr, ...]) -> Expr:
        """Draw an index from 0 to EXTENT - 1."""
        draw = self.draw
        if not loops:
            return Const(draw(st.integers(0, EXTENT - 1)))
        i, j = draw(st.sampled_from(loops)), draw(st.sampled_from(loops))
        k = Const(draw(st.integers(0, TRIPS)))
        affine = [i, i, i, i + k, k, i * 2, i + j, TRIPS + i - j, TRIPS - 1 - i + k]
        loaded = Load("x", (i,), self.input.type)
        others = [i >> 1, maximum(i - j, 0), minimum(i * j, 5), minimum(maximum(loaded, 0), 7)]
        return draw(st.sampled_from([*affine, *affine, *others]))

    def value(self, loops: tuple[Expr, ...], depth: int = 2) -> Expr:
        draw = self.draw
        how = draw(st.integers(0, 8))
        if how <= 1:
            return Load("x", (self.place(loops),), self.input.type)
        if how <= 4:
            array = draw(st.sampled_from(self.arrays))
            return Load(array.name, (self.place(loops),), array.type)
        if how == 5:
            return draw(st.sampled_from(self.scalars))
        if how == 6 or depth == 0:
            return draw(st.sampled_from([Const(draw(st.integers(-3, 3))), *loops]))
        a, b = self.value(loops, depth - 1), self.value(loops, depth - 1)
        return draw(
            st.sampled_from(
                [a + b, a - b, a * b, a ^ b, a << 1, a >> 1, ~a, minimum(a, b), Select(a < b, b, a)]
            )
        )

    def statements(self, loops: tuple[Expr, ...], depth: int) -> list[Stmt]:
        draw = self.draw
        return [
            stmt for _ in range(draw(st.integers(1, 3))) for stmt in self.statement(loops, depth)
        ]

    def statement(self, loops: tuple[Expr, ...], depth: int) -> list[Stmt]:
        draw = self.draw
        self.budget -= 1
        how = draw(st.integers(0, 9))
        if depth < 2 and (how <= 2 or not loops) and self.budget > -4:
            pair = draw(st.booleans())  # neighbours that might be fused
            found: list[Stmt] = [self.loop(lambda i: self.statements((*loops, i), depth + 1))]
            if pair:
                first = found[0]
                assert isinstance(first, Loop)
                again = Loop(self.var(), first.stop, (), start=first.start, step=first.step)
                body = tuple(self.statements((*loops, again.index), depth + 1))
                if draw(st.booleans()):
                    found += self.simple(loops)
                found.append(Loop(again.var, first.stop, body, start=first.start, step=first.step))
            return found
        if how == 3 and depth < 3:
            condition = self.value(loops, 1) > draw(st.integers(-1, 2))
            otherwise = self.statements(loops, depth + 1) if draw(st.booleans()) else []
            return [If(condition, tuple(self.statements(loops, depth + 1)), tuple(otherwise))]
        return self.simple(loops)

    def simple(self, loops: tuple[Expr, ...]) -> list[Stmt]:
        draw = self.draw
        how = draw(st.integers(0, 5))
        if how <= 2:
            array = draw(st.sampled_from(self.arrays))
            return [Store(array.name, (self.place(loops),), self.value(loops))]
        target = draw(st.sampled_from(self.scalars))
        if how == 3:
            return [Assign(target, self.value(loops))]
        op = draw(st.sampled_from(["add", "add", "min", "max", "xor", "mul", "and", "or"]))
        return [Reduce(op, target, self.value(loops))]

    def program(self) -> Program:
        draw = self.draw
        body: list[Stmt] = [
            Assign(scalar, Const(draw(st.integers(0, 5)))) for scalar in self.scalars
        ]
        for array in self.arrays:
            factor = draw(st.integers(-2, 3))
            body.append(
                self.loop(
                    lambda i, a=array, f=factor: [Store(a.name, (i,), i * f + 1)],  # type: ignore[misc]
                    whole=True,
                )
            )
        body += self.statements((), 0)
        outputs = [Array(f"y_{a.name}", a.type, a.shape) for a in self.arrays]
        outputs.append(Array("y_scalars", s(10), (2,)))
        for array, out in zip(self.arrays, outputs, strict=False):
            body.append(
                self.loop(
                    lambda i, a=array, o=out: [Store(o.name, (i,), Load(a.name, (i,), a.type))],  # type: ignore[misc]
                    whole=True,
                )
            )
        body += [Store("y_scalars", (Const(k),), scalar) for k, scalar in enumerate(self.scalars)]
        body.append(Store("y_x", (Const(0),), Load("x", (Const(0),), self.input.type)))
        outputs.append(Array("y_x", s(5), (1,)))
        names = tuple(out.name for out in outputs)
        node = Node("N", ("x",), names, tuple(body), tuple(self.arrays), tuple(self.scalars))
        return validate(Program("tangle", (self.input, *outputs), ("x",), names, (node,)))


@st.composite
def tangles(draw: st.DrawFn) -> Program:
    """Draw a program of one node whose loops and statements depend on each other in many ways."""
    return _Tangle(draw).program()

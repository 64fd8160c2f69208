"""Random nodes full of dependences: whatever a transformation may overlook, some of them have.

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
    """Writes one node over two local arrays, two scalars and an input; `tag` begins all its names."""

    def __init__(self, draw: st.DrawFn, tag: str, source: Array) -> None:
        self.draw = draw
        self.tag = tag
        self.names = 0
        self.input = source
        types = st.sampled_from(_TYPES)
        self.arrays = [Array(f"{tag}m{k}", draw(types), (EXTENT,)) for k in range(2)]
        self.scalars = [Scalar(f"{tag}v{k}", draw(types)) for k in range(2)]
        self.outputs = [Array(f"{tag}y{k}", a.type, a.shape) for k, a in enumerate(self.arrays)]
        self.outputs.append(Array(f"{tag}scalars", s(10), (2,)))
        self.outputs.append(Array(f"{tag}first", s(5), (1,)))
        self.temporaries: list[Array] = []
        self.known_before: list[Array] = []
        self.budget = draw(st.integers(2, 9))

    def var(self) -> str:
        self.names += 1
        return f"{self.tag}n{self.names}"

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
        loaded = Load(self.input.name, (i,), self.input.type)
        others = [i >> 1, maximum(i - j, 0), minimum(i * j, 5), minimum(maximum(loaded, 0), 7)]
        return draw(st.sampled_from([*affine, *affine, *others]))

    def value(self, loops: tuple[Expr, ...], depth: int = 2) -> Expr:
        draw = self.draw
        how = draw(st.integers(0, 8))
        if how <= 1:
            return Load(self.input.name, (self.place(loops),), self.input.type)
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
        if how == 4 and self.budget > -4:
            return self.handed_on(loops)
        if how == 5 and loops:
            return self.own(loops)
        return self.simple(loops)

    def temporary(self, extent: int) -> Array:
        draw = self.draw
        made = Array(self.var(), draw(st.sampled_from(_TYPES)), (extent,))
        self.temporaries.append(made)
        return made

    def handed_on(self, loops: tuple[Expr, ...]) -> list[Stmt]:
        """Write two neighbouring loops, between which an array goes: element by element or not."""
        draw = self.draw
        array = self.temporary(EXTENT)
        last = Const(EXTENT - 1)

        def made(i: Expr) -> list[Stmt]:
            return [Store(array.name, (i,), self.value(loops) + i), *self.some(loops)]

        def taken(j: Expr) -> list[Stmt]:
            places = [j, j, j, last - j, minimum(j + 1, last), j >> 1, Const(3)]
            load = Load(array.name, (draw(st.sampled_from(places)),), array.type)
            goal = draw(st.sampled_from(self.arrays))
            where = j if draw(st.booleans()) else self.place(loops)
            return [*self.some(loops), Store(goal.name, (where,), load), *self.some(loops)]

        return [self.loop(made, whole=True), *self.some(loops), self.loop(taken, whole=True)]

    def own(self, loops: tuple[Expr, ...]) -> list[Stmt]:
        """Write a small array that every iteration of the loops around fills, or so it seems."""
        draw = self.draw
        array = self.temporary(3)
        if draw(st.integers(0, 3)) == 0:
            self.known_before.append(array)
        reverse = draw(st.integers(0, 3)) == 0
        found: list[Stmt] = []
        for store in (True, False):
            var = Loop(self.var(), 3, ())
            k = var.index
            if store:
                place = Const(2) - k if reverse else k
                body: Stmt = Store(array.name, (place,), self.value(loops) + k)
            else:
                load = Load(
                    array.name, (draw(st.sampled_from([k, Const(2) - k, Const(1)])),), array.type
                )
                body = Reduce("add", draw(st.sampled_from(self.scalars)), load * (k + 1))
                if draw(st.booleans()):
                    body = Store(
                        draw(st.sampled_from(self.arrays)).name, (self.place(loops),), load
                    )
            found.append(Loop(var.var, 3, (body,)))
        return found

    def some(self, loops: tuple[Expr, ...]) -> list[Stmt]:
        return self.simple(loops) if self.draw(st.integers(0, 3)) == 0 else []

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

    def node(self) -> Node:
        draw = self.draw
        body: list[Stmt] = [
            Assign(scalar, Const(draw(st.integers(0, 5)))) for scalar in self.scalars
        ]
        for array in self.arrays:
            factor = draw(st.integers(-2, 3))
            body.append(self.filled(array.name, lambda i, f=factor: i * f + 1))  # type: ignore[misc]
        written = self.statements((), 0)
        for array in self.known_before:
            body += [Store(array.name, (Const(k),), Const(k)) for k in range(array.size)]
        body += written
        for array, out in zip(self.arrays, self.outputs, strict=False):
            body.append(
                self.filled(out.name, lambda i, a=array: Load(a.name, (i,), a.type))  # type: ignore[misc]
            )
        scalars, first = self.outputs[2:]
        body += [Store(scalars.name, (Const(k),), one) for k, one in enumerate(self.scalars)]
        body.append(
            Store(first.name, (Const(0),), Load(self.input.name, (Const(0),), self.input.type))
        )
        names = tuple(out.name for out in self.outputs)
        return Node(
            f"N{self.tag}",
            (self.input.name,),
            names,
            tuple(body),
            (*self.arrays, *self.temporaries),
            tuple(self.scalars),
        )

    def filled(self, array: str, value: Callable[[Expr], Expr]) -> Loop:
        return self.loop(lambda i: [Store(array, (i,), value(i))], whole=True)


@st.composite
def tangles(draw: st.DrawFn) -> Program:
    """Draw a program of one or two nodes, whose loops and statements depend on each other."""
    source = Array("x", s(5), (EXTENT,))
    first = _Tangle(draw, "a", source)
    nodes, arrays = [first.node()], [source, *first.outputs]
    if draw(st.booleans()):
        second = _Tangle(draw, "b", first.outputs[0])
        nodes.append(second.node())
        arrays += second.outputs
    # an array between two nodes may be an output too
    inner = len(nodes) > 1 and draw(st.booleans())
    outputs = tuple(array.name for array in arrays[1:] if not (inner and array is first.outputs[0]))
    return validate(Program("tangle", tuple(arrays), ("x",), outputs, tuple(nodes)))

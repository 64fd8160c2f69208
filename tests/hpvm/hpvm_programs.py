"""Random dataflow programs, expressions with their own meaning, and inputs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

from daybreak_hpvm.ir import (
    ArrayHandle,
    Expr,
    IntType,
    NodeBuilder,
    Program,
    ProgramBuilder,
    absolute,
    cast,
    eq,
    lift,
    maximum,
    minimum,
    ne,
    s,
    select,
    u,
)
from daybreak_hpvm.transforms import directives

__all__ = ["configurations", "expressions", "inputs_of", "programs"]

types = st.builds(IntType, st.integers(1, 12), st.booleans())

#: An expression and what it must come to, in plain Python.
Meaning = tuple[Expr, Callable[[], int]]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> tuple[Expr, int]:
    """Draw an expression over constants with its value, worked out here and not by the plugin."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        value = draw(st.integers(-40, 40))
        return lift(value), value
    a, x = draw(expressions(depth - 1))
    kind = draw(st.sampled_from(["binary", "unary", "select", "cast", "compare", "shift"]))
    if kind == "cast":
        to = draw(types)
        wrapped = x % 2**to.bits
        if to.signed and wrapped >= 2 ** (to.bits - 1):
            wrapped -= 2**to.bits
        return cast(a, to), wrapped
    if kind == "unary":
        op = draw(st.sampled_from(["neg", "abs"]))
        return (-a, -x) if op == "neg" else (absolute(a), abs(x))
    if kind == "shift":
        amount = draw(st.integers(0, 5))
        if draw(st.booleans()):
            return a << amount, x * 2**amount
        return a >> amount, x // 2**amount
    b, y = draw(expressions(depth - 1))
    if kind == "select":
        c, z = draw(expressions(depth - 1))
        return select(c, a, b), x if z != 0 else y
    if kind == "compare":
        op = draw(st.sampled_from(["lt", "le", "gt", "ge", "eq", "ne"]))
        return {
            "lt": (a < b, int(x < y)),
            "le": (a <= b, int(x <= y)),
            "gt": (a > b, int(x > y)),
            "ge": (a >= b, int(x >= y)),
            "eq": (eq(a, b), int(x == y)),
            "ne": (ne(a, b), int(x != y)),
        }[op]
    op = draw(st.sampled_from(["+", "-", "*", "&", "|", "^", "min", "max"]))
    return {
        "+": lambda: (a + b, x + y),
        "-": lambda: (a - b, x - y),
        "*": lambda: (a * b, x * y),
        "&": lambda: (a & b, x & y),
        "|": lambda: (a | b, x | y),
        "^": lambda: (a ^ b, x ^ y),
        "min": lambda: (minimum(a, b), min(x, y)),
        "max": lambda: (maximum(a, b), max(x, y)),
    }[op]()


def _clamped(position: Expr, extent: int) -> Expr:
    return minimum(maximum(position, 0), extent - 1)


class _Writer:
    """Writes one random node after the other; every one makes one array of the common shape."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=2)))
        self.p = ProgramBuilder("random")
        kinds = draw(st.lists(types, min_size=1, max_size=2))
        self.known = [self.p.input(f"in{k}", t, self.shape) for k, t in enumerate(kinds)]
        self.weights = self.p.input("weights", s(4), (3,))
        self.count = 0

    def value(self, at: tuple[Expr, ...], *, exact: bool = False) -> Expr:
        """Write a load of a known array, at or near `at`, in a small expression."""
        draw = self.draw
        array = draw(st.sampled_from(self.known))
        near = at
        if not exact and draw(st.booleans()):
            by = draw(st.integers(-1, 1))
            near = tuple(_clamped(i + by, n) for i, n in zip(at, self.shape, strict=True))
        loaded: Expr = array[near]
        how = draw(st.integers(0, 5))
        if how == 0:
            return loaded * 3 - 1
        if how == 1:
            return select(loaded > 2, loaded, at[0])
        if how == 2:
            return ~loaded
        if how == 3:
            return (loaded >> 1) ^ at[-1]
        if how == 4:
            return cast(loaded + at[0], u(3))
        return loaded

    def nest(self, n: NodeBuilder, tag: str, write: Callable[[tuple[Expr, ...]], None]) -> None:
        """Write a loop over the common shape."""

        def level(depth: int, at: tuple[Expr, ...]) -> None:
            if depth == len(self.shape):
                write(at)
                return
            with n.loop(f"{tag}{depth}", self.shape[depth]) as i:
                level(depth + 1, (*at, i))

        level(0, ())

    def element(self, n: NodeBuilder, tag: str, out: ArrayHandle, at: tuple[Expr, ...]) -> None:
        """Write what makes one element of `out`."""
        draw = self.draw
        how = draw(st.integers(0, 5))
        if how == 0:
            out[at] = self.value(at)
        elif how == 1:  # a reduction over a window
            total = n.scalar(f"{tag}_t", s(10), draw(st.integers(-3, 3)))
            op = draw(st.sampled_from(["add", "min", "max", "xor", "mul"]))
            with n.loop(f"{tag}_k", 3) as k:
                moved = tuple(
                    _clamped(i + k - 1, extent) for i, extent in zip(at, self.shape, strict=True)
                )
                n.reduce(total, op, self.value(moved, exact=True) * self.weights[k])
            out[at] = total
        elif how == 2:  # a conditional store
            with n.when(self.value(at) > 0):
                out[at] = self.value(at)
            with n.otherwise():
                out[at] = self.value(at) - 1
        elif how == 3:  # a scalar that is changed under a condition
            kept = n.scalar(f"{tag}_t", s(8), self.value(at))
            with n.when(kept < 0):
                n.set(kept, -kept)
            out[at] = kept * kept
        elif how == 4:  # a small memory of the iteration's own
            local = n.local(f"{tag}_m", s(9), (3,))
            with n.loop(f"{tag}_k", 3) as k:
                local[k] = self.value(at) + k
            total = n.scalar(f"{tag}_t", s(12), 0)
            with n.loop(f"{tag}_l", 3) as k:
                n.reduce(total, "add", local[k] * self.weights[k])
            out[at] = total
        else:  # something that goes from one iteration to the next
            run = n.scalar(f"{tag}_run", u(7))
            n.set(run, run + self.value(at))
            out[at] = run

    def node(self, last: bool) -> None:
        draw, number = self.draw, self.count
        self.count += 1
        kind = draw(types)
        declare = self.p.output if last or draw(st.integers(0, 3)) == 0 else self.p.array
        out = declare(f"a{number}", kind, self.shape)
        with self.p.node(f"N{number}") as n:
            tag = f"n{number}"
            n.scalar(f"{tag}_x_run", u(7), 0)
            n.scalar(f"{tag}_y_run", u(7), 1)
            inner = n.scalar(f"{tag}_all", s(11), 0)
            if draw(st.booleans()):  # through a local array, in two nests that may be fusable
                local = n.local(f"{tag}_between", s(9), self.shape)
                self.nest(n, f"{tag}_p", lambda at: self.element(n, f"{tag}_x", local, at))
                self.known.append(local)
                self.nest(n, f"{tag}_q", lambda at: self.element(n, f"{tag}_y", out, at))
                self.known.remove(local)
            else:
                self.nest(n, f"{tag}_p", lambda at: self.element(n, f"{tag}_x", out, at))
            n.reduce(inner, "add", 1)
        self.known.append(out)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a valid program of one to three nodes."""
    writer = _Writer(draw)
    count = draw(st.integers(1, 3))
    for k in range(count):
        writer.node(last=k == count - 1)
    program = writer.p
    # arrays and inputs that nobody reads are no part of a program
    used = {name for node in program._nodes for name in (*node.inputs, *node.outputs)}
    outputs = set(program._outputs)
    while True:
        idle = [
            n
            for n in program._nodes
            if not any(
                name in outputs or any(name in m.inputs for m in program._nodes)
                for name in n.outputs
            )
        ]
        if not idle:
            break
        program._nodes = [n for n in program._nodes if n not in idle]
        used = {name for node in program._nodes for name in (*node.inputs, *node.outputs)}
    program._arrays = [a for a in program._arrays if a.name in used]
    program._inputs = [name for name in program._inputs if name in used]
    return program.build()


def inputs_of(program: Program, seed: int) -> dict[str, Any]:
    """Return random inputs, flat."""
    random = Random(seed)
    found = {}
    for name in program.inputs:
        array = program.array(name)
        low, high = array.type.low, array.type.high
        found[name] = [random.randint(low, high) for _ in range(array.size)]
    return found


@st.composite
def configurations(draw: st.DrawFn, program: Program) -> dict[str, int]:
    """Draw values for some of the parameters that `program` gives rise to."""
    chosen = {}
    for name, directive in directives(program).items():
        if draw(st.booleans()):
            chosen[name] = draw(st.integers(1, 7) if directive.kind == "unroll" else st.just(1))
    return chosen

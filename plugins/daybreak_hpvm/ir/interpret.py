"""The meaning of a program: the interpreter that hardware and transformations are judged by.

It knows nothing of unrolling, streams or concurrency: nodes run one after the other, loops
iteration by iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from daybreak import UserError
from daybreak_hpvm.ir.expr import Binary, Cast, Const, Expr, Index, Load, Scalar, Select, Unary
from daybreak_hpvm.ir.program import (
    Array,
    Assign,
    If,
    Loop,
    Node,
    Program,
    Reduce,
    Stmt,
    Store,
)

__all__ = ["InterpretError", "Observer", "flatten", "interpret"]

#: Called at every access: node, "load" or "store", array, row-major position.
Observer = Callable[[str, str, str, int], None]

_Memory = list["int | None"]
_Frame = dict[str, "int | None"]

_OPS: Final[dict[str, Callable[[int, int], int]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: a << b,
    "shr": lambda a, b: a >> b,
    "min": min,
    "max": max,
    "eq": lambda a, b: int(a == b),
    "ne": lambda a, b: int(a != b),
    "lt": lambda a, b: int(a < b),
    "le": lambda a, b: int(a <= b),
    "gt": lambda a, b: int(a > b),
    "ge": lambda a, b: int(a >= b),
}


class InterpretError(UserError):
    """The program reads what was not written, leaves an output unwritten, or its inputs are bad."""


def flatten(values: Any, shape: Sequence[int], name: str = "array") -> list[int]:
    """Return nested sequences (or a NumPy array) of `shape`, or a flat one, as a flat list.

    Raises:
        InterpretError: the shape is another.
    """
    size = 1
    for extent in shape:
        size *= extent
    flat: list[int] = []

    def gather(part: Any, depth: int) -> None:
        if hasattr(part, "tolist"):
            part = part.tolist()
        if isinstance(part, Sequence) and not isinstance(part, str | bytes):
            for item in part:
                gather(item, depth + 1)
        else:
            if isinstance(part, bool) or not isinstance(part, int):
                raise InterpretError(f"'{name}' holds {part!r}", expected="integers")
            flat.append(part)

    gather(values, 0)
    if len(flat) != size:
        raise InterpretError(
            f"'{name}' has {len(flat)} elements", expected=f"{size}: {' x '.join(map(str, shape))}"
        )
    return flat


def interpret(
    program: Program, inputs: Mapping[str, Any], *, observe: Observer | None = None
) -> dict[str, tuple[int, ...]]:
    """Run `program` (which must be valid) once.

    Args:
        program: a validated program.
        inputs: every input's elements: nested sequences, a flat row-major one, or a NumPy array.
        observe: called at every access of an array.

    Returns:
        Each output's elements, flat and row-major.

    Raises:
        InterpretError: an input is missing, of another shape or out of its type's range; an
            element or scalar is read before it was written; an output is not written throughout.
    """
    memory: dict[str, _Memory] = {}
    for name in program.inputs:
        array = program.array(name)
        if name not in inputs:
            raise InterpretError(f"input '{name}' is missing", expected=", ".join(program.inputs))
        flat = flatten(inputs[name], array.shape, name)
        for value in flat:
            if not array.type.holds(value):
                raise InterpretError(f"'{name}' holds {value}", expected=f"a value of {array.type}")
        memory[name] = list(flat)
    for node in program.nodes:
        for name in node.outputs:
            memory[name] = [None] * program.array(name).size
        _NodeRun(program, node, memory, observe).run()
        for name in node.outputs:
            if None in memory[name]:
                place = memory[name].index(None)
                raise InterpretError(
                    f"node '{node.name}' leaves element {place} of '{name}' unwritten",
                    field=program.name,
                )
    return {name: tuple(memory[name]) for name in program.outputs}  # type: ignore[arg-type]


class _NodeRun:
    """One node, compiled to closures over its memories and registers."""

    def __init__(
        self,
        program: Program,
        node: Node,
        memory: dict[str, _Memory],
        observe: Observer | None,
    ) -> None:
        self.program = program
        self.node = node
        self.observe = observe
        self.memory = dict(memory)
        for local in node.locals:
            self.memory[local.name] = (
                [None] * local.size if local.values is None else list(local.values)
            )
        self.frame: _Frame = {scalar.name: None for scalar in node.scalars}

    def run(self) -> None:
        self.body(self.node.body)()

    def fail(self, message: str) -> InterpretError:
        return InterpretError(message, field=f"{self.program.name}.{self.node.name}")

    def body(self, body: Iterable[Stmt]) -> Callable[[], None]:
        steps = [self.stmt(stmt) for stmt in body]

        def go() -> None:
            for step in steps:
                step()

        return steps[0] if len(steps) == 1 else go

    def stmt(self, stmt: Stmt) -> Callable[[], None]:
        if isinstance(stmt, Loop):
            return self.loop(stmt)
        if isinstance(stmt, If):
            condition = self.expr(stmt.condition)
            then, otherwise = self.body(stmt.then), self.body(stmt.otherwise)
            return lambda: then() if condition() else otherwise()
        if isinstance(stmt, Assign):
            return self.assign(stmt)
        if isinstance(stmt, Reduce):
            return self.reduce(stmt)
        if isinstance(stmt, Store):
            return self.store(stmt)
        raise TypeError(f"{type(stmt).__name__} is no statement")

    def loop(self, loop: Loop) -> Callable[[], None]:
        frame, var = self.frame, loop.var
        body = self.body(loop.body)
        values = range(loop.start, loop.stop, loop.step)

        def go() -> None:
            for value in values:
                frame[var] = value
                body()

        return go

    def assign(self, stmt: Assign) -> Callable[[], None]:
        frame, name = self.frame, stmt.target.name
        value, wrap = self.expr(stmt.value), stmt.target.type.wrap

        def go() -> None:
            frame[name] = wrap(value())

        return go

    def reduce(self, stmt: Reduce) -> Callable[[], None]:
        frame, name = self.frame, stmt.target.name
        value, wrap, apply = self.expr(stmt.value), stmt.target.type.wrap, _OPS[stmt.op]
        fail = self.fail

        def go() -> None:
            old = frame[name]
            if old is None:
                raise fail(f"scalar '{name}' is reduced into before it was assigned")
            frame[name] = wrap(apply(old, wrap(value())))

        return go

    def place(self, array: Array, indices: Sequence[Expr]) -> Callable[[], int]:
        found = [self.expr(index) for index in indices]
        extents, name, fail = array.shape, array.name, self.fail

        def go() -> int:
            place = 0
            for index, extent in zip(found, extents, strict=True):
                value = index()
                if not 0 <= value < extent:
                    raise fail(f"index {value} of '{name}' is not in 0..{extent - 1}")
                place = place * extent + value
            return place

        return go

    def store(self, stmt: Store) -> Callable[[], None]:
        array = self.program.array(stmt.array, self.node)
        memory, place = self.memory[array.name], self.place(array, stmt.indices)
        value, wrap = self.expr(stmt.value), array.type.wrap
        observe, node, name = self.observe, self.node.name, array.name

        def go() -> None:
            at = place()
            memory[at] = wrap(value())
            if observe is not None:
                observe(node, "store", name, at)

        return go

    def load(self, expr: Load) -> Callable[[], int]:
        array = self.program.array(expr.array, self.node)
        memory, place = self.memory[array.name], self.place(array, expr.indices)
        observe, node, name, fail = self.observe, self.node.name, array.name, self.fail

        def go() -> int:
            at = place()
            found = memory[at]
            if found is None:
                raise fail(f"element {at} of '{name}' is read before it was written")
            if observe is not None:
                observe(node, "load", name, at)
            return found

        return go

    def expr(self, expr: Expr) -> Callable[[], int]:
        if isinstance(expr, Const):
            constant = expr.value
            return lambda: constant
        if isinstance(expr, Index):
            frame, var = self.frame, expr.name
            return lambda: frame[var]  # type: ignore[return-value]
        if isinstance(expr, Scalar):
            return self.scalar(expr.name)
        if isinstance(expr, Load):
            return self.load(expr)
        if isinstance(expr, Cast):
            operand, wrap = self.expr(expr.operand), expr.type.wrap
            return lambda: wrap(operand())
        if isinstance(expr, Unary):
            return self.unary(expr)
        if isinstance(expr, Binary):
            left, right, apply = self.expr(expr.left), self.expr(expr.right), _OPS[expr.op]
            return lambda: apply(left(), right())
        if isinstance(expr, Select):
            condition, yes, no = (self.expr(e) for e in (expr.condition, expr.yes, expr.no))

            def choose() -> int:
                picked = condition(), yes(), no()
                return picked[1] if picked[0] else picked[2]

            return choose
        raise TypeError(f"{type(expr).__name__} is no expression")

    def scalar(self, name: str) -> Callable[[], int]:
        frame, fail = self.frame, self.fail

        def go() -> int:
            found = frame[name]
            if found is None:
                raise fail(f"scalar '{name}' is read before it was assigned")
            return found

        return go

    def unary(self, expr: Unary) -> Callable[[], int]:
        operand = self.expr(expr.operand)
        if expr.op == "neg":
            return lambda: -operand()
        if expr.op == "abs":
            return lambda: abs(operand())
        if expr.type.signed:
            return lambda: ~operand()
        high = expr.type.high
        return lambda: high - operand()

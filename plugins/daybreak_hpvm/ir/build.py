"""How a person writes a program.

::

    p = ProgramBuilder("scale")
    x = p.input("x", s(16), (64,))
    y = p.output("y", s(16), (64,))
    with p.node("scale") as n, n.loop("i", 64) as i:
        y[i] = (x[i] * 3) >> 1
    program = p.build()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from daybreak_hpvm.ir.expr import Expr, Index, Load, Operand, Scalar, lift
from daybreak_hpvm.ir.interpret import flatten
from daybreak_hpvm.ir.program import Array, Assign, If, Loop, Node, Program, Reduce, Stmt, Store
from daybreak_hpvm.ir.types import IntType, fitting
from daybreak_hpvm.ir.validate import ProgramError, validate

__all__ = ["ArrayHandle", "NodeBuilder", "ProgramBuilder"]

_Indices = Operand | tuple[Operand, ...]


class ArrayHandle:
    """An array while a program is written: ``a[i, j]`` loads, ``a[i, j] = e`` stores."""

    def __init__(self, owner: ProgramBuilder, array: Array) -> None:
        self._owner = owner
        self.array = array

    def __getitem__(self, indices: _Indices) -> Load:
        """Return a load; the node that is being written gets the array as an input."""
        self._owner.current.uses(self.array, store=False)
        return Load(self.array.name, _lifted(indices), self.array.type)

    def __setitem__(self, indices: _Indices, value: Operand) -> None:
        """Write a store; the node that is being written gets the array as an output."""
        node = self._owner.current
        node.uses(self.array, store=True)
        node.emit(Store(self.array.name, _lifted(indices), lift(value)))

    def __iter__(self) -> Iterator[Load]:
        raise TypeError(f"'{self.array.name}' cannot be iterated over; write a loop")


def _lifted(indices: _Indices) -> tuple[Expr, ...]:
    listed = indices if isinstance(indices, tuple) else (indices,)
    return tuple(lift(index) for index in listed)


class NodeBuilder:
    """A node while it is written; made by `ProgramBuilder.node`."""

    def __init__(self, owner: ProgramBuilder, name: str) -> None:
        self._owner = owner
        self.name = name
        self._inputs: list[str] = []
        self._outputs: list[str] = []
        self._locals: dict[str, Array] = {}
        self._scalars: dict[str, Scalar] = {}
        self._bodies: list[list[Stmt]] = [[]]

    def emit(self, stmt: Stmt) -> None:
        """Append `stmt` where the program is being written."""
        self._bodies[-1].append(stmt)

    def uses(self, array: Array, *, store: bool) -> None:
        """Note that the body loads from, or stores to, `array`."""
        listed = self._outputs if store else self._inputs
        if array.name not in self._locals and array.name not in listed:
            listed.append(array.name)

    def local(self, name: str, dtype: IntType, shape: Sequence[int]) -> ArrayHandle:
        """Declare an on-chip memory of the node's own."""
        return self._add(Array(name, dtype, tuple(shape)))

    def table(self, name: str, dtype: IntType, shape: Sequence[int], values: Any) -> ArrayHandle:
        """Declare an on-chip table of constants, nested or flat."""
        flat = flatten(values, shape, name)
        return self._add(Array(name, dtype, tuple(shape), tuple(flat)))

    def _add(self, array: Array) -> ArrayHandle:
        if array.name in self._locals:
            raise ProgramError(f"local '{array.name}' is declared twice", field=self.name)
        self._locals[array.name] = array
        return ArrayHandle(self._owner, array)

    def scalar(self, name: str, dtype: IntType, value: Operand | None = None) -> Scalar:
        """Declare a register and, unless `value` is None, assign it here."""
        scalar = Scalar(name, dtype)
        if self._scalars.setdefault(name, scalar) != scalar:
            raise ProgramError(f"scalar '{name}' is declared twice", field=self.name)
        if value is not None:
            self.set(scalar, value)
        return scalar

    def set(self, target: Scalar, value: Operand) -> None:
        """Write ``target = value``."""
        self.emit(Assign(target, lift(value)))

    def reduce(self, target: Scalar, op: str, value: Operand) -> None:
        """Write ``target = target op value``; `op` is one of `REDUCTIONS`."""
        self.emit(Reduce(op, target, lift(value)))

    @contextmanager
    def loop(self, var: str, stop: int, *, start: int = 0, unroll: int = 1) -> Iterator[Index]:
        """Write a loop; the value is its variable."""
        self._bodies.append([])
        yield Index(var, fitting(0, max(stop - 1, 0)))
        self.emit(Loop(var, stop, tuple(self._bodies.pop()), start=start, unroll=unroll))

    @contextmanager
    def when(self, condition: Expr) -> Iterator[None]:
        """Write statements that run where `condition` is not zero."""
        self._bodies.append([])
        yield
        self.emit(If(condition, tuple(self._bodies.pop())))

    @contextmanager
    def otherwise(self) -> Iterator[None]:
        """Write the statements that run where the `when` just before does not.

        Raises:
            ProgramError: there is no such `when`.
        """
        last = self._bodies[-1][-1] if self._bodies[-1] else None
        if not isinstance(last, If) or last.otherwise:
            raise ProgramError("otherwise() does not follow a when()", field=self.name)
        self._bodies.append([])
        yield
        body = tuple(self._bodies.pop())
        self._bodies[-1][-1] = If(last.condition, last.then, body)

    def finish(self) -> Node:
        """Return the node."""
        return Node(
            self.name,
            tuple(self._inputs),
            tuple(self._outputs),
            tuple(self._bodies[0]),
            tuple(self._locals.values()),
            tuple(self._scalars.values()),
        )


class ProgramBuilder:
    """A program while it is written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._arrays: list[Array] = []
        self._inputs: list[str] = []
        self._outputs: list[str] = []
        self._nodes: list[Node] = []
        self._current: NodeBuilder | None = None

    @property
    def current(self) -> NodeBuilder:
        """The node that is being written.

        Raises:
            ProgramError: none is.
        """
        if self._current is None:
            raise ProgramError("an array is used outside of a node", field=self.name)
        return self._current

    def input(self, name: str, dtype: IntType, shape: Sequence[int]) -> ArrayHandle:
        """Declare an array that is given from outside."""
        self._inputs.append(name)
        return self.array(name, dtype, shape)

    def output(self, name: str, dtype: IntType, shape: Sequence[int]) -> ArrayHandle:
        """Declare an array that is handed to the outside."""
        self._outputs.append(name)
        return self.array(name, dtype, shape)

    def array(self, name: str, dtype: IntType, shape: Sequence[int]) -> ArrayHandle:
        """Declare an array that goes from a node to others."""
        array = Array(name, dtype, tuple(shape))
        self._arrays.append(array)
        return ArrayHandle(self, array)

    @contextmanager
    def node(self, name: str) -> Iterator[NodeBuilder]:
        """Write a node."""
        if self._current is not None:
            raise ProgramError(f"node '{name}' inside node '{self._current.name}'", field=self.name)
        self._current = NodeBuilder(self, name)
        try:
            yield self._current
            self._nodes.append(self._current.finish())
        finally:
            self._current = None

    def build(self) -> Program:
        """Return the validated program.

        Raises:
            ProgramError: it is malformed.
        """
        return validate(
            Program(
                self.name,
                tuple(self._arrays),
                tuple(self._inputs),
                tuple(self._outputs),
                tuple(self._nodes),
            )
        )

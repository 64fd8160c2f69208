"""Programs: nodes (loop nests over arrays) joined by the arrays that they hand on.

A program's arrays live in external memory unless a transformation says otherwise. Each is written
by one node or given as an input; the edges of the graph follow from who writes and who reads what.
A node's `locals` are private on-chip memories (with `values`: read-only tables), its `scalars` are
registers. Nothing is initialised: reading an element or scalar that was not written is an error.

A node runs its body once per invocation of the program. Statements run in order; iterations of a
loop run in order, `unroll` of them as one step of the hardware. Loops have constant bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from daybreak_hpvm.ir.expr import Expr, Index, Scalar
from daybreak_hpvm.ir.types import IntType, fitting

__all__ = [
    "REDUCTIONS",
    "Array",
    "Assign",
    "Edge",
    "If",
    "Loop",
    "Node",
    "Program",
    "Reduce",
    "Stmt",
    "Store",
]

#: Operators of `Reduce`; all are associative and commutative on wrapped integers.
REDUCTIONS = frozenset({"add", "mul", "min", "max", "and", "or", "xor"})


@dataclass(frozen=True, slots=True)
class Array:
    """`shape` elements of `type`, row-major. `values` (flat) makes a local array a table."""

    name: str
    type: IntType
    shape: tuple[int, ...]
    values: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def bits(self) -> int:
        """Bits of storage."""
        return self.size * self.type.bits


class Stmt:
    """Base of all statements."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Assign(Stmt):
    """``target = value``, wrapped to the target's type."""

    target: Scalar
    value: Expr


@dataclass(frozen=True, slots=True)
class Reduce(Stmt):
    """``target = target op value``: value and result wrapped to the target's type.

    So the order of several reductions into one target does not matter, and a generator may use a
    tree.
    """

    op: str
    target: Scalar
    value: Expr


@dataclass(frozen=True, slots=True)
class Store(Stmt):
    """``array[indices] = value``, wrapped to the array's element type."""

    array: str
    indices: tuple[Expr, ...]
    value: Expr


@dataclass(frozen=True, slots=True)
class If(Stmt):
    """`then` where `condition` is not zero, else `otherwise`."""

    condition: Expr
    then: tuple[Stmt, ...]
    otherwise: tuple[Stmt, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop(Stmt):
    """``for var in range(start, stop, step)``; `var` is unique within the node.

    `unroll`: so many consecutive iterations make one step of the hardware; it changes no value.
    A remainder is left to a shorter loop (see `transforms.expand`).
    """

    var: str
    stop: int
    body: tuple[Stmt, ...]
    start: int = 0
    step: int = 1
    unroll: int = 1

    @property
    def trips(self) -> int:
        """Number of iterations."""
        return len(range(self.start, self.stop, self.step))

    @property
    def index(self) -> Index:
        """The loop's variable as an expression: of the narrowest type that holds ``stop - 1``."""
        return Index(self.var, fitting(0, max(self.stop - 1, 0)))


@dataclass(frozen=True)
class Node:
    """A kernel. `inputs` and `outputs` name arrays of the program; no array is both."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    body: tuple[Stmt, ...]
    locals: tuple[Array, ...] = ()
    scalars: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """Array `array` from node `source` to node `target`; None stands for the program's outside."""

    array: str
    source: str | None
    target: str | None


@dataclass(frozen=True)
class Program:
    """A dataflow graph; `nodes` are in topological order.

    Attributes:
        name: a word.
        arrays: all arrays outside the nodes.
        inputs: names of arrays given from outside.
        outputs: names of arrays handed to the outside.
        nodes: the kernels.
        concurrent: task-level parallelism: a node starts as soon as its inputs are complete, and
            nodes that do not wait for each other run at the same time. Otherwise one after the
            other in order.
        streams: arrays that go from their one writer to their one reader through a queue in
            element order, rather than through memory: reader and writer run at the same time.
            Only with `concurrent`.
    """

    name: str
    arrays: tuple[Array, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    concurrent: bool = False
    streams: tuple[str, ...] = ()
    _by_name: dict[str, Array] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {a.name: a for a in self.arrays})

    def array(self, name: str, node: Node | None = None) -> Array:
        """Return array `name`, looking among `node`'s locals first.

        Raises:
            KeyError: there is none.
        """
        for local in node.locals if node is not None else ():
            if local.name == name:
                return local
        return self._by_name[name]

    def node(self, name: str) -> Node:
        """Return node `name`.

        Raises:
            KeyError: there is none.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def writer(self, array: str) -> Node | None:
        """Return the node that writes `array`; None for an input."""
        return next((n for n in self.nodes if array in n.outputs), None)

    def readers(self, array: str) -> tuple[Node, ...]:
        """Return the nodes that read `array`."""
        return tuple(n for n in self.nodes if array in n.inputs)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every edge, those from inputs and to outputs included, in the order of `arrays`."""
        return tuple(self._edges())

    def _edges(self) -> Iterator[Edge]:
        for array in self.arrays:
            writer = self.writer(array.name)
            source = None if writer is None else writer.name
            for reader in self.readers(array.name):
                yield Edge(array.name, source, reader.name)
            if array.name in self.outputs:
                yield Edge(array.name, source, None)

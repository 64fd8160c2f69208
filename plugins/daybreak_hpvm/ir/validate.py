"""What makes a program well formed, checked before anything is done with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from daybreak import UserError, nearest
from daybreak_hpvm.ir.bounds import Interval, interval
from daybreak_hpvm.ir.expr import Expr, Index, Load, Scalar
from daybreak_hpvm.ir.program import (
    REDUCTIONS,
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
from daybreak_hpvm.ir.text import show_expr
from daybreak_hpvm.ir.types import MAX_STORED_BITS, IntType
from daybreak_hpvm.ir.walk import expressions, loops, subexpressions

__all__ = ["ProgramError", "validate"]

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


class ProgramError(UserError):
    """A dataflow program is malformed; the field names the node and statement at fault."""


def validate(program: Program) -> Program:
    """Return `program` if it is well formed.

    Checked: names are words and unique; every array has one writer, or is an input; nodes are in
    topological order (so there is no cycle); every load and store names an array that the node may
    read or write, with one index for each dimension, each shown to lie within its extent; scalars
    and loop variables are used with their type, inside their loop; streams have one writer and one
    reader and are not handed out.

    Raises:
        ProgramError: the first thing that is wrong.
    """
    names: dict[str, str] = {}
    _words(program.name, [(program.name, "program")], names)
    _words(program.name, ((a.name, "array") for a in program.arrays), names)
    _words(program.name, ((n.name, "node") for n in program.nodes), names)
    for array in program.arrays:
        _check_array(program.name, array)
        if array.values is not None:
            raise ProgramError(
                f"array '{array.name}' has values but is no local of a node", field=program.name
            )
    known = [a.name for a in program.arrays]
    for word, listed in (("input", program.inputs), ("output", program.outputs)):
        _known(program.name, word, listed, known)
    _check_graph(program)
    for node in program.nodes:
        _NodeCheck(program, node).run()
    _check_streams(program)
    return program


def _words(where: str, found: Iterable[tuple[str, str]], names: dict[str, str]) -> None:
    for name, kind in found:
        if not _WORD.match(name):
            raise ProgramError(
                f"the {kind}'s name {name!r} is no word",
                field=where,
                expected="a letter, then letters, digits and underscores",
            )
        if name in names and not (kind == "program" or names[name] == "program"):
            raise ProgramError(f"'{name}' is a {names[name]} and a {kind}", field=where)
        names[name] = kind


def _check_array(where: str, array: Array) -> None:
    if not array.shape or any(extent < 1 for extent in array.shape):
        raise ProgramError(
            f"array '{array.name}' has shape {array.shape}", field=where, expected="extents from 1"
        )
    if array.type.bits > MAX_STORED_BITS:
        raise ProgramError(
            f"array '{array.name}' has elements of {array.type.bits} bits",
            field=where,
            expected=f"at most {MAX_STORED_BITS}",
        )
    if array.values is not None:
        if len(array.values) != array.size:
            raise ProgramError(
                f"table '{array.name}' has {len(array.values)} values",
                field=where,
                expected=f"{array.size}",
            )
        for value in array.values:
            if not array.type.holds(value):
                raise ProgramError(
                    f"table '{array.name}': {value} does not fit {array.type}", field=where
                )


def _known(where: str, word: str, listed: Iterable[str], known: list[str]) -> None:
    seen: set[str] = set()
    for name in listed:
        if name not in known:
            raise ProgramError(
                f"{word} '{name}' is no array of the program",
                field=where,
                nearest=nearest(name, known),
            )
        if name in seen:
            raise ProgramError(f"{word} '{name}' is listed twice", field=where)
        seen.add(name)


def _check_graph(program: Program) -> None:
    known = [a.name for a in program.arrays]
    writers: dict[str, str] = dict.fromkeys(program.inputs, "an input")
    for node in program.nodes:
        where = f"{program.name}.{node.name}"
        _known(where, "input", node.inputs, known)
        _known(where, "output", node.outputs, known)
        for name in node.inputs:
            if name not in writers:
                raise ProgramError(
                    f"'{name}' is read before any node writes it",
                    field=where,
                    expected="nodes in topological order, without a cycle",
                )
        if not node.outputs:
            raise ProgramError("the node writes nothing", field=where)
        for name in node.outputs:
            if name in writers:
                raise ProgramError(
                    f"'{name}' is written a second time; first it is {writers[name]}", field=where
                )
            writers[name] = f"written by {node.name}"
    for name in program.outputs:
        if name not in writers:
            raise ProgramError(f"output '{name}' is written by no node", field=program.name)
    if not program.outputs:
        raise ProgramError("the program has no output", field=program.name)
    for name in known:
        if name not in writers:
            raise ProgramError(f"array '{name}' is used by no node", field=program.name)


def _check_streams(program: Program) -> None:
    if program.streams and not program.concurrent:
        raise ProgramError("streams need a concurrent program", field=program.name)
    for name in program.streams:
        readers = program.readers(name)
        if program.writer(name) is None or len(readers) != 1 or name in program.outputs:
            raise ProgramError(
                f"'{name}' cannot be a stream",
                field=program.name,
                expected="an array between one writing and one reading node",
            )


class _NodeCheck:
    """One node's body, with what is in scope."""

    def __init__(self, program: Program, node: Node) -> None:
        self.program = program
        self.node = node
        self.where = f"{program.name}.{node.name}"
        self.local = {a.name: a for a in node.locals}
        self.scalars = {x.name: x for x in node.scalars}
        self.indices: dict[str, IntType] = {}
        self.used: set[str] = set()

    def run(self) -> None:
        names = {a.name: "array of the program" for a in self.program.arrays}
        _words(self.where, ((a.name, "local array") for a in self.node.locals), names)
        _words(self.where, ((x.name, "scalar") for x in self.node.scalars), names)
        _words(self.where, ((x.var, "loop") for x in loops(self.node.body)), names)
        for array in self.node.locals:
            _check_array(self.where, array)
        for scalar in self.node.scalars:
            if scalar.type.bits > MAX_STORED_BITS:
                self.fail(f"scalar '{scalar.name}' has {scalar.type.bits} bits")
        self.body(self.node.body, {})
        for name in (*self.node.inputs, *self.node.outputs):
            if name not in self.used:
                self.fail(f"'{name}' is neither read nor written in the body")

    def fail(self, message: str, **more: str | None) -> None:
        raise ProgramError(message, field=self.where, **more)  # type: ignore[arg-type]

    def body(self, body: Iterable[Stmt], scope: Mapping[str, Interval]) -> None:
        for stmt in body:
            for expr in expressions(stmt):
                self.expr(expr, scope)
            if isinstance(stmt, Assign | Reduce):
                self.scalar(stmt.target)
                if isinstance(stmt, Reduce) and stmt.op not in REDUCTIONS:
                    self.fail(f"'{stmt.op}' is no reduction", nearest=nearest(stmt.op, REDUCTIONS))
            elif isinstance(stmt, Store):
                self.access(stmt.array, stmt.indices, scope, store=True)
            elif isinstance(stmt, If):
                self.body(stmt.then, scope)
                self.body(stmt.otherwise, scope)
            elif isinstance(stmt, Loop):
                self.loop(stmt, scope)

    def loop(self, loop: Loop, scope: Mapping[str, Interval]) -> None:
        if loop.start < 0 or loop.step < 1 or loop.unroll < 1 or loop.trips < 1:
            self.fail(
                f"loop '{loop.var}' goes from {loop.start} to {loop.stop} by {loop.step}, "
                f"unroll {loop.unroll}",
                expected="a start from 0, a step and an unrolling from 1, and an iteration or more",
            )
        last = loop.start + (loop.trips - 1) * loop.step
        self.indices[loop.var] = loop.index.type
        self.body(loop.body, {**scope, loop.var: (loop.start, last)})

    def scalar(self, scalar: Scalar) -> None:
        declared = self.scalars.get(scalar.name)
        if declared is None:
            self.fail(
                f"scalar '{scalar.name}' is not declared",
                nearest=nearest(scalar.name, self.scalars),
            )
        elif declared != scalar:
            self.fail(f"scalar '{scalar.name}' is {declared.type}, not {scalar.type}")

    def expr(self, expr: Expr, scope: Mapping[str, Interval]) -> None:
        for part in subexpressions(expr):
            if isinstance(part, Scalar):
                self.scalar(part)
            elif isinstance(part, Index):
                if part.name not in scope:
                    self.fail(f"'{part.name}' is used outside of its loop")
                elif part.type != self.indices[part.name]:
                    self.fail(f"'{part.name}' is {self.indices[part.name]}, not {part.type}")
            elif isinstance(part, Load):
                self.access(part.array, part.indices, scope, store=False)
                declared = self.program.array(part.array, self.node).type
                if declared != part.type:
                    self.fail(f"elements of '{part.array}' are {declared}, not {part.type}")

    def access(
        self, name: str, indices: tuple[Expr, ...], scope: Mapping[str, Interval], *, store: bool
    ) -> None:
        allowed = self.node.outputs if store else self.node.inputs
        if name not in self.local and name not in allowed:
            self.fail(
                f"'{name}' is {'stored to' if store else 'loaded'} but is neither "
                f"{'an output' if store else 'an input'} of the node nor a local",
                nearest=nearest(name, [*allowed, *self.local]),
            )
        self.used.add(name)
        array = self.program.array(name, self.node)
        if store and array.values is not None:
            self.fail(f"'{name}' is a table and cannot be stored to")
        if len(indices) != len(array.shape):
            self.fail(f"'{name}' has {len(array.shape)} dimensions, not {len(indices)}")
        for index, extent in zip(indices, array.shape, strict=True):
            low, high = interval(index, scope)
            if low < 0 or high >= extent:
                self.fail(
                    f"index {show_expr(index)} of '{name}' lies in {low}..{high}",
                    expected=f"0..{extent - 1}",
                    remedy="clamp it with minimum() and maximum(), or give what it is made of a "
                    "narrower type",
                )

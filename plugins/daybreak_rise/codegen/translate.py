"""From a typed expression to an imperative program.

The two translations of DPIA (Atkey, Steuwer et al., arXiv 1710.08332, section 4) in one function:
`run(e, env)` returns a view of e's value, adding the statements that it needs to the present block
(the continuation translation); `run(e, env, out)` writes e's value to the place `out` (the acceptor
translation). Memory is taken at `toMem` and for the accumulators of reductions, nowhere else: what
no pattern says how to run is computed where it is used, or copied by a plain loop.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from daybreak import BuildFailed
from daybreak_rise.codegen import patterns_low, patterns_move, patterns_scalar
from daybreak_rise.codegen.arguments import Argument, Closure, Environment, Thunk
from daybreak_rise.codegen.index import Index, Variable, constant, of
from daybreak_rise.codegen.ir import (
    Block,
    Buffer,
    Define,
    Filling,
    For,
    Guard,
    Level,
    ParallelFor,
    Space,
    Statement,
    Store,
)
from daybreak_rise.codegen.launch import Launch
from daybreak_rise.codegen.sharing import Uses
from daybreak_rise.codegen.values import Choice, Constant, Inside, Load, Register, Value, loads
from daybreak_rise.codegen.vectors import Lanes, Scratch, lanes_of
from daybreak_rise.codegen.views import (
    ArrayView,
    Memory,
    PairView,
    Scalar,
    View,
    as_array,
    as_pair,
    as_scalar,
)
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Literal, Primitive, spine
from daybreak_rise.patterns import PATTERNS
from daybreak_rise.types import ArrayType, FunType, PairType, Type

__all__ = ["Translator"]

Handler: TypeAlias = (
    "Callable[[Translator, Primitive, tuple[Argument, ...], View | None], View | None]"
)

_HANDLERS: dict[str, Handler] = {
    **patterns_low.HANDLERS,
    **patterns_move.HANDLERS,
    **patterns_scalar.HANDLERS,
}


_HINTS = {Space.PRIVATE: "r", Space.LOCAL: "tile", Space.GLOBAL: "temp", Space.TABLE: "table"}
_INDICES = {Level.GLOBAL: "g", Level.GROUP: "w", Level.LOCAL: "l"}


class Translator:
    """One translation: the block being written and the parallel loops around it."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.one_item = launch.global_ == (1, 1, 1)
        self.block = Block()
        self.around: list[ParallelFor] = []
        self.buffers: list[Buffer] = []
        self.places: dict[tuple[Level, int], Variable] = {}
        self.uses = Uses()
        self._names = itertools.count()
        self.loops: list[int] = []
        self.filling = Filling(frozenset())
        self.scratch = Scratch(self.attempt, self.add, self.register)

    # ---- the two translations

    def run(self, expression: Expr, environment: Environment, out: View | None = None) -> View:
        """Return a view of the value, or write it to `out` (and return that)."""
        match expression:
            case App():
                head, arguments = spine(expression)
                thunks = tuple(Thunk(a, environment) for a in arguments)
                return self.apply(head, environment, thunks, out)
            case Identifier():
                found = environment[expression.name]
                if isinstance(found, Closure):
                    raise BuildFailed(f"the function {expression.name} is used as a value")
                return found if out is None else self.write(found, out)
            case Literal():
                view = patterns_scalar.literal_view(self, expression)
                return view if out is None else self.write(view, out)
        raise BuildFailed(f"a function stands where a value is needed: {expression.type}")

    def apply(
        self,
        head: Expr,
        environment: Environment,
        arguments: tuple[Argument, ...],
        out: View | None = None,
    ) -> View:
        """Return the value of a function applied to all its arguments, or write it to `out`."""
        if not arguments:
            return self.run(head, environment, out)
        match head:
            case Primitive():
                arity = PATTERNS[head.name].arity
                if len(arguments) != arity:
                    raise BuildFailed(f"{head.name} is given {len(arguments)} of {arity} arguments")
                found = _HANDLERS[head.name](self, head, arguments, out)
                if out is None:
                    assert found is not None  # noqa: S101  (handlers return a view or write)
                    return found
                if found is not None:
                    self.write(found, out)
                return out
            case Lambda():
                inner = self.bind(head, arguments[0], environment)
                return self.apply(head.body, inner, arguments[1:], out)
            case App():
                first, more = spine(head)
                thunks = tuple(Thunk(a, environment) for a in more)
                return self.apply(first, environment, (*thunks, *arguments), out)
            case Identifier():
                closure = environment[head.name]
                assert isinstance(closure, Closure)  # noqa: S101  (it has a function's type)
                more_ = (*closure.arguments, *arguments)
                return self.apply(closure.head, closure.environment, more_, out)
        raise BuildFailed(f"a {type(head).__name__} cannot be applied")

    def call(
        self, function: Argument, arguments: tuple[View, ...], out: View | None = None
    ) -> View:
        """Return the value of a function argument applied to views, or write it to `out`."""
        if isinstance(function, Thunk):
            return self.apply(function.expression, function.environment, arguments, out)
        assert isinstance(function, Closure)  # noqa: S101  (it has a function's type)
        more = (*function.arguments, *arguments)
        return self.apply(function.head, function.environment, more, out)

    def view(self, argument: Argument) -> View:
        """Return the view of an argument's value."""
        if isinstance(argument, Thunk):
            return self.run(argument.expression, argument.environment)
        assert isinstance(argument, View)  # noqa: S101  (it has a value's type)
        return argument

    def array(self, argument: Argument) -> ArrayView:
        """Return the view of an array argument."""
        return as_array(self.view(argument))

    def put(self, argument: Argument, out: View) -> None:
        """Write an argument's value to `out`."""
        if isinstance(argument, Thunk):
            self.run(argument.expression, argument.environment, out)
        else:
            self.write(self.view(argument), out)

    def value(self, argument: Argument) -> Value:
        """Return the value of a scalar argument."""
        return as_scalar(self.view(argument)).value()

    def bind(self, function: Lambda, argument: Argument, environment: Environment) -> Environment:
        """Return the environment of a lambda's body."""
        param = function.param
        if isinstance(param.type, FunType):
            bound: View | Closure = self._closure(argument)
        else:
            bound = self._shared(self.view(argument), self.uses.of(function), "")
        return {**environment, param.name: bound}

    def _closure(self, argument: Argument) -> Closure:
        if isinstance(argument, Closure):
            return argument
        assert isinstance(argument, Thunk)  # noqa: S101  (it has a function's type)
        expression, environment = argument.expression, argument.environment
        if isinstance(expression, Identifier):
            found = environment[expression.name]
            assert isinstance(found, Closure)  # noqa: S101
            return found
        head, arguments = spine(expression)
        return Closure(head, environment, tuple(Thunk(a, environment) for a in arguments))

    def _shared(self, view: View, uses: Mapping[str, int], path: str) -> View:
        """Return `view` with scalars that are used more than once computed once."""
        if isinstance(view, PairView):
            return PairView(
                self._shared(view.first, uses, path + "0"),
                self._shared(view.second, uses, path + "1"),
            )
        if not isinstance(view, Scalar) or view.cheap:
            return view
        if sum(uses.get(path[:n], 0) for n in range(len(path) + 1)) < 2:
            return view
        return self.once(view)

    def once(self, view: Scalar) -> Scalar:
        """Return a view that computes the value here, when it is first asked for."""
        place = Block()
        self.add(place)
        found: list[Register | Constant] = []

        def value() -> Value:
            if not found:
                with self.into(place):
                    found.append(self.define(view.value()))
            return found[0]

        return Scalar(value)

    def define(self, value: Value) -> Register | Constant:
        """Return a register that holds `value` from here on."""
        if isinstance(value, Register | Constant):
            return value
        register = self.register(value.scalar, value.width)
        self.add(Define(register, value))
        return register

    # ---- statements

    def add(self, statement: Statement) -> None:
        """Append a statement to the present block."""
        self.block.statements.append(statement)

    @contextmanager
    def into(self, block: Block) -> Iterator[None]:
        """Write to `block` for a while."""
        before, self.block = self.block, block
        try:
            yield
        finally:
            self.block = before

    @contextmanager
    def fill(self) -> Iterator[None]:
        """Say that what is written from here on fills a place anew."""
        before, self.filling = self.filling, Filling(frozenset(self.loops))
        try:
            yield
        finally:
            self.filling = before

    def attempt(self, function: Callable[[], Value]) -> tuple[Value, Block]:
        """Return what `function` returns and a block with what it added, which is not kept."""
        block = Block()
        with self.into(block):
            value = function()
        return value, block

    def register(self, scalar: str, width: int) -> Register:
        """Return a new register."""
        return Register(f"t{next(self._names)}", scalar, width)

    def buffer(
        self,
        scalar: str,
        length: int,
        space: Space,
        *,
        table: tuple[float, ...] = (),
    ) -> Buffer:
        """Return a new buffer."""
        made = Buffer(f"{_HINTS[space]}{next(self._names)}", scalar, length, space, table=table)
        self.buffers.append(made)
        return made

    def loop(
        self,
        size: int,
        body: Callable[[Index], object],
        unroll: bool = False,
        threads: bool = False,
    ) -> None:
        """Add a sequential loop."""
        variable = Variable("i", size)
        if size == 1:
            body(of(variable))
            return
        statement = For(variable, Block(), unroll, threads)
        self.loops.append(id(statement))
        with self.into(statement.body):
            body(of(variable))
        self.loops.pop()
        self.add(statement)

    def parallel(
        self, size: int, level: Level, dimension: int, body: Callable[[Index], object]
    ) -> None:
        """Add a loop whose indices the work-items share out.

        Raises:
            BuildFailed: levels are nested in a way that devices do not know.
        """
        name = {"global": "mapGlobal", "group": "mapWorkGroup", "local": "mapLocal"}.get(level, "")
        for outer in self.around:
            if outer.dimension == dimension and _clash(outer.level, level):
                other = {"global": "mapGlobal", "group": "mapWorkGroup"}.get(
                    outer.level, "mapLocal"
                )
                raise BuildFailed(f"{name}({dimension}) stands inside {other}({dimension})")
        local, groups = self.launch.local[dimension], self.launch.groups[dimension]
        count = {Level.GLOBAL: local * groups, Level.GROUP: groups, Level.LOCAL: local}[level]
        if count == 1:
            self.loop(size, body)
            return
        place = self.place(level, dimension, count)
        turn = Variable("k", -(-size // count))
        variable = Variable(f"{_INDICES[level]}{dimension}", size)
        block = Block()
        statement = ParallelFor(variable, level, dimension, count, place, turn, block)
        self.add(statement)
        self.around.append(statement)
        self.loops.append(id(statement))
        with self.into(block):
            body(of(variable))
        self.loops.pop()
        self.around.pop()

    def place(self, level: Level, dimension: int, count: int) -> Variable:
        """Return the variable of the own place among `count` of a level and dimension."""
        key = (level, dimension)
        if key not in self.places:
            names = {Level.GLOBAL: "gid", Level.GROUP: "wg", Level.LOCAL: "lid"}
            self.places[key] = Variable(f"{names[level]}{dimension}", count)
        return self.places[key]

    # ---- writing

    def write(self, view: View, out: View) -> View:
        """Copy what `view` shows to `out`: scalars at once, arrays by loops."""
        if isinstance(view, ArrayView):
            target = as_array(out)
            self.loop(view.size, lambda i: self.write(view.at(i), target.at(i)))
            return out
        written: list[tuple[Scalar, Value]] = []
        self._collect(view, out, written)
        self.assign(written)
        return out

    def _collect(self, view: View, out: View, found: list[tuple[Scalar, Value]]) -> None:
        if isinstance(view, PairView):
            target = as_pair(out)
            self._collect(view.first, target.first, found)
            self._collect(view.second, target.second, found)
        elif isinstance(view, Scalar):
            found.append((as_scalar(out), view.value()))
        else:
            self.write(view, out)

    def assign(self, written: list[tuple[Scalar, Value]]) -> None:
        """Store several values; none sees what the others wrote."""
        buffers: set[Buffer] = set()
        ready = []
        for place, value in written:
            if buffers and any(load.buffer in buffers for load in loads(value)):
                ready.append((place, self.define(value) if len(written) > 1 else value))
            else:
                ready.append((place, value))
            buffers |= _buffers_of(place)
        for place, value in ready:
            self.store(place, value)

    def store(self, place: Scalar, value: Value) -> None:
        """Store a value at a place in memory."""
        if isinstance(place, Lanes):
            whole = place.side_by_side()
            if whole is not None:
                self.store(whole, value)
                return
            held = self.define(value)
            for lane in range(place.width):
                one = as_scalar(lanes_of(Scalar(held), constant(lane))).value()
                self.store(as_scalar(place.lane(constant(lane))), one)
            return
        if not isinstance(place, Memory):
            raise BuildFailed("a result is written through something that is no place in memory")
        if isinstance(value, Load) and _same_place(value, place):
            return
        self.add(Store(place.buffer, place.offset, value, self.filling))

    # ---- choices

    def guarded(
        self, test: Inside | Value, yes: Callable[[], View], no: Callable[[], View], type_: Type
    ) -> View:
        """Return `yes` where `test` holds, else `no`; what is not chosen is not computed."""
        if isinstance(test, Inside):
            if test.always:
                return yes()
            if test.never:
                return no()
        if isinstance(type_, ArrayType):
            inner = type_.element
            size = int(type_.size)  # type: ignore[arg-type]
            return ArrayView(
                size,
                lambda i: self.guarded(
                    test, lambda: as_array(yes()).at(i), lambda: as_array(no()).at(i), inner
                ),
            )
        if isinstance(type_, PairType):
            return PairView(
                self.guarded(
                    test, lambda: as_pair(yes()).first, lambda: as_pair(no()).first, type_.first
                ),
                self.guarded(
                    test, lambda: as_pair(yes()).second, lambda: as_pair(no()).second, type_.second
                ),
            )
        return Scalar(
            lambda: self._chosen(
                test, lambda: as_scalar(yes()).value(), lambda: as_scalar(no()).value()
            )
        )

    def _chosen(self, test: Value, yes: Callable[[], Value], no: Callable[[], Value]) -> Value:
        first, before_first = self.attempt(yes)
        second, before_second = self.attempt(no)
        if _empty(before_first) and _empty(before_second):
            return Choice(test, first, second)
        held = self.register(first.scalar, first.width)
        self.add(Define(held, None))
        before_first.statements.append(Define(held, first))
        before_second.statements.append(Define(held, second))
        self.add(Guard(test, before_first, before_second))
        return held


def _clash(outer: Level, inner: Level) -> bool:
    return (
        outer is inner
        or Level.GLOBAL in (outer, inner)
        or (outer, inner)
        == (
            Level.LOCAL,
            Level.GROUP,
        )
    )


def _buffers_of(place: Scalar) -> set[Buffer]:
    if isinstance(place, Memory):
        return {place.buffer}
    if isinstance(place, Lanes):
        return _buffers_of(as_scalar(place.lane(constant(0))))
    return set()


def _same_place(value: Load, place: Memory) -> bool:
    return (
        value.buffer is place.buffer and value.offset == place.offset and value.width == place.width
    )


def _empty(block: Block) -> bool:
    return all(isinstance(one, Block) and _empty(one) for one in block.statements)

"""From a typed expression to an imperative program.

The two translations of DPIA (Atkey, Steuwer et al., arXiv 1710.08332, section 4) in one function:
`run(e, env)` returns a view of e's value, adding the statements that it needs to the present block
(the continuation translation); `run(e, env, out)` writes e's value to the place `out` (the acceptor
translation). Memory is taken at `toMem` and for the accumulators of reductions, nowhere else: what
no pattern says how to run is computed where it is used, or copied by a plain loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from daybreak import BuildFailed
from daybreak_rise.codegen import patterns_low, patterns_move, patterns_scalar
from daybreak_rise.codegen.arguments import Argument, Closure, Environment, Thunk
from daybreak_rise.codegen.launch import Launch
from daybreak_rise.codegen.sharing import Uses
from daybreak_rise.codegen.values import Value
from daybreak_rise.codegen.views import (
    ArrayView,
    PairView,
    Scalar,
    View,
    as_array,
    as_scalar,
)
from daybreak_rise.codegen.writer import Writer
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Literal, Primitive, spine
from daybreak_rise.patterns import PATTERNS
from daybreak_rise.types import FunType

__all__ = ["Translator"]

Handler: TypeAlias = (
    "Callable[[Translator, Primitive, tuple[Argument, ...], View | None], View | None]"
)

_HANDLERS: dict[str, Handler] = {
    **patterns_low.HANDLERS,
    **patterns_move.HANDLERS,
    **patterns_scalar.HANDLERS,
}


class Translator(Writer):
    """One translation."""

    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        self.uses = Uses()

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

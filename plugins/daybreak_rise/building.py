"""How an expression gets its types while it is written (the words themselves: dsl.py).

A pattern without all its arguments is `Pending`: it has no type yet and may be composed (`>>`),
piped into (`x | f`) or given to another pattern; it gets its type when it meets an argument.
A Python function stands for a lambda. Numbers become literals of the type that is wanted.
The result is plain `expr` nodes; nothing of this module remains in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from daybreak_rise.errors import RiseTypeError
from daybreak_rise.expr import (
    App,
    Expr,
    Lambda,
    Literal,
    Static,
    apply,
    fresh,
)
from daybreak_rise.infer import Bindings, bind_statics, fill, match, primitive
from daybreak_rise.patterns import pattern
from daybreak_rise.types import (
    ArrayType,
    FunType,
    ScalarType,
    Type,
    VectorType,
    boolean,
    f32,
    i32,
    inputs,
)

__all__ = [
    "Argument",
    "Composed",
    "Pending",
    "Piped",
    "as_expression",
    "call",
    "elaborate",
    "fun",
    "literal",
    "pipe",
]


class Piped:
    """Something that becomes a function once the types of its arguments are known."""

    __slots__ = ()

    def at(self, *types: Type) -> Expr:
        """Return the typed function that takes arguments of these types."""
        raise NotImplementedError

    def __rshift__(self, after: Argument) -> Composed:
        """Return the function that does this and then `after`."""
        return Composed((self, after))

    def __rrshift__(self, before: Argument) -> Composed:
        return Composed((before, self))


Argument: TypeAlias = "Expr | Piped | Callable[..., Any] | float | int | bool"


class Composed(Piped):
    """Functions one after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Argument, ...]) -> None:
        self.parts = parts

    def __rshift__(self, after: Argument) -> Composed:
        return Composed((*self.parts, after))

    def __call__(self, argument: Expr) -> Expr:
        """Return the composition applied."""
        for part in self.parts:
            argument = pipe(argument, part)
        return argument

    def at(self, *types: Type) -> Expr:
        """Return a lambda that applies the parts in order."""
        if len(types) != 1:
            raise RiseTypeError(f"a composition takes one argument, not {len(types)}")
        return _lambda(self, types, ("x",))


class Pending(Piped):
    """A pattern that lacks arguments; calling it adds some."""

    __slots__ = ("arguments", "name", "statics")

    def __init__(
        self, name: str, statics: tuple[Static, ...], arguments: tuple[Argument, ...] = ()
    ) -> None:
        found = pattern(name)
        bind_statics(found, statics)
        self.name = name
        self.statics = statics
        self.arguments = arguments

    def __call__(self, *more: Argument) -> Any:
        """Return the pattern with more arguments: typed once all are there and one has a type."""
        arguments = self.arguments + more
        arity = pattern(self.name).arity
        if len(arguments) > arity:
            raise RiseTypeError(f"{self.name} takes {arity} arguments, not {len(arguments)}")
        if len(arguments) == arity:
            return _build(self.name, self.statics, arguments, ())
        return Pending(self.name, self.statics, arguments)

    def at(self, *types: Type) -> Expr:
        """Return the typed function from the arguments that are still missing."""
        arity = pattern(self.name).arity
        missing = arity - len(self.arguments)
        if len(types) != missing:
            raise RiseTypeError(f"{self.name} lacks {missing} arguments and meets {len(types)}")
        return _build(self.name, self.statics, self.arguments, types)

    def __repr__(self) -> str:
        return f"Pending({self.name}, {len(self.arguments)} of {pattern(self.name).arity})"


def fun(*parts: Any) -> Lambda:
    """Return a typed function: `fun(type, ..., body)`, one type for each parameter.

    `body` is a Python function of as many identifiers; their names are taken from its parameters.
    """
    *types, body = parts
    if not types or not all(isinstance(one, Type) for one in types):
        raise RiseTypeError("fun(type, ..., body) takes the parameters' types and then a function")
    made = elaborate(body, tuple(types))
    assert isinstance(made, Lambda)  # noqa: S101  (a Python function becomes a lambda)
    return made


def literal(value: Any, type_: Type | None = None) -> Literal:
    """Return a constant; without a type a float is an f32, an int an i32.

    A sequence becomes an array, nested ones an array of arrays.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [literal(v, type_) for v in value]
        if len({p.type for p in parts}) != 1:
            raise RiseTypeError("a literal array needs elements, all of one type")
        return Literal(tuple(p.value for p in parts), ArrayType(len(parts), parts[0].type))
    if type_ is None:
        type_ = boolean if isinstance(value, bool) else i32 if isinstance(value, int) else f32
    if isinstance(type_, ScalarType) and type_.name in ("f32", "f64"):
        value = float(value)
    elif type_ is not boolean and value != int(value):
        raise RiseTypeError(f"{value!r} is no {type_}")
    elif type_ is not boolean:
        value = int(value)
    return Literal(value, type_)


def pipe(argument: Expr, function: Argument) -> Expr:
    """Return `function` applied to `argument`: what `argument | function` means."""
    if isinstance(function, Expr):
        return App(function, argument)
    if isinstance(function, Pending):
        found = function(argument)
        if isinstance(found, Expr):
            return found
        raise RiseTypeError(f"{function.name} lacks more arguments than one")
    if callable(function):
        return as_expression(function(argument))
    raise RiseTypeError(f"{function!r} is no function")


def call(function: Expr, arguments: tuple[Argument, ...]) -> Expr:
    """Return a typed function applied: what `function(arguments)` means."""
    for argument in arguments:
        if not isinstance(function.type, FunType):
            raise RiseTypeError(f"a {function.type} is applied to something")
        function = App(function, _wanted(argument, function.type.input))
    return function


def as_expression(value: Any) -> Expr:
    """Return `value` if it is an expression and the literal if it is a number.

    Raises:
        RiseTypeError: it is a function without a type, or something else.
    """
    if isinstance(value, Expr):
        return value
    if isinstance(value, bool | int | float):
        return literal(value)
    raise RiseTypeError(f"{value!r} has no type yet", expected="an expression or a number")


def elaborate(argument: Argument, types: tuple[Type, ...]) -> Expr:
    """Return the typed function that `argument` is when it takes arguments of these types."""
    if isinstance(argument, Expr):
        return argument
    if isinstance(argument, Piped):
        return argument.at(*types)
    if callable(argument):
        return _lambda(argument, types, _names(argument, len(types)))
    raise RiseTypeError(f"{argument!r} is no function")


def _lambda(body: Callable[..., Any], types: tuple[Type, ...], names: tuple[str, ...]) -> Expr:
    taken = len(names)
    params = [fresh(name, t) for name, t in zip(names, types[:taken], strict=True)]
    result = body(*params)
    made = elaborate(result, types[taken:]) if types[taken:] else as_expression(result)
    for param in reversed(params):
        made = Lambda(param, made)
    return made


def _names(function: Callable[..., Any], most: int) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    if code is None:
        return tuple("xyzw"[:most])
    # a Python function's own parameters; those with defaults are not for us
    defaults = len(getattr(function, "__defaults__", None) or ())
    found: tuple[str, ...] = code.co_varnames[: code.co_argcount - defaults]
    if len(found) > most:
        raise RiseTypeError(f"a function of {len(found)} parameters stands where {most} are given")
    return found or tuple("xyzw"[:most])


def _wanted(argument: Argument, type_: Type) -> Expr:
    """Return `argument` as an expression of exactly this type, if it can be."""
    if isinstance(argument, Expr):
        return argument
    if isinstance(argument, bool | int | float):
        return literal(argument, type_)
    return elaborate(argument, inputs(type_)[0])


def _build(
    name: str, statics: tuple[Static, ...], arguments: tuple[Argument, ...], rest: tuple[Type, ...]
) -> Expr:
    """Return the primitive applied to `arguments`, `rest` being the types of those to come."""
    found = pattern(name)
    if all(isinstance(a, Expr) for a in arguments):
        ready = [a for a in arguments if isinstance(a, Expr)]
        head = primitive(name, statics, (*(a.type for a in ready), *rest))
        return apply(head, *ready)
    schemes, _ = inputs(found.scheme)
    bindings = bind_statics(found, statics)
    done: list[Expr | None] = [a if isinstance(a, Expr) else None for a in arguments]
    known = [None if a is None else a.type for a in done] + list(rest)
    for scheme, type_ in zip(schemes, known, strict=True):
        if type_ is not None:
            _try_match(name, scheme, type_, bindings)
    # numbers last: they take any type that a function's arguments may still fix
    order = sorted(
        (i for i, a in enumerate(done) if a is None),
        key=lambda i: isinstance(arguments[i], bool | int | float),
    )
    waiting = order
    while waiting:
        later = []
        for i in waiting:
            made = _elaborate_at(arguments[i], schemes[i], bindings)
            if made is None:
                later.append(i)
                continue
            done[i] = made
            _try_match(name, schemes[i], made.type, bindings)
        if len(later) == len(waiting):
            # nothing moved: a number whose type nobody fixes is what Python says it is
            numbers = [i for i in later if isinstance(arguments[i], bool | int | float)]
            if not numbers:
                raise RiseTypeError(
                    f"the types of the arguments of {name} are not known yet",
                    expected=str(found.scheme).replace("'", ""),
                )
            for i in numbers:
                made = literal(arguments[i])
                done[i] = made
                _try_match(name, schemes[i], made.type, bindings)
            later = [i for i in later if i not in numbers]
        waiting = later
    ready = [a for a in done if a is not None]
    return apply(primitive(name, statics, (*(a.type for a in ready), *rest)), *ready)


def _try_match(name: str, scheme: Type, type_: Type, bindings: Bindings) -> None:
    reason = match(scheme, type_, bindings, [])
    if reason is not None:
        shown = fill(scheme, bindings) or scheme
        raise RiseTypeError(f"{name}: {reason}: got {type_}", expected=str(shown).replace("'", ""))


def _elaborate_at(argument: Argument, scheme: Type, bindings: Bindings) -> Expr | None:
    if isinstance(argument, bool | int | float):
        type_ = fill(scheme, bindings)
        if type_ is None:
            return None
        if isinstance(type_, VectorType):
            copies = primitive("vectorFromScalar", (type_.size,), (type_.element,))
            return App(copies, literal(argument, type_.element))
        return literal(argument, type_)
    taken = []
    for one in inputs(scheme)[0]:
        filled = fill(one, bindings)
        if filled is None:
            return None
        taken.append(filled)
    return elaborate(argument, tuple(taken))

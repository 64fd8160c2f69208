"""The syntax tree: five kinds of node, immutable, each with its type from birth.

A node cannot be built with the wrong types: `App` compares the function's input with the
argument. So rewriting never infers a tree again; a rule only makes the few nodes it introduces.
Free variables and hashes are computed when first asked for and kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from daybreak_rise.errors import RiseTypeError
from daybreak_rise.nat import Nat, Size, replace_sizes
from daybreak_rise.types import FunType, Type, replace_sizes_in

if TYPE_CHECKING:
    from daybreak_rise.building import Piped

__all__ = [
    "App",
    "Expr",
    "Identifier",
    "Lambda",
    "Literal",
    "Primitive",
    "Static",
    "alpha_equal",
    "apply",
    "canonical",
    "fresh",
    "nodes",
    "replace_sizes_everywhere",
    "spine",
    "substitute",
]

# what a primitive takes besides its arguments: sizes, dimensions, address spaces, words
Static: TypeAlias = "Size | str"

_NONE: frozenset[str] = frozenset()
_numbers = itertools.count(1)


class Expr:
    """Base of the nodes. `type` is the node's type; operators build scalar patterns."""

    __slots__ = ("_free", "_hash", "normal_for", "type")
    type: Type
    # the strategies known to apply nowhere in here; kept by elevate.traversal.normalise
    normal_for: set[object] | None
    _free: frozenset[str] | None
    _hash: int | None

    @property
    def free(self) -> frozenset[str]:
        """Names of the identifiers that are used and not bound inside."""
        found = self._free
        if found is None:
            found = self._find_free()
            self._free = found
        return found

    def _find_free(self) -> frozenset[str]:
        return _NONE

    def _key(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or hash(self) != hash(other):
            return False
        return self._key() == other._key()

    def __hash__(self) -> int:
        found = self._hash
        if found is None:
            found = self._hash = hash(self._key())
        return found

    def __repr__(self) -> str:
        from daybreak_rise.printer import show

        return show(self)

    # how expressions are written: see building.py, which stands above this module
    def __call__(self, *arguments: Any) -> Expr:
        """Return the function applied to the arguments."""
        from daybreak_rise.building import call

        return call(self, arguments)

    def __or__(self, function: Piped) -> Expr:
        from daybreak_rise.building import pipe

        return pipe(self, function)

    def __add__(self, other: Any) -> Expr:
        return _operate("add", self, other)

    def __radd__(self, other: Any) -> Expr:
        return _operate("add", other, self)

    def __sub__(self, other: Any) -> Expr:
        return _operate("sub", self, other)

    def __rsub__(self, other: Any) -> Expr:
        return _operate("sub", other, self)

    def __mul__(self, other: Any) -> Expr:
        return _operate("mul", self, other)

    def __rmul__(self, other: Any) -> Expr:
        return _operate("mul", other, self)

    def __truediv__(self, other: Any) -> Expr:
        return _operate("div", self, other)

    def __rtruediv__(self, other: Any) -> Expr:
        return _operate("div", other, self)

    def __mod__(self, other: Any) -> Expr:
        return _operate("mod", self, other)

    def __lt__(self, other: Any) -> Expr:
        return _operate("lt", self, other)

    def __gt__(self, other: Any) -> Expr:
        return _operate("gt", self, other)

    def __neg__(self) -> Expr:
        return _operate("neg", self)

    def __abs__(self) -> Expr:
        return _operate("abs", self)


class Identifier(Expr):
    """A variable. Names are unique when made by `fresh`."""

    __slots__ = ("name",)
    name: str

    def __init__(self, name: str, type: Type) -> None:  # noqa: A002
        self.name = name
        self.type = type
        self._free = None
        self._hash = None
        self.normal_for = None

    def _find_free(self) -> frozenset[str]:
        return frozenset((self.name,))

    def _key(self) -> tuple[Any, ...]:
        return self.name, self.type


class Lambda(Expr):
    """A function of one parameter."""

    __slots__ = ("body", "param")
    param: Identifier
    body: Expr

    def __init__(self, param: Identifier, body: Expr) -> None:
        self.param = param
        self.body = body
        self.type = FunType(param.type, body.type)
        self._free = None
        self._hash = None
        self.normal_for = None

    def _find_free(self) -> frozenset[str]:
        return self.body.free - {self.param.name}

    def _key(self) -> tuple[Any, ...]:
        return self.param, self.body


class App(Expr):
    """A function applied to one argument.

    Raises:
        RiseTypeError: `fun` is no function or takes another type.
    """

    __slots__ = ("arg", "fun")
    fun: Expr
    arg: Expr

    def __init__(self, fun: Expr, arg: Expr) -> None:
        type_ = fun.type
        if not isinstance(type_, FunType) or type_.input is not arg.type:
            raise RiseTypeError(
                f"cannot apply {_head_name(fun)} : {type_} to a {arg.type}",
                expected=str(type_.input) if isinstance(type_, FunType) else "a function",
            )
        self.fun = fun
        self.arg = arg
        self.type = type_.output
        self._free = None
        self._hash = None
        self.normal_for = None

    def _find_free(self) -> frozenset[str]:
        left, right = self.fun.free, self.arg.free
        return left | right if left and right else left or right

    def _key(self) -> tuple[Any, ...]:
        return self.fun, self.arg


class Literal(Expr):
    """A constant: a number of a scalar or index type, or nested tuples of them for an array."""

    __slots__ = ("value",)
    value: Any

    def __init__(self, value: Any, type: Type) -> None:  # noqa: A002
        self.value = value
        self.type = type
        self._free = _NONE
        self._hash = None
        self.normal_for = None

    def _key(self) -> tuple[Any, ...]:
        # 1, 1.0 and True are equal to Python, and 0.0 equals -0.0: the text tells them apart
        return repr(self.value), self.type


class Primitive(Expr):
    """A pattern at one type: `name` as in patterns.PATTERNS, `statics` in its order."""

    __slots__ = ("name", "statics")
    name: str
    statics: tuple[Static, ...]

    def __init__(self, name: str, statics: tuple[Static, ...], type: Type) -> None:  # noqa: A002
        self.name = name
        self.statics = statics
        self.type = type
        self._free = _NONE
        self._hash = None
        self.normal_for = None

    def _key(self) -> tuple[Any, ...]:
        return self.name, self.statics, self.type


def fresh(hint: str, type: Type) -> Identifier:  # noqa: A002
    """Return an identifier whose name nothing else has: `hint`, an underscore and a number."""
    return Identifier(f"{hint.split('_')[0]}_{next(_numbers)}", type)


def apply(function: Expr, *arguments: Expr) -> Expr:
    """Return `function` applied to the arguments one after the other."""
    for argument in arguments:
        function = App(function, argument)
    return function


def spine(expression: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    """Return the head of nested applications and its arguments, first one first.

    `map(f)(x)` gives the primitive `map` and `(f, x)`.
    """
    arguments = []
    while isinstance(expression, App):
        arguments.append(expression.arg)
        expression = expression.fun
    arguments.reverse()
    return expression, tuple(arguments)


def nodes(expression: Expr, *, once: bool = False) -> Iterator[Expr]:
    """Yield the expression and everything inside it, parents first (parameters are left out).

    Args:
        expression: the whole.
        once: yield a part that several places share once, not once for each of them.
    """
    waiting = [expression]
    known: set[int] = set()
    while waiting:
        one = waiting.pop()
        if once:
            if id(one) in known:
                continue
            known.add(id(one))
        yield one
        if isinstance(one, App):
            waiting += (one.arg, one.fun)
        elif isinstance(one, Lambda):
            waiting.append(one.body)


def substitute(expression: Expr, name: str, value: Expr) -> Expr:
    """Return `expression` with the free identifier `name` replaced by `value`, capturing nothing.

    A part that does not use the name is shared, not copied.
    """
    if name not in expression.free:
        return expression
    match expression:
        case Identifier():
            return value
        case App():
            return App(
                substitute(expression.fun, name, value), substitute(expression.arg, name, value)
            )
        case Lambda():
            param, body = expression.param, expression.body
            if param.name in value.free:
                renamed = fresh(param.name, param.type)
                body = substitute(body, param.name, renamed)
                param = renamed
            return Lambda(param, substitute(body, name, value))
    raise AssertionError(f"{type(expression).__name__} has no free identifiers")


def canonical(expression: Expr) -> Expr:
    """Return `expression` with bound names numbered by their place: x0, x1, ...

    Two expressions that differ only in bound names become equal, in every process: the form to
    hash, to keep and to generate code from.
    """
    counter = itertools.count()
    taken = expression.free

    def number(one: Expr, names: dict[str, Identifier]) -> Expr:
        match one:
            case Identifier():
                return names.get(one.name, one)
            case App():
                return App(number(one.fun, names), number(one.arg, names))
            case Lambda():
                name = next(n for n in (f"x{i}" for i in counter) if n not in taken)
                param = Identifier(name, one.param.type)
                return Lambda(param, number(one.body, {**names, one.param.name: param}))
            case _:
                return one

    return number(expression, {})


def alpha_equal(left: Expr, right: Expr) -> bool:
    """Return whether the two are equal but for the names of their bound identifiers."""
    return left is right or canonical(left) == canonical(right)


def replace_sizes_everywhere(expression: Expr, values: Mapping[str, Size]) -> Expr:
    """Return `expression` with size symbols replaced in types and in primitives' statics."""
    match expression:
        case Identifier():
            return Identifier(expression.name, replace_sizes_in(expression.type, values))
        case Literal():
            return Literal(expression.value, replace_sizes_in(expression.type, values))
        case Primitive():
            statics = tuple(
                replace_sizes(s, values) if isinstance(s, Nat) else s for s in expression.statics
            )
            return Primitive(expression.name, statics, replace_sizes_in(expression.type, values))
        case App():
            return App(
                replace_sizes_everywhere(expression.fun, values),
                replace_sizes_everywhere(expression.arg, values),
            )
        case Lambda():
            param = expression.param
            return Lambda(
                Identifier(param.name, replace_sizes_in(param.type, values)),
                replace_sizes_everywhere(expression.body, values),
            )
    raise AssertionError(f"no such node: {type(expression).__name__}")


def _head_name(expression: Expr) -> str:
    head, _ = spine(expression)
    return head.name if isinstance(head, Primitive | Identifier) else "a function"


def _operate(name: str, *arguments: Any) -> Expr:
    from daybreak_rise.building import Pending, as_expression

    return as_expression(Pending(name, ())(*arguments))

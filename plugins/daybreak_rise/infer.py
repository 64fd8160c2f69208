"""Types of primitives: forward from what is known, by matching schemes; and a whole-tree check.

`primitive` finds a primitive's type from the types of its arguments (some may be unknown yet),
solving sizes where one unknown stands alone: a 1024.f32 given to `split(8)` : (n*8).t -> n.8.t
fixes n = 128. Answers are kept, so that the second use of a pattern at the same types is a
look-up. `check` derives every node anew and trusts no annotation; tests run it after each step.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from daybreak_rise.errors import RiseTypeError
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Literal, Primitive, Static
from daybreak_rise.nat import Nat, Size, divide_exactly, replace_sizes, symbols_of
from daybreak_rise.patterns import Pattern, StaticKind, pattern
from daybreak_rise.types import (
    AddressSpace,
    ArrayType,
    FunType,
    IndexType,
    PairType,
    ScalarType,
    Type,
    TypeVariable,
    VectorType,
    boolean,
    inputs,
    shape,
)

__all__ = ["Bindings", "bind_statics", "check", "fill", "match", "primitive", "settle"]

# scheme variables ("t") and scheme sizes ("'n") -> what they stand for
Bindings: TypeAlias = dict[str, "Type | Size"]


@lru_cache(maxsize=1 << 16)
def primitive(
    name: str,
    statics: tuple[Static, ...],
    known: tuple[Type | None, ...],
    result: Type | None = None,
) -> Primitive:
    """Return the primitive `name` at the type that its arguments (and its result) fix.

    Args:
        name: as in `PATTERNS`.
        statics: static parameters in the pattern's order.
        known: the first arguments' types; None where unknown.
        result: the type after all of `known`, where it is known from outside.

    Raises:
        RiseTypeError: they do not fit, or do not fix every variable.
    """
    found = pattern(name)
    bindings = bind_statics(found, statics)
    scheme = found.scheme
    wanted: list[tuple[Type, Type]] = []
    for one in known:
        if not isinstance(scheme, FunType):
            raise RiseTypeError(f"{name} takes {found.arity} arguments, not {len(known)}")
        if one is not None:
            wanted.append((scheme.input, one))
        scheme = scheme.output
    if result is not None:
        wanted.append((scheme, result))
    settle(found, wanted, bindings)
    type_ = fill(found.scheme, bindings)
    if type_ is None:
        raise RiseTypeError(
            f"the arguments of {_title(found, statics)} do not fix its type",
            expected=str(found.scheme).replace("'", ""),
        )
    return Primitive(name, statics, type_)


def bind_statics(found: Pattern, statics: tuple[Static, ...]) -> Bindings:
    """Return what the static parameters fix in the scheme.

    Raises:
        RiseTypeError: their number or one of them is wrong.
    """
    if len(statics) != len(found.statics):
        names = ", ".join(name for name, _ in found.statics) or "none"
        raise RiseTypeError(
            f"{found.name} has {len(statics)} static parameters", expected=f"{names}"
        )
    bindings: Bindings = {}
    for (name, kind), value in zip(found.statics, statics, strict=True):
        if kind is StaticKind.SIZE:
            least = 0 if name in ("left", "right") or found.name in ("take", "drop") else 1
            if (
                isinstance(value, bool)
                or not isinstance(value, int | Nat)
                or (isinstance(value, int) and value < least)
            ):
                raise RiseTypeError(
                    f"{found.name}: {name} is {value!r}", expected=f"a size of at least {least}"
                )
            bindings[f"'{name}"] = value
        elif kind is StaticKind.SCALAR:
            try:
                bindings["b"] = ScalarType(str(value))
            except ValueError as fault:
                raise RiseTypeError(f"{found.name}: {fault}") from None
        elif kind is StaticKind.ADDRESS:
            if value not in tuple(AddressSpace):
                raise RiseTypeError(
                    f"{found.name}: no address space {value!r}",
                    expected="one of " + ", ".join(AddressSpace),
                )
        elif value not in (0, 1, 2):
            raise RiseTypeError(f"{found.name}: {name} is {value!r}", expected="0, 1 or 2")
    return bindings


def settle(found: Pattern, wanted: list[tuple[Type, Type]], bindings: Bindings) -> None:
    """Match pairs of (scheme, type), coming back to sizes with two unknowns once one is fixed.

    Raises:
        RiseTypeError: a pair does not fit.
    """
    open_sizes: list[tuple[Size, Size]] = []
    for scheme, type_ in wanted:
        reason = match(scheme, type_, bindings, open_sizes)
        if reason is not None:
            shown = fill(scheme, bindings) or scheme
            raise RiseTypeError(
                f"{found.name}: {reason}: got {type_}", expected=str(shown).replace("'", "")
            )
    for pair in open_sizes:
        reason = _match_size(*pair, bindings, [])
        if reason is not None:
            raise RiseTypeError(f"{found.name}: {reason}")


def match(
    scheme: Type, type_: Type, bindings: Bindings, open_sizes: list[tuple[Size, Size]]
) -> str | None:
    """Bind the variables of `scheme` so that it becomes `type_`; return why not, or None."""
    if scheme is type_:
        return None
    if isinstance(scheme, TypeVariable):
        bound = bindings.get(scheme.name)
        if bound is not None:
            return None if bound is type_ else f"{scheme} is {bound} already"
        if not _admits(scheme.kind, type_):
            return f"{type_} is no {scheme.kind}"
        bindings[scheme.name] = type_
        return None
    if type(scheme) is not type(type_):
        return "another kind of type"
    match scheme, type_:
        case (ArrayType(size=wanted, element=inner), ArrayType(size=given, element=held)) | (
            VectorType(size=wanted, element=inner),
            VectorType(size=given, element=held),
        ):
            return match_both(
                _match_size(wanted, given, bindings, open_sizes),
                match(inner, held, bindings, open_sizes),
            )
        case IndexType(), IndexType():
            return _match_size(scheme.size, type_.size, bindings, open_sizes)
        case PairType(), PairType():
            return match_both(
                match(scheme.first, type_.first, bindings, open_sizes),
                match(scheme.second, type_.second, bindings, open_sizes),
            )
        case FunType(), FunType():
            return match_both(
                match(scheme.input, type_.input, bindings, open_sizes),
                match(scheme.output, type_.output, bindings, open_sizes),
            )
    return "another type"


def match_both(first: str | None, second: str | None) -> str | None:
    """Return the first reason there is."""
    return second if first is None else first


def fill(scheme: Type, bindings: Bindings) -> Type | None:
    """Return `scheme` with its variables replaced, or None while one is unknown."""
    match scheme:
        case TypeVariable():
            bound = bindings.get(scheme.name)
            return bound if isinstance(bound, Type) else None
        case ArrayType() | VectorType():
            size, inner = _fill_size(scheme.size, bindings), fill(scheme.element, bindings)
            if size is None or inner is None:
                return None
            return (ArrayType if isinstance(scheme, ArrayType) else VectorType)(size, inner)
        case IndexType():
            size = _fill_size(scheme.size, bindings)
            return None if size is None else IndexType(size)
        case PairType():
            first, second = fill(scheme.first, bindings), fill(scheme.second, bindings)
            return None if first is None or second is None else PairType(first, second)
        case FunType():
            left, right = fill(scheme.input, bindings), fill(scheme.output, bindings)
            return None if left is None or right is None else FunType(left, right)
    return scheme


def check(expression: Expr) -> Type:
    """Derive the type of `expression` from its leaves alone and return it.

    Raises:
        RiseTypeError: a node's type is not what the scheme and its parts give; an identifier is
            used at another type than its binder's.
    """
    return _check(expression, {})


def _check(expression: Expr, scope: dict[str, Type]) -> Type:
    match expression:
        case Identifier():
            bound = scope.get(expression.name)
            if bound is not None and bound is not expression.type:
                raise RiseTypeError(f"{expression.name} : {expression.type} is bound as {bound}")
            found = expression.type
        case Literal():
            _check_literal(expression.value, expression.type)
            found = expression.type
        case Primitive():
            arguments, result = inputs(expression.type)
            arity = pattern(expression.name).arity
            if len(arguments) < arity:
                raise RiseTypeError(f"{expression.name} : {expression.type} is not its type")
            # a result may itself be a function only through a variable, which stands for data
            found = primitive(expression.name, expression.statics, arguments[:arity], result).type
        case Lambda():
            inner = {**scope, expression.param.name: expression.param.type}
            found = FunType(expression.param.type, _check(expression.body, inner))
        case App():
            function, argument = _check(expression.fun, scope), _check(expression.arg, scope)
            if not isinstance(function, FunType) or function.input is not argument:
                raise RiseTypeError(f"a {function} is applied to a {argument}")
            found = function.output
        case _:
            raise RiseTypeError(f"no such node: {type(expression).__name__}")
    if found is not expression.type:
        raise RiseTypeError(f"a node says it is a {expression.type} and is a {found}")
    return found


def _check_literal(value: object, type_: Type) -> None:
    if isinstance(type_, ArrayType):
        if not isinstance(value, tuple) or len(value) != type_.size:
            raise RiseTypeError(f"a literal of {shape(type_)[0]} elements is written as a tuple")
        for one in value:
            _check_literal(one, type_.element)
    elif isinstance(type_, IndexType):
        low = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not low or (isinstance(type_.size, int) and value >= type_.size):  # type: ignore[operator]
            raise RiseTypeError(f"{value!r} is no {type_}")
    elif isinstance(type_, ScalarType):
        fits = isinstance(value, bool) if type_ is boolean else isinstance(value, int | float)
        if not fits:
            raise RiseTypeError(f"{value!r} is no {type_}")
    else:
        raise RiseTypeError(f"there are no literals of {type_}")


def _admits(kind: str, type_: Type) -> bool:
    if kind == "data":
        return not isinstance(type_, FunType)
    if kind == "scalar":
        return isinstance(type_, ScalarType | IndexType)
    plain = type_.element if isinstance(type_, VectorType) else type_
    return isinstance(plain, ScalarType) and plain is not boolean


def _fill_size(scheme: Size, bindings: Bindings) -> Size | None:
    if isinstance(scheme, int):
        return scheme
    values: dict[str, Size] = {}
    for name in _own(scheme):
        bound = bindings.get(name)
        if bound is None:
            return None
        assert not isinstance(bound, Type)  # noqa: S101  (quoted names are sizes)
        values[name] = bound
    return _replaced(scheme, values)


@lru_cache(maxsize=1 << 10)
def _own(scheme: Size) -> tuple[str, ...]:
    """Return the scheme's own symbols, those with a quote, in it."""
    return tuple(sorted(name for name in symbols_of(scheme) if name[0] == "'"))


def _replaced(scheme: Nat, values: dict[str, Size]) -> Size:
    """Return `replace_sizes(scheme, values)`, by plain arithmetic where all values are numbers."""
    total = 0
    for monomial, coefficient in scheme.terms:
        for atom, power in monomial:
            value = values.get(atom) if isinstance(atom, str) else None
            if type(value) is not int:
                return replace_sizes(scheme, values)
            coefficient *= value**power
        total += coefficient
    return total


def _match_size(
    scheme: Size, size: Size, bindings: Bindings, open_sizes: list[tuple[Size, Size]]
) -> str | None:
    """Make `scheme` equal `size`: a*x + b = size gives x = (size - b) / a."""
    if isinstance(scheme, int):
        return None if scheme == size else f"sizes differ: {scheme} and {size}"
    values: dict[str, Size] = {}
    unknown = []
    for name in _own(scheme):
        bound = bindings.get(name)
        if bound is None:
            unknown.append(name)
        else:
            assert not isinstance(bound, Type)  # noqa: S101  (quoted names are sizes)
            values[name] = bound
    if not unknown:
        left = _replaced(scheme, values)
        return None if left == size else f"sizes differ: {left} and {size}"
    if len(unknown) > 1:
        open_sizes.append((scheme, size))
        return None
    (name,) = unknown
    # every scheme is linear in each of its sizes: its values at 0 and 1 give the line
    rest = _replaced(scheme, {**values, name: 0})
    factor = _replaced(scheme, {**values, name: 1}) - rest
    found = divide_exactly(size - rest, factor)
    if found is None:
        if isinstance(size - rest, int):
            return f"{size - rest} is no multiple of {factor}"
        return f"{size - rest} is not known to be a multiple of {factor}; write it as {factor}*m"
    if isinstance(found, int) and found < 1:
        return f"a size would be {found}"
    bindings[name] = found
    return None


def _title(found: Pattern, statics: tuple[Static, ...]) -> str:
    return found.name + (f"({', '.join(map(str, statics))})" if statics else "")

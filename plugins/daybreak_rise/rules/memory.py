"""Rules that name values and put them into address spaces."""

from __future__ import annotations

from collections.abc import Callable

from daybreak_rise.building import Pending
from daybreak_rise.dsl import as_scalar, as_vector, fst, let, pair, snd, to_mem
from daybreak_rise.elevate.strategy import Failure, Strategy, rule
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Primitive, fresh, nodes, substitute
from daybreak_rise.nat import Size, divide_exactly
from daybreak_rise.rules.forms import beta, called
from daybreak_rise.types import AddressSpace, ArrayType, FunType, PairType, ScalarType

__all__ = ["Copy", "bind", "copied", "copy_after", "let_out_of_argument", "stage", "stored"]

#: returns an expression with the same value that copies its argument, element by element
Copy = Callable[[Expr], Expr]


def copied(*maps: Pending, width: Size = 1) -> Copy:
    """Return the copy by nested maps, outermost first: `copied(map_local(1), map_local(0))`.

    The innermost map copies `width` scalars at a time. An array of more dimensions than maps is
    copied by the innermost map's last elements as they are; one of fewer fails when it is typed.
    """

    def copy(e: Expr) -> Expr:
        return _copied(e, maps, width)

    return copy


def _copied(e: Expr, maps: tuple[Pending, ...], width: Size) -> Expr:
    if not maps:
        return e
    if len(maps) == 1 and width != 1:
        wide: Expr = maps[0](lambda v: v, e | as_vector(width)) | as_scalar
        return wide
    found: Expr = maps[0](lambda x: _copied(x, maps[1:], width), e)
    return found


def copy_after(*maps: Pending, width: Size = 1) -> Strategy:
    """`x -> x | map(.. map(v. v))`: copied by these maps, the last one taking vectors of `width`.

    Needs: an array of as many dimensions; for vectors, of scalars in rows that `width` divides.
    """

    def run(e: Expr) -> Expr | str | None:
        type_, size = e.type, width
        for _ in maps:
            if not isinstance(type_, ArrayType):
                return f"{e.type} has fewer than {len(maps)} dimensions"
            size, type_ = type_.size, type_.element
        if width != 1:
            if not isinstance(type_, ScalarType):
                return f"there are no vectors of {type_}"
            if divide_exactly(size, width) is None:
                return f"{width} does not divide {size}"
        return _copied(e, maps, width)

    shown = [*(m.name for m in maps), *([str(width)] if width != 1 else [])]
    return rule(f"copy_after({', '.join(shown)})", run, needs="an array")


def stored(address: AddressSpace) -> Strategy:
    """`x -> toMem(address)(x)`: the value is written to `address`."""

    def run(e: Expr) -> Expr | None:
        if isinstance(e.type, FunType) or called(e, "toMem") is not None:
            return None
        found: Expr = to_mem(address)(e)
        return found

    return rule(f"stored({address.value})", run, needs="a value that is not stored yet")


def stage(address: AddressSpace, copy: Copy, second: Copy | None = None) -> Strategy:
    """`y. b -> y. let(toMem(address)(copy(y)), s. b[s for y])`: a parameter copied before use.

    Of a pair both parts are copied, the second by `second` where it is given.
    """

    def run(e: Expr) -> Expr | str | None:
        if type(e) is not Lambda or isinstance(e.param.type, FunType):
            return None
        if isinstance(e.body.type, FunType):
            return "the function takes more arguments: stage its last one"
        y = e.param

        def kept(value: Expr, how: Copy, rest: Callable[[Identifier], Expr]) -> Expr:
            name = fresh("kept", value.type)
            found: Expr = let(to_mem(address)(how(value)), Lambda(name, rest(name)))
            return found

        if isinstance(y.type, PairType):
            body = kept(
                fst(y),
                copy,
                lambda a: kept(
                    snd(y), second or copy, lambda b: substitute(e.body, y.name, pair(a, b))
                ),
            )
        else:
            body = kept(y, copy, lambda s: substitute(e.body, y.name, s))
        return Lambda(y, body)

    return rule(f"stage({address.value})", run, needs="a function")


def bind(where: Strategy, hint: str = "kept") -> Strategy:
    """`e -> let(v, x. e[x for v])` for the first part v, top down, of which `where` holds.

    All equal parts are replaced. Needs: v uses nothing that is bound inside e.
    """

    def run(e: Expr) -> Expr | str | None:
        if isinstance(e.type, FunType):
            return None
        for part in nodes(e):
            if part is e or isinstance(part.type, FunType):
                continue
            if isinstance(where.run(part), Failure) or not part.free <= e.free:
                continue
            name = fresh(hint, part.type)
            found: Expr = let(part, Lambda(name, _replaced(e, part, name)))
            return found
        return f"no part of it, free of what it binds, is {where.name}"

    return rule(f"bind({where.name})", run, needs="a value")


def _replaced(e: Expr, part: Expr, name: Identifier) -> Expr:
    if e == part:
        return name
    if type(e) is App:
        fun, arg = _replaced(e.fun, part, name), _replaced(e.arg, part, name)
        return e if fun is e.fun and arg is e.arg else App(fun, arg)
    if type(e) is Lambda and e.param.name not in part.free:
        body = _replaced(e.body, part, name)
        return e if body is e.body else Lambda(e.param, body)
    return e


def _let_out(e: Expr) -> Expr | str | None:
    if type(e) is not App or isinstance(e.fun, Lambda):
        return None
    found = called(e.arg, "let")
    if found is None or len(found[1]) != 2 or isinstance(e.type, FunType):
        return None
    if type(e.fun) is Primitive and e.fun.name == "let":
        return None
    value, function = found[1]
    type_ = function.type
    assert isinstance(type_, FunType)  # noqa: S101  (what let takes)
    name = fresh("kept", type_.input)
    made: Expr = let(value, Lambda(name, App(e.fun, beta(function, name))))
    return made


# f(let(v, x. b)) -> let(v, x. f(b))
let_out_of_argument = rule("let_out_of_argument", _let_out, needs="f(let(v, g))")

"""Rules on zips: taking maps out of them, leaving out a part, equal and exchanged parts."""

from __future__ import annotations

from daybreak_rise.dsl import fst, map_, pair, snd, zip_
from daybreak_rise.elevate.strategy import rule
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Primitive, alpha_equal, fresh
from daybreak_rise.patterns import MAPS
from daybreak_rise.rules.forms import as_map, beta, called, lam, mapping, same_pattern, uses
from daybreak_rise.types import ArrayType

__all__ = ["map_of_zip_part", "map_out_of_zip", "zip_same", "zip_swap"]


def _map_out_of_zip(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2:
        return None
    left, right = found[1]
    one, two = as_map(left), as_map(right)
    if one is not None and two is not None and not same_pattern(one.head, two.head):
        two = None
    if one is None and two is None:
        return None
    head = (one or two).head  # type: ignore[union-attr]  # one of them is there
    both = zip_(left if one is None else one.array, right if two is None else two.array)

    def parts(p: Identifier) -> Expr:
        first, second = fst(p), snd(p)
        made: Expr = pair(
            first if one is None else beta(one.function, first),
            second if two is None else beta(two.function, second),
        )
        return made

    assert isinstance(both.type, ArrayType)  # noqa: S101  (what zip gives)
    return mapping(head, lam(both.type.element, parts, "p"), both)


# zip(*f a, *g b) -> zip(a, b) >> *(p. pair(f(fst p), g(snd p))); also with one map only
map_out_of_zip = rule(
    "map_out_of_zip", _map_out_of_zip, needs="a zip of a map: zip(map(f)(a), b)", heads=("zip",)
)


def _map_of_zip(e: Expr) -> Expr | str | None:
    form = as_map(e)
    found = None if form is None else called(form.array, "zip")
    if form is None or found is None or len(found[1]) != 2 or type(form.function) is not Lambda:
        return None
    p, body = form.function.param, form.function.body
    for part, array in zip(("fst", "snd"), found[1], strict=True):
        assert isinstance(array.type, ArrayType)  # noqa: S101  (what zip takes)
        x = fresh(p.name, array.type.element)
        only = _with_part(body, part, p, x)
        if not uses(only, p):
            return mapping(form.head, Lambda(x, only), array)
    return "the function uses both parts, or the pair itself"


def _with_part(e: Expr, part: str, p: Identifier, x: Identifier) -> Expr:
    """Return `e` with `part(p)` replaced by x."""
    if not uses(e, p):
        return e
    if type(e) is App:
        if e.arg == p and type(e.fun) is Primitive and e.fun.name == part:
            return x
        return App(_with_part(e.fun, part, p, x), _with_part(e.arg, part, p, x))
    if type(e) is Lambda:
        return Lambda(e.param, _with_part(e.body, part, p, x))
    return e


# zip(a, b) >> *(p. f(fst p)) -> a | *f; the same of snd
map_of_zip_part = rule(
    "map_of_zip_part", _map_of_zip, needs="a map of a zip: map(p. f(fst(p)))(zip(a, b))", heads=MAPS
)


def _zip_same(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2 or found[1][0].type is not found[1][1].type:
        return None
    if not alpha_equal(*found[1]):
        return None
    made: Expr = found[1][0] | map_(lambda x: pair(x, x))
    return made


# zip(a, a) -> a | *(x. pair(x, x))
zip_same = rule("zip_same", _zip_same, needs="zip(a, a)", heads=("zip",))


def _zip_swap(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2:
        return None
    left, right = found[1]
    made: Expr = zip_(right, left) | map_(lambda p: pair(snd(p), fst(p)))
    return made


# zip(a, b) -> zip(b, a) >> *(p. pair(snd p, fst p))
zip_swap = rule("zip_swap", _zip_swap, needs="zip(a, b)")

"""Rules that simplify: they always make an expression smaller or bring it to a normal form."""

from __future__ import annotations

from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import App, Expr, Identifier, Lambda, Primitive, fresh, spine
from daybreak_rise.patterns import PATTERNS
from daybreak_rise.rules.forms import as_map, beta, called
from daybreak_rise.types import FunType, inputs

__all__ = [
    "beta_reduction",
    "eta_abstraction",
    "eta_reduction",
    "first_of_pair",
    "join_of_split",
    "let_inline",
    "map_identity",
    "pair_of_parts",
    "scalars_of_vectors",
    "second_of_pair",
    "split_of_join",
    "transpose_twice",
    "unzip_of_zip",
    "vectors_of_scalars",
    "zip_of_unzip",
]


def _beta(e: Expr) -> Expr | None:
    if type(e) is App and type(e.fun) is Lambda:
        return beta(e.fun, e.arg)
    return None


beta_reduction = rule(
    "beta_reduction", _beta, needs="a lambda applied: (x. body)(a)", heads=("lambda",)
)


def _eta(e: Expr) -> Expr | None:
    if type(e) is Lambda and type(e.body) is App:
        name, last = e.param.name, e.body.arg
        if type(last) is Identifier and last.name == name and name not in e.body.fun.free:
            return e.body.fun
    return None


eta_reduction = rule("eta_reduction", _eta, needs="a lambda x. f(x)")


# how many parameters each argument of a pattern has; 0: it is no function
_PARAMETERS = {
    name: tuple(len(inputs(taken)[0]) for taken in inputs(found.scheme)[0])
    for name, found in PATTERNS.items()
}


def _abstract(e: Expr) -> Expr | None:
    """Return the first argument of a pattern that should be a lambda and is not, as a lambda."""
    if type(e) is not App:
        return None
    head, arguments = spine(e)
    if type(head) is not Primitive:
        return None
    # e stands for its last argument: `map(f)` for f, `reduce(f, z)` for z
    made = _lambdas(e.arg, _PARAMETERS[head.name][len(arguments) - 1])
    return None if made is e.arg else App(e.fun, made)


def _lambdas(function: Expr, depth: int) -> Expr:
    """Return the function with `depth` lambdas in front; itself where it has them already."""
    if depth == 0:
        return function
    if type(function) is Lambda:
        inner = _lambdas(function.body, depth - 1)
        return function if inner is function.body else Lambda(function.param, inner)
    type_ = function.type
    assert isinstance(type_, FunType)  # noqa: S101  (the pattern takes a function here)
    param = fresh("x" if depth == 1 else "acc", type_.input)
    return Lambda(param, _lambdas(App(function, param), depth - 1))


eta_abstraction = rule(
    "eta_abstraction",
    _abstract,
    needs="a pattern whose function is no lambda: map(f)",
    heads=(name for name in PATTERNS if any(_PARAMETERS[name])),
)


def _part(name: str, place: int) -> Strategy:
    def run(e: Expr) -> Expr | None:
        if type(e) is App and type(e.fun) is Primitive and e.fun.name == name:
            found = called(e.arg, "pair")
            if found is not None and len(found[1]) == 2:
                return found[1][place]
        return None

    word = ("first", "second")[place]
    return rule(f"{word}_of_pair", run, needs=f"{name}(pair(a, b))", heads=(name,))


first_of_pair = _part("fst", 0)
second_of_pair = _part("snd", 1)


def _pair(e: Expr) -> Expr | None:
    found = called(e, "pair")
    if found is None or len(found[1]) != 2:
        return None
    first, second = called(found[1][0], "fst"), called(found[1][1], "snd")
    if first is None or second is None or not first[1] or not second[1]:
        return None
    return first[1][0] if first[1][0] == second[1][0] else None


pair_of_parts = rule("pair_of_parts", _pair, needs="pair(fst(p), snd(p))", heads=("pair",))


def _undone(name: str, outer: str, inner: str) -> Strategy:
    """Return the rule outer(inner(x)) -> x, where the types agree."""

    def run(e: Expr) -> Expr | None:
        first = _single(e, outer)
        second = None if first is None else _single(first, inner)
        return second if second is not None and second.type is e.type else None

    return rule(name, run, needs=f"{outer} of {inner} with the same sizes", heads=(outer,))


def _single(e: Expr, name: str) -> Expr | None:
    if type(e) is App and type(e.fun) is Primitive and e.fun.name == name:
        return e.arg
    return None


transpose_twice = _undone("transpose_twice", "transpose", "transpose")
join_of_split = _undone("join_of_split", "join", "split")
split_of_join = _undone("split_of_join", "split", "join")
scalars_of_vectors = _undone("scalars_of_vectors", "asScalar", "asVector")
vectors_of_scalars = _undone("vectors_of_scalars", "asVector", "asScalar")


def _unzip(e: Expr) -> Expr | None:
    inner = _single(e, "unzip")
    found = None if inner is None else called(inner, "zip")
    if found is None or len(found[1]) != 2:
        return None
    from daybreak_rise.dsl import pair

    made: Expr = pair(*found[1])
    return made


unzip_of_zip = rule("unzip_of_zip", _unzip, needs="unzip(zip(a, b))", heads=("unzip",))


def _zip_unzip(e: Expr) -> Expr | None:
    found = called(e, "zip")
    if found is None or len(found[1]) != 2:
        return None
    first, second = (_single(a, n) for a, n in zip(found[1], ("fst", "snd"), strict=True))
    left = None if first is None else _single(first, "unzip")
    right = None if second is None else _single(second, "unzip")
    return left if left is not None and left == right else None


zip_of_unzip = rule(
    "zip_of_unzip", _zip_unzip, needs="zip(fst(unzip(x)), snd(unzip(x)))", heads=("zip",)
)


def _map_identity(e: Expr) -> Expr | None:
    form = as_map(e)
    if form is None or form.head.name != "map" or type(form.function) is not Lambda:
        return None
    body = form.function.body
    same = type(body) is Identifier and body.name == form.function.param.name
    return form.array if same else None


map_identity = rule("map_identity", _map_identity, needs="map(x. x)", heads=("map",))


def _let(e: Expr) -> Expr | None:
    found = called(e, "let")
    if found is None or len(found[1]) != 2:
        return None
    return beta(found[1][1], found[1][0])


let_inline = rule("let_inline", _let, needs="let(value, f)", heads=("let",))

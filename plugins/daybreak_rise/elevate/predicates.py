"""Questions as strategies: they change nothing and fail where the answer is no."""

from __future__ import annotations

from collections.abc import Callable

from daybreak_rise.elevate.strategy import Failure, Result, Strategy, named, predicate
from daybreak_rise.expr import App, Expr, Lambda, Primitive, nodes, spine
from daybreak_rise.patterns import MAPS, PATTERNS, REDUCES
from daybreak_rise.types import Type

__all__ = [
    "applied",
    "contains",
    "is_applied_map",
    "is_applied_reduce",
    "is_lambda",
    "is_primitive",
    "map_nest",
    "of_type",
]


def is_primitive(*names: str) -> Strategy:
    """Return the question whether the expression is one of these patterns, without arguments."""
    wanted = frozenset(names)
    return predicate(
        f"is_primitive({', '.join(names)})",
        lambda e: type(e) is Primitive and e.name in wanted,
    )


def applied(*names: str) -> Strategy:
    """Return the question whether the expression is one of these patterns with all arguments."""
    wanted = {name: PATTERNS[name].arity for name in names}

    def holds(expression: Expr) -> bool:
        if type(expression) is not App:
            return False
        head, arguments = spine(expression)
        return type(head) is Primitive and wanted.get(head.name) == len(arguments)

    return predicate(f"applied({', '.join(names)})", holds)


is_lambda = predicate("is_lambda", lambda e: type(e) is Lambda)
is_applied_map = named("is_applied_map", applied(*MAPS))
is_applied_reduce = named("is_applied_reduce", applied(*REDUCES))


def of_type(name: str, fits: Callable[[Type], bool]) -> Strategy:
    """Return the question whether the expression's type fits."""
    return predicate(f"of_type({name})", lambda e: fits(e.type))


def contains(what: Strategy) -> Strategy:
    """Return the question whether `what` holds of the expression or of a part of it."""
    return predicate(
        f"contains({what.name})",
        lambda e: any(not isinstance(what.run(one), Failure) for one in nodes(e)),
    )


def map_nest(depth: int, *names: str) -> Strategy:
    """Return the question whether `depth` maps stand one in the other: map(x. map(y. ...)).

    Each map must be the whole body of the one around it; `names` are the maps that count, all
    of them if none is given.
    """
    question = applied(*(names or MAPS))

    name = f"map_nest({depth})"

    def run(start: Expr) -> Result:
        expression = start
        for left in range(depth, 0, -1):
            found = question.run(expression)
            if isinstance(found, Failure):
                return Failure(name, f"{left} maps are missing")
            mapped = spine(expression)[1][0]
            if type(mapped) is not Lambda:
                if left == 1:
                    return start
                return Failure(name, f"{left - 1} maps are missing")
            expression = mapped.body
        return start

    return Strategy(name, run)

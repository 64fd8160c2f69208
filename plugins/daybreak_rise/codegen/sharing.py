"""Which parts of a lambda's parameter its body uses more than once."""

from __future__ import annotations

from collections.abc import Mapping

from daybreak_rise.expr import App, Expr, Identifier, Lambda, Primitive

__all__ = ["Uses"]

_STEP = {"fst": "0", "snd": "1"}


class Uses:
    """Counts of uses, remembered for each lambda."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[Lambda, dict[str, int]]] = {}

    def of(self, function: Lambda) -> Mapping[str, int]:
        """Return how often each part is used: "" the whole, "0" its first, "10" snd's first ...

        A use inside another lambda counts twice: that may run more than once.
        """
        kept = self._found.get(id(function))
        if kept is None:
            counts: dict[str, int] = {}
            _count(function.body, function.param.name, 1, counts)
            kept = (function, counts)  # the lambda is kept so that its id stays its own
            self._found[id(function)] = kept
        return kept[1]


def _count(expression: Expr, name: str, weight: int, counts: dict[str, int]) -> None:
    if name not in expression.free:
        return
    path = _path(expression, name)
    if path is not None:
        counts[path] = counts.get(path, 0) + weight
        return
    if isinstance(expression, App):
        _count(expression.fun, name, weight, counts)
        _count(expression.arg, name, weight, counts)
    elif isinstance(expression, Lambda):
        _count(expression.body, name, 2, counts)


def _path(expression: Expr, name: str) -> str | None:
    """Return the path of projections down from the identifier, if that is all there is."""
    steps = ""
    while isinstance(expression, App) and isinstance(expression.fun, Primitive):
        step = _STEP.get(expression.fun.name)
        if step is None:
            return None
        steps = step + steps
        expression = expression.arg
    return steps if isinstance(expression, Identifier) and expression.name == name else None

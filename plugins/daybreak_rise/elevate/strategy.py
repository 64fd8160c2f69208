"""Strategies: functions from an expression to a rewritten one or to a failure with a reason.

After "Achieving High-Performance the Functional Way" (ELEVATE, ICFP 2020), section 3. A rule is a
strategy that changes one place; combinators make larger ones::

    rule >> other      do both, one after the other (the paper's `;`)
    rule | other       the other where the rule fails (left choice, the paper's `<+`)
    rule @ traversal   apply at the place that the traversal finds: `rule @ top_down`

Strategies never change an expression, they return another that shares what did not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from daybreak_rise.elevate.recording import RECORDER
from daybreak_rise.errors import RewriteError, RiseTypeError
from daybreak_rise.expr import App, Expr, Lambda, Primitive

__all__ = [
    "Failure",
    "Result",
    "Strategy",
    "Traversal",
    "apply_n_times",
    "fail",
    "head_of",
    "id_",
    "lchoice",
    "named",
    "not_",
    "predicate",
    "repeat",
    "rule",
    "seq",
    "try_",
]


class Failure:
    """A strategy did not apply; false in a condition.

    Attributes:
        strategy: name of the strategy that failed.
        reason: why, in words, e.g. "6 does not divide 64".
        telling: whether the form was right and a condition did not hold: the reason that a person
            wants to read when nothing applies.
    """

    __slots__ = ("reason", "strategy", "telling")

    def __init__(self, strategy: str, reason: str, *, telling: bool = False) -> None:
        self.strategy = strategy
        self.reason = reason
        self.telling = telling

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"{self.strategy}: {self.reason}"


Result: TypeAlias = "Expr | Failure"
Traversal: TypeAlias = "Callable[[Strategy], Strategy]"


class Strategy:
    """A named function from an expression to `Expr` or `Failure`.

    `strategy(expression)` gives the result; `strategy.rewrite(expression)` raises where it fails.
    """

    __slots__ = ("alternatives", "heads", "name", "run")

    def __init__(
        self,
        name: str,
        run: Callable[[Expr], Result],
        *,
        heads: frozenset[str] | None = None,
        alternatives: tuple[Strategy, ...] | None = None,
    ) -> None:
        self.name = name
        self.run = run
        # the patterns at whose applications it can apply; None: anywhere
        self.heads = heads
        # of a choice: what is tried, in order
        self.alternatives = alternatives or (self,)

    def __call__(self, expression: Expr) -> Result:
        """Return the rewritten expression, or why there is none."""
        return self.run(expression)

    def rewrite(self, expression: Expr) -> Expr:
        """Return the rewritten expression.

        Raises:
            RewriteError: the strategy fails; the message names the strategy and the reason.
        """
        found = self.run(expression)
        if isinstance(found, Failure):
            raise RewriteError(f"{self.name} does not apply: {found}")
        return found

    def __rshift__(self, after: Strategy) -> Strategy:
        """Return the strategy that does this and then `after`."""
        return seq(self, after)

    def __or__(self, other: Strategy) -> Strategy:
        """Return the strategy that does `other` where this fails."""
        return lchoice(self, other)

    def __matmul__(self, traversal: Traversal) -> Strategy:
        """Return this strategy applied where `traversal` leads."""
        return traversal(self)

    def __repr__(self) -> str:
        return self.name


def rule(
    name: str,
    rewrite: Callable[[Expr], Expr | str | None],
    *,
    needs: str = "another form",
    heads: Iterable[str] | None = None,
) -> Strategy:
    """Return the rule called `name`: the smallest step that a trace shows.

    Args:
        name: with its parameters, e.g. ``split_join(8)``.
        rewrite: returns the new expression, None where the expression has not the rule's form, or
            why a side condition does not hold.
        needs: the form that the rule applies to, for the reason of a failure.
        heads: the patterns that it applies to, "lambda" for a lambda's application; a choice of
            rules that all say so looks only at those that can apply.
    """
    unfit = Failure(name, f"the expression is not {needs}")

    def run(expression: Expr) -> Result:
        found = rewrite(expression)
        if found is None:
            return unfit
        if isinstance(found, str):
            return Failure(name, found, telling=True)
        if found.type is not expression.type:
            raise RiseTypeError(
                f"the rule {name} turns a {expression.type} into a {found.type}: not a rule"
            )
        if RECORDER.active is not None:
            RECORDER.active.step(name, expression, found)
        return found

    return Strategy(name, run, heads=None if heads is None else frozenset(heads))


def predicate(name: str, holds: Callable[[Expr], bool]) -> Strategy:
    """Return the strategy that changes nothing and fails where `holds` is false."""
    failed = Failure(name, "it does not hold")
    return Strategy(name, lambda expression: expression if holds(expression) else failed)


def named(name: str, strategy: Strategy) -> Strategy:
    """Return the strategy under a name that people read in failures."""
    return Strategy(name, strategy.run, heads=strategy.heads)


id_ = Strategy("id", lambda expression: expression)

_FAILED = Failure("fail", "it always fails")
fail = Strategy("fail", lambda _: _FAILED)


def seq(*parts: Strategy) -> Strategy:
    """Return the strategy that does all parts in order and fails with the first that fails."""
    runs = tuple(p.run for p in parts)

    def run(expression: Expr) -> Result:
        recorder = RECORDER.active
        mark = 0 if recorder is None else recorder.mark()
        found: Result = expression
        for one in runs:
            found = one(found)  # type: ignore[arg-type]  # a failure returns below
            if isinstance(found, Failure):
                if recorder is not None:
                    recorder.back(mark)
                return found
        return found

    return Strategy("(" + " >> ".join(p.name for p in parts) + ")", run)


def lchoice(first: Strategy, second: Strategy) -> Strategy:
    """Return the strategy that does `second` where `first` fails."""
    alternatives = first.alternatives + second.alternatives
    name = "(" + " | ".join(a.name for a in alternatives) + ")"
    heads: set[str] = set()
    for one in alternatives:
        if one.heads is None:
            return Strategy(name, _first_of(alternatives), alternatives=alternatives)
        heads |= one.heads
    table = {
        head: _first_of(tuple(a for a in alternatives if a.heads and head in a.heads))
        for head in heads
    }
    failed = Failure(name, "no alternative applies here")

    def run(expression: Expr) -> Result:
        known = table.get(head_of(expression))
        return failed if known is None else known(expression)

    return Strategy(name, run, heads=frozenset(heads), alternatives=alternatives)


def _first_of(alternatives: tuple[Strategy, ...]) -> Callable[[Expr], Result]:
    runs = tuple(a.run for a in alternatives)
    if len(runs) == 1:
        return runs[0]

    def run(expression: Expr) -> Result:
        failed: Failure | None = None
        for one in runs:
            found = one(expression)
            if not isinstance(found, Failure):
                return found
            if failed is None or found.telling:
                failed = found
        assert failed is not None  # noqa: S101  (a choice has alternatives)
        return failed

    return run


def head_of(expression: Expr) -> str:
    """Return the pattern that an application applies, "lambda" for a lambda, "" for others."""
    if type(expression) is not App:
        return ""
    inner = expression.fun
    while type(inner) is App:
        inner = inner.fun
    if type(inner) is Primitive:
        return inner.name
    return "lambda" if type(inner) is Lambda else ""


def try_(strategy: Strategy) -> Strategy:
    """Return the strategy that leaves the expression where `strategy` fails; never fails."""

    def run(expression: Expr) -> Result:
        found = strategy.run(expression)
        return expression if isinstance(found, Failure) else found

    return Strategy(f"try({strategy.name})", run)


def not_(strategy: Strategy) -> Strategy:
    """Return the strategy that changes nothing and fails where `strategy` succeeds."""
    failed = Failure(f"not({strategy.name})", "it applies")

    def run(expression: Expr) -> Result:
        recorder = RECORDER.active
        mark = 0 if recorder is None else recorder.mark()
        found = strategy.run(expression)
        if recorder is not None:
            recorder.back(mark)
        return expression if isinstance(found, Failure) else failed

    return Strategy(failed.strategy, run)


def repeat(strategy: Strategy, *, most: int = 100_000) -> Strategy:
    """Return the strategy that applies `strategy` until it fails or changes nothing.

    Raises (when run):
        RewriteError: it still applies after `most` times.
    """

    def run(expression: Expr) -> Result:
        for _ in range(most):
            found = strategy.run(expression)
            if isinstance(found, Failure) or found is expression:
                return expression
            expression = found
        raise RewriteError(f"{strategy.name} still applies after {most} times: it has no end")

    return Strategy(f"repeat({strategy.name})", run)


def apply_n_times(n: int, wrap: Callable[[Strategy], Strategy], strategy: Strategy) -> Strategy:
    """Return `wrap(wrap(... strategy))`, n deep: how a traversal is applied at level n."""
    for _ in range(n):
        strategy = wrap(strategy)
    return strategy

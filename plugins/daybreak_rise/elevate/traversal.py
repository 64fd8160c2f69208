"""Where strategies are applied: one level down, and from there anywhere.

After ELEVATE (ICFP 2020), sections 3.3 and 4.1. `one` looks at an application's argument before
its function, so that `top_down` meets the last step of a pipeline first, then the data that flows
into it, then the functions that it applies.
"""

from __future__ import annotations

from collections.abc import Callable

from daybreak_rise.elevate.recording import RECORDER, descend
from daybreak_rise.elevate.strategy import Failure, Result, Strategy, Traversal
from daybreak_rise.errors import RewriteError
from daybreak_rise.expr import App, Expr, Lambda, Primitive

__all__ = [
    "all_",
    "argument",
    "argument_of",
    "at_place",
    "body",
    "bottom_up",
    "everywhere",
    "fmap",
    "function",
    "in_lambdas",
    "innermost",
    "normalise",
    "occurrence",
    "one",
    "outermost",
    "some",
    "top_down",
    "try_all",
]


def function(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to an application's function."""
    failed = Failure(f"function({strategy.name})", "the expression is no application")
    run = strategy.run

    def apply(expression: Expr) -> Result:
        if type(expression) is not App:
            return failed
        found = descend("function", run, expression.fun)
        return found if isinstance(found, Failure) else _app(expression, found, expression.arg)

    return Strategy(failed.strategy, apply)


def argument(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to an application's argument."""
    failed = Failure(f"argument({strategy.name})", "the expression is no application")
    run = strategy.run

    def apply(expression: Expr) -> Result:
        if type(expression) is not App:
            return failed
        found = descend("argument", run, expression.arg)
        return found if isinstance(found, Failure) else _app(expression, expression.fun, found)

    return Strategy(failed.strategy, apply)


def body(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to a lambda's body."""
    failed = Failure(f"body({strategy.name})", "the expression is no lambda")
    run = strategy.run

    def apply(expression: Expr) -> Result:
        if type(expression) is not Lambda:
            return failed
        found = descend("body", run, expression.body)
        if isinstance(found, Failure):
            return found
        return expression if found is expression.body else Lambda(expression.param, found)

    return Strategy(failed.strategy, apply)


def argument_of(name: str, strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to the first argument of the pattern `name`: map's function."""
    inner = argument(strategy)
    failed = Failure(f"argument_of({name}, {strategy.name})", f"the expression is no {name}")

    def apply(expression: Expr) -> Result:
        if type(expression) is App:
            head = expression.fun
            if type(head) is Primitive and head.name == name:
                return inner.run(expression)
        return failed

    return Strategy(failed.strategy, apply)


def fmap(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` inside a map: to the body of the function that it maps."""
    inner = function(argument(body(strategy)))
    failed = Failure(f"fmap({strategy.name})", "the expression is no applied map")

    def apply(expression: Expr) -> Result:
        if type(expression) is App and type(expression.fun) is App:
            head = expression.fun.fun
            if type(head) is Primitive and head.name.startswith("map"):
                return inner.run(expression)
        return failed

    return Strategy(failed.strategy, apply)


def one(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to exactly one child: the first where it succeeds."""
    failed = Failure(f"one({strategy.name})", "it applies to no part")
    run = strategy.run
    return Strategy(failed.strategy, lambda expression: _one(run, expression, failed))


def some(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to every child where it succeeds, one at least."""
    failed = Failure(f"some({strategy.name})", "it applies to no part")
    run = strategy.run

    def apply(expression: Expr) -> Result:
        if type(expression) is App:
            fun = descend("function", run, expression.fun)
            arg = descend("argument", run, expression.arg)
            if isinstance(fun, Failure) and isinstance(arg, Failure):
                return failed
            return _app(
                expression,
                expression.fun if isinstance(fun, Failure) else fun,
                expression.arg if isinstance(arg, Failure) else arg,
            )
        return _one(run, expression, failed)

    return Strategy(failed.strategy, apply)


def all_(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` to every child and fails where one fails."""
    run = strategy.run

    def apply(expression: Expr) -> Result:
        recorder = RECORDER.active
        mark = 0 if recorder is None else recorder.mark()
        found: Result = expression
        if type(expression) is App:
            fun = descend("function", run, expression.fun)
            if isinstance(fun, Failure):
                return fun
            found = descend("argument", run, expression.arg)
            if not isinstance(found, Failure):
                return _app(expression, fun, found)
        elif type(expression) is Lambda:
            found = descend("body", run, expression.body)
            if not isinstance(found, Failure):
                return expression if found is expression.body else Lambda(expression.param, found)
        if isinstance(found, Failure) and recorder is not None:
            recorder.back(mark)
        return found

    return Strategy(f"all({strategy.name})", apply)


def top_down(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` once: at the first place, looking at parents first."""
    failed = Failure(f"top_down({strategy.name})", f"{strategy.name} applies nowhere")
    run = strategy.run

    def apply(expression: Expr) -> Result:
        reasons: list[Failure] = []

        def search(expression: Expr) -> Result:
            found = run(expression)
            if not isinstance(found, Failure):
                return found
            reasons.append(found)
            return _one(search, expression, failed)

        found = search(expression)
        return _explained(failed, reasons) if isinstance(found, Failure) else found

    return Strategy(failed.strategy, apply)


def bottom_up(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` once: at the first place, looking at children first."""
    failed = Failure(f"bottom_up({strategy.name})", f"{strategy.name} applies nowhere")
    run = strategy.run

    def apply(expression: Expr) -> Result:
        reasons: list[Failure] = []

        def search(expression: Expr) -> Result:
            found = _one(search, expression, failed)
            if not isinstance(found, Failure):
                return found
            found = run(expression)
            if isinstance(found, Failure):
                reasons.append(found)
            return found

        found = search(expression)
        return _explained(failed, reasons) if isinstance(found, Failure) else found

    return Strategy(failed.strategy, apply)


def outermost(where: Strategy) -> Traversal:
    """Return the traversal to the first place from the top where `where` and the strategy hold."""
    return lambda strategy: top_down(where >> strategy)


def innermost(where: Strategy) -> Traversal:
    """Return the traversal to the first place from the leaves where `where` and the strategy hold."""
    return lambda strategy: bottom_up(where >> strategy)


def occurrence(n: int, where: Strategy | None = None) -> Traversal:
    """Return the traversal to the place number `n` (from 0, top down) where `where` holds.

    The strategy must apply there; without `where`, the places are those where it applies itself.
    """

    def traverse(strategy: Strategy) -> Strategy:
        name = f"occurrence({n}, {(where or strategy).name})"

        def apply(expression: Expr) -> Result:
            left = n

            def search(one_: Expr) -> Result:
                nonlocal left
                recorder = RECORDER.active
                mark = 0 if recorder is None else recorder.mark()
                found = (where or strategy).run(one_)
                if not isinstance(found, Failure):
                    left -= 1
                    if left < 0:
                        return found if where is None else strategy.run(one_)
                    if recorder is not None:
                        recorder.back(mark)
                return _one(search, one_, none_left)

            none_left = Failure(name, f"there is no place number {n}")
            return search(expression)

        return Strategy(name, apply)

    return traverse


def at_place(*place: str) -> Traversal:
    """Return the traversal along `place`: "function", "argument" or "body", one a level."""
    ways: dict[str, Callable[[Strategy], Strategy]] = {
        "function": function,
        "argument": argument,
        "body": body,
    }
    unknown = [step for step in place if step not in ways]
    if unknown:
        raise RewriteError(f"no way called {unknown[0]!r}", expected=", ".join(ways))

    def traverse(strategy: Strategy) -> Strategy:
        for step in reversed(place):
            strategy = ways[step](strategy)
        return strategy

    return traverse


def in_lambdas(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` below all lambdas at the top: to a program's body."""

    def apply(expression: Expr) -> Result:
        if type(expression) is not Lambda:
            return strategy.run(expression)
        found = descend("body", apply, expression.body)
        if isinstance(found, Failure):
            return found
        return expression if found is expression.body else Lambda(expression.param, found)

    return Strategy(f"in_lambdas({strategy.name})", apply)


def try_all(strategy: Strategy) -> Strategy:
    """Return what applies `strategy` once to every node where it applies, children first.

    What it puts in place is not searched again, so that it ends also with a rule that makes more
    of what it applies to.
    """
    run = strategy.run

    def apply(expression: Expr) -> Expr:
        if type(expression) is App:
            fun = descend("function", apply, expression.fun)
            arg = descend("argument", apply, expression.arg)
            expression = _app(expression, fun, arg)
        elif type(expression) is Lambda:
            inner = descend("body", apply, expression.body)
            if inner is not expression.body:
                expression = Lambda(expression.param, inner)
        found = run(expression)
        return expression if isinstance(found, Failure) else found

    return Strategy(f"try_all({strategy.name})", apply)


def normalise(strategy: Strategy, *, most: int = 100_000) -> Strategy:
    """Return what applies `strategy` everywhere until it applies nowhere; never fails.

    Parents first, then children, and a parent again after its children changed. A node that is
    known to be normal is marked, so that normalising what hardly changed costs hardly anything.

    Raises (when run):
        RewriteError: it still applies after `most` times.
    """
    run = strategy.run
    name = f"normalise({strategy.name})"
    leaves_stay = strategy.heads is not None

    def apply(expression: Expr) -> Result:
        left = most
        # most nodes are only looked at: where nobody records places, none are told
        silent = RECORDER.active is None

        def normal(one_: Expr) -> Expr:
            nonlocal left
            seen = one_.normal_for
            if seen is not None and key in seen:
                return one_
            if leaves_stay and type(one_) is not App and type(one_) is not Lambda:
                return one_
            while True:
                found = run(one_)
                if not isinstance(found, Failure) and found is not one_:
                    one_ = found
                    left -= 1
                    if left < 0:
                        raise RewriteError(f"{strategy.name} still applies after {most} times")
                    continue
                if type(one_) is App:
                    if silent:
                        fun, arg = normal(one_.fun), normal(one_.arg)
                    else:
                        fun = descend("function", normal, one_.fun)
                        arg = descend("argument", normal, one_.arg)
                    if fun is one_.fun and arg is one_.arg:
                        break
                    one_ = App(fun, arg)
                elif type(one_) is Lambda:
                    inner = normal(one_.body) if silent else descend("body", normal, one_.body)
                    if inner is one_.body:
                        break
                    one_ = Lambda(one_.param, inner)
                else:
                    break
            if one_.normal_for is None:
                one_.normal_for = {key}
            else:
                one_.normal_for.add(key)
            return one_

        return normal(expression)

    made = Strategy(name, apply)
    key = made
    return made


everywhere = normalise


def _one(run: Callable[[Expr], Result], expression: Expr, failed: Failure) -> Result:
    if type(expression) is App:
        found = descend("argument", run, expression.arg)
        if not isinstance(found, Failure):
            return _app(expression, expression.fun, found)
        found = descend("function", run, expression.fun)
        if not isinstance(found, Failure):
            return _app(expression, found, expression.arg)
    elif type(expression) is Lambda:
        found = descend("body", run, expression.body)
        if not isinstance(found, Failure):
            return expression if found is expression.body else Lambda(expression.param, found)
    return failed


def _app(before: App, fun: Expr, arg: Expr) -> Expr:
    return before if fun is before.fun and arg is before.arg else App(fun, arg)


def _explained(failed: Failure, reasons: list[Failure]) -> Failure:
    """Return the failure with the most telling of the reasons met on the way, three at most."""
    telling = list(dict.fromkeys(str(one_) for one_ in reasons if one_.telling))
    if not telling:
        return failed
    return Failure(failed.strategy, "; ".join([failed.reason, *telling[:3]]), telling=True)

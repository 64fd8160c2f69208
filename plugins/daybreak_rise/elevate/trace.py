"""A rewriting told step by step: which rule, where, and the expression before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from daybreak_rise.elevate.recording import RECORDER, Applied, Recorder
from daybreak_rise.elevate.strategy import Failure, Strategy
from daybreak_rise.errors import RewriteError
from daybreak_rise.expr import App, Expr, Lambda
from daybreak_rise.printer import show, show_lines

__all__ = ["Step", "Trace", "trace"]

#: lines that are shown on each side of a change
_SHOWN = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One rule applied.

    Attributes:
        rule: its name with its parameters.
        place: the way to it: "function", "argument" or "body", one a level.
        before: the expression at the place.
        after: what stands there now.
        whole: the whole expression after the step.
    """

    rule: str
    place: tuple[str, ...]
    before: Expr
    after: Expr
    whole: Expr

    @property
    def where(self) -> str:
        """The place in words: which lambda's body, which argument."""
        return ".".join(self.place) or "the whole expression"


@dataclass(frozen=True, slots=True)
class Trace:
    """A rewriting: where it began, its steps, where it ended.

    Attributes:
        start: the expression before.
        steps: the rules applied, in order; those of attempts that failed are left out.
        result: the expression after, or why the strategy failed.
    """

    start: Expr
    steps: tuple[Step, ...]
    result: Expr | Failure

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def without(self, *rules: str) -> Trace:
        """Return the trace with the steps of these rules left out (beta reductions, say)."""
        kept = tuple(s for s in self.steps if s.rule not in rules)
        return Trace(self.start, kept, self.result)

    def text(self, width: int = 88, *, whole: bool = False) -> str:
        """Return the trace for people: each rule with the changed part, or with `whole` of it."""
        lines = ["start:", *_indented(show_lines(self.start, width - 2)), ""]
        for number, step in enumerate(self.steps, 1):
            lines.append(f"{number}. {step.rule}  at {step.where}")
            if whole:
                lines += _indented(show_lines(step.whole, width - 2))
            else:
                lines += _changed(
                    show_lines(step.before, width - 4).split("\n"),
                    show_lines(step.after, width - 4).split("\n"),
                )
        if isinstance(self.result, Failure):
            lines += ["", f"failed: {self.result}"]
        else:
            lines += ["", "result:", *_indented(show_lines(self.result, width - 2))]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()


def trace(strategy: Strategy, expression: Expr) -> Trace:
    """Return how `strategy` rewrites `expression`, a step for each rule that took part."""
    outer = RECORDER.active
    recorder = RECORDER.active = Recorder()
    try:
        result = strategy.run(expression)
    finally:
        RECORDER.active = outer
    steps = _replayed(expression, recorder.steps)
    if not isinstance(result, Failure) and (steps[-1].whole if steps else expression) != result:
        raise RewriteError(
            f"{strategy.name} changed the expression by more than rules: {show(result)}"
        )
    return Trace(expression, steps, result)


def _replayed(expression: Expr, applied: list[Applied]) -> tuple[Step, ...]:
    steps = []
    for one in applied:
        expression = _put(expression, one.place, one)
        steps.append(Step(one.rule, one.place, one.before, one.after, expression))
    return tuple(steps)


def _put(expression: Expr, place: tuple[str, ...], applied: Applied) -> Expr:
    if not place:
        if expression != applied.before:
            raise RewriteError(f"{applied.rule} was recorded at another expression")
        return applied.after
    way, rest = place[0], place[1:]
    if isinstance(expression, App) and way == "function":
        return App(_put(expression.fun, rest, applied), expression.arg)
    if isinstance(expression, App) and way == "argument":
        return App(expression.fun, _put(expression.arg, rest, applied))
    if isinstance(expression, Lambda) and way == "body":
        return Lambda(expression.param, _put(expression.body, rest, applied))
    raise RewriteError(f"{applied.rule} was recorded at a place that is not there: {place}")


def _changed(before: list[str], after: list[str]) -> list[str]:
    """Return what a step took away and what it put there, without the lines that stay.

    A line on each side of a change is shown; what is left out between shows as dots.
    """
    lines: list[str] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    parts = matcher.get_opcodes()
    for number, (kind, start, end, first, last) in enumerate(parts):
        if kind != "equal":
            lines += [f"  - {line}" for line in before[start:end]]
            lines += [f"  + {line}" for line in after[first:last]]
            continue
        ends = (number > 0, number < len(parts) - 1)
        if end - start <= _SHOWN * sum(ends) + 1:
            lines += [f"    {line}" for line in before[start:end]]
            continue
        lines += [f"    {line}" for line in before[start : start + _SHOWN * ends[0]]]
        lines.append("    ...")
        lines += [f"    {line}" for line in before[end - _SHOWN * ends[1] : end]]
    return lines


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.split("\n")]

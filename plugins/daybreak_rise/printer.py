"""Expressions as text: operators infix, pipelines with `|`, lambdas as `x. body`.

Bound names are shortened: `row_17` is printed as `row`, or `row'` where an outer `row` is in scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daybreak_rise.expr import Expr, Identifier, Lambda, Literal, Primitive, spine
from daybreak_rise.patterns import PATTERNS, Layer

__all__ = ["show", "show_lines"]

_INFIX = {
    "or": ("||", 1),
    "and": ("&&", 2),
    "eq": ("==", 3),
    "lt": ("<", 4),
    "le": ("<=", 4),
    "gt": (">", 4),
    "ge": (">=", 4),
    "add": ("+", 5),
    "sub": ("-", 5),
    "mul": ("*", 6),
    "div": ("/", 6),
    "mod": ("%", 6),
}
# strengths of binding: a lambda's body, a pipeline, the operators above, an argument
_BODY, _PIPE, _ATOM = -1, 0, 9


def show(expression: Expr) -> str:
    """Return `expression` on one line."""
    return _show(expression, {}, _BODY)


def show_lines(expression: Expr, width: int = 88) -> str:
    """Return `expression` over several lines, a step of a pipeline each, where one is too long."""
    return "\n".join(_lines(expression, {}, width, ""))


def _show(one: Expr, names: Mapping[str, str], strength: int) -> str:
    match one:
        case Identifier():
            return names.get(one.name, one.name)
        case Literal():
            return _literal(one.value)
        case Primitive():
            return _primitive(one)
        case Lambda():
            inner = _named(one.param, names)
            text = f"{inner[one.param.name]}. {_show(one.body, inner, _BODY)}"
            return text if strength == _BODY else f"({text})"
    head, arguments = spine(one)
    if isinstance(head, Primitive):
        infix = _INFIX.get(head.name)
        if infix is not None and len(arguments) == 2:
            sign, level = infix
            left = _show(arguments[0], names, level)
            text = f"{left} {sign} {_show(arguments[1], names, level + 1)}"
            return text if strength <= level else f"({text})"
        if _piped(head, arguments):
            step = _call(head, list(arguments[:-1]), names)
            text = f"{_show(arguments[-1], names, _PIPE)} | {step}"
            return text if strength <= _PIPE else f"({text})"
    return _call(head, list(arguments), names)


def _call(head: Expr, arguments: list[Expr], names: Mapping[str, str]) -> str:
    text = _show(head, names, _ATOM)
    if not arguments:
        return text
    return f"{text}({', '.join(_show(a, names, _BODY) for a in arguments)})"


def _piped(head: Primitive, arguments: tuple[Expr, ...]) -> bool:
    """Return whether a saturated pattern reads best as `last | pattern(others)`."""
    found = PATTERNS[head.name]
    if head.name in ("zip", "pair", "fst", "snd", "idx", "let", "select", "generate", "concat"):
        return False
    return found.layer is not Layer.SCALAR and len(arguments) == found.arity


def _primitive(one: Primitive) -> str:
    if not one.statics:
        return one.name
    return f"{one.name}[{', '.join(map(str, one.statics))}]"


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _named(param: Identifier, names: Mapping[str, str]) -> dict[str, str]:
    short = param.name.split("_")[0]
    taken = set(names.values())
    while short in taken:
        short += "'"
    return {**names, param.name: short}


def _lines(one: Expr, names: Mapping[str, str], width: int, indent: str) -> list[str]:
    flat = _show(one, names, _BODY)
    if len(indent) + len(flat) <= width:
        return [indent + flat]
    if isinstance(one, Lambda):
        inner = _named(one.param, names)
        start = f"{indent}{inner[one.param.name]}."
        return [start, *_lines(one.body, inner, width, indent + "  ")]
    head, arguments = spine(one)
    if isinstance(head, Primitive) and _piped(head, arguments):
        *before, last = arguments
        return [
            *_lines(last, names, width, indent),
            *_block(f"{indent}| {_show(head, names, _ATOM)}", before, names, width, indent + "  "),
        ]
    return _block(indent + _show(head, names, _ATOM), list(arguments), names, width, indent + "  ")


def _block(
    start: str, arguments: list[Expr], names: Mapping[str, str], width: int, indent: str
) -> list[str]:
    """Return `start(arguments)`, an argument a line unless it all fits on one."""
    if not arguments:
        return [start]
    flat = f"{start}({', '.join(_show(a, names, _BODY) for a in arguments)})"
    if len(flat) <= width:
        return [flat]
    found = [f"{start}("]
    for number, argument in enumerate(arguments):
        part = _lines(argument, names, width, indent)
        if number < len(arguments) - 1:
            part[-1] += ","
        found += part
    found[-1] += ")"
    return found

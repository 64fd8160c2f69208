"""Translates conditions of T1 and Kernel Tuner into Daybreak's constraint language.

They are Python expressions, sometimes with C's operators. The text is parsed to Python's tree,
which is written out again in the constraint language; nothing is ever run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping

__all__ = ["translate"]

_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "==",
    ast.IsNot: "!=",
}
_FUNCTIONS = frozenset({"min", "max", "abs"})
# C's operators outside of quoted texts
_C = re.compile(r"""("[^"]*"|'[^']*')|(&&)|(\|\|)|(!(?!=))""")
_C_WORDS = {"&&": " and ", "||": " or ", "!": " not "}


def translate(
    expression: str, names: Collection[str], constants: Mapping[str, float] | None = None
) -> str:
    """Return a constraint that means what `expression` means.

    Understood beside the constraint language's own: ``&&``, ``||``, ``!``; ``p["name"]`` for a
    parameter; ``a if c else b``; ``&`` and ``|`` between truths; ``any([...])`` and ``all([...])``;
    ``lambda p: ...``; names of `constants`.

    Raises:
        ValueError: a part of it has no counterpart; says which.
    """
    text = _C.sub(lambda m: m[1] or _C_WORDS[m[0]], expression.strip())
    if len(text) > 100_000:
        raise ValueError("the expression is too long")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it cannot be parsed"
        raise ValueError(reason) from error
    writer = _Writer(frozenset(names), dict(constants or {}))
    try:
        return writer.write(tree)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


class _Writer:
    def __init__(self, names: frozenset[str], constants: dict[str, float]) -> None:
        self._names = names
        self._constants = constants

    def write(self, node: ast.expr) -> str:
        match node:
            case ast.Lambda(body=body):
                return self.write(body)
            case ast.Constant(value) if isinstance(value, bool | int | float):
                return repr(value)
            case ast.Constant(value) if isinstance(value, str):
                return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
            case ast.Name(id=name):
                return self._name(name)
            case ast.Subscript(value=ast.Name(id=holder), slice=ast.Constant(value=str(name))) if (
                holder not in self._names
            ):
                return self._name(name)
            case ast.Subscript(value=ast.Name(id=holder), slice=index) if holder in self._names:
                return f"{holder}[{self.write(index)}]"
            case ast.UnaryOp(op, operand):
                return self._unary(op, operand)
            case ast.BoolOp(op, values):
                word = " and " if isinstance(op, ast.And) else " or "
                return "(" + word.join(map(self.write, values)) + ")"
            case ast.BinOp(left, op, right):
                return self._binary(left, op, right)
            case ast.Compare(left, ops, comparators):
                return self._compare(left, ops, comparators)
            case ast.IfExp(test, body, orelse):
                return self._choice(test, body, orelse)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(node, name, arguments)
        raise _no_counterpart(node)

    def _name(self, name: str) -> str:
        if name in self._names:
            return name
        if name in self._constants:
            return repr(self._constants[name])
        if name in ("true", "false"):
            return name.capitalize()
        raise ValueError(
            f"'{name}' is no parameter (a number can be given to it: option `constants: "
            f"{{{name}: NUMBER}}`)"
        )

    def _unary(self, op: ast.unaryop, operand: ast.expr) -> str:
        if isinstance(op, ast.Not):
            return f"(not {self.write(operand)})"
        if isinstance(op, ast.Invert) and _is_truth(operand):
            return f"(not {self.write(operand)})"
        if isinstance(op, ast.USub):
            return f"(-{self.write(operand)})"
        if isinstance(op, ast.UAdd):
            return self.write(operand)
        raise _no_counterpart(operand)

    def _binary(self, left: ast.expr, op: ast.operator, right: ast.expr) -> str:
        if type(op) in _ARITHMETIC:
            return f"({self.write(left)} {_ARITHMETIC[type(op)]} {self.write(right)})"
        if isinstance(op, ast.BitAnd | ast.BitOr) and _is_truth(left) and _is_truth(right):
            word = "and" if isinstance(op, ast.BitAnd) else "or"
            return f"({self.write(left)} {word} {self.write(right)})"
        if isinstance(op, ast.LShift):
            return f"({self.write(left)} * 2 ** {self.write(right)})"
        raise ValueError(f"`{ast.unparse(ast.BinOp(left, op, right))}` works on single bits")

    def _compare(self, left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr]) -> str:
        if len(ops) == 1 and isinstance(ops[0], ast.In | ast.NotIn):
            word = "in" if isinstance(ops[0], ast.In) else "not in"
            match comparators[0]:
                case ast.List(elts) | ast.Tuple(elts) | ast.Set(elts) if elts:
                    choices = ", ".join(map(self.write, elts))
                    return f"({self.write(left)} {word} [{choices}])"
            raise _no_counterpart(comparators[0])
        parts = [self.write(left)]
        for op, operand in zip(ops, comparators, strict=True):
            if type(op) not in _COMPARE:
                raise ValueError("`in` cannot be chained with other comparisons")
            parts += [_COMPARE[type(op)], self.write(operand)]
        return f"({' '.join(parts)})"

    def _choice(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> str:
        if not (_is_truth(body) and _is_truth(orelse)):
            raise ValueError("`a if c else b` is understood between truth values only")
        condition = self.write(test)
        return (
            f"(({condition} and {self.write(body)}) or "
            f"((not {condition}) and {self.write(orelse)}))"
        )

    def _call(self, node: ast.expr, name: str, arguments: list[ast.expr]) -> str:
        match arguments:
            case [ast.List(elts) | ast.Tuple(elts)] if elts:
                listed = elts
            case _:
                listed = arguments
        if name in ("any", "all") and listed is not arguments:
            word = " or " if name == "any" else " and "
            return "(" + word.join(map(self.write, listed)) + ")"
        if name == "sum" and listed is not arguments:
            return "(" + " + ".join(map(self.write, listed)) + ")"
        if name in _FUNCTIONS and listed:
            return f"{name}({', '.join(map(self.write, listed))})"
        if name == "bool" and len(arguments) == 1:
            return f"({self.write(arguments[0])} != 0)"
        if name == "float" and len(arguments) == 1:
            return f"(1.0 * {self.write(arguments[0])})"
        raise _no_counterpart(node)


def _is_truth(node: ast.expr) -> bool:
    """Say whether the value of `node` is surely a truth value, so that bit and logic agree."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Constant(value):
            return isinstance(value, bool)
        case ast.BinOp(left, ast.BitAnd() | ast.BitOr(), right):
            return _is_truth(left) and _is_truth(right)
        case ast.IfExp(body=body, orelse=orelse):
            return _is_truth(body) and _is_truth(orelse)
    return False


def _no_counterpart(node: ast.expr) -> ValueError:
    return ValueError(f"`{ast.unparse(node)[:200]}` has no counterpart in the constraint language")

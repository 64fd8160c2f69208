"""A program as text: for people to read, and to tell programs apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from daybreak_hpvm.ir.expr import Binary, Cast, Const, Expr, Index, Load, Scalar, Select, Unary
from daybreak_hpvm.ir.program import Array, Assign, If, Loop, Node, Program, Reduce, Stmt, Store

__all__ = ["fingerprint", "show", "show_expr"]

_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^", "shl": "<<",
    "shr": ">>", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip
_UNARY = {"neg": "-", "not": "~"}


def show_expr(expr: Expr) -> str:
    """Return `expr` as text; different expressions have different texts."""
    if isinstance(expr, Const):
        plain = Const(expr.value)
        return str(expr.value) if plain.type == expr.type else f"{expr.type}({expr.value})"
    if isinstance(expr, Index | Scalar):
        return expr.name
    if isinstance(expr, Load):
        return f"{expr.array}[{', '.join(map(show_expr, expr.indices))}]"
    if isinstance(expr, Cast):
        return f"{expr.type}({show_expr(expr.operand)})"
    if isinstance(expr, Unary):
        sign = _UNARY.get(expr.op, expr.op)
        return f"{sign}({show_expr(expr.operand)})"
    if isinstance(expr, Select):
        parts = ", ".join(show_expr(e) for e in (expr.condition, expr.yes, expr.no))
        return f"select({parts})"
    if isinstance(expr, Binary):
        left, right = show_expr(expr.left), show_expr(expr.right)
        if expr.op in _SIGNS:
            return f"({left} {_SIGNS[expr.op]} {right})"
        return f"{expr.op}({left}, {right})"
    raise TypeError(f"{type(expr).__name__} is no expression")


def _array(word: str, array: Array) -> str:
    shape = "".join(f"[{extent}]" for extent in array.shape)
    values = "" if array.values is None else f" = {' '.join(map(str, array.values))}"
    return f"{word} {array.name}: {array.type}{shape}{values}"


def _body(body: Iterable[Stmt], indent: str) -> Iterator[str]:
    deeper = indent + "  "
    for stmt in body:
        if isinstance(stmt, Assign):
            yield f"{indent}{stmt.target.name} = {show_expr(stmt.value)}"
        elif isinstance(stmt, Reduce):
            yield f"{indent}{stmt.target.name} {stmt.op}= {show_expr(stmt.value)}"
        elif isinstance(stmt, Store):
            place = ", ".join(map(show_expr, stmt.indices))
            yield f"{indent}{stmt.array}[{place}] = {show_expr(stmt.value)}"
        elif isinstance(stmt, If):
            yield f"{indent}if {show_expr(stmt.condition)}:"
            yield from _body(stmt.then, deeper)
            if stmt.otherwise:
                yield f"{indent}else:"
                yield from _body(stmt.otherwise, deeper)
        elif isinstance(stmt, Loop):
            step = "" if stmt.step == 1 else f" step {stmt.step}"
            unroll = "" if stmt.unroll == 1 else f" unroll {stmt.unroll}"
            yield f"{indent}for {stmt.var} in {stmt.start}..{stmt.stop}{step}{unroll}:"
            yield from _body(stmt.body, deeper)
        else:
            raise TypeError(f"{type(stmt).__name__} is no statement")


def _node(node: Node) -> Iterator[str]:
    yield f"node {node.name}({', '.join(node.inputs)}) -> {', '.join(node.outputs)}:"
    for local in node.locals:
        yield _array("  local", local)
    for scalar in node.scalars:
        yield f"  scalar {scalar.name}: {scalar.type}"
    yield from _body(node.body, "  ")


def show(program: Program | Node) -> str:
    """Return `program` as text; different programs have different texts."""
    if isinstance(program, Node):
        return "\n".join(_node(program)) + "\n"
    lines = [f"program {program.name}{' concurrent' if program.concurrent else ''}"]
    for array in program.arrays:
        word = "input" if array.name in program.inputs else "array"
        word += " output" if array.name in program.outputs else ""
        word += " stream" if array.name in program.streams else ""
        lines.append(_array(word, array))
    lines.append(f"inputs {', '.join(program.inputs)}")
    lines.append(f"outputs {', '.join(program.outputs)}")
    for node in program.nodes:
        lines.append("")
        lines.extend(_node(node))
    return "\n".join(lines) + "\n"


def fingerprint(program: Program) -> str:
    """Return the SHA-256 of the program's text, 64 hexadecimal digits; the same everywhere."""
    return hashlib.sha256(show(program).encode()).hexdigest()

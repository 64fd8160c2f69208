"""Dataflow programs: how they are written, checked, printed and run.

`build` is how a person writes one, `interpret` what it means; `program` and `expr` are what
transformations and generators work on.
"""

from __future__ import annotations

from daybreak_hpvm.ir.build import ArrayHandle, NodeBuilder, ProgramBuilder
from daybreak_hpvm.ir.expr import (
    Binary,
    Cast,
    Const,
    Expr,
    Index,
    Load,
    Scalar,
    Select,
    Unary,
    absolute,
    cast,
    eq,
    lift,
    maximum,
    minimum,
    ne,
    select,
)
from daybreak_hpvm.ir.interpret import InterpretError, interpret
from daybreak_hpvm.ir.program import (
    REDUCTIONS,
    Array,
    Assign,
    Edge,
    If,
    Loop,
    Node,
    Program,
    Reduce,
    Stmt,
    Store,
)
from daybreak_hpvm.ir.text import fingerprint, show, show_expr
from daybreak_hpvm.ir.types import BOOL, IntType, fitting, s, u
from daybreak_hpvm.ir.validate import ProgramError, validate

__all__ = [
    "BOOL",
    "REDUCTIONS",
    "Array",
    "ArrayHandle",
    "Assign",
    "Binary",
    "Cast",
    "Const",
    "Edge",
    "Expr",
    "If",
    "Index",
    "IntType",
    "InterpretError",
    "Load",
    "Loop",
    "Node",
    "NodeBuilder",
    "Program",
    "ProgramBuilder",
    "ProgramError",
    "Reduce",
    "Scalar",
    "Select",
    "Stmt",
    "Store",
    "Unary",
    "absolute",
    "cast",
    "eq",
    "fingerprint",
    "fitting",
    "interpret",
    "lift",
    "maximum",
    "minimum",
    "ne",
    "s",
    "select",
    "show",
    "show_expr",
    "u",
    "validate",
]

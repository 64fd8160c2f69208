"""Input buffering (argument privatisation): a node copies an array into its own memory first."""

from __future__ import annotations

from dataclasses import replace

from daybreak import nearest
from daybreak_hpvm.ir.expr import Expr, Load
from daybreak_hpvm.ir.program import Loop, Program, Stmt, Store
from daybreak_hpvm.ir.walk import map_body
from daybreak_hpvm.transforms.errors import UnknownDirectiveError
from daybreak_hpvm.transforms.names import Names
from daybreak_hpvm.transforms.unroll import find_node, replace_node

__all__ = ["buffer_input"]


def buffer_input(program: Program, node: str, array: str) -> Program:
    """Have `node` copy its input `array` into a local memory before anything else.

    The copy runs over the array once, in order, so that an array which the node would otherwise
    read in any order can also come as a stream.

    Raises:
        UnknownDirectiveError: no such node, or `array` is none of its inputs.
    """
    found = find_node(program, node)
    if array not in found.inputs:
        raise UnknownDirectiveError(
            f"node '{node}' has no input '{array}'",
            field=program.name,
            nearest=nearest(array, found.inputs),
        )
    names = Names(program, found)
    outside = program.array(array)
    local = replace(outside, name=names.fresh(f"{array}_buffer"))

    def expr(part: Expr) -> Expr:
        if isinstance(part, Load) and part.array == array:
            return replace(part, array=local.name)
        return part

    loops = [
        Loop(names.fresh(f"{array}_i{d}"), extent, ()) for d, extent in enumerate(outside.shape)
    ]
    indices = tuple(loop.index for loop in loops)
    copy: Stmt = Store(local.name, indices, Load(array, indices, outside.type))
    for loop in reversed(loops):
        copy = replace(loop, body=(copy,))
    buffered = replace(
        found,
        body=(copy, *map_body(found.body, expr=expr)),
        locals=(*found.locals, local),
    )
    return replace_node(program, buffered)

"""From a configuration to a transformed program, by the parameters' names.

The names are those of HPVM2FPGA's published example space:

======================  ============================================================
``NODE_UnrollLn``       unroll factor of the node's n-th loop, in program order
``NODE_LF``             1: fuse the loops of the node
``NODE_ARRAY_BuffIn``   1: the node copies this input into its own memory first
``NODE_Nd_F_OTHER``     1: fuse the node with OTHER, which reads what it writes
``TLP``                 1: nodes run at the same time
======================  ============================================================

Transformations are applied in this order: unrolling is noted, nodes are fused, loops are fused,
inputs are buffered, tasks made parallel. One that is not legal is left out, with a remark, as a
compiler does. Loops are fused in a fused node if any of its nodes asks for it, and an input is
buffered in the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from daybreak import nearest
from daybreak_hpvm.ir.program import Program
from daybreak_hpvm.ir.walk import loops
from daybreak_hpvm.transforms.buffer import buffer_input
from daybreak_hpvm.transforms.errors import IllegalTransformationError, UnknownDirectiveError
from daybreak_hpvm.transforms.fuse_loops import fuse_loops
from daybreak_hpvm.transforms.fuse_nodes import fuse_nodes
from daybreak_hpvm.transforms.tasks import parallel_tasks
from daybreak_hpvm.transforms.unroll import unroll

__all__ = ["Applied", "Directive", "apply", "directives", "transform"]


@dataclass(frozen=True, slots=True)
class Directive:
    """What a parameter's name asks for.

    `kind`: ``unroll`` (`target`: the loop's variable), ``fuse_nodes`` (the other node),
    ``fuse_loops`` (empty), ``buffer`` (the array), ``tasks`` (empty; `node` too).
    """

    kind: str
    node: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """A transformed program, and what could not be done, by parameter."""

    program: Program
    remarks: Mapping[str, str]


def directives(program: Program) -> dict[str, Directive]:
    """Return every parameter that `program` gives rise to, by name, in program order."""
    return dict(_directives(program))


def _directives(program: Program) -> Iterator[tuple[str, Directive]]:
    for node in program.nodes:
        for number, loop in enumerate(loops(node.body)):
            yield f"{node.name}_UnrollL{number}", Directive("unroll", node.name, loop.var)
        yield f"{node.name}_LF", Directive("fuse_loops", node.name)
        for array in node.inputs:
            yield f"{node.name}_{array}_BuffIn", Directive("buffer", node.name, array)
        for other in program.nodes:
            if any(array in other.inputs for array in node.outputs):
                name = f"{node.name}_Nd_F_{other.name}"
                yield name, Directive("fuse_nodes", node.name, other.name)
    yield "TLP", Directive("tasks")


def transform(program: Program, configuration: Mapping[str, Any]) -> Program:
    """Return `program` with the transformations that `configuration` asks for; the value is kept.

    Raises:
        UnknownDirectiveError: a parameter's name fits nothing in the program, or its value is neither
            a factor nor a flag.
    """
    return apply(program, configuration).program


def apply(program: Program, configuration: Mapping[str, Any]) -> Applied:
    """Do what `transform` does, and also say what was not legal and so left out."""
    return _Application(program, configuration).run()


class _Application:
    def __init__(self, program: Program, configuration: Mapping[str, Any]) -> None:
        self.program = program
        self.remarks: dict[str, str] = {}
        # original node -> the node that it is part of now
        self.home = {node.name: node.name for node in program.nodes}
        known = directives(program)
        self.factors: dict[str, tuple[Directive, int]] = {}
        self.flags: dict[str, Directive] = {}
        for name, value in configuration.items():
            directive = known.get(name)
            if directive is None:
                raise UnknownDirectiveError(
                    f"'{name}' fits no node, loop or array of program '{program.name}'",
                    field="configuration",
                    nearest=nearest(name, known),
                )
            number = _number(name, value, flag=directive.kind != "unroll")
            if directive.kind == "unroll":
                self.factors[name] = (directive, number)
            elif number:
                self.flags[name] = directive

    def chosen(self, kind: str) -> Iterable[tuple[str, Directive]]:
        """Return the flags of `kind` that are set, in order of their names: the same for equal
        configurations.
        """
        return [(n, d) for n, d in sorted(self.flags.items()) if d.kind == kind]

    def run(self) -> Applied:
        for directive, factor in self.factors.values():
            self.program = unroll(self.program, directive.node, directive.target, factor)
        for name, directive in self.chosen("fuse_nodes"):
            self.fuse_nodes(name, directive)
        self.fuse_loops()
        self.buffer()
        if any(True for _ in self.chosen("tasks")):
            self.program = parallel_tasks(self.program)
        return Applied(self.program, self.remarks)

    def fuse_nodes(self, name: str, directive: Directive) -> None:
        first, second = self.home[directive.node], self.home[directive.target]
        if first == second:
            return  # together already, through others
        before = {node.name for node in self.program.nodes}
        try:
            self.program = fuse_nodes(self.program, first, second)
        except IllegalTransformationError as illegal:
            self.remarks[name] = illegal.message
            return
        fused = next(node.name for node in self.program.nodes if node.name not in before)
        self.home = {n: fused if h in (first, second) else h for n, h in self.home.items()}

    def fuse_loops(self) -> None:
        asked: dict[str, list[str]] = {}
        for name, directive in self.chosen("fuse_loops"):
            asked.setdefault(self.home[directive.node], []).append(name)
        for node, names in asked.items():
            try:
                self.program = fuse_loops(self.program, node)
            except IllegalTransformationError as illegal:
                self.remarks.update(dict.fromkeys(names, illegal.message))

    def buffer(self) -> None:
        done: set[tuple[str, str]] = set()
        for name, directive in self.chosen("buffer"):
            place = (self.home[directive.node], directive.target)
            if place in done:
                continue
            if directive.target not in self.program.node(place[0]).inputs:
                self.remarks[name] = f"'{directive.target}' is made within the fused node"
                continue
            self.program = buffer_input(self.program, *place)
            done.add(place)


def _number(name: str, value: Any, *, flag: bool) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool):
        value = int(value)
    good = isinstance(value, int) and (value in (0, 1) if flag else value >= 1)
    if not good:
        raise UnknownDirectiveError(
            f"{name} is {value!r}",
            field="configuration",
            expected="0 or 1" if flag else "a factor, 1 or more",
        )
    return int(value)

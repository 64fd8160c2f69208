"""Sequential loops that are being written, and what is added in front of, atop and behind a turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from daybreak_rise.codegen.index import Variable
from daybreak_rise.codegen.ir import Block, For, ParallelFor

__all__ = ["Turns"]


@dataclass(eq=False, slots=True)
class Turns:
    """A loop that one work-item goes round in order, from its counter's 0 on.

    Attributes:
        loop: the loop.
        number: how many sequential loops were being written around it.
        loops: the ids of all loops around it.
        around: the parallel loops around it.
        front: statements in front of the loop.
        top: statements at the top of each turn, before what the loop is for.
        end: statements at the end of each turn.
    """

    loop: For
    number: int
    loops: tuple[int, ...]
    around: tuple[ParallelFor, ...]
    front: Block = field(default_factory=Block)
    top: Block = field(default_factory=Block)
    end: Block = field(default_factory=Block)

    @property
    def variable(self) -> Variable:
        """The loop's counter."""
        return self.loop.variable

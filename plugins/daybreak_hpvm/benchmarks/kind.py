"""What a benchmark consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from daybreak import Reference, Space
from daybreak_hpvm.benchmarks.sizes import Size
from daybreak_hpvm.ir.program import Program

__all__ = ["Definition", "Kind"]


class Kind(Protocol):
    """A module that describes one benchmark.

    Attributes:
        NAME: the benchmark's name.
        SUMMARY: one line.
        SIZES: its sizes.
        NOTES: what a reader must know.
        EXPERT: values other than the default's that we chose by hand.
    """

    NAME: str
    SUMMARY: str
    SIZES: tuple[Size, ...]
    NOTES: tuple[str, ...]
    EXPERT: Mapping[str, int]

    def program(self, sizes: Mapping[str, int]) -> Program:
        """Return the program."""
        ...

    def space(self) -> Space:
        """Return the search space; it does not depend on the sizes."""
        ...

    def draw(self, sizes: Mapping[str, int], random: Random) -> dict[str, Any]:
        """Return inputs, nested lists of integers."""
        ...

    def solve(self, sizes: Mapping[str, int], inputs: Mapping[str, Any]) -> dict[str, list[int]]:
        """Return the outputs, flat, by another algorithm than the program's."""
        ...


@dataclass(frozen=True)
class Definition:
    """A benchmark for given sizes.

    Attributes:
        name: the benchmark's name.
        program: the program with nothing applied.
        space: the search space; its parameters are those of `transforms.transform`.
        references: `default` (nothing applied) and `expert` (chosen by hand by us).
        sizes: every size.
        instance: a label of the sizes.
        summary: one line.
        notes: what a reader must know.
    """

    name: str
    program: Program
    space: Space
    references: tuple[Reference, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)
    instance: str = ""
    summary: str = ""
    notes: tuple[str, ...] = ()

"""What all kernels share: the published space, clipped to this machine, and its references."""

from __future__ import annotations

import functools
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from daybreak import Configuration, Ordinal, PluginError, Reference, Space, load_space
from daybreak_taco.problem import Problem
from daybreak_taco.schedule import UNSCHEDULED, Schedule, handmade

__all__ = ["Kernel", "largest_thread_count", "usable_cpus"]

_SPACES = Path(__file__).parent.parent / "spaces"
_THREADS = "omp_num_threads"


def usable_cpus() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def largest_thread_count(options: Mapping[str, Any]) -> int:
    """Return the bound on `omp_num_threads`: the option `threads`, or all usable processors."""
    return int(options.get("threads") or usable_cpus())


def _thread_counts(space: Space) -> list[int]:
    for parameter in space.parameters:
        if parameter.name == _THREADS and isinstance(parameter, Ordinal):
            return [int(value) for value in parameter.values]
    raise PluginError(f"the space '{space.name}' has no ordinal {_THREADS}", plugin="taco")


@functools.lru_cache(maxsize=256)
def _clipped(kernel: Kernel, variant: str, bound: int) -> Space:
    """Return a clipped space; it is read-only, so that all benchmarks of a suite share it.

    Reading a space takes 15 ms: too long for a suite that names thousands of matrices.
    """
    space = kernel.published(variant)
    values = _thread_counts(space)
    return space.restrict(_THREADS, [v for v in values if v <= bound or v == min(values)])


class Kernel(ABC):
    """One benchmark: expression, formats, schedule and data."""

    #: the benchmark's name, which is also the name of its space file
    name: ClassVar[str]
    summary: ClassVar[str]
    #: in TACO's notation
    expression: ClassVar[str]
    #: storage format per tensor, the output first
    formats: ClassVar[Mapping[str, str]]
    #: whether the data is a tensor (option `tensor`), else a matrix (option `matrix`)
    tensor: ClassVar[bool] = False
    #: loop variables in the published numbering of `permutation`
    loops: ClassVar[tuple[str, ...]]
    hidden_constraints: ClassVar[bool] = True
    notes: ClassVar[tuple[str, ...]] = ()
    #: the fixed schedule to compare with, with the published number of threads
    expert: ClassVar[Mapping[str, Any]]
    expert_note: ClassVar[str] = "the published fixed schedule"

    #: options with small data, for rehearsals
    rehearsal: ClassVar[Mapping[str, Any]]
    #: schedules that TACO or the C compiler refuses
    refused: ClassVar[tuple[tuple[str, ...], ...]]
    #: schedules that this release of TACO compiles to code that computes something else
    miscompiled: ClassVar[tuple[tuple[str, ...], ...]] = ()

    @abstractmethod
    def commands(self, configuration: Configuration, sizes: Mapping[str, int]) -> Schedule:
        """Return the schedule of a configuration of the space."""

    @abstractmethod
    def load(self, options: Mapping[str, Any]) -> tuple[Problem, str]:
        """Load or generate the data; return the problem and a hash of the data."""

    @abstractmethod
    def instance(self, options: Mapping[str, Any]) -> str:
        """Return the short label of the data and sizes."""

    def space(self, options: Mapping[str, Any]) -> Space:
        """Return the published space, with thread counts above the bound clipped out.

        The rule: a value of `omp_num_threads` stays if it is at most the number of processors that
        this process may use, or the option `threads` where that is given; 1 always stays.
        """
        return _clipped(self, self.variant(options), largest_thread_count(options))

    def variant(self, options: Mapping[str, Any]) -> str:  # noqa: ARG002 - for kernels that vary
        """Return what `options` say about the published space; empty where there is but one."""
        return ""

    def published(self, variant: str) -> Space:  # noqa: ARG002 - for kernels that vary
        """Return the space as published, read from its file."""
        return load_space(_SPACES / f"taco_{self.name}.yaml")

    def references(self, space: Space, options: Mapping[str, Any]) -> tuple[Reference, ...]:
        """Return `default`, the unscheduled kernel, and `expert`, both with the most threads."""
        most = max(_thread_counts(space))
        expert = dict(self.expert)
        asked = int(expert[_THREADS])
        expert[_THREADS] = min(asked, most)
        note = self.expert_note
        if expert[_THREADS] != asked:
            note += f"; {asked} threads in the source, here {most}, the most that are allowed"
        return (
            Reference(
                name="default",
                configuration={
                    "schedule": UNSCHEDULED,
                    _THREADS: largest_thread_count(options),
                },
                in_space=False,
                note="TACO's code without any scheduling command; TACO runs its outer loop on all "
                "threads when that is safe",
                source="https://github.com/baco-authors/baco-artifact",
            ),
            Reference(
                name="expert",
                configuration=expert,
                note=note,
                source="https://github.com/baco-authors/baco-artifact",
            ),
        )

    def schedule(
        self,
        configuration: Mapping[str, Any],
        sizes: Mapping[str, int],
        options: Mapping[str, Any],
    ) -> Schedule:
        """Return the schedule of a configuration, within the space or hand-made."""
        made = handmade(configuration, largest_thread_count(options))
        return self.commands(configuration, sizes) if made is None else made

    def order(self, configuration: Configuration) -> str:
        """Return the loops in the order that the configuration's permutation asks for."""
        permutation: Any = configuration["permutation"]
        return ",".join(self.loops[int(place)] for place in permutation)

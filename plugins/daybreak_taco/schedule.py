"""What a configuration means: scheduling commands for `taco`, and settings of the OpenMP runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daybreak import BuildFailed

__all__ = ["UNSCHEDULED", "Schedule", "handmade", "runtime", "threads_of"]

#: the value of the configuration key `schedule` that asks for TACO's code without any command
UNSCHEDULED = "unscheduled"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One way to compile and run a kernel.

    Attributes:
        commands: TACO's scheduling commands in order, e.g. ``split(i,i0,i1,16)``.
        threads: number of OpenMP threads (`omp_set_num_threads`).
        dynamic: OpenMP's schedule kind for the parallel loop: dynamic, else static.
        chunk: OpenMP's chunk size (`omp_set_schedule`); 0 leaves it to the runtime.
        unroll: a loop of the emitted C, by the name of its variable, and the factor of an unroll
            pragma that is put in front of it; for loops that TACO itself refuses to unroll.
        independent: the loop given to CPUVector runs over an index of the result, so that its
            iterations write different elements.
    """

    commands: tuple[str, ...]
    threads: int
    dynamic: bool = False
    chunk: int = 0
    unroll: tuple[str, int] | None = None
    independent: bool = False


def runtime(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OpenMP settings of a published configuration as arguments of `Schedule`.

    `omp_scheduling_type` is 0 for static and 1 for dynamic.
    """
    return {
        "threads": int(configuration["omp_num_threads"]),
        "dynamic": int(configuration["omp_scheduling_type"]) == 1,
        "chunk": int(configuration["omp_chunk_size"]),
    }


def threads_of(configuration: Mapping[str, Any], largest: int) -> int:
    """Return the number of threads that a configuration outside the space asks for."""
    return int(configuration.get("omp_num_threads", largest))


def handmade(configuration: Mapping[str, Any], largest: int) -> Schedule | None:
    """Return the schedule of a configuration that stands outside the search space, else None.

    Such a configuration has the key `schedule`: ``"unscheduled"``, or a list of scheduling
    commands. `omp_num_threads`, `omp_scheduling_type` and `omp_chunk_size` may stand beside it.

    Raises:
        BuildFailed: `schedule` is neither.
    """
    if "schedule" not in configuration:
        return None
    asked: Any = configuration["schedule"]
    commands: tuple[str, ...]
    if asked == UNSCHEDULED:
        commands = ()
    elif isinstance(asked, Sequence) and not isinstance(asked, str):
        commands = tuple(str(command) for command in asked)
    else:
        raise BuildFailed(f"a schedule is '{UNSCHEDULED}' or a list of commands, not {asked!r}")
    return Schedule(
        commands=commands,
        threads=threads_of(configuration, largest),
        dynamic=int(configuration.get("omp_scheduling_type", 0)) == 1,
        chunk=int(configuration.get("omp_chunk_size", 0)),
    )

"""The time that no honest kernel can beat on this machine.

Deliberately generous, so that it only catches the impossible: every processor is taken to do 64
double-precision operations per cycle (two 512-bit multiply-add pipes do 32) at 6 GHz, and to move
192 bytes per cycle between its registers and its first-level cache (three 512-bit accesses).
"""

from __future__ import annotations

from daybreak_taco.kernels.base import usable_cpus
from daybreak_taco.problem import Problem

__all__ = ["BYTES_PER_SECOND", "FLOPS_PER_SECOND", "least_ms"]

_HERTZ = 6e9
#: per processor
FLOPS_PER_SECOND = 64 * _HERTZ
#: per processor
BYTES_PER_SECOND = 192 * _HERTZ


def least_ms(problem: Problem) -> float:
    """Return the floor of the kernel's time in milliseconds, on all usable processors."""
    seconds = max(problem.flops / FLOPS_PER_SECOND, problem.least_bytes / BYTES_PER_SECOND)
    return 1e3 * seconds / usable_cpus()

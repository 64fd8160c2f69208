"""The time that no honest kernel can beat on a device.

Deliberately generous, so that it only catches the impossible. A processor of this machine is taken
to do 128 single-precision operations per cycle (two 512-bit multiply-add pipes do 64) at 6 GHz and
to move 192 bytes per cycle. Another device is taken to do 1e15 operations in a second and to move
2e13 bytes, several times what the fastest GPU of 2026 does in single precision.
"""

from __future__ import annotations

import os

from daybreak_rise.benchmarks.base import Work

__all__ = ["least_ms"]

_HERTZ = 6e9
_CPU_FLOPS, _CPU_BYTES = 128 * _HERTZ, 192 * _HERTZ
_GPU_FLOPS, _GPU_BYTES = 1e15, 2e13


def least_ms(work: Work, kind: str, threads: int | None = None) -> float:
    """Return the floor of a kernel's time in milliseconds.

    Args:
        work: what the problem asks for.
        kind: of the device; `cpu` is this machine's.
        threads: how many processors it may use; None: all of the machine.
    """
    if kind != "cpu":
        return 1e3 * max(work.flops / _GPU_FLOPS, work.bytes / _GPU_BYTES)
    count = threads or os.cpu_count() or 1
    return 1e3 * max(work.flops / _CPU_FLOPS, work.bytes / _CPU_BYTES) / count

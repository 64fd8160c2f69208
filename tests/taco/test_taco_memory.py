"""Guarded arrays: what is written outside of them does not go unnoticed."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

import numpy as np
import pytest

from daybreak_taco.memory import ALIGNMENT, Guarded, guarded_copy
from daybreak_taco.tensors import output


def signal_of(work: Callable[[], object]) -> int:
    """Return the signal that ends a child which does `work`, or 0."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
        work()
        os._exit(0)
    return -min(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


@pytest.mark.parametrize("count", [1, 7, 8, 511, 512, 513, 100_003])
def test_arrays_are_aligned_zero_and_of_their_size(count: int) -> None:
    made = Guarded(count, np.float64)
    assert made.array.shape == (count,)
    assert not made.array.any()
    assert made.address % ALIGNMENT == 0
    assert made.array.ctypes.data == made.address
    assert made.intact()


@pytest.mark.parametrize("count", [1, 8, 513])
@pytest.mark.parametrize("offset", [-1, 0])
def test_writes_beside_an_array_are_seen_or_fatal(count: int, offset: int) -> None:
    made = Guarded(count, np.float64)
    place = made.address + (offset if offset < 0 else made.array.nbytes)

    def spoil() -> None:
        ctypes.memset(place, 1, 1)
        if not made.intact():
            os.kill(os.getpid(), signal.SIGSEGV)

    assert signal_of(spoil) in (signal.SIGSEGV, signal.SIGBUS)
    assert made.intact()


@pytest.mark.parametrize("distance", [4096, -4096, 60_000, -60_000])
def test_far_writes_are_fatal(distance: int) -> None:
    made = Guarded(8, np.float64)
    assert signal_of(lambda: ctypes.memset(made.address + distance, 1, 1)) != 0


def test_inputs_cannot_be_written_but_read_a_little_beyond() -> None:
    made = guarded_copy([1, 2, 3], np.int32)
    assert made.array.tolist() == [1, 2, 3]
    assert ctypes.string_at(made.address + 12, 4) == b"\0\0\0\0"
    assert signal_of(lambda: ctypes.memset(made.address, 1, 1)) != 0
    with pytest.raises(ValueError, match="read-only"):
        made.array[0] = 5


def test_an_output_ends_at_the_guard() -> None:
    tensor = output((3, 5))
    end = tensor.values.address + tensor.values.array.nbytes
    assert signal_of(lambda: ctypes.memset(end + ALIGNMENT, 1, 1)) != 0

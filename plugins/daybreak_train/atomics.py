"""Atomic operations and locks for compiled kernels that run in several threads.

All work on elements of int64 arrays that the threads share. Who waits looks again at once, then
gives its processor away, then sleeps for moments, so that more threads than processors make
progress too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["acquire", "atomic_add", "atomic_load", "barrier", "release"]

#: looks at a lock before the processor is given away, and before the thread sleeps
_SPINS, _YIELDS = 2000, 2020
_SLEEP_US = 20

_yield = types.ExternalFunction("sched_yield", types.int32())
_sleep = types.ExternalFunction("usleep", types.int32(types.uint32))


def _pointer(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    view = context.make_array(kind)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, kind, view, [index])


@intrinsic
def atomic_add(_typing: Any, array: Any, _index: Any, _value: Any) -> Any:
    """Add a number to an element of an int64 array and return what it was."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        return builder.atomic_rmw("add", pointer, arguments[2], "acq_rel")

    return types.int64(array, types.intp, types.int64), emit


@intrinsic
def _exchange(_typing: Any, array: Any, _index: Any, _value: Any) -> Any:
    """Store a number in an element and return what was there."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        return builder.atomic_rmw("xchg", pointer, arguments[2], "acq_rel")

    return types.int64(array, types.intp, types.int64), emit


@intrinsic
def atomic_load(_typing: Any, array: Any, _index: Any) -> Any:
    """Return an element as other threads left it."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, types.intp), emit


@intrinsic
def _store(_typing: Any, array: Any, _index: Any, _value: Any) -> Any:
    """Store a number in an element for other threads to see, after all stores before it."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        builder.store_atomic(arguments[2], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), emit


@njit(nogil=True)
def _wait(spins):  # type: ignore[no-untyped-def]
    """Pass some time, the longer the more often it was passed already; return the new count."""
    if spins >= _YIELDS:
        _sleep(np.uint32(_SLEEP_US))
    elif spins >= _SPINS:
        _yield()
    return spins + 1


@njit(nogil=True)
def acquire(lock):  # type: ignore[no-untyped-def]
    """Wait until ``lock[0]`` is 0 and set it to 1."""
    spins = 0
    while _exchange(lock, 0, 1) != 0:
        while atomic_load(lock, 0) != 0:
            spins = _wait(spins)


@njit(nogil=True)
def release(lock):  # type: ignore[no-untyped-def]
    """Set ``lock[0]`` to 0."""
    _store(lock, 0, 0)


@njit(nogil=True)
def barrier(gate, threads):  # type: ignore[no-untyped-def]
    """Wait until all `threads` have come; `gate` holds two zeros at first: arrivals and rounds."""
    here = atomic_load(gate, 1)
    if atomic_add(gate, 0, 1) == threads - 1:
        _store(gate, 0, 0)
        _store(gate, 1, here + 1)
        return
    spins = 0
    while atomic_load(gate, 1) == here:
        spins = _wait(spins)

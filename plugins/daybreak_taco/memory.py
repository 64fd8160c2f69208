"""Arrays between guards: what a kernel does outside its arrays is noticed, not forgiven.

Each array lives in pages of its own, private to the process, between two stretches of pages that
may not be touched. Inputs are made read-only once they are filled. An output ends as near to the guard page
as its alignment allows; the few bytes left over, and those before it, hold a known pattern.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

__all__ = ["ALIGNMENT", "OVERREAD", "Guarded", "guarded_copy"]

#: bytes to which every array is aligned: a cache line
ALIGNMENT = 64
#: readable zero bytes after an input: emitted merge loops look one coordinate ahead
OVERREAD = 64

_PATTERN = 0xA5
#: pages on each side that may not be touched: a stride beyond the end must not jump over them
_GUARD_PAGES = 16
_PROT_NONE, _PROT_READ = 0, 1
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def _protect(address: int, size: int, protection: int) -> None:
    if _libc.mprotect(address, size, protection) != 0:
        raise OSError(ctypes.get_errno(), "mprotect failed on a guarded array")


class Guarded:
    """One array of `count` elements of `dtype` between guards.

    Attributes:
        array: the elements, one-dimensional, zero at first.
        address: where the first element stands.
    """

    def __init__(self, count: int, dtype: Any, *, overread: int = 0) -> None:
        kind = np.dtype(dtype)
        size = count * kind.itemsize
        page, guard = mmap.PAGESIZE, _GUARD_PAGES * mmap.PAGESIZE
        aligned = -(-(size + overread) // ALIGNMENT) * ALIGNMENT
        body = -(-max(aligned, 1) // page) * page
        self._map = mmap.mmap(-1, body + 2 * guard, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE") and body >= 4 << 20:
            self._map.madvise(mmap.MADV_HUGEPAGE)
        whole = np.frombuffer(self._map, dtype=np.uint8)
        base = int(whole.ctypes.data)
        start = guard + body - aligned
        self._body = (base + guard, body)
        self._before = whole[guard:start]
        self._after = whole[start + size + overread : guard + body]
        self._before[:] = _PATTERN
        self._after[:] = _PATTERN
        self.address = base + start
        self.array: np.ndarray[Any, Any] = whole[start : start + size].view(kind)
        _protect(base, guard, _PROT_NONE)
        _protect(base + guard + body, guard, _PROT_NONE)

    def freeze(self) -> None:
        """Make the array read-only: a write to it ends the process with a signal."""
        _protect(*self._body, _PROT_READ)
        self.array.flags.writeable = False

    def intact(self) -> bool:
        """Whether nobody wrote to the bytes around the array."""
        return bool((self._before == _PATTERN).all() and (self._after == _PATTERN).all())


def guarded_copy(values: Any, dtype: Any) -> Guarded:
    """Return `values` (any shape, stored row by row) in a frozen guarded array of `dtype`."""
    flat = np.asarray(values).reshape(-1)
    made = Guarded(flat.size, dtype, overread=OVERREAD)
    made.array[:] = flat
    made.freeze()
    return made

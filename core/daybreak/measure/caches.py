"""Evicting the processor's caches, for sessions whose protocol asks for it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["flush_caches", "last_level_cache_bytes"]

_FALLBACK_BYTES = 64 * 1024 * 1024
_LARGEST_BYTES = 1024 * 1024 * 1024


def flush_caches() -> int:
    """Evict every level of the data caches and return the number of bytes written for it.

    A session calls this between two timed repetitions when ``protocol.flush_cache`` is set. The
    buffer, twice the last-level cache, is allocated once per process and read and written whole.
    """
    buffer = _buffer()
    buffer += 1
    return int(buffer.nbytes)


@lru_cache(maxsize=1)
def last_level_cache_bytes() -> int | None:
    """Return the size of the largest data cache that cpu0 can reach, or None if not readable."""
    sizes = [
        size
        for entry in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
        if (size := _read_size(entry)) is not None
    ]
    return max(sizes, default=None)


@lru_cache(maxsize=1)
def _buffer() -> Any:
    import numpy

    size = min(_LARGEST_BYTES, 2 * (last_level_cache_bytes() or _FALLBACK_BYTES // 2))
    return numpy.zeros(size // 8, dtype=numpy.int64)


def _read_size(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
        unit = {"K": 1024, "M": 1024**2, "G": 1024**3}.get(text[-1:], 1)
        return int(text.rstrip("KMG")) * unit
    except (OSError, ValueError):
        return None

"""What makes designs of two versions of this plugin different: its own source."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

__all__ = ["source_digest"]

_FOLDER = Path(__file__).parent
#: where programs come from and how they become hardware
_HARDWARE = ("benchmarks", "ir", "rtl", "transforms")


@lru_cache(maxsize=2)
def source_digest(*further: str) -> str:
    """Return a hash (16 hexadecimal digits) of the modules that make hardware, and of `further`."""
    made = hashlib.sha256()
    for package in (*_HARDWARE, *further):
        for path in sorted((_FOLDER / package).glob("*.py")):
            made.update(path.name.encode())
            made.update(path.read_bytes())
    return made.hexdigest()[:16]

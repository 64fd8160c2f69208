"""What a memory takes: blocks, or look-up tables where those are cheaper."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

__all__ = ["LUTRAM_PARTS", "memory_blocks"]

#: shapes of a block of 18 kbit: words x bits (DP16KD; RAMB18 has the same)
_BLOCKS: Final = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
#: a memory in look-up tables is cheaper than a block up to so many parts of 16 x 4 bits: where Yosys
#: 0.70 was seen to change its mind (between 25 and 28 parts on ECP5, beyond 40 on 7-series)
LUTRAM_PARTS: Final[Mapping[str, int]] = {"ecp5": 26, "xc7": 64}


def memory_blocks(depth: int, bits: int, family: str = "ecp5") -> tuple[int, int]:
    """Return blocks, and parts in look-up tables, of a memory of `depth` words of `bits` bits.

    One of the two is 0: the synthesiser takes look-up tables where they are cheaper.
    """
    parts = math.ceil(depth / 16) * math.ceil(bits / 4)
    blocks = min(math.ceil(depth / words) * math.ceil(bits / width) for words, width in _BLOCKS)
    return (0, parts) if parts <= LUTRAM_PARTS[family] * blocks else (blocks, 0)

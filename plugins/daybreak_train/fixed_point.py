"""Scalars of fixed-point arithmetic inside compiled kernels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["fraction", "mantissa", "plain_mantissa"]

_U32 = np.uint64(32)
_SHARE = 1.0 / 4294967296.0


def _reinterpreted(given: Any, wanted: Any, shape: Any) -> Any:
    def operate(_typing: Any, _value: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], shape)

        return wanted(given), emit

    return intrinsic(operate)


#: the 64 bits of a float as an integer, and back: calls to frexp and ldexp cost more than a step
_bits_of = _reinterpreted(types.float64, types.int64, ir.IntType(64))
_float_of = _reinterpreted(types.int64, types.float64, ir.DoubleType())


@njit(nogil=True)
def fraction(word):  # type: ignore[no-untyped-def]
    """Return a number in [0, 1) from the upper 32 bits; the lower ones stay unused."""
    return np.float64(word >> _U32) * _SHARE


@njit(nogil=True)
def mantissa(value, bits, most, limit, share):  # type: ignore[no-untyped-def]
    """Return a whole c and a shift e with value = c / 2^e and 0 <= e <= most.

    |c| has `bits` bits where e lies between its ends, and is at most `limit`. `share`, drawn evenly
    from [0, 1), rounds it: on average c / 2^e is the value, unless the limit is in the way. NaN
    becomes 0.
    """
    size = abs(value)
    if not size > 0.0:
        return 0, 0
    # IEEE 754: the power is that of frexp, a size below 1 times a power of two
    power = ((_bits_of(size) >> 52) & 0x7FF) - 1022
    shift = min(max(bits - power, 0), most)
    scaled = size * _float_of((shift + 1023) << 52) + share
    # compared before it becomes whole: what is too large for 64 bits would come out negative
    c = np.int64(limit) if scaled >= limit else np.int64(math.floor(scaled))
    return (c if value > 0.0 else -c), shift


def plain_mantissa(value: float, bits: int, most: int, limit: int, word: int) -> tuple[int, int]:
    """Return the same of a word of the stream, calculated in Python."""
    if value == 0.0:
        return 0, 0
    shift = min(max(bits - math.frexp(abs(value))[1], 0), most)
    scaled = min(abs(value) * 2.0**shift + (word >> 32) / 2.0**32, limit)
    return int(math.copysign(math.floor(scaled), value)), shift

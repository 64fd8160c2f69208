"""Random words for compiled kernels: one xoshiro256++ stream for each thread.

NumPy's generators are not for threads that share nothing and hold no lock; these are 32 bytes of
state that a kernel advances inline. Source: Blackman and Vigna, "Scrambled linear pseudorandom
number generators", ACM TOMS 47 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["PlainStream", "below", "new_streams", "next_word", "uniform"]

#: words of a stream's row: four of state, and as many again so that rows of two threads lie in
#: different cache lines
_ROW = 8
_MASK = (1 << 64) - 1

_U11 = np.uint64(11)
_U17 = np.uint64(17)
_U19 = np.uint64(19)
_U23 = np.uint64(23)
_U32 = np.uint64(32)
_U41 = np.uint64(41)
_U45 = np.uint64(45)


def new_streams(seed: Sequence[int], count: int) -> NDArray[np.uint64]:
    """Return `count` independent streams for the entropy `seed`, shape (count, 8)."""
    words = np.random.SeedSequence(list(seed)).generate_state(4 * count, np.uint64)
    streams = np.zeros((count, _ROW), dtype=np.uint64)
    streams[:, :4] = words.reshape(count, 4)
    # all zeros is the one state that never leaves itself
    streams[:, 0] |= np.uint64(1)
    return streams


@njit(inline="always")
def next_word(stream):  # type: ignore[no-untyped-def]
    """Advance `stream` (8 words, the first four used) and return 64 random bits."""
    s0 = stream[0]
    s1 = stream[1]
    s2 = stream[2]
    s3 = stream[3]
    mixed = s0 + s3
    word = ((mixed << _U23) | (mixed >> _U41)) + s0
    shifted = s1 << _U17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    stream[0] = s0
    stream[1] = s1
    stream[2] = s2
    stream[3] = (s3 << _U45) | (s3 >> _U19)
    return word


@njit(inline="always")
def uniform(word):  # type: ignore[no-untyped-def]
    """Return a number in [0, 1) from the upper 53 bits of `word`."""
    return np.float64(word >> _U11) * (1.0 / 9007199254740992.0)


@njit(inline="always")
def below(word, bound):  # type: ignore[no-untyped-def]
    """Return an index in [0, bound) from the upper 32 bits of `word`.

    Uneven by at most bound / 2^32.
    """
    return np.int64(((word >> _U32) * np.uint64(bound)) >> _U32)


class PlainStream:
    """The same generator in plain Python integers: what the compiled one is checked against.

    Args:
        row: one row of `new_streams`; left as it is.
    """

    def __init__(self, row: NDArray[np.uint64]) -> None:
        self._state = [int(word) for word in row[:4]]

    def word(self) -> int:
        """Return the next 64 bits."""
        s0, s1, s2, s3 = self._state
        word = (_rotated((s0 + s3) & _MASK, 23) + s0) & _MASK
        s2 ^= s0
        s3 ^= s1
        self._state = [
            s0 ^ s3,
            s1 ^ s2,
            s2 ^ ((s1 << 17) & _MASK),
            _rotated(s3, 45),
        ]
        return word

    def below(self, bound: int) -> int:
        """Return an index in [0, bound), of one word."""
        return ((self.word() >> 32) * bound) >> 32

    def uniform(self) -> float:
        """Return a number in [0, 1), of one word."""
        return (self.word() >> 11) * 2.0**-53


def _rotated(word: int, by: int) -> int:
    return ((word << by) | (word >> (64 - by))) & _MASK

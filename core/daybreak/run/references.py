"""When the references are measured: at the start of a block, and again among its trials.

Measuring them again now and then makes drift of the machine visible, and gives "versus expert" a
value taken under the same conditions as the trials.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from daybreak.plugin.contracts import Reference

__all__ = ["ReferenceTurns"]


class ReferenceTurns:
    """Says before which trials of a block a reference is measured again.

    The gaps are drawn uniformly from 1 to ``2 * interleave - 1`` trials with a seed of their own,
    so on average one reference every `interleave` trials, at places that no optimizer can guess.
    """

    def __init__(self, references: Sequence[Reference], interleave: int, seed: int) -> None:
        self._count = len(references)
        self._interleave = interleave
        self._random = random.Random(f"references/{seed}")  # noqa: S311 - no secret
        self._gaps = self._gap()

    def _gap(self) -> Iterator[int]:
        while True:
            yield self._random.randint(1, 2 * self._interleave - 1)

    def at_start(self) -> int:
        """Return how many reference trials open the block: each reference once."""
        return self._count

    def __iter__(self) -> Iterator[bool]:
        """Yield for every trial of the block whether a reference comes before it."""
        if not self._count or self._interleave <= 0:
            while True:
                yield False
        while True:
            for _ in range(next(self._gaps)):
                yield False
            yield True

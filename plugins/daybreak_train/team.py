"""Threads that run compiled kernels at once, on memory that they share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

__all__ = ["Team", "shares", "thread_choices", "usable_processors"]


def usable_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_choices(most: int | None) -> tuple[int, ...]:
    """Return 1, 2, 4, ... up to `most` (None: the usable processors), which comes last itself."""
    top = most or usable_processors()
    choices = {top}
    power = 1
    while power < top:
        choices.add(power)
        power *= 2
    return tuple(sorted(choices))


def shares(count: int, threads: int) -> list[int]:
    """Return `count` divided among `threads` as evenly as whole numbers allow."""
    least, rest = divmod(count, threads)
    return [least + (thread < rest) for thread in range(threads)]


class Team:
    """So many threads that wait for work between calls; one alone runs in the calling thread.

    Kernels have to release the interpreter's lock (``nogil=True``) to run at once.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def __enter__(self) -> Self:
        """Return the team itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Send the threads home, as soon as they have done what they were given."""
        if self._pool is not None:
            self._pool.shutdown()

    def run(self, kernel: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Call `kernel` once for each member with its arguments, all at once; return the results.

        The first of them runs in the calling thread. Whatever one raises is raised here, once all
        have ended.
        """
        if self._pool is None:
            return [kernel(*own) for own in arguments]
        others = [self._pool.submit(kernel, *own) for own in arguments[1:]]
        try:
            first = kernel(*arguments[0])
        finally:
            for other in others:
                other.exception()
        return [first, *(other.result() for other in others)]

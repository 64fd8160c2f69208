"""How often a process that measures reports what it has seen so far."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["ReportPace"]

#: Reports that may come in a burst, and how many a second after that: what a trial that dies loses
#: are the events since its last report.
_BURST = 20
_REPORTS_PER_SECOND = 20.0


class ReportPace:
    """Lets so many reports through: a burst, then so many a second."""

    __slots__ = ("_clock", "_last", "_tokens")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self._tokens = float(_BURST)

    def allows(self) -> bool:
        """Whether to report now; asking counts as reporting."""
        now = self._clock()
        self._tokens = min(_BURST, self._tokens + (now - self._last) * _REPORTS_PER_SECOND)
        self._last = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

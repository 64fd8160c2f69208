"""Keeping a progress curve within bounds: events of a trial, thinned evenly when there are many."""

from __future__ import annotations

from dataclasses import replace

from daybreak.records import Event

__all__ = ["MOST_EVENTS", "EventKeeper"]

#: Most events that one trial keeps.
MOST_EVENTS = 20_000


class EventKeeper:
    """Keeps at most `most` events: when full, every other one goes and from then on half are taken.

    The first and the last event of each metric are always kept, so that a curve has its ends;
    `seq` is numbered anew, in the order of arrival, before thinning.
    """

    __slots__ = ("_counts", "_kept", "_last", "_reported", "_seen", "_stride", "most")

    def __init__(self, most: int = MOST_EVENTS) -> None:
        self.most = most
        self._kept: list[Event] = []
        self._counts: dict[str, int] = {}
        self._last: dict[str, Event] = {}
        self._seen = 0
        self._stride = 1
        self._reported = -1

    def add(self, event: Event) -> None:
        """Take one event."""
        event = event if event.seq == self._seen else replace(event, seq=self._seen)
        self._seen += 1
        count = self._counts.get(event.metric, 0)
        self._counts[event.metric] = count + 1
        self._last[event.metric] = event
        if count % self._stride == 0:
            self._kept.append(event)
            if len(self._kept) >= self.most:
                self._thin()

    def fresh(self, most: int = 1000) -> list[Event]:
        """Return the newest events (at most `most`) that no earlier call returned."""
        found = [event for event in self._kept[-most:] if event.seq > self._reported]
        if found:
            self._reported = found[-1].seq
        return found

    def finish(self) -> tuple[list[Event], int]:
        """Return the kept events in order, and how many were dropped."""
        kept = self._kept
        if self._stride > 1:
            there = {event.seq for event in kept}
            kept = kept + [event for event in self._last.values() if event.seq not in there]
            kept.sort(key=lambda event: event.seq)
        return kept, self._seen - len(kept)

    def _thin(self) -> None:
        self._stride *= 2
        position: dict[str, int] = {}
        kept = []
        for event in self._kept:
            index = position.get(event.metric, 0)
            position[event.metric] = index + 1
            if index % 2 == 0:
                kept.append(event)
        self._kept = kept

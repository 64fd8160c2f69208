"""Keeping a progress curve within bounds: events of a trial, thinned when there are many.

Thinning must not move the moment at which a value was first reached, for that is what a curve is
recorded for. Of every metric whose direction is known, a bucket of events therefore keeps its first
one and, where the metric got better than ever before in it, its best one. For any threshold
whatever, the first kept event at or beyond it then comes at or after the true one, and the last
kept event before that comes before the true one: intervals grow wider, never wrong. Around the
values that are watched (a suite's targets) nothing is lost: the first event at or beyond each of
them and the event just before are kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from daybreak.records import Direction, Event

__all__ = ["MOST_EVENTS", "EventKeeper"]

#: Most events that one trial keeps, but for those at watched values and each metric's last.
MOST_EVENTS = 20_000

_NO_DIRECTIONS: Mapping[str, Direction] = MappingProxyType({})
_NO_VALUES: Mapping[str, Sequence[float]] = MappingProxyType({})


class EventKeeper:
    """Keeps about `most` events: when there are more, buckets of two become one.

    The first and the last event of each metric are always kept, so that a curve has its ends.

    Args:
        most: events that are kept, watched ones and last ones not counted.
        directions: of the metrics whose best values are to be kept.
        watched: values of these metrics whose first reaching is to be kept exactly.
    """

    __slots__ = ("_buckets", "_directions", "_reported", "_seen", "_series", "_watched", "most")

    def __init__(
        self,
        most: int = MOST_EVENTS,
        *,
        directions: Mapping[str, Direction] = _NO_DIRECTIONS,
        watched: Mapping[str, Sequence[float]] = _NO_VALUES,
    ) -> None:
        self.most = most
        self._directions = directions
        self._watched = watched
        self._series: dict[str, _Series] = {}
        self._buckets = 0
        self._seen = 0
        self._reported = -1

    @property
    def seen(self) -> int:
        """How many events were taken."""
        return self._seen

    def add(self, event: Event) -> None:
        """Take the next event; its `seq` is given anew, in the order of arrival."""
        self.take(event if event.seq == self._seen else replace(event, seq=self._seen))

    def take(self, event: Event) -> None:
        """Take the next event, already numbered."""
        self._seen += 1
        series = self._series.get(event.metric)
        if series is None:
            series = self._series[event.metric] = _Series(
                self._directions.get(event.metric), self._watched.get(event.metric, ())
            )
        self._buckets += series.take(event)
        if self._buckets >= self.most:
            self._thin()

    def fresh(self, most: int = 1000) -> list[Event]:
        """Return kept events that no earlier call returned: if there are more than `most`, the
        newest and those at watched values.
        """
        found = self._collect(self._reported)
        if found:
            self._reported = found[-1].seq
        if len(found) <= most:
            return found
        pinned = {event.seq for series in self._series.values() for event in series.pinned}
        return [event for event in found[:-most] if event.seq in pinned] + found[-most:]

    def finish(self) -> tuple[list[Event], int]:
        """Return the kept events in order, and how many were dropped."""
        kept = self._collect(-1)
        return kept, self._seen - len(kept)

    def _collect(self, after: int) -> list[Event]:
        found = {
            event.seq: event for series in self._series.values() for event in series.kept(after)
        }
        return [found[seq] for seq in sorted(found)]

    def _thin(self) -> None:
        # a curve that only ever gets better keeps two events of every bucket, so that halving the
        # buckets once may halve nothing
        while self._buckets > self.most // 2:
            before = self._buckets
            self._buckets = sum(series.thin() for series in self._series.values())
            if self._buckets == before:
                break


class _Bucket:
    """A stretch of one metric's events: the first, and the best if it was better than any before."""

    __slots__ = ("best", "first")

    def __init__(self, first: Event) -> None:
        self.first = first
        self.best: Event | None = None


class _Series:
    """One metric's events."""

    __slots__ = (
        "_buckets",
        "_count",
        "_goals",
        "_last",
        "_record",
        "_record_value",
        "_sign",
        "_stride",
        "pinned",
    )

    def __init__(self, direction: Direction | None, watched: Sequence[float]) -> None:
        self._sign = {Direction.MAXIMIZE: 1.0, Direction.MINIMIZE: -1.0, None: 0.0}[direction]
        # the easiest last, to be popped; a value is "at or beyond" when sign * value is at least it
        self._goals = sorted((self._sign * value for value in watched), reverse=True)
        if self._sign == 0.0:
            self._goals = []
        self._buckets: list[_Bucket] = []
        self._count = 0
        self._stride = 1
        self._last: Event | None = None
        self._record: Event | None = None
        self._record_value = -math.inf
        self.pinned: list[Event] = []

    def take(self, event: Event) -> int:
        """Take the next event; return how many more are kept than before."""
        more = 0
        if self._count % self._stride == 0:
            self._buckets.append(_Bucket(event))
            more = 1
        self._count += 1
        if self._sign:
            value = self._sign * event.value
            # NaN compares as no better than anything; an infinity would hide all that follows it
            if self._record_value < value < math.inf:
                if self._goals and value >= self._goals[-1]:
                    self._pin(event, value)
                if not more:
                    bucket = self._buckets[-1]
                    more = bucket.best is None
                    bucket.best = event
                self._record, self._record_value = event, value
        self._last = event
        return int(more)

    def _pin(self, event: Event, value: float) -> None:
        while self._goals and value >= self._goals[-1]:
            self._goals.pop()
        # the best so far goes with them: otherwise the event just before, which is kept beyond
        # what its bucket keeps, could stand between a dropped peak and the next kept event
        for one in (self._record, self._last, event):
            if one is not None:
                self.pinned.append(one)

    def kept(self, after: int) -> Iterator[Event]:
        """Yield the kept events whose `seq` is beyond `after`, in no order."""
        for bucket in reversed(self._buckets):
            if bucket.best is not None and bucket.best.seq > after:
                yield bucket.best
            if bucket.first.seq > after:
                yield bucket.first
            else:
                break
        for event in self.pinned:
            if event.seq > after:
                yield event
        if self._last is not None and self._last.seq > after:
            yield self._last

    def thin(self) -> int:
        """Make every two buckets one; return how many events they keep."""
        merged: list[_Bucket] = []
        record = -math.inf
        kept = 0
        for i in range(0, len(self._buckets), 2):
            pair = self._buckets[i : i + 2]
            bucket = _Bucket(pair[0].first)
            top = record
            for event in (one for part in pair for one in (part.first, part.best) if one):
                value = self._sign * event.value
                if self._sign and top < value < math.inf:
                    top, bucket.best = value, event
            if bucket.best is bucket.first:
                bucket.best = None
            record = top
            kept += 1 + (bucket.best is not None)
            merged.append(bucket)
        self._buckets = merged
        self._stride *= 2
        return kept

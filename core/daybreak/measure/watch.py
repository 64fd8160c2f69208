"""Watching a trial that runs in another process: its frames, its output, its time, its death.

The same loop serves Daybreak watching a worker and a worker watching the trial that it forked. It
runs in one thread and never blocks longer than the next deadline.
"""

from __future__ import annotations

import math
import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from daybreak.measure.announcing import Doing, decode_doing
from daybreak.measure.codec import decode_events, decode_samples, decode_seconds
from daybreak.measure.events import EventKeeper
from daybreak.measure.wire import FrameReader, GarbledError
from daybreak.records import Event, Sample

__all__ = ["End", "OutputTail", "Watched", "watch"]

#: Most samples kept from a trial that dies.
_MOST_PARTIAL = 20_000
#: Most reads in a row before time and output are looked at again.
_MOST_READS = 64
#: How much of the output is kept for a trial's detail.
_TAIL_BYTES = 64 * 1024
#: Seconds between two looks at a process where the system has no process descriptors.
_SLICE = 0.05
#: Least seconds between two words on what a trial is at.
_TELL_S = 0.25
#: Seconds after which they are said again, so that it is seen that the trial goes on; not while it
#: is measured, which everything else on the machine disturbs.
_AGAIN_S = 1.0
_MEASURED = "measure"


class End(StrEnum):
    """How watching ended."""

    DONE = "done"
    TIMEOUT = "timeout"
    DIED = "died"
    FLOOD = "flood"
    GARBLED = "garbled"
    CLOSED = "closed"


class OutputTail:
    """The last bytes of what was printed, and how much it was."""

    __slots__ = ("_tail", "fd", "total")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.total = 0
        self._tail = bytearray()

    def drain(self, limit: int | None = None) -> bool:
        """Read all that is there (non-blocking); False at the end of the stream.

        Stops early when more than `limit` bytes have come in all, so that a writer without end
        does not keep the reader busy without end.
        """
        while limit is None or self.total <= limit:
            try:
                data = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self.total += len(data)
            self._tail += data
            del self._tail[:-_TAIL_BYTES]
        return True

    def start(self) -> None:
        """Forget what was printed so far: a new trial begins."""
        self.total = 0
        self._tail.clear()

    @property
    def tail(self) -> bytes:
        """The last 64 KiB."""
        return bytes(self._tail)

    @property
    def text(self) -> str | None:
        """The last 64 KiB as text, or None when nothing was printed."""
        text = bytes(self._tail).decode(errors="replace").replace("\x00", "").strip()
        return text or None


@dataclass(slots=True)
class Watched:
    """What was seen of a trial: its final frame, or how far it came; `keeper` has its events."""

    end: End = End.DONE
    final: dict[str, Any] = field(default_factory=dict)
    phase: str = "build"
    phase_changes: int = 0
    phases: dict[str, float] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    keeper: EventKeeper = field(default_factory=EventKeeper)
    on_events: Callable[[tuple[Event, ...]], None] | None = None
    doing: Doing | None = None
    explanation: str = ""


def watch(
    reader: FrameReader,
    output: OutputTail,
    *,
    number: int,
    alive_fd: int | None,
    alive: Callable[[], bool],
    phase_s: float,
    total_s: float,
    output_bytes: int,
    phase: str = "build",
    answers: tuple[str, ...] = ("outcome",),
    keeper: EventKeeper | None = None,
    on_events: Callable[[tuple[Event, ...]], None] | None = None,
    on_progress: Callable[[Doing], None] | None = None,
) -> Watched:
    """Read what trial `number` sends until its final frame, its death or a limit.

    Args:
        reader: frames of the trial; its descriptor is non-blocking.
        output: what it prints; its descriptor is non-blocking.
        number: every frame carries it; another number means a corrupted sender.
        alive_fd: a process descriptor that becomes readable at its death, or None.
        alive: whether it still runs; asked where there is no process descriptor.
        phase_s: wall seconds for each phase.
        total_s: wall seconds for all of it.
        output_bytes: how much it may print.
        phase: what the trial is in before it says so itself.
        answers: the keys that mark the final frame.
        keeper: keeps the trial's events.
        on_events: called with events as they come.
        on_progress: called with what the trial says that it is at, the newest a few times a second;
            again each second while it builds.
    """
    seen = Watched(phase=phase, keeper=keeper or EventKeeper(), on_events=on_events)
    began = phase_began = time.monotonic()
    poller = select.poll()
    poller.register(reader.fd, select.POLLIN)
    poller.register(output.fd, select.POLLIN)
    if alive_fd is not None:
        poller.register(alive_fd, select.POLLIN)
    listening = True
    teller = _Teller(on_progress)
    output.start()
    while True:
        now = time.monotonic()
        left = min(phase_began + phase_s, began + total_s) - now
        # Telling may have taken its time (a terminal that is held): what the trial sent meanwhile
        # still counts.
        late = left <= 0
        wait = max(0.0, min(left, teller.due - now))
        if alive_fd is None:
            wait = min(wait, _SLICE)
        ready = {fd for fd, _ in poller.poll(0 if late else max(1, int(wait * 1000) + 1))}
        if listening and output.fd in ready:
            listening = output.drain(output_bytes)
            if not listening:
                poller.unregister(output.fd)
        died = alive_fd in ready if alive_fd is not None else not alive()
        if died or reader.fd in ready:
            before = seen.phase_changes
            try:
                done = _take(reader, seen, number, answers)
                teller.take(seen)
            except GarbledError as error:
                return _ended(seen, End.GARBLED, phase_began, str(error))
            if done:
                output.drain(output_bytes)
                if output.total > output_bytes:
                    return _ended(seen, End.FLOOD, phase_began)
                return seen
            if seen.phase_changes != before:
                phase_began = time.monotonic()
        if output.total > output_bytes:
            return _ended(seen, End.FLOOD, phase_began)
        if died:
            output.drain(output_bytes)
            return _ended(seen, End.DIED, phase_began)
        if reader.closed:
            return _ended(seen, End.CLOSED, phase_began)
        if late and time.monotonic() >= min(phase_began + phase_s, began + total_s):
            return _ended(seen, End.TIMEOUT, phase_began, f"over {phase_s:g} s")
        teller.tell()


class _Teller:
    """Says what a trial is at, the newest only: at once if it was quiet, else when it is due."""

    __slots__ = ("_newest", "_on_progress", "_told", "due")

    def __init__(self, on_progress: Callable[[Doing], None] | None) -> None:
        self._on_progress = on_progress
        self._newest: Doing | None = None
        self._told = -math.inf
        #: on `time.monotonic`
        self.due = math.inf

    def take(self, seen: Watched) -> None:
        """Take what has come of it."""
        if seen.doing is not None and self._on_progress is not None:
            self._newest, seen.doing = seen.doing, None
            self.due = self._told + _TELL_S

    def tell(self) -> None:
        """Say it, if it is due."""
        if self._newest is None or self._on_progress is None or time.monotonic() < self.due:
            return
        self._on_progress(self._newest)
        self._told = time.monotonic()
        self.due = math.inf if self._newest.phase == _MEASURED else self._told + _AGAIN_S


def _take(reader: FrameReader, seen: Watched, number: int, answers: tuple[str, ...]) -> bool:
    """Take the frames that are there; True when the final one was among them."""
    for _ in range(_MOST_READS):
        more = reader.feed()
        for message in reader.frames():
            if message.get("id") != number:
                raise GarbledError("a frame belongs to no trial in progress")
            if any(answer in message for answer in answers):
                seen.final = message
                return True
            if "phase" in message:
                seen.phase = str(message["phase"])[:64]
                seen.phases = decode_seconds(message.get("phases"))
                seen.phase_changes += 1
            if "progress" in message:
                seen.doing = decode_doing(message["progress"])
            if "samples" in message and len(seen.samples) < _MOST_PARTIAL:
                seen.samples += decode_samples(message["samples"])
            if "events" in message:
                events = decode_events(message["events"])
                for event in events:
                    seen.keeper.take(event)
                if seen.on_events is not None:
                    seen.on_events(events)
        if not more:
            break
    return False


def _ended(seen: Watched, end: End, phase_began: float, explanation: str = "") -> Watched:
    seen.end = end
    seen.explanation = explanation
    seen.phases = {**seen.phases, seen.phase: time.monotonic() - phase_began}
    return seen

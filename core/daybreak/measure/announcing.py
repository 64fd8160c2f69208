"""How far a long trial has come: what its session says, made harmless and bounded in its rate.

A session that `Announces` calls its `progress` as often as it likes, with whatever it likes, from
any thread and from processes that it forks. What comes of it are a few small frames each second, of
which the last is always the newest. Nothing here ever waits, nor raises into the session.
"""

from __future__ import annotations

import inspect
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from daybreak.measure.wire import GarbledError

__all__ = ["Announcer", "Doing", "Offer", "Report", "announcing", "decode_doing", "encode_doing"]

#: Takes a JSON object.
Report = Callable[[Mapping[str, Any]], None]
#: Takes a JSON object unless that would wait; whether it did.
Offer = Callable[[Mapping[str, Any]], bool]

#: Most characters of what is going on.
_LENGTH = 100
#: Least seconds between two messages of a session.
_EVERY_S = 0.1
#: What lies outside 0 to 1 by no more than this is rounding.
_ROUNDING = 1e-3
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Doing:
    """What a trial is at.

    Attributes:
        phase: `build`, `verify`, `measure`, `conclude`.
        done: the share of `text` that is done, 0 to 1; None: unknown.
        text: what is going on; empty: the phase has just begun.
    """

    phase: str
    done: float | None = None
    text: str = ""

    @property
    def words(self) -> str:
        """What to show of it."""
        share = "" if self.done is None else f" {100 * self.done:.0f} %"
        return (self.text or self.phase) + share


def encode_doing(doing: Doing) -> dict[str, Any]:
    """Return a JSON object for the wire."""
    return {"progress": [doing.phase, doing.done, doing.text]}


def decode_doing(value: Any) -> Doing:
    """Return what `encode_doing` put under ``progress``.

    Raises:
        GarbledError: `value` is something else, e.g. because a candidate wrote it.
    """
    match value:
        case [str(phase), None | 0 | 1 | float() as done, str(text)]:
            sound = done is None or 0 <= done <= 1
            if sound and _plain(phase) == phase and _plain(text) == text:
                return Doing(phase, None if done is None else float(done), text)
    raise GarbledError("what a trial is said to be at is malformed")


class Announcer:
    """What stands for a session's `progress` while one trial runs.

    What comes too soon after another message is held back, and sent by a thread when it is due
    unless something newer came; the thread then ends, so that there is none unless it is needed.
    """

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._open = True
        self._due = 0.0
        self._held: tuple[float | None, str] | None = None
        self._last: Doing | None = None
        self._flushing = False
        self._phase = "build"

    def __call__(self, done: object = None, text: object = "", *_: object, **__: object) -> None:
        """Take what the session says."""
        with suppress(Exception):
            # a process that the session forked has this object, too, and must not write in between
            if not self._open or os.getpid() != self._process:
                return
            self._held = (_share(done), text if isinstance(text, str) else str(text))
            # nor must a signal's handler that interrupts a message wait for its end
            if time.monotonic() >= self._due and self._lock.acquire(blocking=False):
                try:
                    self._send_held()
                finally:
                    self._lock.release()
            if self._held is not None and not self._flushing:
                threading.Thread(target=self._flush, name="daybreak-progress", daemon=True).start()
                self._flushing = True

    def enter(self, phase: str) -> None:
        """Say that `phase` begins: what was said of the one before holds no more."""
        with self._lock, suppress(Exception):
            self._phase, self._held, self._last = phase, None, None
            self._offer(encode_doing(Doing(phase)))

    def alone(self, report: Report) -> Report:
        """Return `report`, never called while another thread is in the middle of a message."""

        def send(message: Mapping[str, Any]) -> None:
            with self._lock:
                report(message)

        return send

    def close(self) -> None:
        """Send nothing any more: the trial has ended, though a thread of it may go on."""
        with self._lock:
            self._open, self._held = False, None

    def _send_held(self) -> None:
        """Send what is held back, if it is due and news; the caller has the lock."""
        held, now = self._held, time.monotonic()
        if held is None or not self._open or now < self._due:
            return
        self._due = now + _EVERY_S
        doing = Doing(self._phase, held[0], _plain(held[1]))
        if doing == self._last or self._offer(encode_doing(doing)):
            self._last = doing
            if self._held is held:
                self._held = None

    def _flush(self) -> None:
        """Send what is held back when it is due, until nothing is."""
        while self._open:
            time.sleep(max(_EVERY_S / 10, self._due - time.monotonic()))
            with self._lock, suppress(Exception):
                self._send_held()
            # in this order: who holds something back now either sees no thread, or is seen by it
            self._flushing = False
            if self._held is None:
                return
            self._flushing = True


@contextmanager
def announcing(session: object, offer: Offer | None) -> Iterator[Announcer | None]:
    """Put an announcer into a session that `Announces`, and its own function back afterwards.

    Gives None where there is nobody to tell, or the session announces nothing: it has no
    `progress`, or a method of that name, which then means something else, or one that cannot be
    set.
    """
    own = _own_progress(session)
    if offer is None or own is _MISSING:
        yield None
        return
    announcer = Announcer(offer)
    try:
        session.progress = announcer  # type: ignore[attr-defined]
    except Exception:
        yield None
        return
    try:
        yield announcer
    finally:
        announcer.close()
        with suppress(Exception):
            session.progress = own  # type: ignore[attr-defined]


def _own_progress(session: object) -> object:
    """Return what the session has as `progress`, `_MISSING` unless it is to be replaced."""
    try:
        own = getattr(session, "progress", _MISSING)
        its = getattr(session, "__dict__", {})
    except Exception:
        return _MISSING
    of_class = inspect.getattr_static(type(session), "progress", None)
    if isinstance(of_class, FunctionType | classmethod) and "progress" not in its:
        return _MISSING
    return own if callable(own) else _MISSING


def _share(done: Any) -> float | None:
    """Return a share from 0 to 1, None for whatever is none."""
    if done is None or isinstance(done, bool | str | bytes):
        return None
    try:
        share = float(done)
    except Exception:
        return None
    if not math.isfinite(share) or not -_ROUNDING <= share <= 1 + _ROUNDING:
        return None
    return min(1.0, max(0.0, share))


def _plain(text: str) -> str:
    """Return `text` as one short line without anything that a terminal would act on."""
    head = "".join(c if c.isprintable() else " " for c in text[: 4 * _LENGTH])
    return " ".join(head.split())[:_LENGTH].rstrip()

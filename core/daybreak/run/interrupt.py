"""Ctrl-C and SIGTERM during a run: the first asks it to stop cleanly, the second insists."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

__all__ = ["interruptible"]


@contextlib.contextmanager
def interruptible(stop: threading.Event, on_stop: Callable[[], None]) -> Iterator[None]:
    """Set `stop` and call `on_stop` at the first SIGINT or SIGTERM; raise at the second.

    Does nothing outside the main thread, where Python delivers no signals (a notebook's thread,
    say).

    Raises:
        KeyboardInterrupt: at the second signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        on_stop()

    before = {s: signal.signal(s, handle) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""What a run tells whoever listens: a person's terminal, a program that reads JSON lines.

Every event is a kind and plain JSON values. Kinds and their values:

`run_started`: run_id, suite, studies, trials (planned, None when bounded by time only), resumed,
results. `bench_opened`: benchmark, sandbox, seconds. `study_started`: study_id, benchmark,
optimizer, seed, role, evaluations. `trial_finished`: study_id, benchmark, optimizer, seed, number,
status, failure_kind, message, objective, unit, best, elapsed_s, reference, replayed.
`progress`: study_id, benchmark, optimizer, seed, metric, unit, value, epoch, train_s: the newest
event of a progress curve that is being measured, at most twice a second.
`trial_progress`: study_id, benchmark, optimizer, seed, phase, done, text, seconds: what the trial
under way is at, if its session announces it: phase (`build`, `verify`, `measure`, `conclude`), share
done or None, words (none when the phase has just begun), and seconds since the trial began; a few
times a second at most, and again each second while nothing changes.
`study_finished`: study_id, benchmark, optimizer, seed, status, message, trials, best.
`warning`: message. `run_finished`: run_id, status, studies, failed_studies, trials, failures,
seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Protocol, TextIO

__all__ = ["JsonListener", "Listener", "SilentListener"]


class Listener(Protocol):
    """Takes the events of a run; called under a lock, so one at a time."""

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """Take one event."""
        ...

    def close(self) -> None:
        """Take note that no more events come; safe to call twice."""
        ...


class SilentListener:
    """Takes events and does nothing."""

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """Ignore the event."""

    def close(self) -> None:
        """Do nothing."""


class JsonListener:
    """Prints each event as one line of JSON on `stream`, flushed at once.

    When the reader of a pipe goes away (`| head`), `on_gone` is called once and nothing more is
    printed; without it, the run goes on unheard.
    """

    def __init__(
        self, stream: TextIO | None = None, on_gone: Callable[[], None] | None = None
    ) -> None:
        self._stream: TextIO | None = stream or sys.stdout
        self._on_gone = on_gone

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """Print the event."""
        if self._stream is None:
            return
        line = json.dumps({"event": kind, **values}, default=str)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._stream = None
            if self._on_gone is not None:
                self._on_gone()

    def close(self) -> None:
        """Do nothing."""

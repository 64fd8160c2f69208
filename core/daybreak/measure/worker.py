"""The worker: a process that opens one session and answers trials over a descriptor.

Started by `daybreak.measure.process` as ``python -P -m daybreak.measure.worker FD``. Requests and
answers are frames (`daybreak.measure.wire`):

* ``{"op": "open", ...}`` -> ``{"id": 0, "opened": {...}}`` or ``{"id": 0, "error": {...}}``
* ``{"op": "trial", "id": n, ...}`` -> frames with ``phase``, ``samples``, ``events``, ``progress``,
  and at last ``{"id": n, "outcome": {...}}``
* ``{"op": "close"}``, or the end of the stream: the session is closed and the process ends.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from daybreak.errors import RequirementError, UserError
from daybreak.measure.codec import (
    decode_configuration,
    decode_curve,
    decode_cutoffs,
    decode_limits,
    decode_metrics,
    decode_protocol,
)
from daybreak.measure.forked import flush_output, prepare_forking, run_forked, send_outcome
from daybreak.measure.limits import address_space, apply_limits, limit_cpu_time
from daybreak.measure.outcomes import TrialSetting, ends_session
from daybreak.measure.processes import become_reaper, die_with_parent
from daybreak.measure.readings import TrialReadings
from daybreak.measure.sessions import OpenedSession, open_session
from daybreak.measure.trial import run_trial
from daybreak.measure.wire import FrameReader, offer_frame, write_frame
from daybreak.records import Limits

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Serve requests on descriptor ``argv[0]`` until it is closed; return the exit status."""
    _leave_pid_one()
    channel = int(argv[0])
    os.set_inheritable(channel, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    become_reaper()
    reader = FrameReader(channel)
    request = reader.receive()
    if request is None or request.get("op") != "open":
        return 2
    worker = _Worker(channel, request)
    if not worker.open():
        return 1
    try:
        while True:
            request = reader.receive()
            if request is None or request.get("op") != "trial":
                return 0
            if not worker.trial(request):
                return 3
    finally:
        worker.close()


class _Worker:
    def __init__(self, channel: int, request: Mapping[str, Any]) -> None:
        self.channel = channel
        self.request = request
        self.limits: Limits = decode_limits(request["limits"])
        self.devices = tuple(request["devices"])
        self.reserves = bool(request["reserves"])
        self.scratch = Path(request["scratch"])
        self.forking = request["isolation"] == "fork"
        self.opened: OpenedSession | None = None
        self.setting = TrialSetting(
            decode_protocol(request["protocol"]),
            decode_metrics(request["objectives"]),
            curve=decode_curve(request["curve"]),
        )

    def open(self) -> bool:
        """Open the session and say how it went."""
        request = self.request
        if request["cpus"]:
            with contextlib.suppress(OSError, AttributeError):
                os.sched_setaffinity(0, request["cpus"])
        apply_limits(self.limits, self.devices, reserves=self.reserves)
        # Paths in the options are relative to the user's folder; candidates work in the scratch.
        with contextlib.suppress(OSError):
            os.chdir(request["folder"])
        try:
            self.opened = open_session(request["factory"], request["name"], request["options"])
        except BaseException as error:
            flush_output()
            write_frame(self.channel, {"id": 0, "error": _describe(error)})
            return False
        os.chdir(self.scratch)
        self.setting = replace(
            self.setting,
            floors=self.opened.floors,
            facts={"sandbox": request["sandbox"]},
            metered=self.devices,
        )
        if self.forking:
            prepare_forking()
        flush_output()
        answer = {"identity": self.opened.identity, "floors": self.opened.floors}
        write_frame(self.channel, {"id": 0, "opened": answer})
        return True

    def trial(self, request: Mapping[str, Any]) -> bool:
        """Run one trial and send its outcome; False when this worker had better end.

        That is so when the session is lost, and when the trial left processes behind that cannot be
        caught: they end with the worker's namespace. Daybreak starts a new worker.
        """
        assert self.opened is not None  # noqa: S101 - main() ends when open() fails
        number = int(request["id"])
        configuration = decode_configuration(request["configuration"])
        cutoffs = decode_cutoffs(request["cutoffs"])

        def send(message: Mapping[str, Any]) -> None:
            write_frame(self.channel, {"id": number, **message})

        def offer(message: Mapping[str, Any]) -> bool:
            return offer_frame(self.channel, {"id": number, **message})

        if self.forking:
            outcome = run_forked(
                self.opened.session,
                configuration,
                self.setting,
                number=number,
                best=request["best"],
                cutoffs=cutoffs,
                output_bytes=self.limits.output_bytes,
                memory=None if self.reserves else address_space(self.limits, self.devices),
                scratch=self.scratch,
                closing=(self.channel,),
                forward=send,
                offer=offer,
            )
        else:
            seconds = (1 + self.setting.phases) * self.setting.protocol.timeout_s
            limit_cpu_time(seconds * (os.cpu_count() or 1) + 10)
            before = TrialReadings()
            outcome = run_trial(
                self.opened.session,
                configuration,
                self.setting,
                best=request["best"],
                cutoffs=cutoffs,
                report=send,
                offer=offer,
            )
            readings = before.finish(resource.getrusage(resource.RUSAGE_SELF))
            # Counted since the worker began, not for this trial: of no use here.
            for name in ("cpu_s", "involuntary_switches"):
                del readings[name]
            flush_output()
            outcome = replace(outcome, readings=readings)
        send_outcome(send, outcome, self.setting)
        return not ends_session(outcome)

    def close(self) -> None:
        if self.opened is not None:
            with contextlib.suppress(Exception):
                self.opened.close()


def _describe(error: BaseException) -> dict[str, Any]:
    """Return an exception of opening as JSON: what Daybreak raises again."""
    fields: dict[str, Any] = {}
    if isinstance(error, UserError):
        names = ("message", "file", "line", "column", "field", "expected", "nearest", "remedy")
        fields = {name: getattr(error, name) for name in names}
    return {
        "requirement": isinstance(error, RequirementError),
        "user": isinstance(error, UserError),
        "memory": isinstance(error, MemoryError),
        "fields": fields,
        "type": type(error).__name__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error))[-16_384:],
    }


def _leave_pid_one() -> None:
    """As the first process of a namespace, fork: let the child work, and only reap and pass on.

    The kernel keeps signals from process 1 that have no handler, so that a worker that aborts
    would not die of it.
    """
    if os.getpid() != 1:
        return
    pid = os.fork()
    if pid == 0:
        return
    for fd in range(3, 256):
        with contextlib.suppress(OSError):
            os.close(fd)
    while True:
        ended, status = os.wait()
        if ended == pid:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A trial in a child that the worker forks: a crash costs no reloading of the data.

The child gets its own process group, its own folder, and two pipes: one for what it prints, one for
its frames. The channel to Daybreak is closed in it. Whatever ends the trial, the worker then kills
the process group and every stray process that was left to it (it is their reaper).
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.measure.announcing import Doing, Offer, Report, encode_doing
from daybreak.measure.classify import Failure, classify_exception, oom_kills
from daybreak.measure.codec import decode_outcome, encode_events, encode_outcome
from daybreak.measure.folders import remove_folder
from daybreak.measure.limits import limit_cpu_time
from daybreak.measure.outcomes import STRAYS_LEFT, TrialSetting, failed_outcome
from daybreak.measure.processes import die_with_parent, reap_strays
from daybreak.measure.readings import TrialReadings
from daybreak.measure.trial import run_trial
from daybreak.measure.verdicts import Death, conclude
from daybreak.measure.watch import End, OutputTail, watch
from daybreak.measure.wire import FrameReader, GarbledError, offer_frame, write_frame
from daybreak.records import Configuration, Cutoff, Event, FailureKind, Outcome

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Session

__all__ = ["flush_output", "prepare_forking", "run_forked", "send_outcome"]

#: Wall seconds for a whole trial beyond its phases: starting and reporting.
_GRACE = 5.0


def prepare_forking() -> None:
    """Make forks cheap: what is loaded now is never looked at again by the garbage collector."""
    gc.collect()
    gc.freeze()


def run_forked(
    session: Session,
    configuration: Configuration,
    setting: TrialSetting,
    *,
    number: int,
    best: float | None,
    cutoffs: Sequence[Cutoff],
    output_bytes: int,
    memory: int | None,
    scratch: Path,
    closing: tuple[int, ...],
    forward: Report,
    offer: Offer,
) -> Outcome:
    """Run one trial in a forked child and return its outcome, whatever the child does.

    Args:
        session: the worker's session; what the child changes in it is lost.
        configuration: one value per parameter.
        setting: protocol, objectives, floors.
        number: of the trial.
        best: the best value of the first objective so far.
        cutoffs: when to give a progress curve up.
        output_bytes: how much the child may print.
        memory: the bound of its address space in bytes, for telling a crash from a shortage.
        scratch: the child's working folder is made in it, and removed afterwards.
        closing: the worker's descriptors that the child must not have.
        forward: gets the events of a progress curve as they come, as a JSON object.
        offer: gets what the session announces, as a JSON object; never waits.
    """
    folder = scratch / f"trial-{number}"
    folder.mkdir()
    result_read, result_write = os.pipe()
    output_read, output_write = os.pipe()
    kills = oom_kills()
    threads = _threads()
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        pid = os.fork()
    except OSError as error:
        for fd in (result_read, result_write, output_read, output_write):
            os.close(fd)
        remove_folder(folder)
        return failed_outcome(classify_exception(error, "build"), setting, {}, setting.facts)
    if pid == 0:
        _child(
            lambda report, offer: run_trial(
                session,
                configuration,
                setting,
                best=best,
                cutoffs=cutoffs,
                report=report,
                offer=offer,
            ),
            setting,
            number,
            result_write,
            output_write,
            folder,
            (*closing, result_read, output_read),
        )
    os.close(result_write)
    os.close(output_write)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    os.set_blocking(result_read, False)
    os.set_blocking(output_read, False)

    def pass_on(events: tuple[Event, ...]) -> None:
        # this process may die as well; besides, somebody may be watching the curve
        forward({"events": encode_events(events)})

    def announce(doing: Doing) -> None:
        offer(encode_doing(doing))

    readings = TrialReadings()
    output = OutputTail(output_read)
    reader = FrameReader(result_read)
    alive_fd = _process_fd(pid)
    try:
        seen = watch(
            reader,
            output,
            number=number,
            alive_fd=alive_fd,
            alive=lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None,
            phase_s=setting.protocol.timeout_s,
            total_s=setting.phases * setting.protocol.timeout_s + _GRACE,
            output_bytes=output_bytes,
            keeper=setting.keeper(),
            on_events=None if setting.curve is None else pass_on,
            on_progress=announce,
        )
        own_death = seen.end is End.DIED or (seen.end is End.CLOSED and _dies(pid))
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        output.drain(output_bytes)
        strays, clean = reap_strays()
    finally:
        for open_fd in (result_read, output_read, alive_fd):
            if open_fd is not None:
                os.close(open_fd)
        remove_folder(folder)
    measured = readings.finish(usage)
    facts = dict(setting.facts)
    if strays:
        facts["strays_killed"] = strays
    if not clean:
        facts[STRAYS_LEFT] = True
    if threads > 1:
        facts["threads_at_fork"] = threads
    outcome: Outcome | None = None
    if seen.end is End.DONE:
        try:
            outcome = decode_outcome(seen.final["outcome"])
        except GarbledError as error:
            seen.end, seen.explanation = End.GARBLED, str(error)
    death = Death(
        code=os.waitstatus_to_exitcode(status) if own_death else None,
        oom_killed=kills is not None and (oom_kills() or kills) > kills,
        near_limit=memory is not None and usage.ru_maxrss * 1024 > 0.85 * memory,
    )
    return conclude(seen, outcome, output, setting, death, facts, measured, output_bytes)


def _child(
    trial: Callable[[Report, Offer], Outcome],
    setting: TrialSetting,
    number: int,
    result: int,
    output: int,
    folder: Path,
    closing: tuple[int, ...],
) -> None:
    """Be the child: never returns."""
    try:
        os.setpgid(0, 0)
        die_with_parent()
        for fd in closing:
            os.close(fd)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(nothing)
        os.close(output)
        os.chdir(folder)
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None
        seconds = setting.phases * setting.protocol.timeout_s + _GRACE
        limit_cpu_time(seconds * (os.cpu_count() or 1))

        def report(message: Mapping[str, Any]) -> None:
            write_frame(result, {"id": number, **message})

        def offer(message: Mapping[str, Any]) -> bool:
            return offer_frame(result, {"id": number, **message})

        outcome = trial(report, offer)
        flush_output()
        send_outcome(report, outcome, setting)
    except BaseException:
        import traceback

        with contextlib.suppress(BaseException):
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def send_outcome(report: Report, outcome: Outcome, setting: TrialSetting) -> None:
    """Send a trial's final frame; an outcome that JSON cannot hold becomes a failed one."""
    try:
        report({"outcome": encode_outcome(outcome)})
    except (TypeError, ValueError) as error:
        failure = Failure(FailureKind.INTERNAL, f"the artifact's facts are no JSON values: {error}")
        report({"outcome": encode_outcome(failed_outcome(failure, setting, {}, setting.facts))})


def flush_output() -> None:
    """Write out what Python's and C's buffers of the standard streams hold."""
    import ctypes

    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).fflush(None)


def _threads() -> int:
    """Return how many threads this process has: with more than one, its forks may hang."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def _process_fd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _dies(pid: int) -> bool:
    """Whether `pid`, whose pipe has come to its end, ends by itself within a second."""
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return True
        time.sleep(0.005)
    return False

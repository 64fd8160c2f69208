"""From what went wrong to a failure kind: exceptions in a trial, and deaths of its process."""

from __future__ import annotations

import errno
import signal
import traceback
from dataclasses import dataclass

from daybreak.errors import RequirementError, TrialFailed
from daybreak.records import FailureKind

__all__ = ["Failure", "classify_death", "classify_exception", "oom_kills"]

#: What allocators and run times print when memory runs out, before they abort.
_OUT_OF_MEMORY = (
    b"std::bad_alloc",
    b"MemoryError",
    b"Cannot allocate memory",
    b"out of memory",
    b"Out of memory",
    b"memory exhausted",
)
_LONGEST_DETAIL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a trial failed: kind, a line for tables, longer text."""

    kind: FailureKind
    message: str
    detail: str | None = None


def classify_exception(error: BaseException, phase: str) -> Failure:
    """Return why a trial failed whose `phase` raised `error`.

    ========================================  =====================
    `TrialFailed` and its subclasses          their own kind, any
    `RequirementError`                        `missing_requirement`
    `MemoryError`, ENOMEM                     `memory`
    EFBIG, ENOSPC, EDQUOT                     `resource`
    `SystemExit`                              `crash`
    anything else                             `internal`
    ========================================  =====================
    """
    if isinstance(error, TrialFailed):
        return Failure(error.kind, error.message, error.detail)
    if isinstance(error, RequirementError):
        return Failure(FailureKind.MISSING_REQUIREMENT, error.message, str(error))
    detail = "".join(traceback.format_exception(error))[-_LONGEST_DETAIL:]
    if isinstance(error, MemoryError):
        return Failure(FailureKind.MEMORY, f"out of memory in {phase}", detail)
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return Failure(FailureKind.MEMORY, f"out of memory in {phase}: {error}", detail)
    if isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT):
        return Failure(FailureKind.RESOURCE, f"wrote too much in {phase}: {error}", detail)
    if isinstance(error, SystemExit):
        return Failure(FailureKind.CRASH, f"exited with status {error.code!r} in {phase}", detail)
    text = str(error).strip().partition("\n")[0]
    message = f"{type(error).__name__} in {phase}" + (f": {text}" if text else "")
    return Failure(FailureKind.INTERNAL, message, detail)


def classify_death(
    code: int | None,
    phase: str,
    output: bytes,
    *,
    oom_killed: bool = False,
    near_limit: bool = False,
) -> Failure:
    """Return why a trial failed whose process ended during `phase` without an outcome.

    Args:
        code: its exit status as `subprocess` gives it: minus the signal's number, or the status it
            exited with; None when it is alive but closed its channel.
        phase: build, verify or measure.
        output: the end of what it printed.
        oom_killed: the kernel has killed a process for lack of memory meanwhile.
        near_limit: its memory came close to the limit.
    """
    if code is None:
        return Failure(FailureKind.CRASH, f"closed the channel to its worker in {phase}")
    if code >= 0:
        return Failure(
            FailureKind.CRASH, f"the process exited with status {code} in the middle of {phase}"
        )
    name = _signal_name(-code)
    starved = any(words in output for words in _OUT_OF_MEMORY)
    if -code == signal.SIGKILL and (oom_killed or near_limit):
        return Failure(FailureKind.MEMORY, f"killed for lack of memory ({name}) in {phase}")
    if -code in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS) and (starved or near_limit):
        return Failure(FailureKind.MEMORY, f"out of memory ({name}) in {phase}")
    if -code == signal.SIGXCPU:
        return Failure(FailureKind.TIMEOUT, f"used up its processor time in {phase} ({name})")
    if -code == signal.SIGXFSZ:
        return Failure(
            FailureKind.RESOURCE, f"wrote a file larger than its limit in {phase} ({name})"
        )
    return Failure(FailureKind.CRASH, f"crashed with {name} in {phase}")


def oom_kills() -> int | None:
    """Return how many processes this machine has killed for lack of memory, if it says."""
    try:
        with open("/proc/vmstat", encoding="ascii") as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

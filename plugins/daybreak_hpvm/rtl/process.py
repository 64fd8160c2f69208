"""Runs other people's programs: bounded in time and memory, killed with all they started."""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import re
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak import BuildFailed, FailureKind, OutOfMemory, ResourceExceeded, TrialFailed

__all__ = ["Progress", "ToolError", "ToolLimits", "run_tool", "silent", "what_is_left"]

_PR_SET_PDEATHSIG = 1
_TAIL_LINES = 40
_TAIL_BYTES = 64 * 1024
#: what allocators, compilers and run times of WebAssembly print when memory runs out
_STARVED = re.compile(
    r"bad_alloc|cannot allocate memory|out of memory|memory exhausted|\bENOMEM\b"
    r"|^MemoryError|memory allocation of \d+ bytes failed",
    re.IGNORECASE | re.MULTILINE,
)
_DISK_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)

#: Called with the fraction done (or None) and what is going on.
Progress = Callable[[float | None, str], None]


def silent(fraction: float | None, what: str) -> None:
    """Tell nobody."""
    del fraction, what


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """What one tool may use: wall seconds, and bytes of data (not of addresses).

    WebAssembly reserves far more addresses than it uses, so that what is bounded is memory that can
    be written to (RLIMIT_DATA).
    """

    seconds: float = 600.0
    memory_bytes: int | None = 4 * 1024**3


@contextlib.contextmanager
def what_is_left(tool: str, what: str) -> Iterator[None]:
    """Read in here what `tool` wrote before it ended well.

    Raises:
        BuildFailed: a file of it is missing, or is no such thing as `what`.
    """
    try:
        yield
    except FileNotFoundError as error:
        reason = f"no {Path(error.filename).name}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
    else:
        return
    raise BuildFailed(f"{tool} ended well but left no {what}: {reason}")


class ToolError(TrialFailed):
    """A tool ended with an error: kind `crash` unless the caller knows better."""

    kind = FailureKind.CRASH

    def __init__(self, message: str, *, status: int, output: str) -> None:
        super().__init__(message, detail=output)
        self.status = status
        self.output = output


def run_tool(
    command: Sequence[str],
    folder: Path,
    limits: ToolLimits,
    *,
    name: str,
    environment: Mapping[str, str] | None = None,
    follow: Callable[[str], None] | None = None,
) -> str:
    """Run `command` in `folder`; return the end of what it printed (64 KiB at most).

    `follow` gets every line as it comes. The program gets a process group of its own, which is
    killed however this call ends, also by the end of this process; on Linux the program itself also
    dies with the thread that made the call.

    Raises:
        TrialFailed: it takes too long (kind `timeout`).
        OutOfMemory: it says that memory ran out, or is killed for it.
        ResourceExceeded: it says that the disk is full, or writes too large a file.
        ToolError: it cannot be started, is killed, or ends with another status than 0.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            preexec_fn=_bounded(limits),
        )
    except OSError as error:
        raise ToolError(f"{name} cannot be started: {error}", status=-1, output="") from None
    tail: collections.deque[str] = collections.deque(maxlen=_TAIL_LINES)
    late = False
    try:
        with _guarded(process.pid):
            late = _read(process, time.monotonic() + limits.seconds, tail, follow)
            status = -1 if late else process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    output = "".join(tail)[-_TAIL_BYTES:]
    if late:
        raise TrialFailed(
            f"{name} took more than {limits.seconds:g} s", detail=output, kind=FailureKind.TIMEOUT
        )
    if status != 0:
        raise _failure(name, status, output, _reason(tail))
    return output


@contextlib.contextmanager
def _guarded(group: int) -> Iterator[None]:
    """Have a process group killed when this process ends, even if it is killed itself.

    What the program has started would otherwise live on. The guard waits for the end of a pipe that
    nobody but this process holds open.
    """
    ours, theirs = os.pipe()
    try:
        guard = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; kill -s KILL -- "-$0"', str(group)],
            stdin=ours,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        os.close(theirs)
        yield  # no shell: the program itself dies with us all the same
        return
    finally:
        os.close(ours)
    try:
        yield
    finally:
        guard.kill()
        guard.wait()
        os.close(theirs)


def _failure(name: str, status: int, output: str, reason: str) -> TrialFailed:
    if _STARVED.search(output) or status == -signal.SIGKILL:
        return OutOfMemory(f"{name} ran out of memory", detail=output)
    if _DISK_FULL.search(output):
        return ResourceExceeded(f"{name} found no room on the disk", detail=output)
    if status == -signal.SIGXFSZ:
        return ResourceExceeded(f"{name} wrote a file larger than it may", detail=output)
    if status == -signal.SIGXCPU:
        return TrialFailed(
            f"{name} used up its processor time", detail=output, kind=FailureKind.TIMEOUT
        )
    ended = f"ended with status {status}"
    if status < 0:
        try:
            ended = f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            ended = f"was ended by signal {-status}"
    return ToolError(f"{name} {ended}{reason}", status=status, output=output)


def _bounded(limits: ToolLimits) -> Callable[[], None]:
    """Return what the child does before it becomes the tool: bound itself, and die with us."""
    prctl = None
    if sys.platform == "linux":
        prctl = getattr(ctypes.CDLL(None), "prctl", None)

    def apply() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if limits.memory_bytes is not None:
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            value = limits.memory_bytes
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (value, value))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return apply


def _read(
    process: subprocess.Popen[bytes],
    until: float,
    tail: collections.deque[str],
    follow: Callable[[str], None] | None,
) -> bool:
    """Read what the program prints until it closes its output; whether it takes too long."""
    assert process.stdout is not None  # noqa: S101 - asked for
    descriptor = process.stdout.fileno()
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return True
            if not selector.select(left):
                continue
            chunk = os.read(descriptor, 65536)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-_TAIL_BYTES:]
            for line in lines:
                text = line.decode(errors="replace") + "\n"
                tail.append(text)
                if follow is not None:
                    follow(text)
    if rest:
        tail.append(rest.decode(errors="replace"))
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return True
    return False


def _reason(tail: Sequence[str]) -> str:
    for line in reversed(tail):
        if "ERROR" in line or "error:" in line.lower():
            return ": " + line.strip()[:300]
    return ""

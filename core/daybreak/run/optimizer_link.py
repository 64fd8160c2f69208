"""Daybreak's end of the line to one process that hosts optimizers: calls, what it prints, death."""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from daybreak.errors import DaybreakError
from daybreak.measure.watch import OutputTail
from daybreak.measure.wire import FrameReader, GarbledError
from daybreak.run.optimizer_crossing import encode_request, send_request
from daybreak.run.study import Cancelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daybreak.space import Space

__all__ = ["Link", "LinkLostError", "LinkTimeoutError", "open_ends"]

#: Most bytes of output taken before the channel is looked at again.
_OUTPUT_SLICE = 1 << 20
_SHOWN_LINES = 12
_SHOWN_COLUMNS = 300
#: Lines of the stack that Python prints when it crashes which say nothing about the optimizer.
_OUR_OWN = ('optimizer_host.py", line ', '"<frozen runpy>", line ', "Extension modules: ")
#: Colours and cursor movements of terminals.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class LinkLostError(DaybreakError):
    """The process is gone, or has closed its channel."""


class LinkTimeoutError(DaybreakError):
    """The process took longer than it may."""


class Link:
    """A process, the channel to it and what it prints.

    Used by one thread at a time; `cancel` may come from any thread or from a signal handler.
    """

    def __init__(self, channel: socket.socket, output: int) -> None:
        self.pid: int | None = None
        self.lost = False
        self.cancelled = False
        self.closed = False
        self._channel = channel
        self._output = OutputTail(output)
        self._reader = FrameReader(channel.fileno())
        self._number = 0
        self._pidfd: int | None = None
        self._poller = select.poll()
        self._poller.register(channel.fileno(), select.POLLIN)
        self._poller.register(output, select.POLLIN)

    def attend(self, pid: int) -> None:
        """Watch over process `pid`, which must not have been reaped."""
        self.pid = pid
        # its death is seen even while a process that it started holds the channel open
        with contextlib.suppress(AttributeError, OSError):
            self._pidfd = os.pidfd_open(pid)
            self._poller.register(self._pidfd, select.POLLIN)
        if self.cancelled:
            self.kill()

    def call(
        self,
        operation: str,
        argument: Any = None,
        *,
        fds: Sequence[int] = (),
        known: tuple[Space, str] | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises:
            Cancelled: `cancel` was called.
            LinkLostError: the process has gone.
            LinkTimeoutError: no answer came within `timeout_s` seconds.
            GarbledError: what came is no answer.
            TypeError: `argument` cannot be pickled.
        """
        self._number += 1
        try:
            data = encode_request(self._number, operation, argument, known)
        except (pickle.PicklingError, AttributeError, RecursionError) as error:
            raise TypeError(str(error)) from error
        if self.cancelled:
            raise Cancelled
        if self.lost:
            raise LinkLostError("its process is gone")
        # a process that went while nobody listened is noticed when its answer is awaited
        with contextlib.suppress(OSError):
            send_request(self._channel, data, fds)
        return self.answer(self._number, timeout_s)

    def answer(self, number: int, timeout_s: float | None = None) -> dict[str, Any]:
        """Wait for the answer to request `number`; 0 is what a host says when it is ready."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while True:
                wait = None if until is None else max(0.0, until - time.monotonic()) * 1000
                ready = {fd for fd, _ in self._poller.poll(wait)}
                self._drain(ready)
                if self._channel.fileno() in ready:
                    self._reader.feed()
                    for message in self._reader.frames():
                        return self._taken(message, number)
                if self.cancelled:
                    raise Cancelled
                if self._reader.closed or self._pidfd in ready:
                    raise LinkLostError("its process is gone")
                if until is not None and time.monotonic() >= until:
                    raise LinkTimeoutError(f"no answer within {timeout_s:g} s")
        except BaseException:
            self.lost = True
            raise

    def _taken(self, message: dict[str, Any], number: int) -> dict[str, Any]:
        if message.get("id") != number:
            raise GarbledError("an answer to a question that was not asked")
        return message

    def _drain(self, ready: set[int]) -> None:
        output = self._output
        if output.fd in ready and not output.drain(output.total + _OUTPUT_SLICE):
            self._poller.unregister(output.fd)

    @property
    def last_lines(self) -> str:
        """The last lines that it printed, or an empty text."""
        if not self.closed:
            self._output.drain(self._output.total + _OUTPUT_SLICE)
        text = _ESCAPES.sub("", self._output.text or "").replace("\r\n", "\n")
        # progress bars return to the start of their line: the last state of each counts
        lines = [line.rstrip("\r ").rpartition("\r")[2] for line in text.split("\n")]
        shown = ["".join(filter(str.isprintable, line))[:_SHOWN_COLUMNS] for line in lines]
        told = [line for line in shown if line and not any(own in line for own in _OUR_OWN)]
        return "\n".join(told[-_SHOWN_LINES:])

    def cancel(self) -> None:
        """Kill the process; whoever waits for its answer gets `Cancelled`."""
        self.cancelled = True
        self.kill()

    def kill(self) -> None:
        """Kill the process and its group."""
        pid = self.pid
        if pid is None:
            return
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(pid, signal.SIGKILL)

    def hang_up(self) -> None:
        """Close the channel: the process ends by itself if it still listens."""
        self.lost = True
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every descriptor; the process must have been reaped. Safe to call twice."""
        if self.closed:
            return
        self.closed = self.lost = True
        self.pid = None
        self._channel.close()
        for fd in (self._output.fd, self._pidfd):
            if fd is not None:
                os.close(fd)
        self._pidfd = None


def open_ends() -> tuple[Link, socket.socket, int]:
    """Return a link, and the other process's ends of its channel and of its output.

    None of the descriptors is inheritable: neither a bench's worker nor another optimizer gets it.
    """
    ours, theirs = socket.socketpair()
    output_read, output_write = os.pipe()
    os.set_blocking(output_read, False)
    return Link(ours, output_read), theirs, output_write

"""Requests from Daybreak to the processes in which optimizers live.

A request is a head (the magic ``DBR1`` and the length, big-endian) and a pickle of
``(number, operation, argument)``, with open descriptors beside it where one is passed on. Pickle
goes *down* only: Daybreak writes it, and a process that Daybreak started reads it, so nobody gains
by it what they could not do anyway; it keeps every type of a problem and a trial as it is. What
comes *up* is JSON in the frames of `daybreak.measure.wire`, checked before it is used: an
optimizer's process that has gone astray must not be able to run code here.
"""

from __future__ import annotations

import io
import os
import pickle
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from daybreak.records import Trial

if TYPE_CHECKING:
    from daybreak.space import Space

__all__ = ["Request", "RequestReader", "encode_request", "send_request"]

_MAGIC = b"DBR1"
_HEAD = struct.Struct(">4sQ")
#: Most descriptors that pass with one request.
_MOST_FDS = 4


class Request(NamedTuple):
    """One request: its number (the answer carries it), operation, argument, descriptors."""

    number: int
    operation: str
    argument: Any
    fds: list[int]


class _Pickler(pickle.Pickler):
    """Leaves out the search space that the other side already has under `key`."""

    def __init__(self, file: io.BytesIO, space: Space, key: str) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._space = space
        self._key = key

    def persistent_id(self, value: Any) -> str | None:
        return self._key if value is self._space else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, spaces: Mapping[str, Space]) -> None:
        super().__init__(file)
        self._spaces = spaces

    def persistent_load(self, key: Any) -> Space:
        return self._spaces[key]


def encode_request(
    number: int, operation: str, argument: Any, known: tuple[Space, str] | None = None
) -> bytes:
    """Return the bytes of a request; `known` is a space that the other side has, and its key.

    What a target or a plugin put into a trial's facts and cannot be pickled becomes text.

    Raises:
        pickle.PicklingError, TypeError, AttributeError: `argument` cannot be pickled.
    """
    try:
        body = _dumps((number, operation, argument), known)
    except Exception:
        if not isinstance(argument, list) or not all(isinstance(t, Trial) for t in argument):
            raise
        body = _dumps((number, operation, [_plain_trial(trial) for trial in argument]), known)
    return _HEAD.pack(_MAGIC, len(body)) + body


def _dumps(value: Any, known: tuple[Space, str] | None) -> bytes:
    if known is None:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    file = io.BytesIO()
    _Pickler(file, *known).dump(value)
    return file.getvalue()


def _plain_trial(trial: Trial) -> Trial:
    outcome = replace(
        trial.outcome,
        objectives=dict(trial.outcome.objectives),
        phases=dict(trial.outcome.phases),
        facts=_plain(trial.outcome.facts),
        readings=_plain(trial.outcome.readings),
    )
    return replace(
        trial,
        configuration=dict(trial.configuration),
        outcome=outcome,
        proposal=None if trial.proposal is None else _plain(trial.proposal),
    )


def _plain(value: Any) -> Any:
    """Return mappings and lists as plain ones, and text for what is neither them nor JSON's."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def send_request(channel: socket.socket, data: bytes, fds: Sequence[int] = ()) -> None:
    """Send an encoded request over a blocking stream socket, `fds` with its first bytes.

    Raises:
        OSError: the other end is gone.
    """
    if fds:
        sent = socket.send_fds(channel, [data], list(fds))
        data = data[sent:]
    if data:
        channel.sendall(data)


class RequestReader:
    """Takes requests off a blocking stream socket."""

    def __init__(self, channel: socket.socket, spaces: Mapping[str, Space]) -> None:
        self._channel = channel
        self._spaces = spaces
        self._buffer = bytearray()
        self._fds: list[int] = []

    def receive(self) -> Request | None:
        """Wait for the next request; None when Daybreak has closed its end, or is gone."""
        if not self._fill(_HEAD.size):
            return None
        magic, length = _HEAD.unpack_from(self._buffer)
        if magic != _MAGIC or not self._fill(_HEAD.size + length):
            return None
        body = bytes(self._buffer[_HEAD.size : _HEAD.size + length])
        del self._buffer[: _HEAD.size + length]
        number, operation, argument = _Unpickler(io.BytesIO(body), self._spaces).load()
        fds, self._fds = self._fds, []
        return Request(number, operation, argument, fds)

    def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            try:
                data, fds, _, _ = socket.recv_fds(self._channel, 1 << 18, _MOST_FDS)
            except OSError:
                return False
            for fd in fds:
                os.set_inheritable(fd, False)
            self._fds += fds
            if not data:
                return False
            self._buffer += data
        return True

"""Frames between Daybreak, its worker and the worker's forked trials.

A frame is eight bytes (the magic ``DBK1`` and the length, big-endian) and that many bytes of UTF-8
JSON holding one object. JSON, never pickle: the other end may be a process that a candidate has
corrupted, so every frame is checked before anything is made of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import struct
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = [
    "LARGEST_FRAME",
    "FrameReader",
    "GarbledError",
    "encode_frame",
    "offer_frame",
    "write_frame",
]

#: Most bytes of one frame's JSON.
LARGEST_FRAME = 256 * 1024 * 1024

_MAGIC = b"DBK1"
_HEAD = struct.Struct(">4sI")


class GarbledError(Exception):
    """What came is no frame: the other end was corrupted."""


def encode_frame(message: Mapping[str, Any]) -> bytes:
    """Return the bytes of one frame.

    NumPy's numbers and arrays become plain ones, sets become lists, and anything else that JSON has
    no type for becomes text.

    Raises:
        TypeError: the key of an object is none that JSON can hold.
        ValueError: the message is larger than `LARGEST_FRAME` or refers to itself.
    """
    body = json.dumps(message, separators=(",", ":"), default=_plain).encode()
    if len(body) > LARGEST_FRAME:
        raise ValueError(f"a message of {len(body)} bytes is larger than {LARGEST_FRAME}")
    return _HEAD.pack(_MAGIC, len(body)) + body


def write_frame(fd: int, message: Mapping[str, Any]) -> None:
    """Write one frame to `fd`, blocking or not.

    Raises:
        OSError: the other end is gone (BrokenPipeError) or `fd` is not open.
    """
    _write(fd, encode_frame(message))


def offer_frame(fd: int, message: Mapping[str, Any]) -> bool:
    """Write one small frame to `fd`, a pipe or a socket, unless that would wait; whether it did.

    Raises:
        OSError: the other end is gone, or `fd` is not open.
    """
    data = encode_frame(message)
    # what may be written at all takes this much without waiting
    if len(data) > select.PIPE_BUF or not select.select([], [fd], [], 0)[1]:
        return False
    _write(fd, data)
    return True


def _write(fd: int, whole: bytes) -> None:
    data = memoryview(whole)
    while data:
        try:
            written = os.write(fd, data)
        except BlockingIOError:
            select.select([], [fd], [])
            continue
        data = data[written:]


class FrameReader:
    """Takes the frames off one descriptor."""

    __slots__ = ("_buffer", "closed", "fd")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.closed = False
        self._buffer = bytearray()

    def feed(self) -> bool:
        """Read once (blocking if `fd` does); False when nothing came, with `closed` set at the end."""
        try:
            data = os.read(self.fd, 1 << 18)
        except BlockingIOError:
            return False
        except OSError:
            # The other end of a socket died with data unread: the same as its end.
            data = b""
        if data:
            self._buffer += data
        else:
            self.closed = True
        return bool(data)

    def frames(self) -> Iterator[dict[str, Any]]:
        """Yield the whole frames read so far.

        Raises:
            GarbledError: the bytes are no frame.
        """
        buffer = self._buffer
        while len(buffer) >= _HEAD.size:
            magic, length = _HEAD.unpack_from(buffer)
            if magic != _MAGIC or length > LARGEST_FRAME:
                raise GarbledError(f"{bytes(buffer[:16])!r} begins no frame")
            if len(buffer) < _HEAD.size + length:
                return
            body = bytes(buffer[_HEAD.size : _HEAD.size + length])
            del buffer[: _HEAD.size + length]
            try:
                message = json.loads(body)
            except (ValueError, RecursionError) as error:
                raise GarbledError("a frame holds no JSON") from error
            if not isinstance(message, dict):
                raise GarbledError("a frame holds no JSON object")
            yield message
        if buffer and not _MAGIC.startswith(bytes(buffer[:4])[: len(_MAGIC)]):
            raise GarbledError(f"{bytes(buffer[:16])!r} begins no frame")

    def receive(self) -> dict[str, Any] | None:
        """Wait for the next frame of a blocking descriptor; None at the end of the stream."""
        while True:
            with contextlib.suppress(StopIteration):
                return next(self.frames())
            if self.closed:
                return None
            self.feed()


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    to_plain = getattr(value, "tolist", None)
    return str(value) if to_plain is None else to_plain()

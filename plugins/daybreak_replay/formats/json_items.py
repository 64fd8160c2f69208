"""Reads a JSON file with one long member, item by item, so that faults are told by line and item.

Kernel Tuner appends to its caches and closes them only at the end of a tuning run: such a file is
not JSON, but all before its last item is whole. A file that was cut short is told from one that is
damaged in its middle.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daybreak import UserError

__all__ = ["Document", "read_bytes", "read_document", "read_text"]

_SPACE = re.compile(r"[ \t\r\n]*")
#: What no value that was only begun contains.
_STRUCTURE = re.compile(r"[{}\[\],:]")
#: Larger files are no tables that fit into memory when read.
_MOST_BYTES = 4 * 1024**3


@dataclass(slots=True)
class Document:
    """A file's top-level members; those of the long member apart.

    Attributes:
        members: the other members, by name.
        name: the long member's name; None: there is none.
        items: its items as (key, value); the key is None in a list.
        cut: whether the file was cut short, and only what is whole was read.
    """

    members: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    items: list[tuple[str | None, Any]] = field(default_factory=list)
    cut: bool = False


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        UserError: it is missing, a folder, unreadable, empty or larger than 4 GiB.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError("larger than 4 GiB: no table to keep in memory", file=path)
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot be read: {error.strerror or error}", file=path, remedy="check the path"
        ) from error
    if not data:
        raise UserError("this file is empty", file=path)
    return data


def read_text(path: Path, data: bytes | None = None) -> tuple[str, bool]:
    """Return the text of a file, unpacked if it is packed by gzip; and whether that was cut short.

    Raises:
        UserError: see `read_bytes`; or it is no text in UTF-8, or damaged.
    """
    raw = read_bytes(path) if data is None else data
    cut = False
    if raw[:2] == b"\x1f\x8b":
        raw, cut = _unpack(path, raw)
    try:
        return raw.decode("utf-8-sig"), cut
    except UnicodeDecodeError as error:
        if cut and error.end >= len(raw):
            return raw[: error.start].decode("utf-8-sig"), cut
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError("this is not a text file in UTF-8", file=path, line=line) from error


def _unpack(path: Path, raw: bytes) -> tuple[bytes, bool]:
    try:
        return gzip.decompress(raw), False
    except EOFError:
        pass
    except (OSError, zlib.error) as error:
        raise UserError(f"this gzip file is damaged: {error}", file=path) from error
    try:
        return zlib.decompressobj(wbits=31).decompress(raw), True
    except zlib.error as error:
        raise UserError(f"this gzip file is cut short and damaged: {error}", file=path) from error


def read_document(
    path: Path, names: Sequence[str], *, prefix: bool = False, data: bytes | None = None
) -> Document:
    """Read a JSON object, the member called one of `names` item by item.

    Args:
        path: the file; may be packed by gzip.
        names: the long member may have one of these names.
        prefix: read a file that was cut short up to its last whole item.
        data: the file's content, if it was read before.

    Raises:
        UserError: the file is unreadable, no JSON object, cut short (and `prefix` is not given),
            damaged, or has a key twice; names line and item.
    """
    text, cut = read_text(path, data)
    return _Reader(path, text, frozenset(names), prefix, cut).read()


class _Stop(Exception):  # noqa: N818 - it is how parsing ends
    """The text cannot be read on from `at`."""

    def __init__(self, message: str, at: int) -> None:
        self.message, self.at = message, at
        super().__init__(message)


class _Reader:
    def __init__(
        self, path: Path, text: str, names: frozenset[str], prefix: bool, cut: bool
    ) -> None:
        self._path = path
        self._text = text
        self._names = names
        self._prefix = prefix
        self._cut = cut
        self._decoder = json.JSONDecoder()
        self._found = Document()

    def read(self) -> Document:
        try:
            if self._skip(0) >= len(self._text):
                raise UserError("this file is empty", file=self._path)
            self._object(self._skip(0))
        except _Stop as stop:
            self._stopped(stop)
        except RecursionError as error:
            raise UserError("nested too deeply", file=self._path) from error
        return self._found

    def _object(self, at: int) -> None:
        first = self._text[at]
        if first == "[":
            # a bare list of results
            self._found.name = ""
            at = self._items(at)
        elif first != "{":
            raise _Stop("this is no JSON object", at)
        else:
            at = self._members(at + 1)
        if self._skip(at) < len(self._text):
            raise _Stop("something follows the end of the JSON", self._skip(at))

    def _members(self, at: int) -> int:
        while True:
            at = self._skip(at)
            if self._is("}", at) and not self._found.members and self._found.name is None:
                return at + 1
            key, at = self._key(at)
            if key in self._found.members or key == self._found.name:
                raise _Stop(f"the member '{key}' occurs twice", at)
            if key in self._names and self._skip(at) < len(self._text) and (
                self._text[self._skip(at)] in "[{"
            ):  # fmt: skip
                self._found.name = key
                at = self._items(self._skip(at))
            else:
                self._found.members[key], at = self._value(at)
            at, ended = self._next(at, "}")
            if ended:
                return at

    def _items(self, at: int) -> int:
        """Read a list or an object from its opening bracket on, item by item."""
        keyed = self._text[at] == "{"
        closing = "}" if keyed else "]"
        at = self._skip(at + 1)
        if self._is(closing, at):
            return at + 1
        keys: set[str] = set()
        items = self._found.items
        while True:
            key = None
            if keyed:
                key, at = self._key(at)
                if key in keys:
                    raise _Stop(f"the key '{key}' occurs twice", at)
            value, at = self._value(at)
            if key is not None:
                keys.add(key)
            items.append((key, value))
            at, ended = self._next(at, closing)
            if ended:
                return at

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return at if found is None else found.end()

    def _is(self, character: str, at: int) -> bool:
        return self._text.startswith(character, at)

    def _key(self, at: int) -> tuple[str, int]:
        at = self._skip(at)
        if not self._is('"', at):
            raise _Stop("a name in double quotes is missing", at)
        key, at = self._value(at)
        at = self._skip(at)
        if not self._is(":", at):
            raise _Stop("a ':' is missing", at)
        return str(key), at + 1

    def _value(self, at: int) -> tuple[Any, int]:
        at = self._skip(at)
        try:
            return self._decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise _Stop(error.msg, error.pos) from error
        except ValueError as error:  # a whole number of thousands of digits
            raise _Stop("a number is too long", at) from error

    def _next(self, at: int, closing: str) -> tuple[int, bool]:
        """Step over a comma, or over the closing bracket."""
        at = self._skip(at)
        if self._is(closing, at):
            return at + 1, True
        if not self._is(",", at):
            raise _Stop(f"a ',' or '{closing}' is missing", at)
        return at + 1, False

    def _stopped(self, stop: _Stop) -> None:
        line = self._text.count("\n", 0, stop.at) + 1
        column = stop.at - (self._text.rfind("\n", 0, stop.at) + 1) + 1
        rest = self._text[stop.at :]
        # at the very end, or inside a text, number or word that nothing follows
        ended = stop.message.startswith("Unterminated string") or not _STRUCTURE.search(rest)
        whole = len(self._found.items)
        if not (ended or self._cut) or self._found.name is None:
            raise UserError(
                f"this is not JSON: {stop.message}"
                + (f" (after {whole} whole items of '{self._found.name}')" if whole else ""),
                file=self._path,
                line=line,
                column=column,
            )
        if not self._prefix:
            raise UserError(
                f"this file is cut short: it ends in the middle, after {whole:,} whole items of "
                f"'{self._found.name}'",
                file=self._path,
                line=line,
                column=column,
                expected="a whole JSON file (Kernel Tuner leaves a cache open while it tunes)",
                remedy="to use the items that are whole: option `incomplete: prefix`",
            )
        self._found.cut = True

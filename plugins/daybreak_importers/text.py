"""Text as people publish it: any encoding, any line ends, numbers in any dress."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from daybreak import UserError

__all__ = [
    "as_text",
    "decode",
    "find_number",
    "is_future",
    "load_json",
    "number",
    "printable",
    "read_bytes",
    "scrub",
    "slug",
    "unique_slug",
    "utc",
]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")

#: Longest text that is stored of somebody else's description.
_MOST_TEXT = 4000
_MOST_DEPTH = 12


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """Return the file's content.

    Raises:
        UserError: it cannot be read, or has more than `most` bytes.
    """
    try:
        if most is not None and path.stat().st_size > most:
            raise UserError(f"larger than {most >> 20} MiB", file=path, expected="a small text")
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            str(error.strerror or error), file=path, expected="a file to read"
        ) from error


def decode(data: bytes) -> tuple[str, str | None]:
    """Return the text of `data`, and a remark if its encoding is odd; a byte-order mark is no text.

    What is no UTF-8 is read as Latin-1, in which every byte is a character.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "UTF-16: read as such"
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode(), None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return data.decode(
            "latin-1"
        ), f"no UTF-8: byte {error.start} (line {line}), read as Latin-1"


def number(text: str) -> float | None:
    """Return a finite decimal number, None if `text` is none; a decimal comma is understood."""
    text = text.strip().strip('"')
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def find_number(value: Any) -> float | None:
    """Return the finite number that a JSON value is, or that its text holds: ``"$0.90/h"``."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        try:
            found = float(value)
        except OverflowError:
            return None
        return found if math.isfinite(found) else None
    if isinstance(value, str):
        match = _NUMBER.search(_THOUSANDS.sub(lambda found: found[0].replace(",", ""), value))
        return number(match[0]) if match else None
    return None


def printable(name: str) -> str:
    """Return a file's name, or some of its text, as it can be stored and shown on a terminal.

    Bytes that are no UTF-8 (which Python keeps as lone surrogates) and control characters become
    escapes, so that different names stay different.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def load_json(text: str) -> Any:
    """Return the JSON value of `text`.

    Raises:
        ValueError: it is no JSON, or nested too deeply; the message says where.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError:
        raise ValueError("nested too deeply") from None


def scrub(value: Any, depth: int = 0) -> Any:
    """Return a JSON value without e-mail addresses and control characters, texts and depth bounded."""
    if isinstance(value, str):
        clean = _EMAIL.sub("(address removed)", _CONTROL.sub("", value))
        return clean if len(clean) <= _MOST_TEXT else clean[:_MOST_TEXT] + "..."
    if depth >= _MOST_DEPTH:
        return "..."
    if isinstance(value, Mapping):
        return {str(scrub(str(k))): scrub(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 63:
        return str(value)
    return value


def as_text(value: Any) -> str | None:
    """Return a scrubbed one-line text of a JSON value, None if there is nothing in it."""
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, str):
        value = json.dumps(scrub(value), default=str)
    text = " ".join(scrub(value).split())
    return text[:400] or None


def slug(name: str) -> str:
    """Return `name` in lower case with everything unusual as hyphens."""
    return re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-.") or "unnamed"


def unique_slug(name: str) -> str:
    """Return `slug(name)`, with a digest behind it where that is not `name` itself."""
    short = slug(name)
    if short == name:
        return name
    return f"{short[:80]}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:6]}"


def is_future(moment: str | None) -> bool:
    """Return whether a time of day, as `utc` writes it, is yet to come (by a day at least)."""
    if not moment:
        return False
    return datetime.fromisoformat(moment) > datetime.now(UTC) + timedelta(days=1)


def utc(value: Any) -> str | None:
    """Return a date (``2018-1-31``) or a time of day as UTC ISO 8601; None if it is none.

    Times without a zone are taken as UTC.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        match = _DATE.fullmatch(text)
        if match is None:
            return None
        try:
            moment = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC)
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (OverflowError, ValueError):
        return None

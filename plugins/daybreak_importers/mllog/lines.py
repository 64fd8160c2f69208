"""Finds the log lines of MLPerf in whatever a training job printed.

Four dialects, told apart by their first word (mlcommons/logging; the rounds' own logs):

- v0.5 ``:::MLPv0.5.0 ncf 1541731858.930371284 (ncf.py:242) run_start`` with ``: JSON`` after the
  key, where there is a value;
- v0.6 ``:::MLL 1558511260.864 run_start: {"value": null, "metadata": {...}}``;
- since v0.7 ``:::MLLOG {"time_ms": ..., "key": ..., "value": ..., "metadata": {...}}`` (some
  submitters write ``time_s``);
- ``MLPerf: resnet [06/13/19 00:30:56], run_start``, one submitter's own in v0.6, to the second.

Whatever stands before the first word is ignored (``DEBUG:``, ranks, escape codes); most of a log is
none of these lines, and most log lines do not matter here, so JSON is read of those alone that do.
"""

from __future__ import annotations

import calendar
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daybreak import UserError
from daybreak_importers.text import find_number

__all__ = ["KEYS", "Damaged", "Line", "read_lines", "scan"]

#: The keys that are read; other lines are passed over.
KEYS = frozenset(
    {
        *("run_start", "run_stop", "init_start", "init_stop"),
        *("eval_start", "eval_stop", "eval_accuracy", "eval_error", "eval_result", "eval_target"),
        *("train_epoch", "epoch_start", "block_start"),
        *("epoch_stop", "block_stop", "save_model"),
        *("submission_benchmark", "submission_org", "submission_platform"),
        *("submission_division", "submission_status"),
        *("seed", "run_set_random_seed", "global_batch_size", "gradient_accumulation_steps"),
        *("opt_name", "opt_base_learning_rate", "opt_learning_rate", "train_samples"),
        *("eval_samples", "target_accuracy", "quality_target"),
    }
)

_WORD = b":::ML"
_FIRST = re.compile(rb":::ML(?:LOG|L|Pv0\.5\.\d+)\b")
_DATED_WORD = b"MLPerf: "
_EITHER = re.compile(rb":::ML(?:LOG|L|Pv0\.5\.\d+)\b|MLPerf: (?=\w+ \[\d\d/)")
# the key of a line, by its first word: all that is looked at of lines that do not matter
_KEY_OF = {
    b":::MLLOG": re.compile(rb'[^\r\n]*?"key"\s*:\s*"(\w+)"'),
    b":::MLL": re.compile(rb"\s+[\d.]+\s+(\w+)"),
    _DATED_WORD: re.compile(rb"\w+ \[[^\]\r\n]*\],\s*(\w+)"),
}
_KEY_V05 = re.compile(rb"\s+\S+\s+[\d.]+\s+(?:\([^)\r\n]*\)\s+)?(\w+)")
_V05 = re.compile(
    r"(?P<bench>\S+)\s+(?P<time>\d+(?:\.\d+)?)\s+(?:\([^)]*\)\s+)?(?P<key>\w+)\s*(?::\s*(?P<value>.*))?",
    re.DOTALL,
)
_V06 = re.compile(r"(?P<time>\d+(?:\.\d+)?)\s+(?P<key>\w+)\s*(?::\s*(?P<value>.*))?", re.DOTALL)
_DATED = re.compile(
    r"(?P<bench>\w+) \[(?P<time>\d\d/\d\d/\d\d \d\d:\d\d:\d\d)\],\s*(?P<key>\w+)"
    r"\s*(?::\s*(?P<value>.*))?",
    re.DOTALL,
)
_KEYS = frozenset(key.encode() for key in KEYS)
_PERCENT = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*%")
# what Python writes in another way than JSON; texts in double quotes are passed over
_PYTHON = re.compile(r""""(?:[^"\\]|\\.)*"|'((?:[^'\\]|\\.)*)'|\b(None|True|False)\b""")
_PYTHON_WORDS = {"None": "null", "True": "true", "False": "false"}

#: Bytes read at once.
_BLOCK = 4 * 1024 * 1024
#: A longer line is no log line of MLPerf, whatever it begins with.
_MOST_LINE = 1024 * 1024

_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Line:
    """A log line: 1-based number in the file, dialect (``0.5``, ``0.6``, ``0.7`` for all later ones,
    ``dated``), UTC seconds (None: none that can be read), key, value, metadata, and the benchmark
    where lines name it.
    """

    number: int
    dialect: str
    time: float | None
    key: str
    value: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)
    benchmark: str | None = None


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that begins like one of MLPerf's but cannot be read; `last`: the file ends in it."""

    number: int
    text: str
    last: bool


def read_lines(path: Path) -> Iterator[Line | Damaged]:
    """Yield the log lines of a file that matter; see `scan`.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from scan(iter(lambda: file.read(_BLOCK), b""))
    except OSError as error:
        raise UserError(str(error.strerror or error), file=path) from error


def scan(blocks: Iterator[bytes]) -> Iterator[Line | Damaged]:
    """Yield the log lines that matter of a text given in blocks of any size; never raises.

    UTF-16 text (with its byte-order mark) is understood; bytes that are no UTF-8 are replaced.
    """
    rest = b""
    number = 1
    utf16: str | None = None
    begun = False
    for block in blocks:
        if not begun:
            begun = True
            if block[:2] in (b"\xff\xfe", b"\xfe\xff"):
                utf16 = "utf-16-le" if block[:2] == b"\xff\xfe" else "utf-16-be"
                block = block[2:]
        if utf16 is not None:
            yield from _scan_utf16(block, blocks, utf16)
            return
        text = rest + block
        # a carriage return at the end may be half of a line end
        end = max(text.rfind(b"\n"), text.rfind(b"\r", 0, len(text) - 1)) + 1
        if end == 0:
            # no line end in a megabyte is no text; what may be a log line of it is looked at
            rest = text
            if len(text) > _MOST_LINE:
                first = text.rfind(b":::ML")
                yield from _scan_text(text[: max(first, 0)], number, last=False)
                rest = text[first:] if 0 <= len(text) - first <= _MOST_LINE and first >= 0 else b""
            continue
        whole, rest = text[:end], text[end:]
        yield from _scan_text(whole, number, last=False)
        number += _count_lines(whole)
    if rest:
        yield from _scan_text(rest, number, last=True)


def _scan_utf16(block: bytes, blocks: Iterator[bytes], encoding: str) -> Iterator[Line | Damaged]:
    # rare, and such logs are short: as a whole
    text = b"".join([block, *blocks]).decode(encoding, "replace").encode()
    yield from scan(iter([text]))


def _count_lines(text: bytes) -> int:
    if b"\r" not in text:
        return text.count(b"\n")
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


def _scan_text(text: bytes, number: int, *, last: bool) -> Iterator[Line | Damaged]:
    """Yield the lines of a text that begins with line `number`; `last`: the file ends with it."""
    counted = 0  # line breaks are counted up to here
    for start, first, end in _candidates(text):
        key = _KEY_OF.get(first, _KEY_V05).match(text, start + len(first), end)
        if key is not None and key[1] not in _KEYS:
            continue
        number += _count_lines(text[counted:start])
        counted = start
        rest = text[start + len(first) : end].decode(errors="replace").strip()
        found = None if key is None else _parse(first, rest, number)
        if found is None:
            cut = last and end == len(text)
            yield Damaged(number, text[start:end][:120].decode(errors="replace"), cut)
        elif found.key in KEYS:
            yield found


def _candidates(text: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield where log lines begin, their first word, and where they end: at the line's end, or where
    another one begins on the same line.
    """
    returns = b"\r" in text
    dated = _DATED_WORD in text
    at = 0
    while True:
        if dated:  # slower, and rare
            match = _EITHER.search(text, at)
            start = -1 if match is None else match.start()
        else:
            start = text.find(_WORD, at)
            match = None if start < 0 else _FIRST.match(text, start)
        if start < 0:
            return
        if match is None:
            at = start + len(_WORD)
            continue
        at = match.end()
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        if returns and (back := text.find(b"\r", at, end)) >= 0:
            end = back
        if (again := text.find(_WORD, at, end)) >= 0:
            end = again
        if end - at <= _MOST_LINE:
            yield start, match[0], end
        at = end


def _parse(first: bytes, rest: str, number: int) -> Line | None:
    """Return the line, None if it cannot be read."""
    if first == b":::MLLOG":
        return _parse_mllog(rest, number)
    if first == b":::MLL":
        match = _V06.fullmatch(rest)
        if match is None:
            return None
        value: Any = None
        metadata: dict[str, Any] = {}
        if match["value"] and match["key"] in KEYS:
            content = _json(match["value"])
            if content is _NOTHING:
                return None
            if isinstance(content, dict):
                value, metadata = content.get("value"), _object(content.get("metadata"))
            else:
                value = content
        return Line(number, "0.6", _moment(match["time"]), match["key"], value, metadata)
    dated = first == b"MLPerf: "
    match = (_DATED if dated else _V05).fullmatch(rest)
    if match is None:
        return None
    value = None
    if match["value"] and match["key"] in KEYS:
        text = _PERCENT.sub(lambda found: repr(float(found[1]) / 100), match["value"])
        value = _json(text)
        if value is _NOTHING:
            if text.lstrip()[:1] in ("{", "["):
                return None
            value = text.strip().strip('"')
    moment = _dated(match["time"]) if dated else _moment(match["time"])
    dialect = "dated" if dated else "0.5"
    return Line(number, dialect, moment, match["key"], value, {}, match["bench"])


def _parse_mllog(rest: str, number: int) -> Line | None:
    content = _json(rest)
    if not isinstance(content, dict) or not isinstance(content.get("key"), str):
        return None
    moment = find_number(content.get("time_ms"))
    if moment is not None:
        # some lines of some logs have seconds under this name
        moment = _or_none(moment / 1000) or _or_none(moment)
    else:
        moment = _or_none(find_number(content.get("time_s")))
    metadata = _object(content.get("metadata"))
    return Line(number, "0.7", moment, content["key"], content.get("value"), metadata)


_NOTHING = object()


def _json(text: str) -> Any:
    """Return the JSON value that `text` begins with, `_NOTHING` if it begins with none.

    Some submitters wrote Python instead (v0.6): ``{"value": null, "metadata": {'lineno': 742}}``.
    """
    text = text.lstrip()
    try:
        return _decoder.raw_decode(text)[0]
    except (ValueError, RecursionError):
        if text[:1] not in ("{", "["):
            return _NOTHING
    try:
        return _decoder.raw_decode(_PYTHON.sub(_in_json, text))[0]
    except (ValueError, RecursionError):
        return _NOTHING


def _in_json(found: re.Match[str]) -> str:
    if found[1] is not None:
        return json.dumps(found[1].replace("\\'", "'"))
    return _PYTHON_WORDS.get(found[0], found[0])


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _moment(text: str) -> float | None:
    return _or_none(find_number(text))


def _or_none(moment: float | None) -> float | None:
    """Return a moment; None for the zeros that stand for "no time" in headers."""
    return moment if moment is not None and 1e8 < moment < 1e11 else None


def _dated(text: str) -> float | None:
    try:
        return float(calendar.timegm(time.strptime(text, "%m/%d/%y %H:%M:%S")))
    except ValueError:
        return None

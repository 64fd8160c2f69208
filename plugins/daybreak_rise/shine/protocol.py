"""HyperMapper's client-server protocol as text.

A request is ``Request N``, a line of parameter names, N lines of values. An answer is a line of
names (the parameters', the objective, the name of the validity column) and N lines of values in
that order. ``End of HyperMapper`` ends the exchange (HyperMapper's wiki, "client-server mode").
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from daybreak import Configuration

__all__ = ["END", "Answer", "Malformed", "is_header", "parse_answer", "request"]

END = "End of HyperMapper\n"
_RUNTIME, _VALID = "runtime", "valid"
#: what Shine reports for a failure besides Valid = False, in some of its versions
_FAILURES = (-1.0, 2147483647.0)
_COMMAS = re.compile(r",(?![^(]*\))")


class Malformed(Exception):  # noqa: N818 - it says what an answer is
    """An answer that is none; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Shine said of a configuration: the runtime in milliseconds, None where it is invalid."""

    runtime: float | None


def request(configurations: Sequence[Configuration]) -> str:
    """Return the text that asks for these configurations, which have the same parameters."""
    names = list(configurations[0])
    lines = [f"Request {len(configurations)}", ",".join(names)]
    lines += [",".join(_text(one[name]) for name in names) for one in configurations]
    return "\n".join(lines) + "\n"


def is_header(line: str, configuration: Configuration) -> bool:
    """Return whether a line begins an answer; a program may print other lines before."""
    fields = _split(line)
    return set(configuration) <= set(fields) and _RUNTIME in (one.lower() for one in fields)


def parse_answer(header: str, row: str, configuration: Configuration) -> Answer:
    """Return what a row says of `configuration`.

    Raises:
        Malformed: columns are missing, it is about another configuration, or no number.
    """
    names, values = _split(header), _split(row)
    if len(names) != len(values):
        raise Malformed(f"{len(values)} values under {len(names)} names: '{row[:200]}'")
    found = dict(zip(names, values, strict=True))
    for name, value in configuration.items():
        if name not in found:
            raise Malformed(f"the answer has no column '{name}'")
        if not _same(found[name], _text(value)):
            raise Malformed(f"the answer is about {name} = {found[name]}, not {_text(value)}")
    lower = {name.lower(): value for name, value in found.items()}
    if _RUNTIME not in lower:
        raise Malformed("the answer has no column 'runtime'")
    valid = lower.get(_VALID, "true").lower()
    if valid not in ("true", "false"):
        raise Malformed(f"Valid is '{valid}', neither True nor False")
    if valid == "false":
        return Answer(None)
    try:
        runtime = float(lower[_RUNTIME])
    except ValueError:
        raise Malformed(f"the runtime is '{lower[_RUNTIME]}', no number") from None
    if runtime in _FAILURES:
        return Answer(None)
    if not math.isfinite(runtime) or runtime <= 0:
        raise Malformed(f"the runtime is {runtime:g} ms")
    return Answer(runtime)


def _split(line: str) -> list[str]:
    """Return the fields of a line; commas inside parentheses belong to a permutation."""
    return [field.strip() for field in _COMMAS.split(line.strip())]


def _text(value: object) -> str:
    if isinstance(value, tuple | list):
        return "(" + ",".join(str(one) for one in value) + ")"
    return str(value)


def _same(found: str, wanted: str) -> bool:
    if found.replace(" ", "") == wanted:
        return True
    try:
        return float(found) == float(wanted)
    except ValueError:
        return False

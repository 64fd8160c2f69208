"""Sizes of a benchmark's data: named integers with a default and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daybreak import UserError, nearest

__all__ = ["Size", "chosen_sizes", "instance_label"]


@dataclass(frozen=True, slots=True)
class Size:
    """One size: `name` in options, `default`, smallest and largest value, what it counts."""

    name: str
    default: int
    low: int
    high: int
    meaning: str


def chosen_sizes(
    benchmark: str, known: tuple[Size, ...], options: Mapping[str, Any]
) -> dict[str, int]:
    """Return every size: `options` where given, else its default.

    Raises:
        UserError: an unknown name, or a value that is no integer within the limits.
    """
    names = [size.name for size in known]
    for name in options:
        if name not in names:
            raise UserError(
                f"benchmark '{benchmark}' has no size '{name}'",
                field=f"options.{name}",
                expected=", ".join(names),
                nearest=nearest(name, names),
            )
    found: dict[str, int] = {}
    for size in known:
        value = options.get(size.name)
        if value is None:
            value = size.default
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not size.low <= value <= size.high:
            raise UserError(
                f"{value!r} is no good for '{size.name}' ({size.meaning})",
                field=f"options.{size.name}",
                expected=f"an integer from {size.low} to {size.high}",
            )
        found[size.name] = value
    return found


def instance_label(known: tuple[Size, ...], sizes: Mapping[str, int]) -> str:
    """Return a short label of the sizes, e.g. ``20x20``."""
    return "x".join(str(sizes[size.name]) for size in known)

"""Checking when an optimizer gives progress curves up, before a worker is asked to do so."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from daybreak.errors import nearest
from daybreak.records import Cutoff

__all__ = ["check_cutoff"]

_CLOCKS = ("epoch", "step", "train_s")


def check_cutoff(cutoff: Any, metrics: Collection[str]) -> None:
    """Check one cutoff; `metrics` are the benchmark's.

    Raises:
        TypeError: it is none, or one of its numbers is none.
        ValueError: its metric is unknown, it names no clock or several, or a number is not finite.
    """
    if not isinstance(cutoff, Cutoff):
        raise TypeError(f"{cutoff!r:.100} is no Cutoff")
    if cutoff.metric not in metrics:
        near = nearest(cutoff.metric, metrics)
        hint = f"; did it mean '{near}'?" if near else ""
        raise ValueError(
            f"a cutoff at '{cutoff.metric}', which is no metric of the benchmark{hint}"
        )
    if math.isnan(cutoff.value):
        raise ValueError(f"a cutoff of '{cutoff.metric}' at NaN")
    given = [name for name in _CLOCKS if getattr(cutoff, name) is not None]
    if len(given) != 1:
        named = " and ".join(given) or "none"
        raise ValueError(f"a cutoff needs one of {', '.join(_CLOCKS)}; this one has {named}")
    if not math.isfinite(getattr(cutoff, given[0])):
        raise ValueError(f"a cutoff at {given[0]} {getattr(cutoff, given[0])}")

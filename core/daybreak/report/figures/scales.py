"""Scales of axes: logarithmic, crowded towards one, and labels that keep out of each other's way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["WIDE", "logarithmic", "near_one", "plain", "spread"]

#: a logarithmic axis pays from this ratio on
WIDE = 30.0
# numbers on an axis that shows what is missing to one
_SHARES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 1.0)
# below this nothing is told apart, and so near to each other no two numbers stand on an axis
_FINEST, _APART = 1e-4, 0.09


def logarithmic(axes: Axes, axis: str) -> None:
    """Make an axis logarithmic, with plain numbers on it."""
    from matplotlib.ticker import LogLocator

    (axes.set_xscale if axis == "x" else axes.set_yscale)("log")
    drawn = axes.xaxis if axis == "x" else axes.yaxis
    low, high = axes.get_xlim() if axis == "x" else axes.get_ylim()
    few = high < 100 * max(low, 1e-300)
    drawn.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    drawn.set_major_formatter(plain)
    drawn.set_minor_locator(LogLocator(subs=()))


def near_one(axes: Axes, axis: str, known: NDArray[np.float64]) -> None:
    """Spread an axis of shares towards one: as far from 0.9 to 0.99 as from 0 to 0.9.

    Args:
        axes: the panel.
        axis: x or y.
        known: all values on it, from 0 to 1.
    """
    import numpy as np

    missing = 1 - known
    least = max(_FINEST, float(missing[missing > _FINEST / 10].min(initial=1.0)))
    # a value of one has a place too
    rest = least / 2 if float(missing.min()) < least / 2 else 0.0

    def forward(values: Any) -> Any:
        return -np.log10(np.maximum(1 - np.asarray(values, dtype=float), least / 20) + rest)

    def back(places: Any) -> Any:
        return 1 + rest - 10 ** -np.asarray(places, dtype=float)

    ends = forward(np.asarray([known.min(), known.max()]))
    room = 0.04 * (ends[1] - ends[0]) or 0.1
    shown: list[float] = []
    for share in _SHARES:
        place = float(forward(share))
        inside = ends[0] - room <= place <= ends[1] + room
        apart = not shown or place - float(forward(shown[-1])) > _APART * (ends[1] - ends[0])
        if inside and apart:
            shown.append(share)
    limits = [float(x) for x in back(np.asarray([ends[0] - room, ends[1] + room]))]
    if axis == "x":
        axes.set_xscale("function", functions=(forward, back))
        axes.set_xlim(*limits)
        axes.set_xticks(shown, [f"{share:g}" for share in shown])
    else:
        axes.set_yscale("function", functions=(forward, back))
        axes.set_ylim(*limits)
        axes.set_yticks(shown, [f"{share:g}" for share in shown])


def plain(value: float, _place: float = 0.0) -> str:
    """Return a number of an axis without powers of ten where it stays short."""
    return f"{value:g}" if value == 0 or 1e-4 <= abs(value) < 1e6 else f"{value:.0e}"


def spread(wanted: Sequence[float], gap: float, highest: float = 1.0) -> list[float]:
    """Return places at least `gap` apart and not above `highest`, as near to those wanted as can be.

    Args:
        wanted: places, in ascending order.
        gap: smallest distance of two places.
        highest: where the last one lies at most.
    """
    found: list[float] = []
    for place in wanted:
        found.append(max(place, found[-1] + gap) if found else place)
    limit = highest
    for i in range(len(found) - 1, -1, -1):
        found[i] = min(found[i], limit)
        limit = found[i] - gap
    # what was pushed up, and not held by its neighbours, goes half of the way back
    for i in range(len(found)):
        lowest = found[i - 1] + gap if i else -math.inf
        found[i] = max(lowest, found[i] - max(0.0, found[i] - wanted[i]) / 2)
    return found

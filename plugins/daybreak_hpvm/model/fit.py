"""Fitting constants to designs: least relative squares, nothing below zero, outliers count less."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from daybreak_hpvm.model.clock import CLOCK_TERMS, Way, longest_ns

__all__ = ["fit_clock", "fit_prices"]

_ROUNDS = 6
#: relative errors beyond this count by their size, not by its square (Huber 1964)
_HUBER = 0.1


def fit_prices(
    amounts: Sequence[Mapping[str, float]],
    totals: Sequence[float],
    names: Sequence[str],
    *,
    prior: Mapping[str, float],
    pull: float,
) -> dict[str, float]:
    """Return a price of each of `names`, such that amounts times prices come near `totals`.

    Errors are relative to the total. A price is drawn towards its `prior`, by `pull` standard
    deviations' worth of one design for being off by as much as the prior: it decides where the
    designs hold too little of something. (Non-negative least squares: C. Lawson, R. Hanson, "Solving
    Least Squares Problems", 1974, chapter 23; reweighted for Huber's loss.)

    Raises:
        ValueError: there is no design, or a total is not positive.
    """
    import numpy as np
    from scipy.optimize import nnls

    if not totals or min(totals) <= 0:
        raise ValueError("prices are fitted to designs that use something")
    y = np.asarray(totals, dtype=float)
    x = np.asarray([[one.get(name, 0.0) for name in names] for one in amounts], dtype=float)
    relative = x / y[:, None]
    wanted = np.asarray([prior[name] for name in names], dtype=float)
    scale = np.where(wanted > 0, wanted, 1.0)
    ties = np.diag(pull / scale)
    weights = np.ones(len(y))
    prices = wanted
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        left = np.vstack([relative * root[:, None], ties])
        right = np.concatenate([root, ties @ wanted])
        prices, _ = nnls(left, right)
        off = np.abs(relative @ prices - 1.0)
        weights = np.where(off > _HUBER, _HUBER / np.maximum(off, 1e-12), 1.0)
    return {name: float(price) for name, price in zip(names, prices, strict=True)}


def fit_clock(
    designs: Sequence[tuple[Sequence[Way], float, int]], periods: Sequence[float]
) -> dict[str, float]:
    """Return `CLOCK_TERMS` with which the designs' clock periods come near `periods`.

    Args:
        designs: of each its ways, its look-up tables and its multipliers.
        periods: of each, in ns.
    """
    import numpy as np
    from scipy.optimize import least_squares

    def off(values: Sequence[float]) -> list[float]:
        terms = dict(zip(CLOCK_TERMS, values, strict=True))
        return [
            math.log(longest_ns(*one, terms) / period)
            for one, period in zip(designs, periods, strict=True)
        ]

    found = least_squares(off, (0.1, 0.1), bounds=(0, np.inf), loss="huber", f_scale=_HUBER)
    return {name: float(value) for name, value in zip(CLOCK_TERMS, found.x, strict=True)}

"""Student's t distribution, for one test: SciPy is no requirement of Daybreak's core.

The distribution function is a regularized incomplete beta function, by Lentz's continued fraction
(W. Press and others, "Numerical Recipes", 3rd edition, 2007, section 6.4).
"""

from __future__ import annotations

import math

__all__ = ["t_cdf", "t_quantile"]


def t_cdf(t: float, freedom: float) -> float:
    """Return the probability of a value of at most `t` with `freedom` degrees of freedom."""
    if not freedom > 0:
        raise ValueError(f"degrees of freedom must be positive, not {freedom}")
    whole = freedom + t * t
    tail = 0.5 * _beta(freedom / whole, t * t / whole, freedom / 2, 0.5)
    return 1 - tail if t > 0 else tail


def t_quantile(share: float, freedom: float) -> float:
    """Return the value that is not exceeded with probability `share`."""
    if not 0 < share < 1:
        raise ValueError(f"a probability must lie between 0 and 1, not {share}")
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < share:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if t_cdf(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b); `rest` is 1 - x, to full digits."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    found = d
    for m in range(1, 500):
        for part in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + part * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + part / c
            c = c if abs(c) > tiny else tiny
            found *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return found

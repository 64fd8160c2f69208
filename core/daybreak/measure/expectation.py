"""What uniform random search attains, calculated: the yardstick of all optimizers on a known space.

Of a space's N configurations K succeed, with the values x(1), x(2), ..., x(K) from best to worst,
and N - K fail. Random search that never repeats itself has drawn a simple random sample of n
without replacement, so the i-th best is its best with probability ::

    p(i) = C(N - i, n - 1) / C(N, n)        i = 1 .. K

which is the distribution of the smallest rank in a sample from a finite population (Balakrishnan,
Charalambides and Papadatos, *Bounds on expectation of order statistics from a finite population*,
J. Statist. Plann. Inference 113 (2003), section 1). All of the sample fails with the probability
that is left over; given that it does not, the expected best is ::

    E(n) = sum_i p(i) x(i) / sum_i p(i)

The p(i) follow from the probability s(i) that none of the i best is drawn ::

    s(0) = 1,   s(i) = s(i - 1) (1 - n / (N - i + 1)),   p(i) = s(i - 1) n / (N - i + 1)

so that no binomial coefficient is ever formed: products of numbers in [0, 1] neither overflow nor
cancel, and the ratio of two sums of terms of one sign loses nothing where nearly all configurations
fail. What is left out once s(i) has fallen below `NEGLIGIBLE` changes E(n) by less than that
share of the range of the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NEGLIGIBLE", "expected_best"]

#: Probability of what is left out of a sum: far below the rounding of a double.
NEGLIGIBLE = 1e-20

#: Ranks per step: few enough to stay in the processor's cache.
_STEP = 1 << 14


def expected_best(
    values: Sequence[float] | NDArray[np.floating[Any]],
    failures: int,
    evaluations: int | Sequence[int] | NDArray[np.integer[Any]],
    *,
    maximize: bool = False,
) -> NDArray[np.float64]:
    """Return the expected best of uniform random search without replacement.

    It is conditional on at least one success among the evaluations.

    Args:
        values: what every configuration that succeeds attains, in any order; shape ``(K,)``,
            K >= 1, finite.
        failures: how many configurations fail.
        evaluations: n means after 1, 2, ..., n evaluations; or the numbers themselves, each from 1
            to K + `failures`.
        maximize: larger is better.

    Returns:
        The expectation after each number of evaluations, in the values' unit.

    Raises:
        ValueError: there are no values, one is not finite, or a number of evaluations is out of
            range.
    """
    import numpy as np

    ordered = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if maximize:
        ordered = ordered[::-1]
    if not ordered.size:
        raise ValueError("no configuration succeeds: there is no best to expect")
    if not (np.isfinite(ordered[0]) and np.isfinite(ordered[-1])):
        raise ValueError("a value is not finite")
    if failures < 0:
        raise ValueError(f"{failures} configurations cannot fail")
    total = int(ordered.size) + int(failures)
    if isinstance(evaluations, int):
        counts = np.arange(1, evaluations + 1)
    else:
        counts = np.asarray(evaluations, dtype=np.int64)
    if counts.size and not (counts.min() >= 1 and counts.max() <= total):
        raise ValueError(f"evaluations must be from 1 to {total}, the number of configurations")
    # distances to the best: of one sign, so that adding them up loses nothing
    losses = np.abs(ordered - ordered[0])
    sign = -1.0 if maximize else 1.0
    expected = [_expected_loss(losses, total, int(n)) for n in counts]
    found: NDArray[np.float64] = ordered[0] + sign * np.array(expected, dtype=np.float64)
    return found


def _expected_loss(losses: NDArray[np.float64], total: int, n: int) -> float:
    """Return the expected distance of the best of `n` draws from the best of all."""
    import numpy as np

    above = 1.0  # s(i - 1): none of the better ones is drawn
    weighted = weight = 0.0
    for begin in range(0, losses.size, _STEP):
        part = losses[begin : begin + _STEP]
        # n / (N - i + 1), at most 1: from there on one of the better ones is sure to be drawn
        drawn = n / (total - np.arange(begin, begin + part.size, dtype=np.float64))
        np.minimum(drawn, 1.0, out=drawn)
        survive = np.cumprod(1.0 - drawn)
        drawn[1:] *= survive[:-1]  # now p(i) / above
        weighted += above * float(drawn @ part)
        weight += above * float(drawn.sum())
        above *= float(survive[-1])
        # the rest weighs at most `above`; it is compared with what there is, since with few
        # successes among many failures all weights are small
        if above <= NEGLIGIBLE * weight:
            break
    return weighted / weight

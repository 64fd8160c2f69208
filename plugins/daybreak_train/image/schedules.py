"""Learning-rate schedules: a factor of the peak rate by the share of the horizon that is over."""

from __future__ import annotations

import math

__all__ = ["FLOOR", "factor"]

#: what is left of the rate at the end of the horizon and after it
FLOOR = 0.01
#: share of the horizon in which `triangle` rises: 5 of 24 epochs, as in the quickest DAWNBench
#: entries for CIFAR10 (D. Page, "How to train your ResNet", 2018)
_RISE = 5 / 24


def factor(schedule: str, done: float) -> float:
    """Return the factor of the peak learning rate.

    `constant` is 1. `cosine` falls along half a cosine (Loshchilov, Hutter: SGDR, 2017, eq. 5,
    without restarts); `triangle` rises in a straight line from `FLOOR` to 1 and falls back. Both
    stay at `FLOOR` after the horizon.

    Args:
        schedule: one of `daybreak_train.image.names.SCHEDULES`.
        done: epochs trained over the epochs of the horizon.
    """
    if schedule == "constant":
        return 1.0
    if done >= 1.0:
        return FLOOR
    if schedule == "cosine":
        share = (1.0 + math.cos(math.pi * done)) / 2.0
    elif schedule == "triangle":
        share = done / _RISE if done < _RISE else (1.0 - done) / (1.0 - _RISE)
    else:
        raise ValueError(f"no schedule is called {schedule!r}")
    return FLOOR + (1.0 - FLOOR) * share

"""Predicts which configurations succeed: BaCO's random forest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FeasibilityForest", "draw_threshold"]

_Floats = NDArray[np.float64]

_TREES = 50
_MAX_FEATURES = 0.75
_WEIGHTS = {True: 0.8, False: 0.2}
#: what the forest's own seed is drawn below
_SEEDS = 2**31


class FeasibilityForest:
    """A forest of 50 trees on the encoded configurations, fitted to success and failure.

    Args:
        x: inputs, shape (n, d).
        succeeded: shape (n,); both outcomes must occur.
        rng: gives the forest its seed.
    """

    def __init__(self, x: _Floats, succeeded: NDArray[np.bool_], rng: np.random.Generator) -> None:
        from sklearn.ensemble import RandomForestClassifier

        self._forest: Any = RandomForestClassifier(
            n_estimators=_TREES,
            max_features=_MAX_FEATURES,
            bootstrap=False,
            class_weight=_WEIGHTS,
            random_state=int(rng.integers(_SEEDS)),
        )
        self._forest.fit(x, succeeded)
        self._column = list(self._forest.classes_).index(True)

    def probability(self, x: _Floats) -> _Floats:
        """Return the probability of success at each row of `x`, the mean over the trees."""
        found: _Floats = self._forest.predict_proba(x)[:, self._column]
        return found


def draw_threshold(largest: float, rng: np.random.Generator) -> float:
    """Draw the least acceptable probability: 0, 0.1, ..., 1 times `largest`, equally likely."""
    return largest * 0.1 * int(rng.integers(11))

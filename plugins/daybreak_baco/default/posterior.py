"""What is believed after some trials: the objective's and the failures' models together.

The acquisition is a sum of logarithms, so that further terms can be added to it: the expected
improvement over the incumbent, and the probability of success. Improvements below a thousandth of
a standard deviation are alike: once nothing better is in sight, a proposal that is likely to
succeed goes before one of which the model of successes knows nothing. The incumbent is the best posterior
mean at a measured configuration, not the best measurement: a lucky one is no standard to beat.

Proposals whose result is not known yet count as if the model's mean had been measured there
(the Kriging believer of Ginsbourger, Le Riche and Carraro 2010): the rest of a batch goes elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daybreak_baco.default.acquisition import log_expected_improvement
from daybreak_baco.default.feasibility import Feasibility
from daybreak_baco.default.features import Features
from daybreak_baco.default.memory import Memory
from daybreak_baco.default.outputs import Outputs
from daybreak_baco.default.past import Past
from daybreak_baco.default.surrogate import Surrogate
from daybreak_baco.gp import GaussianProcess

__all__ = ["Posterior"]

Array = NDArray[np.float64]

#: median of the noise variance's prior, deviation of its logarithm, and its smallest value
_NOISE, _FLOOR = (0.03, 1.0), 1e-6
#: expected improvement, in deviations of what was measured, that does not count
_NEGLIGIBLE = 1e-3
#: noise variance of earlier trials, on top of the fitted one
_PAST_NOISE = 0.1


class Posterior:
    """The models, updated before each proposal.

    Attributes:
        trained: whether the objective's model has seen any value.
        good: the rows of configurations that succeeded, best posterior mean first.
    """

    def __init__(self, features: Features, sign: float) -> None:
        self._features, self._sign = features, sign
        self._surrogate = Surrogate(features.member, _NOISE, _FLOOR)
        self._feasibility = Feasibility(features.member)
        self._process: GaussianProcess | None = None
        self._outputs: Outputs | None = None
        self._incumbent = 0.0
        self._x = np.zeros((0, features.width))
        self.good = np.zeros((0, 0))

    @property
    def trained(self) -> bool:
        """Whether the objective's model has seen any value."""
        return self._process is not None

    def update(self, memory: Memory, past: Past) -> None:
        """Fit both models to all that is known."""
        encode = self._features.encode
        rows, values = memory.succeeded
        earlier, earlier_values = past.succeeded(rows, values)
        self._feasibility.fit(
            encode(np.vstack([rows, earlier])), encode(np.vstack([memory.failed, past.failed]))
        )
        count = len(rows)
        if not count + len(earlier):
            self._process, self._outputs, self.good = None, None, rows
            return
        every = np.concatenate([values, earlier_values])
        self._outputs = Outputs(every, self._sign)
        y = self._outputs.to_model(every)
        extra = np.repeat([0.0, _PAST_NOISE], [count, len(earlier)])
        x = self._x = encode(np.vstack([rows, earlier]))
        process = self._surrogate.fit(x, y, extra)
        # judged by what was measured here; by earlier trials while there is nothing else
        judged = count or len(earlier)
        mean, _ = process.predict(x[:judged])
        self._incumbent = float(mean.min())
        self.good = np.vstack([rows, earlier])[:judged][np.argsort(mean, kind="stable")]
        pending = encode(memory.pending)
        if len(pending):
            believed, _ = process.predict(pending)
            process = self._surrogate.condition(
                np.vstack([x, pending]),
                np.concatenate([y, believed]),
                np.concatenate([extra, np.zeros(len(pending))]),
            )
        self._process = process

    def log_acquisition(self, rows: Array, x: Array) -> Array:  # noqa: ARG002
        """Return the score of candidates; higher is better.

        Args:
            rows: of codes, for terms that look at the parameters themselves.
            x: their features.
        """
        return self._log_improvement(x) + self._feasibility.log_probability(x)

    def _log_improvement(self, x: Array) -> Array:
        if self._process is None:
            return np.zeros(len(x))
        mean, deviation = _predict(self._process, x)
        gain = log_expected_improvement(mean, deviation, self._incumbent)
        found: Array = np.logaddexp(gain, math.log(_NEGLIGIBLE))
        return found

    def describe(self, row: Array) -> dict[str, object]:
        """Return what is believed about one row, as JSON values; see `Explains`."""
        x = self._features.encode(row[None])
        said: dict[str, object] = {
            "feasibility": float(np.exp(self._feasibility.log_probability(x)[0])),
            "acquisition": float(self.log_acquisition(row[None], x)[0]),
        }
        if self._process is None or self._outputs is None:
            return said
        mean, deviation = _predict(self._process, x)
        said["mean"], said["deviation"] = self._outputs.to_objective(
            float(mean[0]), float(deviation[0])
        )
        lengthscales = self._surrogate.hyperparameters.lengthscales
        said["lengthscales"] = {
            group.name: float(value)
            for group, value in zip(self._features.groups, lengthscales, strict=True)
        }
        said["importance"] = self._importance(lengthscales)
        return said

    def _importance(self, lengthscales: Array) -> dict[str, float]:
        """Return each parameter's part of the distances between what was measured.

        A quantity made of several parameters counts for each of them alike.
        """
        spread = self._x.var(axis=0) / lengthscales[self._features.member] ** 2
        shares: dict[str, float] = {}
        for column, number in enumerate(self._features.member):
            owners: Sequence[str] = self._features.groups[number].owners
            for owner in owners:
                shares[owner] = shares.get(owner, 0.0) + float(spread[column]) / len(owners)
        total = sum(shares.values())
        if total <= 0:
            return {name: 1.0 / len(shares) for name in shares}
        return {name: share / total for name, share in shares.items()}


def _predict(process: GaussianProcess, x: Array) -> tuple[Array, Array]:
    """Return means and deviations of the noiseless function."""
    mean, variance = process.predict(x)
    floor = 1e-10 * process.hyperparameters.variance
    return mean, np.sqrt(np.maximum(variance, floor))

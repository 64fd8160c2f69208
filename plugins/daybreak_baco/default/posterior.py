"""What is believed after some trials: the objective's and the failures' models together.

The acquisition is a sum of logarithms: the expected improvement over the incumbent, or of the front
of several objectives (`front`), the probability of success, and what the user believes of the
optimum's place, whose say fades as ``strength / n`` over n evaluations (Hvarfner et al. 2022,
"piBO", equation 6; after the prior-guided search of Souza et al. 2021, "BOPrO"). Improvements below a thousandth of
a standard deviation are alike: once nothing better is in sight, a proposal that is likely to
succeed goes before one of which the model of successes knows nothing. The incumbent is the best posterior
mean at a measured configuration, not the best measurement: a lucky one is no standard to beat.

Hyperparameters are not taken for certain: the expected improvement is the average over those that
explain the observations best and a few drawn around them (Snoek, Larochelle and Adams 2012, section
3.2).

Proposals whose result is not known yet count as if the model's mean had been measured there
(the Kriging believer of Ginsbourger, Le Riche and Carraro 2010): the rest of a batch goes elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daybreak_baco.default.acquisition import log_expected_improvement
from daybreak_baco.default.belief import Belief
from daybreak_baco.default.feasibility import Feasibility
from daybreak_baco.default.features import Features
from daybreak_baco.default.front import Front
from daybreak_baco.default.memory import Memory
from daybreak_baco.default.outputs import Outputs
from daybreak_baco.default.past import Past
from daybreak_baco.default.surrogate import Surrogate
from daybreak_baco.gp import GaussianProcess

__all__ = ["Posterior"]

Array = NDArray[np.float64]

#: median of the noise variance's prior, deviation of its logarithm, and its smallest value; a wider
#: median would pass a compiler's whims for noise, and the model stay where it has been
_NOISE, _FLOOR = (0.001, 1.0), 1e-6
#: largest median that measured errors may give
_NOISIEST = 0.3
#: hyperparameters drawn beside the best ones
_DRAWS = 2
#: expected improvement, in deviations of what was measured, that does not count
_NEGLIGIBLE = 1e-3
#: noise variance of earlier trials, on top of the fitted one
_PAST_NOISE = 0.1


class Posterior:
    """The models, updated before each proposal.

    Args:
        features: of the space.
        sign: 1 to minimise the objective, -1 to maximise it.
        belief: of the user, about the optimum's place.
        front: the models of several objectives; None for one.

    Attributes:
        trained: whether the objective's model has seen any value.
        good: the rows of configurations that succeeded, best posterior mean first.
    """

    def __init__(
        self,
        features: Features,
        sign: float,
        belief: Belief | None = None,
        front: Front | None = None,
    ) -> None:
        self._features, self._sign = features, sign
        self._belief, self._front = belief, front
        self._evaluations = 0
        self._surrogate = Surrogate(features.member, _NOISE, _FLOOR)
        self._feasibility = Feasibility(features.member)
        # each with its incumbent; the likeliest first
        self._processes: list[tuple[GaussianProcess, float]] = []
        self._outputs: Outputs | None = None
        self._x = np.zeros((0, features.width))
        self.good = np.zeros((0, 0))

    @property
    def trained(self) -> bool:
        """Whether the objective's model has seen any value."""
        return self._front.trained if self._front is not None else bool(self._processes)

    def update(self, memory: Memory, past: Past, rng: np.random.Generator) -> None:
        """Fit both models to all that is known."""
        encode = self._features.encode
        self._evaluations = len(memory)
        rows, values = memory.succeeded
        earlier, earlier_values = past.succeeded(rows, values)
        self._feasibility.fit(
            encode(np.vstack([rows, earlier])), encode(np.vstack([memory.failed, past.failed]))
        )
        if self._front is not None:
            self._front.update(memory)
            self.good = self._front.good
            return
        count = len(rows)
        if not count + len(earlier):
            self._processes, self._outputs, self.good = [], None, rows
            return
        every = np.concatenate([values, earlier_values])
        self._outputs = Outputs(every, self._sign)
        y = self._outputs.to_model(every)
        extra = np.repeat([0.0, _PAST_NOISE], [count, len(earlier)])
        x = self._x = encode(np.vstack([rows, earlier]))
        surrogate = self._surrogate
        if memory.error is not None:
            surrogate.expect_noise(self._outputs.noise(memory.error, _NOISE[0], _NOISIEST))
        processes = [surrogate.fit(x, y, extra)]
        processes += [
            surrogate.condition(x, y, extra, drawn)
            for drawn in surrogate.draw(_DRAWS, x, y, extra, rng)
        ]
        # judged by what was measured here; by earlier trials while there is nothing else
        judged = count or len(earlier)
        means = [process.predict(x[:judged])[0] for process in processes]
        order = np.argsort(means[0], kind="stable")
        self.good = np.vstack([rows, earlier])[:judged][order]
        pending = encode(memory.pending)
        if len(pending):
            processes = [self._believing(p, x, y, extra, pending) for p in processes]
        self._processes = [(p, float(m.min())) for p, m in zip(processes, means, strict=True)]

    def _believing(
        self, process: GaussianProcess, x: Array, y: Array, extra: Array, pending: Array
    ) -> GaussianProcess:
        """Return the process as if its mean had been measured at `pending`."""
        return self._surrogate.condition(
            np.vstack([x, pending]),
            np.concatenate([y, process.predict(pending)[0]]),
            np.concatenate([extra, np.zeros(len(pending))]),
            process.hyperparameters,
        )

    def log_acquisition(self, rows: Array, x: Array) -> Array:
        """Return the score of candidates; higher is better.

        Args:
            rows: of codes, for terms that look at the parameters themselves.
            x: their features.
        """
        found = self._log_improvement(x) + self._feasibility.log_probability(x)
        if self._belief is not None:
            found += (
                self._belief.weight / max(1, self._evaluations) * self._belief.log_density(rows)
            )
        return found

    def _log_improvement(self, x: Array) -> Array:
        if self._front is not None:
            return self._front.log_improvement(x)
        if not self._processes:
            return np.zeros(len(x))
        gains = [
            log_expected_improvement(*_predict(process, x), incumbent)
            for process, incumbent in self._processes
        ]
        average = np.logaddexp.reduce(gains, axis=0) - math.log(len(gains))
        found: Array = np.logaddexp(average, math.log(_NEGLIGIBLE))
        return found

    def describe(self, row: Array) -> dict[str, object]:
        """Return what is believed about one row, as JSON values; see `Explains`."""
        x = self._features.encode(row[None])
        said: dict[str, object] = {
            "feasibility": float(np.exp(self._feasibility.log_probability(x)[0])),
            "acquisition": float(self.log_acquisition(row[None], x)[0]),
        }
        if self._belief is not None:
            said["prior"] = float(self._belief.log_density(row[None])[0])
        if self._front is not None and self._front.trained:
            said |= self._front.describe(x)
            return said | self._influence(self._front.lengthscales, self._front.spread)
        if self._outputs is None:
            return said
        each = np.array([_predict(process, x) for process, _ in self._processes])
        means, deviations = each[:, 0, 0], each[:, 1, 0]
        # of the mixture: the average variance, and that of the means
        width = math.sqrt(float(np.mean(deviations**2) + means.var()))
        said["mean"], said["deviation"] = self._outputs.to_objective(float(means.mean()), width)
        lengthscales = self._surrogate.hyperparameters.lengthscales
        spread = self._x.var(axis=0) / lengthscales[self._features.member] ** 2
        return said | self._influence(lengthscales, spread)

    def _influence(self, lengthscales: Array, spread: Array) -> dict[str, object]:
        """Return the lengthscales by group and the importance by parameter.

        The importance is a parameter's part of the distances between what was measured, `spread`
        by column; a quantity made of several parameters counts for each of them alike.
        """
        shares: dict[str, float] = {}
        for column, number in enumerate(self._features.member):
            owners: Sequence[str] = self._features.groups[number].owners
            for owner in owners:
                shares[owner] = shares.get(owner, 0.0) + float(spread[column]) / len(owners)
        total = sum(shares.values())
        even = 1.0 / max(1, len(shares))
        return {
            "lengthscales": {
                group.name: float(value)
                for group, value in zip(self._features.groups, lengthscales, strict=True)
            },
            "importance": {
                name: share / total if total > 0 else even for name, share in shares.items()
            },
        }


def _predict(process: GaussianProcess, x: Array) -> tuple[Array, Array]:
    """Return means and deviations of the noiseless function."""
    mean, variance = process.predict(x)
    floor = 1e-10 * process.hyperparameters.variance
    return mean, np.sqrt(np.maximum(variance, floor))

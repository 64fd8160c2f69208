"""Loss and optimum in plain NumPy, SciPy and scikit-learn: what training is judged by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak_train.hogwild.problems import HINGE, SparseProblem

__all__ = ["SparseObjective"]

Vector = NDArray[np.float64]


class SparseObjective:
    """The loss of a problem over its training data, in double precision."""

    def __init__(self, problem: SparseProblem) -> None:
        self._problem = problem
        self._x = problem.x.astype(np.float64)
        self.at_zero = self.loss(np.zeros(problem.x.shape[1]))
        self.optimum = self._optimum()

    def loss(self, weights: Vector) -> float:
        """Return mean loss plus penalty at `weights`, shape (features,)."""
        problem = self._problem
        with np.errstate(over="ignore", invalid="ignore"):
            margin = problem.y * (self._x @ weights)
            if problem.kind == HINGE:
                losses = np.maximum(0.0, 1.0 - margin)
            else:
                losses = np.logaddexp(0.0, -margin)
            penalty = 0.5 * problem.l2 * np.dot(problem.frequency, weights**2)
            return float(losses.mean() + penalty)

    def excess(self, weights: Vector) -> float:
        """Return the loss above the optimum as a share of that of zero weights."""
        return (self.loss(weights) - self.optimum) / (self.at_zero - self.optimum)

    def accuracy(self, weights: Vector) -> float:
        """Return the share of held-out samples on the right side."""
        problem = self._problem
        side = np.where(problem.x_test @ weights > 0, 1.0, -1.0)
        return float(np.mean(side == problem.y_test))

    def independent_loss(self, weights: Vector) -> float:
        """Return the loss at `weights` as scikit-learn's metrics give it."""
        from sklearn.metrics import hinge_loss, log_loss

        problem = self._problem
        scores = np.asarray(problem.x.astype(np.float64) @ weights)
        if problem.kind == HINGE:
            mean = float(hinge_loss(problem.y, scores))
        else:
            from scipy.special import expit

            # log_loss clips at its type's smallest step, far from what training reaches
            mean = float(log_loss(problem.y, expit(scores)))
        return mean + 0.5 * problem.l2 * float(np.sum(problem.frequency * np.square(weights)))

    def _optimum(self) -> float:
        return self._svm() if self._problem.kind == HINGE else self._logistic()

    def _logistic(self) -> float:
        """Return the least loss, by L-BFGS."""
        from scipy.optimize import minimize

        problem, x = self._problem, self._x
        weight = problem.l2 * problem.frequency
        turned = x.T.tocsr()

        def flat(point: Vector) -> tuple[float, Vector]:
            margin = problem.y * (x @ point)
            loss = np.logaddexp(0.0, -margin).mean() + 0.5 * np.dot(weight, point**2)
            slope = -problem.y * 0.5 * (1.0 - np.tanh(0.5 * margin)) / len(margin)
            return float(loss), np.asarray(turned @ slope + weight * point)

        found = minimize(
            flat,
            np.zeros(x.shape[1]),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-8},
        )
        return float(found.fun)

    def _svm(self) -> float:
        """Return the least loss, by liblinear's dual coordinate descent.

        Weights in units of 1 / sqrt(frequency) have the plain penalty that liblinear knows.
        """
        from scipy.sparse import diags
        from sklearn.svm import LinearSVC

        problem = self._problem
        scale = 1.0 / np.sqrt(np.where(problem.frequency > 0, problem.frequency, 1.0))
        machine: Any = LinearSVC(
            loss="hinge",
            C=1.0 / (problem.l2 * len(problem.y)),
            fit_intercept=False,
            tol=1e-6,
            max_iter=20000,
            random_state=0,
        )
        machine.fit(self._x @ diags(scale), problem.y)
        return self.loss(machine.coef_[0] * scale)

"""Loss, gradient and optimum in plain NumPy and SciPy: what training is judged by.

Nothing here shares code with the compiled kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak_train.halp.problems import KINDS, Problem

__all__ = ["Objective"]

Matrix = NDArray[np.float64]


class Objective:
    """The loss of a problem over its training data, in double precision."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._x = problem.x.astype(np.float64)
        self._optimum: tuple[Matrix, float] | None = None

    def loss(self, weights: Matrix) -> float:
        """Return mean loss plus penalty at `weights`, shape (rows, features)."""
        return self.loss_and_gradient(weights)[0]

    def loss_and_gradient(self, weights: Matrix) -> tuple[float, Matrix]:
        """Return loss and gradient at `weights`, shape (rows, features)."""
        problem = self._problem
        losses, slopes = _losses(problem, self._x @ weights.T)
        loss = float(losses.mean() + 0.5 * problem.l2 * np.vdot(weights, weights))
        return loss, slopes.T @ self._x / len(self._x) + problem.l2 * weights

    def optimum(self) -> tuple[Matrix, float]:
        """Return the optimal weights and their loss; convex models only.

        Squared loss: the normal equations. Others: L-BFGS, then Newton steps solved by conjugate
        gradients until rounding ends the progress.

        Raises:
            ValueError: the model is not convex.
        """
        if self._optimum is None:
            if not self._problem.convex:
                raise ValueError("the optimum of the network is not known")
            linear = self._problem.kind == KINDS["linear"]
            weights = self._solve_linear() if linear else self._solve_newton()
            self._optimum = weights, self.loss(weights)
        return self._optimum

    def test_measure(self, weights: Matrix) -> float:
        """Return accuracy on the held-out data, or the relative squared error of a regression."""
        problem = self._problem
        with np.errstate(over="ignore", invalid="ignore"):
            scores = problem.x_test.astype(np.float64) @ weights.T
        if problem.kind == KINDS["linear"]:
            error = np.mean((scores[:, 0] - problem.y_test) ** 2)
            return float(error / np.mean((problem.y_test - problem.y_test.mean()) ** 2))
        if problem.kind == KINDS["logistic"]:
            return float(np.mean(np.where(scores[:, 0] > 0, 1.0, -1.0) == problem.y_test))
        if problem.kind == KINDS["network"]:
            scores = np.tanh(scores) @ problem.output.T
        return float(np.mean(scores.argmax(axis=1) == problem.y_test))

    def _solve_linear(self) -> Matrix:
        from scipy.linalg import solve

        x, problem = self._x, self._problem
        moments = x.T @ x / len(x) + problem.l2 * np.eye(x.shape[1])
        right = x.T @ problem.y / len(x)
        found = solve(moments, right, assume_a="pos")
        # one step of refinement takes what rounding left in the factors
        found += solve(moments, right - moments @ found, assume_a="pos")
        return np.asarray(found, dtype=np.float64)[None, :]

    def _solve_newton(self) -> Matrix:
        from scipy.optimize import minimize

        shape = self._problem.start.shape

        def flat(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            loss, gradient = self.loss_and_gradient(point.reshape(shape))
            return loss, gradient.ravel()

        first = minimize(
            flat,
            np.zeros(shape).ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 5000, "maxfun": 20000, "ftol": 0.0, "gtol": 1e-9},
        )
        weights = np.asarray(first.x).reshape(shape)
        return self._polish(weights)

    def _polish(self, weights: Matrix) -> Matrix:
        """Return `weights` after Newton steps, as long as each shrinks the gradient."""
        from scipy.sparse.linalg import LinearOperator, cg

        shape = weights.shape
        size = float(np.linalg.norm(self.loss_and_gradient(weights)[1]))
        for _ in range(10):
            _, gradient = self.loss_and_gradient(weights)
            operator = LinearOperator(
                (weights.size, weights.size), matvec=self._curvature(weights), dtype=np.float64
            )
            step, _ = cg(operator, gradient.ravel(), rtol=1e-8, maxiter=2000)
            nearer = weights - step.reshape(shape)
            smaller = float(np.linalg.norm(self.loss_and_gradient(nearer)[1]))
            if not smaller < size:
                break
            weights, size = nearer, smaller
        return weights

    def _curvature(self, weights: Matrix) -> Any:
        """Return the product of the Hessian at `weights` with a flat vector, as a function."""
        problem, x = self._problem, self._x
        scores = x @ weights.T
        if problem.kind == KINDS["logistic"]:
            share = _logistic(scores)
            weight = share * (1.0 - share)
        else:
            share = _softmax(scores)

        def product(flat: NDArray[np.float64]) -> NDArray[np.float64]:
            direction = flat.reshape(weights.shape)
            moved = x @ direction.T
            if problem.kind == KINDS["logistic"]:
                inner = weight * moved
            else:
                inner = share * (moved - np.sum(share * moved, axis=1, keepdims=True))
            return np.asarray(inner.T @ x / len(x) + problem.l2 * direction).ravel()

        return product


def _losses(problem: Problem, scores: Matrix) -> tuple[NDArray[np.float64], Matrix]:
    """Return the loss of each sample and its derivative by `scores`, shape (samples, rows)."""
    with np.errstate(over="ignore", invalid="ignore"):
        if problem.kind == KINDS["linear"]:
            residual = scores - problem.y[:, None]
            return 0.5 * residual[:, 0] ** 2, residual
        if problem.kind == KINDS["logistic"]:
            margin = problem.y * scores[:, 0]
            slope = -problem.y * _logistic(-margin)
            return np.logaddexp(0.0, -margin), slope[:, None]
        hidden = np.tanh(scores) if problem.kind == KINDS["network"] else None
        outputs = scores if hidden is None else hidden @ problem.output.T
        chosen = problem.y.astype(np.intp)
        samples = np.arange(len(chosen))
        top = outputs.max(axis=1)
        losses = np.log(np.exp(outputs - top[:, None]).sum(axis=1)) + top - outputs[samples, chosen]
        slopes = _softmax(outputs)
        slopes[samples, chosen] -= 1.0
        if hidden is not None:
            slopes = (slopes @ problem.output) * (1.0 - hidden**2)
        return losses, slopes


def _logistic(score: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * score)))


def _softmax(scores: Matrix) -> Matrix:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))

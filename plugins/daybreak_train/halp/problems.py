"""The data of `train/halp`: drawn from a model, or real and inside scikit-learn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "Problem", "load_problem"]

#: what the compiled kernels call the models
KINDS = {"linear": 0, "logistic": 1, "softmax": 2, "network": 3}

#: standardised features are clipped here, so that a single outlier does not set the grid of all
_CLIP = 4.0
#: held out for the independent measure at the end
_TEST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Problem:
    """A training problem: minimise the mean loss over the samples plus l2/2 times |W|^2.

    Attributes:
        kind: one of `KINDS`.
        x: training data, shape (samples, features), float32; mean squared row norm 1. These very
            numbers are the problem: what is low precision is a rounding of them.
        y: targets (linear), +1 or -1 (logistic), class numbers (softmax, network); float64.
        x_test, y_test: held out, prepared in the same way.
        rows: rows of the weight matrix W, shape (rows, features).
        output: fixed output weights of the network, shape (classes, rows); else empty.
        l2: strength of the penalty.
        start: where training starts, shape (rows, features); zeros but for the network.
    """

    kind: int
    x: NDArray[np.float32]
    y: NDArray[np.float64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.float64]
    rows: int
    output: NDArray[np.float64]
    l2: float
    start: NDArray[np.float64]

    @property
    def convex(self) -> bool:
        """Whether the optimum is known."""
        return self.kind != KINDS["network"]

    def digest(self) -> str:
        """Return a hash of everything that training sees or is judged by."""
        digest = hashlib.sha256(f"{self.kind} {self.rows} {self.l2!r}".encode())
        for array in (self.x, self.y, self.x_test, self.y_test, self.output, self.start):
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:32]


def load_problem(options: Mapping[str, Any]) -> Problem:
    """Return the problem that `options` (of `HalpOptions`) describe."""
    model = str(options["model"])
    kind = KINDS[model]
    rng = np.random.default_rng([int(options["data_seed"]), 0x4A1F])
    if options["data"] == "synthetic":
        x, y, classes = _draw(model, options, rng)
    else:
        x, y, classes = _real(str(options["data"]))
    test = max(1, round(_TEST_SHARE * len(y)))
    order = rng.permutation(len(y))
    held, kept = order[:test], order[test:]
    x_train, x_test = _prepare(x[kept], x[held], intercept=options["data"] != "synthetic")
    y_train, y_test = y[kept], y[held]
    if model == "linear":
        centre, spread = y_train.mean(), y_train.std()
        y_train, y_test = (y_train - centre) / spread, (y_test - centre) / spread
    elif model == "logistic":
        y_train, y_test = 2.0 * y_train - 1.0, 2.0 * y_test - 1.0
    rows = {"linear": 1, "logistic": 1, "softmax": classes}.get(model, int(options["hidden"]))
    features = x_train.shape[1]
    output = np.zeros((0, rows))
    start = np.zeros((rows, features))
    if model == "network":
        # scaled so that outputs are of order one and hidden units begin in their linear range
        output = rng.normal(size=(classes, rows)) * (2.0 / np.sqrt(rows))
        start = rng.normal(size=(rows, features))
    return Problem(
        kind=kind,
        x=x_train,
        y=np.ascontiguousarray(y_train, dtype=np.float64),
        x_test=x_test,
        y_test=np.ascontiguousarray(y_test, dtype=np.float64),
        rows=rows,
        output=np.ascontiguousarray(output),
        l2=float(options["l2"]),
        start=start,
    )


def _draw(
    model: str, options: Mapping[str, Any], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return normal features and targets of a linear model with noise; samples for the test too."""
    train, features = int(options["samples"]), int(options["features"])
    samples = round(train / (1.0 - _TEST_SHARE))
    x = rng.standard_normal((samples, features), dtype=np.float32)
    classes = int(options["classes"]) if model in {"softmax", "network"} else 2
    signals = 1 if model in {"linear", "logistic"} else classes
    weights = rng.normal(size=(features, signals)) / np.sqrt(features)
    scores = x @ weights.astype(np.float32)
    scores /= scores.std(axis=0)
    noise = float(options["noise"]) * rng.normal(size=scores.shape)
    noisy = np.asarray(scores + noise, dtype=np.float64)
    if model == "linear":
        return x, noisy[:, 0], classes
    if model == "logistic":
        return x, (noisy[:, 0] > 0).astype(np.float64), classes
    return x, noisy.argmax(axis=1).astype(np.float64), classes


def _real(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    from sklearn import datasets

    load = {
        "diabetes": datasets.load_diabetes,
        "breast-cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
    }[name]
    x, y = load(return_X_y=True)
    classes = 2 if name == "diabetes" else int(y.max()) + 1
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), classes


def _prepare(
    train: NDArray[Any], test: NDArray[Any], *, intercept: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Standardise by the training data, clip, append a constant, scale to a mean squared norm of 1."""
    centre, spread = train.mean(axis=0), train.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    parts = []
    for part in (train, test):
        scaled = np.clip((part - centre) / spread, -_CLIP, _CLIP)
        if intercept:
            scaled = np.column_stack([scaled, np.ones(len(scaled))])
        parts.append(scaled)
    size = np.sqrt(np.mean(np.einsum("ij,ij->i", parts[0], parts[0], dtype=np.float64)))
    first, second = (np.ascontiguousarray(part / size, dtype=np.float32) for part in parts)
    return first, second

"""The sparse data of `train/hogwild`, and what its papers call their sparsity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import RequirementError, UserError

__all__ = ["HINGE", "LOGISTIC", "SparseProblem", "load_problem"]

LOGISTIC, HINGE = 0, 1
_TEST_SHARE = 0.2
#: samples that are compared with all others to estimate rho
_RHO_SAMPLES = 200


@dataclass(frozen=True, slots=True)
class SparseProblem:
    """Minimise the mean over the samples of loss(y_i x_i . w) + l2/2 times the sum of w_u^2 over
    the features u that sample i has (Hogwild!, section 2, makes a penalty separable in this way).

    Attributes:
        kind: `LOGISTIC` or `HINGE`.
        x: training data as a SciPy CSR matrix, float32, columns in order in each row.
        y: labels +1 and -1, float64.
        x_test, y_test: held out.
        l2: strength of the penalty.
        frequency: share of the samples that have each feature, shape (features,).
    """

    kind: int
    x: Any
    y: NDArray[np.float64]
    x_test: Any
    y_test: NDArray[np.float64]
    l2: float
    frequency: NDArray[np.float64]

    def digest(self) -> str:
        """Return a hash of everything that training sees or is judged by."""
        digest = hashlib.sha256(f"{self.kind} {self.l2!r}".encode())
        for matrix, labels in ((self.x, self.y), (self.x_test, self.y_test)):
            for array in (matrix.indptr, matrix.indices, matrix.data, labels):
                digest.update(f"{array.dtype} {array.shape}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:32]

    def sparsity(self) -> dict[str, float]:
        """Return Hogwild!'s constants: omega, delta, and an estimate of rho.

        omega: most features of a sample. delta: largest share of the samples that have one
        feature. rho: largest share of the samples that have a feature in common with one sample,
        over some samples drawn.
        """
        rows = np.random.default_rng(5).integers(0, len(self.y), _RHO_SAMPLES)
        present = self.x.copy()
        present.data = np.ones_like(present.data)
        meets = (present[rows] @ present.T).getnnz(axis=1)
        return {
            "omega": float(np.diff(self.x.indptr).max()),
            "delta": float(self.frequency.max()),
            "rho": float(meets.max()) / len(self.y),
            "nonzeros": float(self.x.nnz),
        }


def load_problem(options: Mapping[str, Any]) -> SparseProblem:
    """Return the problem that `options` (of `HogwildOptions`) describe.

    Raises:
        UserError: the file has more or fewer than two labels, or is no svmlight file.
    """
    rng = np.random.default_rng([int(options["data_seed"]), 0x3C0D])
    name = str(options["data"])
    if name == "synthetic":
        x, y = _draw(options, rng)
    elif name == "digits":
        x, y = _digits()
    else:
        x, y = _read(name)
    test = max(1, round(_TEST_SHARE * len(y)))
    order = rng.permutation(len(y))
    train = x[order[test:]].tocsr()
    train.sort_indices()
    frequency = np.bincount(train.indices, minlength=train.shape[1]) / train.shape[0]
    return SparseProblem(
        kind=HINGE if options["model"] == "svm" else LOGISTIC,
        x=train,
        y=y[order[test:]],
        x_test=x[order[:test]].tocsr(),
        y_test=y[order[:test]],
        l2=float(options["l2"]),
        frequency=frequency,
    )


def _draw(options: Mapping[str, Any], rng: np.random.Generator) -> tuple[Any, NDArray[np.float64]]:
    """Return rows of norm 1 with features of falling frequency, and labels of a linear model."""
    from scipy.sparse import csr_matrix

    samples = round(int(options["samples"]) / (1.0 - _TEST_SHARE))
    features, drawn = int(options["features"]), int(options["nonzeros"])
    weight = np.arange(1, features + 1, dtype=np.float64) ** -float(options["skew"])
    bounds = np.cumsum(weight / weight.sum())
    columns = np.searchsorted(bounds, rng.random((samples, drawn), dtype=np.float64))
    columns = np.sort(np.minimum(columns, features - 1), axis=1)
    fresh = np.ones(columns.shape, dtype=bool)
    fresh[:, 1:] = columns[:, 1:] != columns[:, :-1]
    values = np.where(fresh, rng.uniform(0.5, 1.5, columns.shape), 0.0)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    starts = np.concatenate([[0], np.cumsum(fresh.sum(axis=1))])
    x = csr_matrix(
        (values[fresh].astype(np.float32), columns[fresh], starts), shape=(samples, features)
    )
    signal = x @ rng.normal(size=features)
    signal = (signal - signal.mean()) / signal.std()
    noisy = signal + float(options["noise"]) * rng.normal(size=samples)
    return x, np.where(noisy > 0, 1.0, -1.0)


def _digits() -> tuple[Any, NDArray[np.float64]]:
    """Return scikit-learn's digits, each grey level of each pixel a feature; 0-4 against 5-9."""
    from scipy.sparse import csr_matrix
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    samples, places = pixels.shape
    levels = int(pixels.max()) + 1
    columns = (np.arange(places) * levels + pixels.astype(np.int64)).ravel()
    values = np.full(columns.shape, 1.0 / np.sqrt(places), dtype=np.float32)
    starts = np.arange(samples + 1) * places
    x = csr_matrix((values, columns, starts), shape=(samples, places * levels))
    return x, np.where(digit >= 5, 1.0, -1.0)


def _read(path: str) -> tuple[Any, NDArray[np.float64]]:
    from sklearn.datasets import load_svmlight_file

    try:
        x, labels = load_svmlight_file(path, dtype=np.float32)
    except OSError as error:
        raise RequirementError(f"cannot be read: {error.strerror or error}", file=path) from None
    except ValueError as error:
        raise UserError(
            f"no file in svmlight format: {error}", file=path, expected="LABEL FEATURE:VALUE ..."
        ) from None
    found = np.unique(labels)
    if len(found) != 2:
        raise UserError(f"it has {len(found)} different labels", file=path, expected="two labels")
    if not np.isfinite(x.data).all() or x.nnz == 0:
        raise UserError("it has values that are not finite, or none at all", file=path)
    if x.shape[0] < 10:
        raise UserError(f"it has {x.shape[0]} samples", file=path, expected="at least 10")
    x.sum_duplicates()
    return x.tocsr(), np.where(labels == found[1], 1.0, -1.0)

"""The matrices whose leading subspace is sought, and the exact answer to each.

Every matrix is symmetric and positive semidefinite, scaled so that its largest eigenvalue is 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import UserError

__all__ = ["Problem", "load_problem"]

Floats = NDArray[np.float64]

#: eigenvalues of a synthetic matrix: from 1 down to this over its rank, then `tail`
_LEAST_LEADING = 0.6
#: rows of a synthetic data set per dimension
_ROWS_PER_DIMENSION = 4


@dataclass(frozen=True, eq=False)
class Problem:
    """A matrix A, ways to sample it, and its exact leading subspace.

    Attributes:
        matrix: A, shape (n, n).
        rank: dimension p of the subspace sought.
        basis: orthonormal eigenvectors of the p largest eigenvalues, shape (n, p), by LAPACK.
        values: all eigenvalues, descending, shape (n,).
        positions: flat positions (row * n + column) of the entries that are known, in any order;
            empty: all are known.
        factor: F of A = F F^T, shape (n, r); for the trace sampler.
        rows: X of A = X^T X / len(X), shape (N, n); for the subspace sampler. May be empty.
        observed: for the subspace sampler, the share of a row's coordinates seen at a time.
    """

    matrix: Floats
    rank: int
    basis: Floats
    values: Floats
    positions: NDArray[np.int64]
    factor: Floats
    rows: Floats
    observed: float

    @property
    def size(self) -> int:
        """Return n."""
        return len(self.matrix)

    @property
    def gap(self) -> float:
        """Return the eigenvalue gap that the rate depends on: the p-th less the next."""
        return float(self.values[self.rank - 1] - self.values[self.rank])

    def best(self) -> Floats:
        """Return the best approximation of rank p (Eckart and Young), shape (n, n)."""
        return np.asarray((self.basis * self.values[: self.rank]) @ self.basis.T)

    def digest(self) -> str:
        """Return a hash of everything that the samplers see."""
        hashed = hashlib.sha256()
        for array in (self.matrix, self.positions, self.rows):
            hashed.update(np.ascontiguousarray(array).tobytes())
        hashed.update(repr((self.rank, self.observed)).encode())
        return hashed.hexdigest()[:16]


def load_problem(options: Mapping[str, Any]) -> Problem:
    """Return the problem that the options of `train/matrix-sgd` describe.

    Raises:
        UserError: the matrix has no gap after `rank`, so that its subspace is not defined.
    """
    import scipy.linalg

    random = np.random.default_rng([options["data_seed"], 1411])
    sampler, rank = options["sampler"], options["rank"]
    if options["data"] == "digits":
        rows = _digits()
        matrix = rows.T @ rows / len(rows)
    else:
        spectral = _synthetic_factor(options["size"], rank, options["tail"], random)
        if sampler == "subspace":
            count = _ROWS_PER_DIMENSION * options["size"]
            rows = random.standard_normal((count, spectral.shape[1])) @ spectral.T
            matrix = rows.T @ rows / len(rows)
        else:
            rows = np.empty((0, options["size"]))
            matrix = spectral @ spectral.T
    matrix = (matrix + matrix.T) / 2
    values, vectors = scipy.linalg.eigh(matrix)
    values, vectors = values[::-1], vectors[:, ::-1]
    scale = float(values[0])
    matrix, values, rows = matrix / scale, values / scale, rows / np.sqrt(scale)
    if values[rank - 1] - values[rank] < 1e-6:
        raise UserError(
            f"eigenvalue {rank} of this matrix equals the next, so that no subspace of "
            f"dimension {rank} leads",
            field="options.rank",
            expected="a rank with a gap after it",
        )
    kept = values > 1e-12
    return Problem(
        matrix=matrix,
        rank=rank,
        basis=np.ascontiguousarray(vectors[:, :rank]),
        values=np.ascontiguousarray(values),
        positions=_positions(len(matrix), options["observed"], sampler, random),
        factor=np.ascontiguousarray(vectors[:, kept] * np.sqrt(values[kept])),
        rows=np.ascontiguousarray(rows) if sampler == "subspace" else np.empty((0, len(matrix))),
        observed=options["observed"] if sampler == "subspace" else 1.0,
    )


def _synthetic_factor(size: int, rank: int, tail: float, random: np.random.Generator) -> Floats:
    """Return F, shape (size, 2 rank), of F F^T with `rank` leading eigenvalues and as many small.

    The eigenvectors are a random orthonormal set, so that none is aligned with the axes.
    """
    count = min(2 * rank, size)
    basis, _ = np.linalg.qr(random.standard_normal((size, count)))
    values = np.full(count, tail)
    values[:rank] = np.linspace(1.0, _LEAST_LEADING, rank) if rank > 1 else 1.0
    return np.asarray(basis * np.sqrt(values))


def _digits() -> Floats:
    """Return scikit-learn's 1,797 handwritten digits of 8 x 8 pixels, centred, shape (1797, 64)."""
    from sklearn.datasets import load_digits

    rows = np.asarray(load_digits().data, dtype=np.float64)
    return np.asarray(rows - rows.mean(axis=0))


def _positions(
    size: int, observed: float, sampler: str, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return which entries are known: a symmetric random set, each pair with chance `observed`."""
    if sampler != "entries" or observed >= 1.0:
        return np.empty(0, dtype=np.int64)
    upper = np.triu(random.random((size, size)) < observed)
    return np.flatnonzero(upper | upper.T).astype(np.int64)

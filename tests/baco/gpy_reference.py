"""Writes `tests/data/gpy_reference.json`: what GPy computes, to hold our Gaussian process against.

GPy needs an older NumPy than Daybreak's environment, so it runs in one of its own:

    uv run --no-project --python 3.11 --with GPy==1.13.2 python tests/baco/gpy_reference.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["PRIORS", "REFERENCE", "computed_by_gpy", "data_of"]

REFERENCE = Path(__file__).parents[1] / "data" / "gpy_reference.json"
#: name -> (observations, columns, lengthscale prior, variance prior, noise prior)
CASES: dict[str, tuple[int, int, Any, Any, Any]] = {
    "paper": (14, 3, (1.3, 0.1), None, None),
    "paper-wide": (30, 7, (1.3, 0.1), None, None),
    "spmv": (20, 4, (1.0, 0.003), (2.0, 0.15), (1.1, 0.05)),
    "no-priors": (18, 2, None, None, None),
}
PRIORS = {name: case[2:] for name, case in CASES.items()}


def data_of(name: str) -> tuple[Any, Any, Any]:
    """Return inputs, standardised values and inputs to predict at."""
    n, d = CASES[name][:2]
    rng = np.random.default_rng(sum(map(ord, name)))
    x = np.round(rng.random((n, d)), 2)
    raw = np.sin(4 * x[:, 0]) + x[:, 1] ** 2 + 0.1 * rng.standard_normal(n)
    z = (raw - raw.mean()) / raw.std(ddof=1)
    # the last ones are observations: the noiseless variance is smallest there
    return x, z, np.vstack([rng.random((6, d)), x[:2]])


def computed_by_gpy(name: str) -> dict[str, Any]:
    """Return likelihoods, gradients, priors, predictions and the best maximum that GPy finds."""
    import GPy

    x, z, at = data_of(name)
    d = x.shape[1]
    model = GPy.models.GPRegression(x, z[:, None], kernel=GPy.kern.Matern52(d, ARD=True))
    parts = (model.kern.lengthscale, model.kern.variance, model.likelihood.variance)
    for part, prior in zip(parts, PRIORS[name], strict=True):
        if prior is not None:
            part.set_prior(GPy.priors.Gamma(*prior))
    rng = np.random.default_rng(5)
    points = []
    for _ in range(4):
        lengthscales = 10 ** rng.uniform(-1, 1, d)
        variance, noise = 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-5, -2)
        _set(model, lengthscales, variance, noise)
        mean, var = model.predict_noiseless(at)
        gradient = [
            *model.kern.lengthscale.gradient,
            *model.kern.variance.gradient,
            *model.likelihood.variance.gradient,
        ]
        points.append(
            {
                "lengthscales": list(map(float, lengthscales)),
                "variance": float(variance),
                "noise": float(noise),
                "likelihood": float(model.log_likelihood()),
                "log_prior": float(model.log_prior()),
                "gradient": list(map(float, gradient)),
                "mean": mean.ravel().tolist(),
                "var": var.ravel().tolist(),
            }
        )
    best = None
    for _ in range(10):
        _set(
            model, 10 ** rng.uniform(-1, 1, d), 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-5, -2)
        )
        model.optimize()
        posterior = float(model.log_likelihood() + model.log_prior())
        if best is None or posterior > best["posterior"]:
            best = {
                "posterior": posterior,
                "likelihood": float(model.log_likelihood()),
                "lengthscales": list(map(float, model.kern.lengthscale)),
                "variance": float(model.kern.variance[0]),
                "noise": float(model.likelihood.variance[0]),
            }
    data = {"x": x.tolist(), "z": z.tolist(), "at": at.tolist()}
    return {"data": data, "priors": PRIORS[name], "points": points, "best": best}


def _set(model: Any, lengthscales: Any, variance: float, noise: float) -> None:
    model.kern.lengthscale = lengthscales
    model.kern.variance = variance
    model.likelihood.variance = noise


if __name__ == "__main__":
    import GPy

    found = {"gpy": GPy.__version__, "cases": {name: computed_by_gpy(name) for name in CASES}}
    REFERENCE.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(f"{REFERENCE}\n")

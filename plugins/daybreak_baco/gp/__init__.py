"""A light Gaussian process for tens to hundreds of observations: NumPy and SciPy, nothing else."""

from __future__ import annotations

from daybreak_baco.gp.fit import Bounds, Fit, Fitted, Priors, draw_starts, fit, log_prior
from daybreak_baco.gp.likelihood import Likelihood
from daybreak_baco.gp.priors import Gamma, LogNormal, Prior
from daybreak_baco.gp.regression import GaussianProcess, Hyperparameters

__all__ = [
    "Bounds",
    "Fit",
    "Fitted",
    "Gamma",
    "GaussianProcess",
    "Hyperparameters",
    "Likelihood",
    "LogNormal",
    "Prior",
    "Priors",
    "draw_starts",
    "fit",
    "log_prior",
]

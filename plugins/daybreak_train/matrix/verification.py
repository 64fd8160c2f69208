"""The compiled steps against whole matrices in NumPy, on a small problem of the same kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from daybreak import Verdict
from daybreak_train.matrix import kernels
from daybreak_train.matrix.learner import Recipe, integer_matrix, integer_model, integer_step
from daybreak_train.matrix.plain import plain_int16, plain_steps
from daybreak_train.matrix.problem import Problem, load_problem
from daybreak_train.streams import PlainStream, new_streams

__all__ = ["verify"]

_SIZE = 48
_STEPS = 50
_TOLERANCE = {"float64": 1e-10, "float32": 1e-4, "int16": 0.0}


def verify(options: Mapping[str, Any], recipe: Recipe) -> Verdict:
    """Take a few steps both ways with one stream and compare, relative to the largest change."""
    small = {**options, "size": max(2 * options["rank"], min(options["size"], _SIZE))}
    problem = load_problem(small)
    random = np.random.default_rng(4)
    model = random.standard_normal((problem.size, recipe.columns)) / np.sqrt(problem.size)
    stream = new_streams([4], 1)[0]
    # rarely seen coordinates weigh 1 / observed: as small a step, or both ways overflow
    eta = min(recipe.step, 0.1) / problem.size * problem.observed**2
    tolerance = _TOLERANCE[recipe.precision]
    if recipe.precision == "int16":
        return _verify_int16(problem, recipe, model, eta, stream)
    expected = plain_steps(
        problem, recipe.sampler, model, eta, recipe.residual, _STEPS, PlainStream(stream)
    )
    found = np.ascontiguousarray(model, dtype=recipe.precision)
    if recipe.sampler == "entries":
        data = problem.matrix.astype(recipe.precision)
        kernels.entries(found, data, problem.positions, eta, recipe.residual, _STEPS, stream)
    elif recipe.sampler == "trace":
        data = problem.factor.astype(recipe.precision)
        kernels.trace(found, data, eta, recipe.residual, _STEPS, stream)
    else:
        data = problem.rows.astype(recipe.precision)
        kernels.subspace(found, data, problem.observed, eta, recipe.residual, _STEPS, stream)
    error = float(np.abs(found - expected).max() / np.abs(expected).max())
    return Verdict(error <= tolerance, error, tolerance, "" if error <= tolerance else _MESSAGE)


_MESSAGE = "the compiled steps differ from the same steps with whole matrices"


def _verify_int16(
    problem: Problem,
    recipe: Recipe,
    model: np.ndarray[Any, Any],
    eta: float,
    stream: np.ndarray[Any, Any],
) -> Verdict:
    data, unit = integer_matrix(problem.matrix)
    factor, shift = integer_step(eta * problem.size**2 * unit)
    found = integer_model(model)
    expected = plain_int16(
        problem, data, found, factor, shift, recipe.stochastic, _STEPS, PlainStream(stream)
    )
    kernels.entries_int16(
        found, data, problem.positions, factor, shift, recipe.stochastic, _STEPS, stream
    )
    error = float(np.abs(found.astype(np.int64) - expected).max())
    return Verdict(error == 0.0, error, 0.0, "" if error == 0.0 else _MESSAGE)

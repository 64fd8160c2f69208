"""Data, loss and optimum of `train/halp` against scikit-learn, least squares and differences."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression

from daybreak_train.halp.objective import Objective
from daybreak_train.halp.options import DATA_MODELS, HalpOptions
from daybreak_train.halp.problems import load_problem


def problem_of(**options):
    small = {"samples": 160, "features": 7, "classes": 3, "hidden": 4, "l2": 0.01}
    return load_problem(HalpOptions(**{**small, **options}).model_dump())


@pytest.mark.parametrize("model", ["linear", "logistic", "softmax", "network"])
def test_gradient_is_that_of_differences(model):
    problem = problem_of(model=model)
    objective = Objective(problem)
    weights = np.random.default_rng(0).normal(size=problem.start.shape)
    _, gradient = objective.loss_and_gradient(weights)
    for place in np.ndindex(weights.shape):
        moved = np.zeros_like(weights)
        moved[place] = 1e-5
        slope = (objective.loss(weights + moved) - objective.loss(weights - moved)) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_linear_optimum_is_that_of_least_squares():
    problem = problem_of(model="linear", samples=500)
    samples, features = problem.x.shape
    # ridge regression as least squares with rows added
    rows = np.vstack([problem.x.astype(float), np.sqrt(samples * problem.l2) * np.eye(features)])
    right = np.concatenate([problem.y, np.zeros(features)])
    expected = np.linalg.lstsq(rows, right, rcond=None)[0]
    found, _ = Objective(problem).optimum()
    np.testing.assert_allclose(found[0], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("model", ["logistic", "softmax"])
def test_optimum_is_that_of_scikit_learn(model):
    problem = problem_of(model=model, samples=300)
    machine = LogisticRegression(
        C=1.0 / (problem.l2 * len(problem.y)), fit_intercept=False, tol=1e-12, max_iter=10_000
    ).fit(problem.x.astype(float), problem.y)
    objective = Objective(problem)
    found, least = objective.optimum()
    np.testing.assert_allclose(found, machine.coef_, atol=2e-5)
    assert least <= objective.loss(machine.coef_) + 1e-12
    assert np.linalg.norm(objective.loss_and_gradient(found)[1]) < 1e-10


def test_network_has_no_known_optimum():
    with pytest.raises(ValueError, match="not known"):
        Objective(problem_of(model="network")).optimum()


@pytest.mark.parametrize(
    ("data", "model", "features", "rows"),
    [
        ("diabetes", "linear", 11, 1),
        ("breast-cancer", "logistic", 31, 1),
        ("digits", "softmax", 65, 10),
        ("digits", "network", 65, 4),
    ],
)
def test_real_data_are_prepared(data, model, features, rows):
    problem = problem_of(data=data, model=model)
    assert problem.x.shape[1] == features  # an intercept is added
    assert problem.start.shape == (rows, features)
    assert np.ptp(problem.x[:, -1]) == 0.0
    norms = np.einsum("ij,ij->i", problem.x, problem.x, dtype=np.float64)
    assert norms.mean() == pytest.approx(1.0, rel=1e-5)
    total = len(problem.y) + len(problem.y_test)
    assert len(problem.y_test) == round(0.2 * total)
    assert np.isfinite(problem.x).all()


def test_held_out_samples_are_new():
    problem = problem_of(model="linear", samples=1000)
    assert problem.x.shape == (1000, 7)
    kept = {row.tobytes() for row in problem.x}
    assert not kept & {row.tobytes() for row in problem.x_test}
    assert problem.y.mean() == pytest.approx(0.0, abs=1e-12)
    assert problem.y.std() == pytest.approx(1.0)


def test_noise_is_what_the_test_error_comes_down_to():
    # half the signal's deviation: a quarter of its variance, a fifth of the whole
    problem = problem_of(model="linear", samples=20_000, noise=0.5, l2=1e-9)
    objective = Objective(problem)
    assert objective.test_measure(objective.optimum()[0]) == pytest.approx(0.2, abs=0.02)


def test_digest_tells_problems_apart():
    digests = {
        problem_of(**options).digest()
        for options in ({}, {"data_seed": 2}, {"l2": 0.02}, {"model": "logistic"}, {"noise": 0.1})
    }
    assert len(digests) == 5
    assert problem_of().digest() in digests


def test_data_fit_their_models_only():
    for data, models in DATA_MODELS.items():
        for model in ("linear", "logistic", "softmax", "network"):
            if model in models:
                HalpOptions(data=data, model=model)
            else:
                with pytest.raises(ValidationError, match="is for model"):
                    HalpOptions(data=data, model=model)


def test_unknown_options_are_refused():
    with pytest.raises(ValidationError):
        HalpOptions(sample=10)

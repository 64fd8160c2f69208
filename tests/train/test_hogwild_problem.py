"""Sparse data, loss and optimum of `train/hogwild` against brute force and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.optimize import linprog
from sklearn.linear_model import LogisticRegression

from daybreak import RequirementError, UserError
from daybreak_train.hogwild.objective import SparseObjective
from daybreak_train.hogwild.options import HogwildOptions
from daybreak_train.hogwild.problems import load_problem
from daybreak_train.hogwild.task import HogwildTask

SMALL = {"samples": 300, "features": 60, "nonzeros": 6, "l2": 0.01}


def problem_of(**options):
    return load_problem(HogwildOptions(**{**SMALL, **options}).model_dump())


def test_synthetic_rows_are_as_asked():
    problem = problem_of()
    x = problem.x
    assert x.shape == (300, 60)
    assert problem.x_test.shape == (75, 60)
    assert np.diff(x.indptr).max() <= 6
    assert np.diff(x.indptr).min() >= 1
    np.testing.assert_allclose(np.asarray(x.multiply(x).sum(axis=1)).ravel(), 1.0, rtol=1e-5)
    assert set(problem.y) == {-1.0, 1.0}
    assert x.has_sorted_indices
    # the first feature is drawn more often than the last, by a factor of about 60^0.5
    assert problem.frequency[:6].mean() > 2 * problem.frequency[-20:].mean()


def test_sparsity_is_what_hogwild_calls_it():
    problem = problem_of(samples=120)
    dense = problem.x.toarray() != 0
    meets = dense @ dense.T
    found = problem.sparsity()
    assert found["omega"] == dense.sum(axis=1).max()
    assert found["delta"] == pytest.approx(dense.sum(axis=0).max() / len(dense))
    # 200 rows are drawn of 120: nearly all of them
    assert found["rho"] == pytest.approx(meets.sum(axis=1).max() / len(dense), abs=0.05)
    assert found["nonzeros"] == dense.sum()


def test_loss_is_that_of_the_definition():
    for model in ("logistic", "svm"):
        problem = problem_of(model=model)
        weights = np.random.default_rng(0).normal(size=60)
        total = 0.0
        dense = problem.x.toarray().astype(float)
        for row, label in zip(dense, problem.y, strict=True):
            margin = label * float(row @ weights)
            total += max(0.0, 1 - margin) if model == "svm" else np.log1p(np.exp(-margin))
            total += 0.5 * problem.l2 * float((weights[row != 0] ** 2).sum())
        objective = SparseObjective(problem)
        assert objective.loss(weights) == pytest.approx(total / len(dense), rel=1e-12)
        assert objective.independent_loss(weights) == pytest.approx(total / len(dense), rel=1e-9)
        assert objective.excess(np.zeros(60)) == 1.0


def test_logistic_optimum_is_scikit_learns():
    problem = problem_of()
    objective = SparseObjective(problem)
    scale = 1.0 / np.sqrt(np.where(problem.frequency > 0, problem.frequency, 1.0))
    machine = LogisticRegression(
        C=1.0 / (problem.l2 * len(problem.y)), fit_intercept=False, tol=1e-10, max_iter=5000
    ).fit(problem.x.toarray() * scale, problem.y)
    assert objective.optimum == pytest.approx(objective.loss(machine.coef_[0] * scale), rel=1e-8)


def test_svm_optimum_cannot_be_bettered():
    problem = problem_of(model="svm", samples=80, features=20)
    objective = SparseObjective(problem)
    # cutting planes: a bound from below by linear programmes, to which the optimum must come down
    x, weight = problem.x.toarray().astype(float), problem.l2 * problem.frequency
    cuts = []
    point = np.zeros(20)
    low = -np.inf
    for _ in range(400):
        active = problem.y * (x @ point) < 1.0
        slope = -(problem.y[active] @ x[active]) / len(x) + weight * point
        cuts.append((objective.loss(point) - slope @ point, slope))
        rows = np.array([[*cut, -1.0] for _, cut in cuts])
        solved = linprog(
            [0.0] * 20 + [1.0],
            rows,
            [-value for value, _ in cuts],
            bounds=[(-9, 9)] * 20 + [(0, 9)],
        )
        low, new = solved.fun, solved.x[:20]
        point = 0.5 * point + 0.5 * new
        if objective.optimum - low < 1e-3:
            break
    assert low <= objective.optimum + 1e-9
    assert objective.optimum == pytest.approx(low, abs=2e-3)


def test_digits_become_one_hot():
    problem = problem_of(data="digits")
    assert problem.x.shape == (1438, 64 * 17)
    assert set(np.diff(problem.x.indptr)) == {64}
    assert len(set(problem.x.data)) == 1


def write(path, text):
    path.write_text(text)
    return str(path)


def test_svmlight_files_are_read(tmp_path):
    rng = np.random.default_rng(0)
    lines = []
    for number in range(40):
        cells = " ".join(f"{u}:{rng.normal():.3f}" for u in sorted(rng.choice(9, 3, replace=False)))
        lines.append(f"{3 if number % 2 else 7} {cells}")
    path = write(tmp_path / "mine.svm", "\n".join(lines))
    problem = problem_of(data=path)
    assert problem.x.shape == (32, 9)
    assert sorted(set(problem.y)) == [-1.0, 1.0]
    benchmark = HogwildTask().define(HogwildOptions(data=path).model_dump())
    assert benchmark.instance == "logistic-mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 1:2\n2 1:3\n3 1:4\n" * 5, "3 different labels"),
        ("1 1:2\n" * 20, "1 different labels"),
        ("once upon a time\n", "no file in svmlight format"),
        ("1 1:2\n2 1:3\n", "2 samples"),
        ("1 1:nan\n2 1:3\n" * 10, "not finite"),
    ],
)
def test_bad_files_are_refused_by_name(tmp_path, text, words):
    path = write(tmp_path / "bad.svm", text)
    with pytest.raises(UserError, match=words) as caught:
        problem_of(data=path)
    assert caught.value.file == path


def test_a_missing_file_is_said_before_anything_runs():
    with pytest.raises(RequirementError, match="there is no file") as caught:
        HogwildTask().define(HogwildOptions(data="/nowhere/digit").model_dump())
    assert caught.value.nearest == "digits"


def test_options_are_checked():
    with pytest.raises(ValidationError):
        HogwildOptions(model="linear")
    with pytest.raises(ValidationError):
        HogwildOptions(l2=0.0)

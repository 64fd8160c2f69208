"""Matrices, samplers, kernels and angles of `train/matrix-sgd`, each against something else."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from daybreak import UserError
from daybreak_train.matrix import kernels
from daybreak_train.matrix.alignment import misalignment, orthonormal
from daybreak_train.matrix.learner import integer_matrix, integer_model, integer_step
from daybreak_train.matrix.options import MatrixOptions
from daybreak_train.matrix.plain import plain_int16, plain_steps, sample
from daybreak_train.matrix.problem import load_problem
from daybreak_train.matrix.recovery import radial_phase, recovery_error
from daybreak_train.streams import PlainStream, new_streams

SAMPLERS = [
    ("entries", 1.0),
    ("entries", 0.5),
    ("trace", 1.0),
    ("subspace", 1.0),
    ("subspace", 0.5),
]


def problem_of(**options):
    return load_problem(MatrixOptions(**options).model_dump())


def run(problem, sampler, model, eta, residual, count, stream):
    if sampler == "entries":
        matrix = problem.matrix.astype(model.dtype)
        kernels.entries(model, matrix, problem.positions, eta, residual, count, stream)
    elif sampler == "trace":
        factor = problem.factor.astype(model.dtype)
        kernels.trace(model, factor, eta, residual, count, stream)
    else:
        rows = problem.rows.astype(model.dtype)
        kernels.subspace(model, rows, problem.observed, eta, residual, count, stream)


# ---- the matrices


def test_a_synthetic_matrix_has_the_eigenvalues_that_were_asked_for():
    problem = problem_of(size=40, rank=3, tail=0.2)
    expected = [1.0, 0.8, 0.6, 0.2, 0.2, 0.2]
    assert problem.values[:6] == pytest.approx(expected)
    assert np.abs(problem.values[6:]).max() < 1e-12
    assert problem.gap == pytest.approx(0.4)
    # the basis is made of eigenvectors
    assert problem.matrix @ problem.basis == pytest.approx(problem.basis * problem.values[:3])
    assert problem.factor @ problem.factor.T == pytest.approx(problem.matrix)


def test_the_digits_lead_where_principal_component_analysis_says():
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    problem = problem_of(data="digits", sampler="subspace", rank=5)
    found = PCA(n_components=5, svd_solver="full").fit(load_digits().data)
    assert misalignment(problem.basis, found.components_.T) < 1e-20
    assert problem.values[:5] == pytest.approx(
        found.explained_variance_ / found.explained_variance_[0]
    )
    assert problem.rows.T @ problem.rows / len(problem.rows) == pytest.approx(problem.matrix)


def test_known_entries_are_symmetric_and_as_many_as_asked_for():
    problem = problem_of(size=100, observed=0.3)
    known = np.zeros(10_000, dtype=bool)
    known[problem.positions] = True
    known = known.reshape(100, 100)
    assert (known == known.T).all()
    assert known.mean() == pytest.approx(0.3, abs=0.04)


def test_another_data_seed_is_another_matrix():
    one, again, other = (problem_of(size=20, data_seed=seed).digest() for seed in (1, 1, 2))
    assert one == again != other


def test_a_rank_without_a_gap_after_it_is_refused():
    # pixels in the corners are blank on all digits: the covariance has rank 61
    with pytest.raises(UserError, match="equals the next"):
        load_problem({**MatrixOptions(data="digits").model_dump(), "rank": 62})


@pytest.mark.parametrize(
    "options",
    [
        {"size": 6, "rank": 4},
        {"sampler": "trace", "observed": 0.5},
        {"observed": 0.0},
        {"sampler": "rows"},
        {"tail": 0.9},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValidationError):
        MatrixOptions(**options)


# ---- samples and steps


@pytest.mark.parametrize(("sampler", "observed"), SAMPLERS)
def test_samples_are_unbiased(sampler, observed):
    problem = problem_of(size=6, rank=2, sampler=sampler, observed=observed)
    expected = problem.matrix
    if sampler == "entries" and observed < 1.0:
        known = np.zeros(36, dtype=bool)
        known[problem.positions] = True
        expected = np.where(known.reshape(6, 6), problem.matrix, 0.0) * 36 / known.sum()
    stream = PlainStream(new_streams([1], 1)[0])
    many = np.array([sample(problem, sampler, stream) for _ in range(8000)])
    error = many.std(axis=0) / np.sqrt(len(many))
    assert (np.abs(many.mean(axis=0) - expected) < 5 * error + 1e-12).all()


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize(("sampler", "observed"), SAMPLERS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_compiled_steps_are_those_with_whole_matrices(
    sampler, observed, residual, dtype, tolerance
):
    problem = problem_of(size=30, rank=2, sampler=sampler, observed=observed)
    model = np.random.default_rng(1).standard_normal((30, 3)) * 0.2
    stream = new_streams([5], 1)[0]
    expected = plain_steps(problem, sampler, model, 1e-3, residual, 40, PlainStream(stream))
    found = model.astype(dtype)
    run(problem, sampler, found, 1e-3, residual, 40, stream)
    assert np.abs(found - expected).max() < tolerance
    assert np.abs(expected - model).max() > 1e-3


def test_one_row_turns_the_model_as_the_power_method_does():
    """With one row r, A~ = r r^T is no sample: tan^2 falls by (1 + eta |r|^2)^2 at each step."""
    random = np.random.default_rng(2)
    rows = random.standard_normal((1, 12))
    model = random.standard_normal((12, 1))
    lead = (rows[0] / np.linalg.norm(rows[0]))[:, None]
    cosine = float((lead.T @ model / np.linalg.norm(model)).item())
    tangent = (1 - cosine**2) / cosine**2
    growth = 1 + 0.05 * float(rows[0] @ rows[0])
    kernels.subspace(model, rows, 1.0, 0.05, False, 7, new_streams([1], 1)[0])
    expected = tangent / growth**14
    assert misalignment(lead, model) == pytest.approx(expected / (1 + expected))


@pytest.mark.parametrize("stochastic", [True, False])
@pytest.mark.parametrize("observed", [1.0, 0.4])
def test_int16_steps_are_exact_integers(stochastic, observed):
    problem = problem_of(size=20, rank=2, observed=observed)
    matrix, _ = integer_matrix(problem.matrix)
    model = np.random.default_rng(3).integers(-3000, 3000, (20, 3)).astype(np.int16)
    stream = new_streams([6], 1)[0]
    expected = plain_int16(problem, matrix, model, 29000, 33, stochastic, 400, PlainStream(stream))
    found = model.copy()
    kernels.entries_int16(found, matrix, problem.positions, 29000, 33, stochastic, 400, stream)
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, model)


def test_int16_sums_saturate():
    matrix = np.full((2, 2), 32767, dtype=np.int16)
    model = np.array([[32000], [-32000]], dtype=np.int16)
    model[1] = 32000
    none = np.empty(0, dtype=np.int64)
    kernels.entries_int16(model, matrix, none, 32767, 17, True, 50, new_streams([1], 1)[0])
    assert model.ravel().tolist() == [32767, 32767]


def test_steps_below_half_a_unit_need_random_rounding():
    """Rounded to the nearest they vanish; at random, their mean is kept."""
    matrix = np.full((1, 1), 1000, dtype=np.int16)
    none = np.empty(0, dtype=np.int64)
    # each step is 1000 * 1000 * 1 / 2^22, which is 0.238 of a unit
    nearest = np.array([[1000]], dtype=np.int16)
    kernels.entries_int16(nearest, matrix, none, 1, 22, False, 400, new_streams([1], 1)[0])
    assert nearest[0, 0] == 1000
    chance = np.array([[1000]], dtype=np.int16)
    kernels.entries_int16(chance, matrix, none, 1, 22, True, 400, new_streams([1], 1)[0])
    # grows like exp(400 * 0.000238): to 1100; a standard deviation is about 9
    assert 1050 < chance[0, 0] < 1150


@given(st.floats(1e-9, 100.0))
def test_integer_steps_are_near_the_step(step):
    factor, shift = integer_step(step)
    # two numbers of 16 bits, signs included, and the factor fit into 64
    assert 0 <= factor < 2**32
    assert 17 <= shift <= 47
    assert factor / 2**shift == pytest.approx(step, rel=2**-14)


def test_integers_keep_a_matrix_to_half_a_unit():
    matrix = np.random.default_rng(1).standard_normal((9, 9))
    rounded, unit = integer_matrix(matrix)
    assert np.abs(rounded * unit - matrix).max() <= unit / 2 * (1 + 1e-9)
    assert np.abs(integer_model(matrix)).max() == 4096


# ---- angles


@pytest.mark.parametrize("angle", [0.0, 1e-6, 0.3, np.pi / 2])
def test_misalignment_is_the_squared_sine(angle):
    basis = np.eye(4)[:, :1]
    model = np.array([[np.cos(angle)], [np.sin(angle)], [0.0], [0.0]]) * 7.0
    assert misalignment(basis, model) == pytest.approx(np.sin(angle) ** 2, rel=1e-9)


def test_the_worst_direction_counts_and_extra_columns_can_only_help():
    basis = np.eye(5)[:, :2]
    turned = np.array([[1, 0], [0, 0.6], [0, 0.8], [0, 0], [0, 0]], dtype=float)
    assert misalignment(basis, turned) == pytest.approx(0.64)
    assert misalignment(basis, np.hstack([turned, np.eye(5)[:, 2:3]])) < 1e-15


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(0, 3))
def test_misalignment_is_scipys_largest_angle(seed, rank, extra):
    random = np.random.default_rng(seed)
    basis = orthonormal(random.standard_normal((12, rank)))
    model = random.standard_normal((12, rank + extra))
    # any basis of the same span is as good
    mixed = model @ random.standard_normal((rank + extra, rank + extra))
    expected = np.sin(scipy.linalg.subspace_angles(basis, model).max()) ** 2
    assert misalignment(basis, model) == pytest.approx(expected, abs=1e-9)
    assert misalignment(basis, mixed) == pytest.approx(expected, abs=1e-6)


def test_a_model_that_diverged_has_no_angle():
    assert np.isnan(misalignment(np.eye(3)[:, :1], np.array([[np.inf], [0.0], [0.0]])))


# ---- the radial phase


@pytest.mark.parametrize(("sampler", "observed"), [s for s in SAMPLERS if s != ("entries", 0.5)])
def test_the_radial_phase_finds_the_eigenvalues(sampler, observed):
    problem = problem_of(size=30, rank=3, sampler=sampler, observed=observed)
    random = np.random.default_rng(1)
    means = [radial_phase(problem, sampler, problem.basis, 1000, random).ravel() for _ in range(30)]
    error = np.std(means, axis=0) / np.sqrt(len(means))
    expected = np.diag(problem.values[:3]).ravel()
    assert (np.abs(np.mean(means, axis=0) - expected) < 5 * error + 1e-12).all()


def test_exact_directions_recover_the_matrix_and_others_do_not():
    problem = problem_of(size=60, rank=2)
    random = np.random.default_rng(1)
    right = recovery_error(problem, "trace", problem.basis, random)
    wrong = recovery_error(problem, "trace", random.standard_normal((60, 2)), random)
    assert right < 0.2 < 0.8 < wrong

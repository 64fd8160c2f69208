"""What the paper publishes of HALP shows: noise floors, and a linear rate with 8 bits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from daybreak import WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.halp.options import HalpOptions
from daybreak_train.halp.task import HalpTask
from daybreak_train.halp.workload import HalpWorkload

# 1,000 samples of 100 features, as in the paper's section 5 (synthetic linear regression)
PAPER = {"samples": 1000, "features": 100, "epochs": 60}


def open_workload(**options):
    return HalpWorkload(HalpOptions(**options).model_dump())


@pytest.fixture(scope="module")
def workload():
    return open_workload(**PAPER)


def job_of(workload, algorithm, bits, **choices):
    space = HalpTask().define(HalpOptions().model_dump()).space
    # the paper's: two passes of inner steps; step and mu that suit the linear problem
    paper = {"step": 0.25, "inner": 2, "mu": 0.03, "range": 4.0}
    wanted = {**space.default(), **paper, "algorithm": algorithm, "bits": bits, **choices}
    configuration = space.settle(wanted)
    return workload.build(configuration)


def curve(job, seed=0):
    """Return epochs and gradient norms of a training run."""
    looks = [e for e in job.train(seed, TrainingClock()) if e.metric == "gradient_norm"]
    return np.array([e.epoch for e in looks]), np.array([e.value for e in looks])


def rate(epochs, norms):
    """Return decades per epoch of the straight part of a curve, and how straight it is."""
    part = (norms < 0.3) & (norms > 1e-6)
    decades = np.log10(norms[part])
    slope, _ = np.polyfit(epochs[part], decades, 1)
    return -slope, np.corrcoef(epochs[part], decades)[0, 1] ** 2


def test_gradients_are_relative_to_the_start(workload):
    events = list(job_of(workload, "svrg", 64).train(0, TrainingClock()))
    looks = [event for event in events if event.metric == "gradient_norm"]
    assert (looks[0].value, looks[0].step, looks[0].epoch) == (1.0, 0, 0.0)
    # two passes of inner steps and a full gradient
    assert (looks[1].step, looks[1].epoch) == (2000, 3.0)
    assert looks[-1].epoch >= 60
    assert {event.metric for event in events} == {"gradient_norm", "loss", "loss_gap"}
    assert all(event.train_s <= event.wall_s for event in events)


def test_low_precision_sgd_stalls(workload):
    _, norms = curve(job_of(workload, "lp-sgd", 8, step=0.0625))
    assert norms[0] == 1.0
    floor = np.median(norms[30:])
    assert floor > 0.03
    # no progress in the second half
    assert np.median(norms[45:]) == pytest.approx(np.median(norms[30:45]), rel=0.3)


def test_low_precision_svrg_stalls_where_svrg_goes_on(workload):
    _, low = curve(job_of(workload, "lp-svrg", 8))
    _, full = curve(job_of(workload, "svrg", 64))
    assert np.median(low[10:]) > 0.03
    assert np.median(low[15:]) == pytest.approx(np.median(low[10:15]), rel=0.4)
    assert full[-1] < 1e-7


def test_the_floor_falls_with_the_unit(workload):
    # the paper's bound on LP-SVRG's floor falls with delta
    _, eight = curve(job_of(workload, "lp-svrg", 8))
    _, sixteen = curve(job_of(workload, "lp-svrg", 16))
    _, wider = curve(job_of(workload, "lp-svrg", 8, range=16.0))
    assert np.median(sixteen[-5:]) < np.median(eight[-5:]) / 30
    assert np.median(wider[-5:]) > 1.5 * np.median(eight[-5:])


@pytest.mark.parametrize("bits", [8, 16])
def test_halp_converges_linearly_at_the_rate_of_svrg(workload, bits):
    full, straight = rate(*curve(job_of(workload, "svrg", 64)))
    assert straight > 0.98
    epochs, norms = curve(job_of(workload, "halp", bits))
    ours, straight = rate(epochs, norms)
    assert norms[-1] < 1e-7
    assert straight > 0.98
    assert ours > 0.8 * full


def test_halp_goes_as_far_as_double_precision(workload):
    far = open_workload(**{**PAPER, "epochs": 130})
    _, norms = curve(job_of(far, "halp", 8))
    assert norms.min() < 1e-13


def test_single_precision_svrg_has_a_floor_that_halp_has_not(workload):
    _, single = curve(job_of(workload, "svrg", 32))
    _, halp = curve(job_of(workload, "halp", 8))
    assert np.median(single[-3:]) > 1e-6
    assert halp[-1] < 1e-7


def test_bit_centring_needs_a_sound_mu(workload):
    # far too large a mu lays a grid that ends before the optimum: slower, but no floor
    _, tight = curve(job_of(workload, "halp", 8, mu=0.3))
    _, sound = curve(job_of(workload, "halp", 8, mu=0.03))
    # far too small a mu: the grid is so coarse that rounding eats the progress
    _, coarse = curve(job_of(workload, "halp", 8, mu=0.001))
    assert sound[-1] < 1e-4 * tight[-1]
    assert sound[-1] < 1e-4 * coarse[-1]


@pytest.mark.parametrize(
    ("model", "data", "choices", "reached"),
    [
        ("logistic", "breast-cancer", {"step": 1.0, "mu": 0.01}, 1e-2),
        ("softmax", "digits", {"step": 1.0, "mu": 0.01}, 1e-2),
        ("linear", "diabetes", {"step": 0.5, "mu": 0.03}, 1e-2),
        ("network", "digits", {"step": 0.25, "mu": 0.03}, 0.2),
    ],
)
def test_halp_beats_lp_svrg_on_real_data(model, data, choices, reached):
    workload = open_workload(model=model, data=data, epochs=60, l2=0.01)
    job = job_of(workload, "halp", 8, **choices)
    assert job.verify().correct
    _, norms = curve(job)
    _, low = curve(job_of(workload, "lp-svrg", 8, step=choices["step"]))
    assert norms[-1] < reached
    assert norms[-1] < np.median(low[-5:])
    concluded = {sample.metric: sample.value for sample in job.conclude()}
    if model == "linear":
        assert concluded["test_error"] < 0.7
    else:
        assert concluded["test_accuracy"] > 0.85


def test_a_seed_is_a_run(workload):
    job = job_of(workload, "halp", 8)
    first, again, other = (curve(job, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first[1:] != other[1:]).all()


def test_steps_too_large_diverge_without_an_exception(workload):
    job = job_of(workload, "svrg", 32, step=4.0)
    _, norms = curve(job)
    assert not norms[-1] < 1.0
    assert all(math.isfinite(sample.value) for sample in job.conclude())


def test_conclusion_is_the_distance_to_the_exact_optimum(workload):
    job = job_of(workload, "halp", 8)
    curve(job)
    concluded = {sample.metric: sample.value for sample in job.conclude()}
    problem = workload.problem
    # the normal equations, solved here
    x = problem.x.astype(float)
    moments = x.T @ x / len(x) + problem.l2 * np.eye(x.shape[1])
    exact = np.linalg.solve(moments, x.T @ problem.y / len(x))
    away = np.linalg.norm(job._weights[0] - exact) / np.linalg.norm(exact)
    assert concluded["distance"] == pytest.approx(away, abs=1e-12)
    assert concluded["distance"] < 1e-6
    assert concluded["steps_per_s"] > 0
    # the noise is a fifth of the variance
    assert 0.1 < concluded["test_error"] < 0.4


def test_a_curve_that_claims_too_much_is_found(workload):
    job = job_of(workload, "lp-svrg", 8)
    curve(job)
    assert list(job.conclude())
    job._last = job._last.__class__("gradient_norm", 1e-12, train_s=1.0)
    with pytest.raises(WrongResult, match="away"):
        list(job.conclude())


def test_a_networks_curve_that_claims_too_much_is_found():
    workload = open_workload(model="network", data="digits", epochs=3)
    job = job_of(workload, "svrg", 32)
    curve(job)
    assert list(job.conclude())
    job._last = job._last.__class__("gradient_norm", 1e-12, train_s=1.0)
    with pytest.raises(WrongResult, match="falls by"):
        list(job.conclude())

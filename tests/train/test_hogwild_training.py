"""Loops and training runs of `train/hogwild`: exact steps, races that converge, biased rounding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from daybreak import WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.hogwild import kernels
from daybreak_train.hogwild.checks import check_loop
from daybreak_train.hogwild.options import HogwildOptions
from daybreak_train.hogwild.runs import Settings, SparseRun, rows_of
from daybreak_train.hogwild.task import hogwild_space
from daybreak_train.hogwild.workload import HogwildWorkload
from daybreak_train.team import Team

SMALL = {"samples": 2000, "features": 1000, "nonzeros": 24, "epochs": 20}


@pytest.fixture(scope="module")
def workload():
    return HogwildWorkload(HogwildOptions(**SMALL).model_dump())


def configuration_of(**choices):
    space = hogwild_space(4)
    configuration = space.settle({**space.default(), **choices})
    assert configuration in space
    return configuration


def losses(job, seed=0):
    events = [e for e in job.train(seed, TrainingClock()) if e.metric == "excess_loss"]
    return np.array([event.value for event in events])


def concluded(job):
    return {sample.metric: sample.value for sample in job.conclude()}


@pytest.mark.parametrize("rounding", ["nearest", "fresh", "shared"])
@pytest.mark.parametrize(("data", "model"), [(8, 8), (8, 16), (32, 8)])
def test_integer_steps_equal_pythons(workload, data, model, rounding):
    settings = Settings.of(
        configuration_of(data_bits=data, model_bits=model, rounding=rounding, batch=4)
    )
    verdict = check_loop(workload.problem, settings, workload.rows(data))
    assert verdict.correct, verdict
    # scores of float data are rounded sums: there a weight may be a unit off
    assert verdict.error <= (0.0 if data == 8 else 1.0)


@pytest.mark.parametrize("mode", ["hogwild", "locked", "synchronous"])
def test_every_mode_takes_the_same_steps_with_one_thread(workload, mode):
    settings = Settings.of(configuration_of(mode=mode, data_bits=8))
    assert check_loop(workload.problem, settings, workload.rows(8)).correct


def test_a_wrong_loop_is_found(workload, monkeypatch):
    settings = Settings.of(configuration_of(data_bits=8, model_bits=8))
    right = kernels.racing(8, 8)

    def wrong(*arguments):
        right(*arguments)
        arguments[5][0] += 1

    monkeypatch.setattr(kernels, "racing", lambda *bits: wrong)
    assert not check_loop(workload.problem, settings, workload.rows(8)).correct


@pytest.mark.parametrize(("model_bits", "rounding"), [(8, "fresh"), (8, "shared"), (16, "shared")])
def test_rounding_is_unbiased(workload, model_bits, rounding):
    # one sample with one feature, no slope beyond the hinge: only decay moves the model
    problem = HogwildWorkload(HogwildOptions(**{**SMALL, "model": "svm"}).model_dump()).problem
    rows = rows_of(problem, 8)
    point = kernels.POINTS[model_bits][0]
    model = np.full(rows.features, 100, dtype=np.int8 if model_bits == 8 else np.int16)
    starts = np.arange(rows.features + 1, dtype=np.int64)
    columns = np.arange(rows.features, dtype=np.uint16)
    values = np.ones(rows.features, dtype=np.int8)
    labels = np.ones(rows.features)
    from daybreak_train.streams import new_streams

    loop = kernels.racing(8, model_bits)
    code = {"fresh": kernels.FRESH, "shared": kernels.SHARED}[rounding]
    # the score is large: slope 0; each touch keeps 0.997 of 100 on average
    loop(
        problem.kind, starts, columns, values, labels, model, 1.0, 2.0**point, 0.003, code, 1,
        np.zeros(2, np.int64), new_streams((1,), 1)[0], 20 * rows.features,
    )  # fmt: skip
    expected = 100 * 0.997**20
    assert model.mean() == pytest.approx(expected, abs=0.3)


def test_threads_in_step_are_one_thread(workload):
    """The synchronous loop gives bit for bit what one thread does, whatever their number."""
    problem = workload.problem
    found = []
    for threads in (1, 3):
        settings = Settings.of(
            {**configuration_of(mode="synchronous", batch=64), "threads": threads}
        )
        with Team(threads) as team:
            run = SparseRun(problem, settings, workload.rows(32), team, 5)
            run.advance(1000)
            found.append(run.weights)
    np.testing.assert_array_equal(found[0], found[1])


def test_a_race_converges_like_one_thread(workload):
    job = workload.build(configuration_of(threads=2))
    values = losses(job)
    assert values[0] == 1.0
    assert values[-1] < 0.05
    result = concluded(job)
    # asynchrony costs little on sparse data: the papers' main point
    assert values[-1] == pytest.approx(result["sequential_excess"], rel=0.3, abs=0.01)
    assert result["test_accuracy"] > 0.7
    assert result["updates_per_s"] > 0
    assert result["gnps"] > 0


@pytest.mark.parametrize("mode", ["locked", "synchronous"])
def test_baselines_converge_too(workload, mode):
    job = workload.build(configuration_of(mode=mode, threads=2, batch=64))
    values = losses(job)
    assert values[-1] < 0.05
    assert values[-1] == pytest.approx(concluded(job)["sequential_excess"], rel=0.3, abs=0.01)


def test_buckwild_converges_and_biased_rounding_does_not(workload):
    low = {"data_bits": 8, "model_bits": 8, "range": 4.0}
    shared = losses(workload.build(configuration_of(**low, rounding="shared")))
    fresh = losses(workload.build(configuration_of(**low, rounding="fresh")))
    wide = losses(workload.build(configuration_of(data_bits=8, model_bits=16, range=16.0)))
    # a coarse grid and a small step: to the nearest, most steps are lost
    small = {**low, "step": 0.25, "decay": 1.0, "range": 16.0}
    biased = losses(workload.build(configuration_of(**small, rounding="nearest")))
    unbiased = losses(workload.build(configuration_of(**small, rounding="shared")))
    assert wide[-1] < 0.03
    assert shared[-1] < 0.1
    assert fresh[-1] == pytest.approx(shared[-1], rel=0.5)
    assert wide[-1] < shared[-1]
    assert biased[-1] > 1.5 * unbiased[-1]


def test_one_thread_repeats_itself(workload):
    job = workload.build(configuration_of(data_bits=8, model_bits=16))
    first, again, other = (losses(job, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first[1:] != other[1:]).all()


def test_huge_steps_diverge_without_an_exception(workload):
    values = losses(workload.build(configuration_of(step=16.0, decay=1.0)))
    assert not values[-1] < 0.05
    saturated = losses(workload.build(configuration_of(model_bits=16, data_bits=8, step=16.0)))
    assert all(math.isfinite(value) for value in saturated)


def test_a_curve_that_claims_too_much_is_found(workload, monkeypatch):
    job = workload.build(configuration_of())
    losses(job)
    right = workload.objective.loss
    monkeypatch.setattr(workload.objective, "loss", lambda weights: 0.5 * right(weights))
    with pytest.raises(WrongResult, match="scikit-learn finds"):
        list(job.conclude())


def test_signature_and_sparsity_are_recorded(workload):
    job = workload.build(configuration_of(data_bits=8, model_bits=16))
    assert job.facts["signature"] == "D8M16"
    # columns in 16 bits, values in 8
    assert job.facts["data_bytes"] == 3 * workload.problem.x.nnz + 8 * 2001
    assert {"omega", "delta", "rho", "nonzeros"} <= set(job.facts)
    assert set(job.phases) == {"quantise", "compile"}


def test_svm_and_digits_train():
    for options in ({"model": "svm"}, {"data": "digits", "l2": 0.01}):
        workload = HogwildWorkload(HogwildOptions(**{**SMALL, **options}).model_dump())
        job = workload.build(configuration_of(step=0.5))
        assert losses(job)[-1] < 0.15
        assert concluded(job)["test_accuracy"] > 0.7

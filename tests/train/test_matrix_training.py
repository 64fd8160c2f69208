"""Whole training runs of `train/matrix-sgd`, on small matrices."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak import WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.matrix.options import MatrixOptions
from daybreak_train.matrix.task import MatrixTask

SMALL = {"size": 60, "rank": 2, "target": 0.02, "epochs": 20_000}


def opened(**options):
    task = MatrixTask()
    benchmark = task.define(MatrixOptions(**{**SMALL, **options}).model_dump())
    return benchmark, task.open(benchmark)


def job_of(choices, **options):
    benchmark, workload = opened(**options)
    configuration = benchmark.space.settle({**benchmark.space.default(), **choices})
    return workload.build(configuration), benchmark.curve.target


def train(job, target, seed=0):
    """Return the misalignments up to the first that is at the target, and the last event."""
    values = []
    event = None
    for event in job.train(seed, TrainingClock()):
        values.append(event.value)
        if event.value <= target or not np.isfinite(event.value):
            break
    return values, event


@pytest.mark.parametrize(
    ("options", "choices"),
    [
        ({}, {}),
        ({}, {"rule": "residual", "step": 0.02}),
        ({}, {"step": 0.2, "decay": 0.2, "precision": "float32"}),
        ({}, {"step": 0.2, "decay": 0.2, "precision": "int16"}),
        ({}, {"extra": 2}),
        ({}, {"step": 0.2, "decay": 0.2, "threads": 2}),
        ({"sampler": "trace"}, {"step": 0.2, "decay": 0.2}),
        ({"sampler": "trace"}, {"rule": "residual", "step": 0.02, "threads": 2}),
        ({"sampler": "subspace"}, {"step": 0.2, "decay": 0.2}),
        ({"sampler": "subspace", "observed": 0.5}, {"step": 0.1, "decay": 0.2}),
        ({"sampler": "subspace", "data": "digits"}, {"rule": "residual", "step": 0.5}),
    ],
)  # fmt: skip
def test_every_rule_and_sampler_arrives_from_random_starts(options, choices):
    options = {"threads": 2, **options}
    job, target = job_of(choices, **options)
    assert job.verify().correct
    for seed in range(3):
        values, event = train(job, target, seed)
        assert values[0] > 0.5
        assert values[-1] <= target, (seed, values[-1])
        assert 0 < event.train_s <= event.wall_s
        named = {sample.metric: sample.value for sample in job.conclude()}
        assert named["throughput"] > 0
        assert 0 <= named["recovery_error"] < 1


def test_a_seed_repeats_a_run_and_another_is_another():
    job, target = job_of({})
    one, again, other = (train(job, target, seed)[0] for seed in (1, 1, 2))
    assert one == again != other


def test_a_constant_step_ends_at_a_floor_that_grows_with_it():
    floors = []
    for step in (0.01, 0.04):
        job, _ = job_of({"step": step}, epochs=4000)
        values = [event.value for event in job.train(0, TrainingClock())]
        floors.append(np.median(values[-10:]))
    assert 2 * floors[0] < floors[1]


def test_a_falling_step_goes_below_the_floor_of_its_first():
    constant, _ = job_of({"step": 0.1}, epochs=4000)
    falling, _ = job_of({"step": 0.1, "decay": 0.2}, epochs=4000)
    last = [list(job.train(0, TrainingClock()))[-1].value for job in (constant, falling)]
    assert last[1] < last[0] / 3


def test_few_known_entries_leave_an_error_that_training_cannot_mend():
    job, _ = job_of({"step": 0.1, "decay": 0.2}, observed=0.3)
    few = list(job.train(0, TrainingClock()))[-1].value
    job, _ = job_of({"step": 0.1, "decay": 0.2})
    assert list(job.train(0, TrainingClock()))[-1].value < few / 3


def test_the_residual_rule_recovers_the_matrix_itself():
    """Its model needs no radial phase: Y Y^T is the best matrix of its rank, up to noise."""
    benchmark, workload = opened(tail=0.0)
    job = workload.build({**benchmark.space.default(), "rule": "residual", "step": 0.02})
    list(zip(range(95), job.train(0, TrainingClock()), strict=False))
    model = job._made.array
    best = workload._problem.best()
    assert np.linalg.norm(model @ model.T - best) < 0.02 * np.linalg.norm(best)


def test_a_wild_step_diverges_to_nan_and_says_nothing_in_conclusion():
    job, target = job_of({"rule": "residual", "step": 4.0})
    values, _ = train(job, target)
    assert np.isnan(values[-1])
    assert list(job.conclude()) == []


def test_rarely_seen_coordinates_are_verified_without_overflow():
    job, _ = job_of({"rule": "residual", "step": 1.0}, sampler="subspace", observed=0.01)
    assert job.verify().correct


def test_a_curve_that_lies_is_a_wrong_result():
    job, target = job_of({})
    train(job, target)
    job._made.said = 0.5
    with pytest.raises(WrongResult, match="subspace_angles"):
        job.conclude()


def test_conclusions_are_the_same_when_asked_twice():
    job, target = job_of({})
    train(job, target)
    assert list(job.conclude()) == list(job.conclude())


def test_references_lie_in_the_space_and_integers_only_where_they_make_sense():
    for sampler in ("entries", "trace", "subspace"):
        benchmark, _ = opened(sampler=sampler)
        names = {parameter.name for parameter in benchmark.space.parameters}
        assert ("rounding" in names) == (sampler == "entries")
        for reference in benchmark.references:
            assert benchmark.space.feasible(reference.configuration)
    benchmark, _ = opened()
    assert not benchmark.space.feasible(
        {**benchmark.space.default(), "precision": "int16", "rule": "residual"}
    )

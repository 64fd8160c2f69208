"""Results of many studies, written through the store's own writer: for tests of size."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from daybreak.records import Event, FailureKind, Outcome, Sample, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow

__all__ = ["searches", "training"]

THRESHOLD = {"name": "fast", "value": 1.2, "metric": None, "relative_to": None, "unit": "s"}


def searches(
    folder: Path,
    *,
    benchmarks: int = 10,
    optimizers: int = 5,
    seeds: int = 2,
    evaluations: int = 20,
    run_id: str = "many",
    named: Callable[[str, int], str] = "{}-{}".format,
) -> Path:
    """Write benchmarks x optimizers x seeds tuning studies; one evaluation in ten fails.

    `named` gives the name of a thing of a kind by its number.
    """
    rng = np.random.default_rng(7)
    names = [f"toy/{named('space', b)}" for b in range(benchmarks)]
    labels = [named("optimizer", o) for o in range(optimizers)]
    row = {"suite": "many", "machine_id": "m"}
    with RunWriter.create(folder, run_id, suite_key="many", row=row) as run:
        run.machine("m", {"cpu": "A processor", "cores": 2, "memory_gib": 8, "gpus": []})
        run.readings({"warning": named("warning", 0)})
        for name in names:
            objective = {"name": "time", "unit": "s", "direction": "minimize"}
            run.benchmark({"benchmark": name, "target": "toy", "objectives": [objective]})
            for o, label in enumerate(labels):
                for seed in range(seeds):
                    study_id = f"{run_id}/{name}/{label}/{seed}"
                    run.study(
                        StudyRow(
                            study_id, study_id, name, "toy", label, label, seed,
                            thresholds=(THRESHOLD,),
                        )
                    )  # fmt: skip
                    values = 1 + rng.exponential(1 / (1 + o), evaluations)
                    failed = rng.random(evaluations) < 0.1
                    clock = np.cumsum(0.5 * values)
                    for number in range(evaluations):
                        value = float(values[number])
                        bad = bool(failed[number])
                        outcome = Outcome(
                            TrialStatus.FAILED if bad else TrialStatus.OK,
                            FailureKind.BUILD if bad else None,
                            message=named("message", o) if bad else None,
                            objectives={"time": None if bad else value},
                            samples=() if bad else (
                                Sample("time", value, 0), Sample("time", 1.01 * value, 1),
                            ),
                            phases={"build": 0.1, "measure": 0.4 * value},
                        )  # fmt: skip
                        run.trial(
                            study_id,
                            Trial(
                                number, {"x": number}, outcome, ask_s=0.01,
                                total_s=0.5 * value, elapsed_s=float(clock[number]),
                            ),
                        )  # fmt: skip
                    run.study_status(study_id, "finished")
        run.finish("finished")
    return folder


def training(
    folder: Path,
    *,
    benchmarks: int = 2,
    entries: int = 3,
    seeds: int = 5,
    epochs: int = 20,
    run_id: str = "trained",
    named: Callable[[str, int], str] = "{}-{}".format,
) -> Path:
    """Write benchmarks x entries x seeds studies of one training run each; some miss the target."""
    rng = np.random.default_rng(3)
    row = {"suite": "trained", "machine_id": "m"}
    metrics = [
        {"name": "accuracy", "unit": "1", "direction": "maximize"},
        {"name": "test_accuracy", "unit": "1", "direction": "maximize"},
        {"name": "energy", "unit": "J", "direction": "minimize"},
        {"name": "communication_s", "unit": "s", "direction": "minimize"},
    ]
    objective = {"name": "time_to_target", "unit": "s", "direction": "minimize"}
    with RunWriter.create(folder, run_id, suite_key="trained", row=row) as run:
        run.machine("m", {"cpu": "A processor", "cores": 2, "memory_gib": 8, "gpus": []})
        for b in range(benchmarks):
            name = f"train/{named('task', b)}"
            run.benchmark(
                {
                    "benchmark": name, "target": "train", "objectives": [objective],
                    "metrics": metrics, "curve": {"metric": "accuracy", "target": 0.9},
                }
            )  # fmt: skip
            for e in range(entries):
                label = named("entry", e)
                for seed in range(seeds):
                    study_id = f"{run_id}/{b}/{e}/{seed}"
                    run.study(
                        StudyRow(
                            study_id, study_id, name, "train", label, label, seed,
                            details={"dollars_per_hour": 3.0},
                        )
                    )  # fmt: skip
                    run.trial(study_id, _trained(rng, e, epochs))
                    run.study_status(study_id, "finished")
        run.finish("finished")
    return folder


def _trained(rng: np.random.Generator, entry: int, epochs: int) -> Trial:
    """One training run: the later the entry, the quicker an epoch and the more it learns in one."""
    pace, seconds = (1 + entry) * rng.normal(1, 0.1), rng.normal(2, 0.1) / (1 + 0.3 * entry)
    top = 0.91 + 0.008 * rng.normal()
    events, reached = [], None
    for epoch in range(epochs + 1):
        value = top - 0.8 * math.exp(-epoch * pace / 4) + 0.002 * rng.normal()
        train = epoch * seconds
        events.append(
            Event("accuracy", value, epoch, epoch * 100, float(epoch), train, 1.1 * train)
        )
        if value >= 0.9 and epoch:
            reached = train
            break
    last = events[-1]
    outcome = Outcome(
        TrialStatus.FAILED if reached is None else TrialStatus.OK,
        None if reached is not None else FailureKind("not_reached"),
        objectives={"time_to_target": reached},
        events=tuple(events),
        samples=(
            Sample("test_accuracy", last.value - 0.01),
            Sample("energy", 20 * (last.wall_s or 0)),
            Sample("communication_s", 0.1 * (last.train_s or 0)),
        ),
        phases={"build": 0.2, "measure": last.wall_s or 0.0},
    )
    wall = last.wall_s or 0.0
    return Trial(
        0, {"threads": 2**entry}, outcome, ask_s=0.01, total_s=wall + 0.3, elapsed_s=wall + 0.3
    )

"""A large store of training runs, written through the store's own writer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from daybreak.records import Event, Outcome, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow

__all__ = ["make_training_spool"]

ENTRIES = ("sgd", "svrg", "halp", "adam")


def make_training_spool(
    results: Path, *, events: int, looks: int = 100, trials: int = 10, seed: int = 0
) -> int:
    """Write one run of studies of `trials` training runs, each with `looks` looks at two metrics.

    Accuracy rises with noise towards 0.97 at an entry's own pace, so that nine runs in ten reach
    0.9; the loss falls. Two benchmarks, four entries. Returns the number of events.
    """
    rng = np.random.default_rng(seed)
    studies = max(1, events // (2 * looks * trials))
    epochs = np.arange(looks, dtype=float)
    with RunWriter.create(results, "curves", suite_key="curves", row={"suite": "curves"}) as writer:
        for b in range(2):
            writer.benchmark(
                {
                    "benchmark": f"train/b{b}",
                    "target": "train",
                    "objectives": [
                        {"name": "time_to_target", "unit": "s", "direction": "minimize"}
                    ],
                    "metrics": [
                        {"name": "accuracy", "unit": "1", "direction": "maximize"},
                        {"name": "loss", "unit": "1", "direction": "minimize"},
                    ],
                    "curve": {"metric": "accuracy", "target": 0.9},
                }
            )
        for i in range(studies):
            entry = i // 2 % 4
            study_id = f"curves/{i:05d}"
            writer.study(
                StudyRow(
                    study_id=study_id,
                    study_key=study_id,
                    benchmark=f"train/b{i % 2}",
                    target="train",
                    optimizer=ENTRIES[entry],
                    component=ENTRIES[entry],
                    seed=i // 8,
                    status="finished",
                    thresholds=(
                        {"name": "accuracy-80", "value": 0.8, "metric": "accuracy"},
                        {"name": "accuracy-95", "value": 0.95, "metric": "accuracy"},
                    ),
                )
            )
            for number in range(trials):
                pace = (2.0 + entry + 2.0 * rng.random()) * looks / 40
                best = 0.97 - 0.08 * (rng.random() < 0.1)
                accuracy = best - 0.87 * np.exp(-epochs / pace) + rng.normal(0, 0.01, looks)
                second = 1.0 + 0.1 * entry + 0.05 * rng.random()
                points = []
                for k in range(looks):
                    clocks = (k * 100, epochs[k], k * second, k * (second + 0.1))
                    points.append(Event("accuracy", float(accuracy[k]), 2 * k, *clocks))
                    points.append(Event("loss", float(1 - accuracy[k]), 2 * k + 1, *clocks))
                reached = np.flatnonzero(accuracy >= 0.9)
                wall = (looks - 1) * (second + 0.1)
                outcome = Outcome(
                    TrialStatus.OK,
                    objectives={
                        "time_to_target": float(reached[0] * second) if len(reached) else None
                    },
                    events=tuple(points),
                    phases={"measure": wall},
                )
                trial = Trial(
                    number, {"lr": 0.1, "threads": 2**entry}, outcome, total_s=wall,
                    elapsed_s=wall * (number + 1),
                )  # fmt: skip
                writer.trial(study_id, trial)
        writer.finish("finished")
    return studies * trials * looks * 2

"""The paper's results as tables: ``python -m daybreak_train.matrix.tables NAME``."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from daybreak_train.clock import TrainingClock
from daybreak_train.matrix.options import MatrixOptions
from daybreak_train.matrix.task import MatrixTask
from daybreak_train.printing import write_table

__all__ = ["floor_rows", "main", "success_rows"]

#: looks at the end of a run whose median is its floor
_LAST = 8
Row = tuple[object, ...]


def floor_rows(size: int, epochs: int, seeds: int, steps: Sequence[float]) -> Iterable[Row]:
    """Yield step, rule, precision, decay, the misalignment where training ends, samples per second.

    Entries of a matrix of rank 4; the median over seeds of the median of the last looks.
    """
    ways = [
        ("alecton", "float64", 0.0),
        ("alecton", "int16", 0.0),
        ("residual", "float64", 0.0),
        ("alecton", "float64", 0.2),
        ("alecton", "int16", 0.2),
    ]
    for step in steps:
        for rule, precision, decay in ways:
            choices = {"step": step, "rule": rule, "precision": precision, "decay": decay}
            runs = [_run({"size": size, "epochs": epochs}, choices, seed) for seed in range(seeds)]
            ends = [statistics.median(values[-_LAST:]) for values, _, _ in runs]
            speed = statistics.median(epochs * size / seconds for _, _, seconds in runs)
            yield (step, rule, precision, decay, statistics.median(ends), speed)


def success_rows(sampler: str, data: str, ranks: Sequence[int], seeds: int) -> Iterable[Row]:
    """Yield rank, extra columns, share of seeds that reached the target, and the median of epochs.

    From random starts, with steps that fall; epochs are those of the seeds that arrived.
    """
    for rank in ranks:
        for extra in (0, 1):
            options = {
                "sampler": sampler, "data": data, "size": 200, "rank": rank, "epochs": 4000,
                "target": 0.02,
            }  # fmt: skip
            choices = {"step": 0.2, "decay": 0.1, "extra": extra}
            arrived = []
            for seed in range(seeds):
                values, epochs, _ = _run(options, choices, seed, until=0.02)
                if values[-1] <= 0.02:
                    arrived.append(epochs)
            yield (
                rank, extra, len(arrived) / seeds, statistics.median(arrived) if arrived else None,
            )  # fmt: skip


def _run(
    options: Mapping[str, Any], choices: Mapping[str, Any], seed: int, until: float = -1.0
) -> tuple[list[float], float, float]:
    """Return the misalignments, the last epoch, and the seconds of training."""
    task = MatrixTask()
    benchmark = task.define(MatrixOptions(**options).model_dump())
    space = benchmark.space
    job = task.open(benchmark).build(space.settle({**space.default(), **choices}))
    values, epoch, seconds = [], 0.0, 0.0
    for event in job.train(seed, TrainingClock()):
        values.append(event.value)
        epoch, seconds = event.epoch or 0.0, event.train_s or 0.0
        # not `value > until`: what has diverged (NaN) ends here too
        if not event.value > until:
            break
    return values, epoch, seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_train.matrix.tables")
    names = parser.add_subparsers(dest="table", required=True)
    one = names.add_parser("floors", help="where training ends, by step, rule and precision")
    one.add_argument("--size", type=int, default=500)
    one.add_argument("--epochs", type=int, default=8000)
    one.add_argument("--seeds", type=int, default=3)
    one = names.add_parser("success", help="how many random starts arrive")
    one.add_argument("--sampler", choices=("entries", "trace", "subspace"), default="entries")
    one.add_argument("--data", choices=("synthetic", "digits"), default="synthetic")
    one.add_argument("--seeds", type=int, default=20)
    chosen = parser.parse_args(arguments)
    if chosen.table == "floors":
        write_table(
            ["step", "rule", "precision", "decay", "misalignment", "samples/s"],
            floor_rows(chosen.size, chosen.epochs, chosen.seeds, (0.01, 0.04, 0.16)),
        )
    else:
        write_table(
            ["rank", "extra", "arrived", "epochs"],
            success_rows(chosen.sampler, chosen.data, (1, 2, 4), chosen.seeds),
        )


if __name__ == "__main__":
    main()

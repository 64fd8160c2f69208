"""The paper's results as tables: ``python -m daybreak_train.halp.tables NAME``."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import numpy as np

from daybreak_train.clock import TrainingClock
from daybreak_train.halp.options import HalpOptions
from daybreak_train.halp.task import HalpTask
from daybreak_train.halp.workload import HalpWorkload
from daybreak_train.printing import write_table

__all__ = ["curve_rows", "main", "step_rows"]

#: algorithms and bits, in the paper's order
WAYS = (
    ("sgd", 64), ("lp-sgd", 8), ("lp-sgd", 16), ("svrg", 64), ("svrg", 32), ("lp-svrg", 8),
    ("lp-svrg", 16), ("halp", 8), ("halp", 16),
)  # fmt: skip
#: looks at the end of a run whose median is its floor
_LAST = 5
Row = tuple[object, ...]


def curve_rows(
    options: Mapping[str, Any], choices: Mapping[str, Any], target: float, seeds: int
) -> Iterable[Row]:
    """Yield algorithm, bits, final gradient norm, decades per pass, passes and seconds to `target`.

    Medians over the seeds. The decades are those of the straight part of a curve, between 0.3 and
    ten times where it ends; passes and seconds are None where most seeds do not arrive.
    """
    workload = HalpWorkload(HalpOptions(**options).model_dump())
    space = HalpTask().define(HalpOptions(**options).model_dump()).space
    for algorithm, bits in WAYS:
        wanted = {**space.default(), **choices, "algorithm": algorithm, "bits": bits}
        job = workload.build(space.settle(wanted))
        ends, slopes, passes, seconds = [], [], [], []
        for seed in range(seeds):
            looks = [e for e in job.train(seed, TrainingClock()) if e.metric == "gradient_norm"]
            norms = np.array([look.value for look in looks])
            epochs = np.array([look.epoch for look in looks])
            ends.append(float(np.median(norms[-_LAST:])))
            slopes.append(_decades(epochs, norms, ends[-1]))
            first = next((look for look in looks if look.value <= target), None)
            passes.append(float("inf") if first is None else first.epoch or 0.0)
            seconds.append(float("inf") if first is None else first.train_s or 0.0)
        yield (
            algorithm, bits, statistics.median(ends), statistics.median(slopes),
            _known(statistics.median(passes)), _known(statistics.median(seconds)),
        )  # fmt: skip


def step_rows(samples: int, sizes: Sequence[int], rounds: int) -> Iterable[Row]:
    """Yield features, data in MB, bits, ns per inner step, ms per full gradient, and the speed-ups
    of a step over single and double precision.

    All precisions take turns in each round; the fastest round counts.
    """
    for features in sizes:
        options = HalpOptions(samples=samples, features=features).model_dump()
        workload = HalpWorkload(options)
        space = HalpTask().define(options).space
        runs = {}
        for bits in (64, 32, 16, 8):
            way = {"algorithm": "halp" if bits < 32 else "svrg", "bits": bits, "inner": 1}
            job = workload.build(space.settle({**space.default(), **way}))
            runs[bits] = job.start(0)
            runs[bits].iterate()
        whole = dict.fromkeys(runs, float("inf"))
        full = dict.fromkeys(runs, float("inf"))
        for _ in range(rounds):
            for bits, run in runs.items():
                whole[bits] = min(whole[bits], _seconds(run.iterate))
                full[bits] = min(full[bits], _seconds(run.snapshot))
        step = {bits: (whole[bits] - full[bits]) / runs[bits].steps for bits in runs}
        for bits in runs:
            megabytes = samples * features * bits / 8e6
            yield (
                features, megabytes, bits, 1e9 * step[bits], 1e3 * full[bits],
                step[32] / step[bits], step[64] / step[bits],
            )  # fmt: skip


def _decades(epochs: np.ndarray[Any, Any], norms: np.ndarray[Any, Any], end: float) -> float:
    straight = (norms < 0.3) & (norms > max(10.0 * end, 1e-12))
    if straight.sum() < 3:
        return 0.0
    return float(-np.polyfit(epochs[straight], np.log10(norms[straight]), 1)[0])


def _known(value: float) -> float | None:
    return value if value < float("inf") else None


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_train.halp.tables")
    names = parser.add_subparsers(dest="table", required=True)
    one = names.add_parser("curves", help="noise floors, rates, and time to a gradient norm")
    for name in ("model", "data"):
        field = HalpOptions.model_fields[name]
        one.add_argument(f"--{name}", default=field.default, choices=get_args(field.annotation))
    one.add_argument("--samples", type=int, default=1000)
    one.add_argument("--features", type=int, default=100)
    one.add_argument("--epochs", type=int, default=60)
    one.add_argument("--step", type=float, default=0.25)
    one.add_argument("--inner", type=float, default=2)
    one.add_argument("--mu", type=float, default=0.03)
    one.add_argument("--target", type=float, default=1e-4)
    one.add_argument("--seeds", type=int, default=5)
    one = names.add_parser("steps", help="time of a step in each precision, side by side")
    one.add_argument("--samples", type=int, default=20_000)
    one.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args(arguments)
    if chosen.table == "curves":
        options = {
            "model": chosen.model, "data": chosen.data, "samples": chosen.samples,
            "features": chosen.features, "epochs": chosen.epochs,
        }  # fmt: skip
        choices = {"step": chosen.step, "inner": chosen.inner, "mu": chosen.mu}
        write_table(
            ["algorithm", "bits", "gradient norm", "decades/pass", "passes", "seconds"],
            curve_rows(options, choices, chosen.target, chosen.seeds),
        )
    else:
        write_table(
            ["features", "MB", "bits", "ns/step", "ms/full", "vs 32 bits", "vs 64 bits"],
            step_rows(chosen.samples, (64, 256, 1024), chosen.rounds),
        )


if __name__ == "__main__":
    main()

"""The papers' results as tables: ``python -m daybreak_train.hogwild.tables NAME``."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from daybreak_train.clock import TrainingClock
from daybreak_train.hogwild.options import HogwildOptions
from daybreak_train.hogwild.task import hogwild_space
from daybreak_train.hogwild.workload import HogwildWorkload
from daybreak_train.printing import write_table
from daybreak_train.team import thread_choices

__all__ = ["main", "rounding_rows", "sparsity_rows", "thread_rows"]

#: precision of data and model: Buckwild!'s D and M
SIGNATURES = ((32, 32), (16, 16), (8, 16), (8, 8))
Row = tuple[object, ...]


def thread_rows(options: Mapping[str, Any], batch: int, rounds: int) -> Iterable[Row]:
    """Yield mode, threads, signature, samples per second, numbers per second (1e9), the speed-up
    over one thread in single precision, and the excess loss at the end.

    Medians over as many seeds as there are rounds; every configuration takes its turn in each.
    """
    workload = _opened(options)
    choices: list[dict[str, Any]] = [
        {"mode": mode, "threads": threads, "data_bits": data, "model_bits": model}
        for mode in ("hogwild", "locked", "synchronous")
        for threads in thread_choices(None)
        for data, model in SIGNATURES
    ]
    for one in choices:
        one["batch"] = batch if one["mode"] == "synchronous" else 1
    found = _measured(workload, choices, rounds)
    base = found[0][0]
    numbers = workload.sparsity["nonzeros"] / len(workload.problem.y)
    for one, (rate, excess) in zip(choices, found, strict=True):
        signature = f"D{one['data_bits']}M{one['model_bits']}"
        yield (
            one["mode"], one["threads"], signature, rate, rate * numbers / 1e9, rate / base, excess,
        )  # fmt: skip


def sparsity_rows(
    samples: int, features: int, numbers: Sequence[int], rounds: int
) -> Iterable[Row]:
    """Yield numbers per sample, delta, rho, samples per second by one and by all threads, their
    ratio, and the excess loss at the end of both.
    """
    for nonzeros in numbers:
        workload = _opened(
            {"samples": samples, "features": features, "nonzeros": nonzeros, "epochs": 10}
        )
        choices = [{"threads": 1}, {"threads": max(thread_choices(None))}]
        (alone, end_alone), (all_, end_all) = _measured(workload, choices, rounds)
        yield (
            nonzeros, workload.sparsity["delta"], workload.sparsity["rho"], alone, all_,
            all_ / alone, end_alone, end_all,
        )  # fmt: skip


def rounding_rows(options: Mapping[str, Any], reach: float, rounds: int) -> Iterable[Row]:
    """Yield signature, rounding, samples per second of one thread, and the excess loss at the end."""
    workload = _opened(options)
    choices: list[dict[str, Any]] = [{"data_bits": 32, "model_bits": 32}]
    choices += [
        {"data_bits": 8, "model_bits": bits, "rounding": rounding, "range": reach}
        for bits in (16, 8)
        for rounding in ("nearest", "fresh", "shared")
    ]
    for one, (rate, excess) in zip(choices, _measured(workload, choices, rounds), strict=True):
        yield (f"D{one['data_bits']}M{one['model_bits']}", one.get("rounding"), rate, excess)


def _opened(options: Mapping[str, Any]) -> HogwildWorkload:
    return HogwildWorkload(HogwildOptions(**options).model_dump())


def _measured(
    workload: HogwildWorkload, choices: Sequence[Mapping[str, Any]], rounds: int
) -> list[tuple[float, float]]:
    """Return the median samples per second and the median excess loss of each choice."""
    space = hogwild_space(None)
    jobs = [workload.build(space.settle({**space.default(), **one})) for one in choices]
    rates: list[list[float]] = [[] for _ in jobs]
    ends: list[list[float]] = [[] for _ in jobs]
    for seed in range(rounds):
        for place, job in enumerate(jobs):
            last = None
            for event in job.train(seed, TrainingClock()):
                if event.metric == "excess_loss":
                    last = event
            if last is not None and last.train_s:
                rates[place].append((last.step or 0) / last.train_s)
                ends[place].append(last.value)
    return [
        (statistics.median(rate), statistics.median(end))
        for rate, end in zip(rates, ends, strict=True)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_train.hogwild.tables")
    names = parser.add_subparsers(dest="table", required=True)
    for name, words in (
        ("threads", "throughput and convergence by mode, threads and precision"),
        ("sparsity", "throughput of a race by how often samples meet"),
        ("rounding", "where low precision ends, by rounding"),
    ):
        one = names.add_parser(name, help=words)
        one.add_argument("--samples", type=int, default=20_000)
        one.add_argument("--features", type=int, default=10_000)
        one.add_argument("--rounds", type=int, default=5)
        if name != "sparsity":
            one.add_argument("--nonzeros", type=int, default=40)
            one.add_argument("--epochs", type=int, default=20)
        if name == "threads":
            one.add_argument("--batch", type=int, default=256, help="of mode synchronous")
        if name == "rounding":
            one.add_argument("--range", type=float, default=8.0)
    chosen = parser.parse_args(arguments)
    if chosen.table == "sparsity":
        write_table(
            [
                "numbers",
                "delta",
                "rho",
                "1 thread/s",
                "all/s",
                "speed-up",
                "excess 1",
                "excess all",
            ],
            sparsity_rows(chosen.samples, chosen.features, (5, 20, 80, 320), chosen.rounds),
        )
        return
    options = {
        "samples": chosen.samples, "features": chosen.features, "nonzeros": chosen.nonzeros,
        "epochs": chosen.epochs,
    }  # fmt: skip
    if chosen.table == "threads":
        write_table(
            ["mode", "threads", "signature", "samples/s", "GNPS", "speed-up", "excess"],
            thread_rows(options, chosen.batch, chosen.rounds),
        )
    else:
        write_table(
            ["signature", "rounding", "samples/s", "excess"],
            rounding_rows(options, chosen.range, chosen.rounds),
        )


if __name__ == "__main__":
    main()

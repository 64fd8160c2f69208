"""Runs on known landscapes: small ones to compute by hand, and a made-up shoot-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import hypergeom
from small_results import Results, trial

from daybreak.records import Trial
from daybreak.store import StudyRow

__all__ = ["landscape_row", "scored_study", "shootout"]


def landscape_row(
    name: str,
    values: Sequence[float],
    failures: int = 0,
    *,
    seconds: float | None = 2.0,
    n: int = 0,
) -> dict[str, Any]:
    """The row of a landscape to be minimized; the baseline from the hypergeometric distribution."""
    ordered = np.sort(np.asarray(values, dtype=float))
    good, total = len(ordered), len(ordered) + failures
    expected = []
    for draws in range(1, (n or total) + 1):
        # P(the best is the i-th) = P(one of the first i drawn) - P(one of the first i - 1 drawn)
        none = [float(hypergeom.pmf(0, total, i, draws)) for i in range(good + 1)]
        weights = -np.diff(none)
        expected.append(float((weights * ordered).sum() / weights.sum()))
    return {
        "benchmark": name,
        "configurations": total,
        "failures": failures,
        "optimum": float(ordered[0]),
        "median": float(np.median(ordered)),
        "worst": float(ordered[-1]),
        "seconds_mean": seconds,
        "expected": expected,
    }


def scored_study(
    run: Results,
    trials: Sequence[Trial | float | None],
    *,
    optimizer: str,
    benchmark: str,
    seed: int,
    budget: int | None = None,
    status: str = "finished",
) -> str:
    """Write a study of trials, or of their objectives, with a budget."""
    study_id = f"{run.run_id}/{benchmark}/{optimizer}/{seed}"
    run.writer.study(
        StudyRow(
            study_id=study_id,
            study_key=study_id,
            benchmark=benchmark,
            target="toy",
            optimizer=optimizer,
            component=optimizer,
            seed=seed,
            budget={"evaluations": len(trials) if budget is None else budget},
        )
    )
    for number, one in enumerate(trials):
        run.writer.trial(study_id, one if isinstance(one, Trial) else trial(number, one))
    run.writer.study_status(study_id, status)
    return study_id


def shootout(
    folder: Path,
    skills: Mapping[str, float],
    *,
    benchmarks: int = 4,
    seeds: int = 30,
    budget: int = 60,
    size: int = 1000,
    failing: float = 0.2,
    run_id: str = "r1",
) -> Path:
    """Write a run in which an optimizer of skill k draws k times and takes the best of these.

    Skill 1 is random search with replacement; below 1 it takes the worse of two as often as that
    lacks.
    """
    rng = np.random.default_rng(5)
    run = Results(folder, run_id, suite="optimizers")
    for b in range(benchmarks):
        name = f"toy/space-{b}"
        values = np.exp(rng.normal(0, 0.5, size)) + 0.5 + b
        fails = rng.random(size) < failing
        run.benchmark(name)
        run.writer.landscape(
            landscape_row(name, values[~fails], int(fails.sum()), n=min(size, budget))
        )
        for label, skill in skills.items():
            for seed in range(seeds):
                own = np.random.default_rng([b, seed, round(1000 * skill)])
                trials, clock = [], 0.0
                for number in range(budget):
                    pool = own.integers(0, size, max(1, round(skill * (1 + number / 10))))
                    if skill < 1:
                        pool = own.integers(0, size, 2)
                    ranked = sorted(pool, key=lambda i: values[i] + 9 * fails[i])
                    pick = ranked[-1 if own.random() > skill else 0]
                    clock += float(values[pick])
                    trials.append(
                        trial(
                            number,
                            None if fails[pick] else float(values[pick]),
                            elapsed_s=clock,
                            ask_s=0.001 * skill * (1 + number),
                            tell_s=0.001,
                            proposal={
                                "source": "design" if number < 10 else "model",
                                "duplicates": int(own.integers(0, 2)),
                                "infeasible": 0,
                                "mean": float(values[pick] * own.normal(1, 0.1)),
                                "deviation": float(0.1 * values[pick]),
                                "feasibility": 0.9,
                                "acquisition": float(1 / (1 + number)),
                                "lengthscales": {"x": 1.0 + number / 50, "y": 0.3},
                                "importance": {"x": 0.7, "y": 0.3},
                            },
                        )
                    )
                scored_study(run, trials, optimizer=label, benchmark=name, seed=seed)
    return run.done()

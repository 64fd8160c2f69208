"""Which results of two optimizers belong together, and what their comparison says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from daybreak.analysis.comparison import Comparison, compare_pairs
from daybreak.errors import UserError, nearest

__all__ = ["ALL", "PairedComparison", "compare"]

#: Stands for all benchmarks of a run together.
ALL = "(all)"

# the best of each study; one row per study. Only studies that ended: a half-done one is no pair.
_BESTS = """
    SELECT s.run_id, s.benchmark, s.seed, s.optimizer, any_value(s.direction) AS direction,
           CASE WHEN any_value(s.direction) = 'maximize' THEN max(t.objective)
                ELSE min(t.objective) END AS best
    FROM studies s LEFT JOIN trials t
      ON t.study_id = s.study_id AND t.status IN ('ok', 'stopped') AND isfinite(t.objective)
    WHERE s.role = 'optimizer' AND s.status IN ('finished', 'exhausted', 'failed')
    GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """The comparison of two optimizers on one benchmark, or on all of them together.

    `missing_a` and `missing_b` count pairs in which that side alone has no valid result; they are
    left out of the ratio, and must be read beside it.
    """

    benchmark: str
    comparison: Comparison
    missing_a: int
    missing_b: int


def compare(
    a: str,
    b: str,
    results: str | Path = "results",
    *,
    run: str | None = None,
    level: float = 0.05,
) -> list[PairedComparison]:
    """Compare the best results of optimizers `a` and `b`, paired by benchmark and seed.

    Args:
        a: label of an optimizer.
        b: label of another.
        results: the results folder.
        run: a run's id; the newest run that has both, if None.
        level: significance level, and 1 minus the confidence of the intervals.

    Returns:
        One item per benchmark, then one for all benchmarks together (`ALL`).

    Raises:
        UserError: an optimizer's label is unknown, or no run has both.
    """
    from daybreak.analysis import query

    if a == b:
        raise UserError(f"'{a}' cannot be compared with itself", expected="two labels")
    frame = query(_BESTS, results)
    known = sorted(set(frame["optimizer"]))
    for name in (a, b):
        if name not in known:
            raise UserError(
                f"no study of optimizer '{name}' has ended in {results}",
                expected=f"one of {', '.join(known)}" if known else "results of a run",
                nearest=nearest(name, known),
                remedy='daybreak sql "SELECT DISTINCT optimizer FROM studies"',
            )
    if run is not None and run not in set(frame["run_id"]):
        raise UserError(
            f"there is no run '{run}' with ended studies in {results}",
            nearest=nearest(run, set(frame["run_id"])),
            remedy="daybreak runs list",
        )
    runs = frame.groupby("run_id")["optimizer"].agg(lambda names: {a, b} <= set(names))
    both = sorted(str(name) for name in runs.index[runs])
    if run is not None:
        both = [name for name in both if name == run]
    if not both:
        where = f"run '{run}'" if run else f"no run in {results}"
        raise UserError(
            f"{where} has no ended studies of both '{a}' and '{b}'"
            if run
            else f"{where} has ended studies of both '{a}' and '{b}'",
            expected="results that were measured in one run, on one machine, taking turns",
        )
    frame = frame[frame["run_id"] == both[-1]]
    pairs = frame[frame["optimizer"] == a].merge(
        frame[frame["optimizer"] == b], on=["benchmark", "seed", "direction"], suffixes=("_a", "_b")
    )
    columns = (pairs[name].tolist() for name in ("benchmark", "direction", "best_a", "best_b"))
    rows = [(str(n), str(d), float(x), float(y)) for n, d, x, y in zip(*columns, strict=True)]
    names = sorted({row[0] for row in rows})
    found = [_compared(n, [row for row in rows if row[0] == n], level) for n in names]
    return [*found, _compared(ALL, rows, level)] if len(names) != 1 else found


def _compared(
    name: str, rows: Sequence[tuple[str, str, float, float]], level: float
) -> PairedComparison:
    valid_a: list[float] = []
    valid_b: list[float] = []
    missing_a = missing_b = 0
    for _, direction, best_a, best_b in rows:
        there_a, there_b = (math.isfinite(x) and x > 0 for x in (best_a, best_b))
        if there_a and there_b:
            # oriented so that smaller is better, whatever the benchmark's direction
            valid_a.append(1 / best_a if direction == "maximize" else best_a)
            valid_b.append(1 / best_b if direction == "maximize" else best_b)
        missing_a += there_b and not there_a
        missing_b += there_a and not there_b
    comparison = compare_pairs(valid_a, valid_b, level=level)
    return PairedComparison(name, comparison, missing_a, missing_b)

"""When studies reached targets: expected running time, distribution over targets, profiles.

A target is a share of the gap between the median configuration and the optimum of a space (or the
expert's result); see the view `ecdf`. What a study spent without reaching a target counts: an
optimizer that often fails to get there must be started again.

Sources: N. Hansen and others, "COCO: a platform for comparing continuous optimizers in a black-box
setting", Optimization Methods and Software 36, 2021 (expected running time, section 3.1; empirical
distributions over targets and runs); E. Dolan, J. Moré, "Benchmarking optimization software with
performance profiles", Mathematical Programming 91, 2002; G. Dahl and others, "Benchmarking neural
network training algorithms", 2023 (AlgoPerf: profiles with the time to a target as the measure).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.analysis.queries import open_index
from daybreak.analysis.resampling import DRAWS, FEWEST_SEEDS, Interval, percentile_interval
from daybreak.analysis.summary import find_run
from daybreak.errors import UserError

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Distribution",
    "Hits",
    "Profile",
    "RunningTime",
    "distributions",
    "load_hits",
    "profiles",
    "read_hits",
    "running_times",
]

_ROWS = """
    SELECT benchmark, optimizer, seed, target_name, gap, evaluation, evaluations,
           seconds / seconds_mean AS seconds, study_s / seconds_mean AS study_s, seconds_mean
    FROM ecdf WHERE run_id = ?
"""


@dataclass(frozen=True, slots=True)
class Hits:
    """When every study reached every target, and what it spent, on both clocks.

    The clock `seconds` counts in units of the space's mean evaluation, so that slow and quick
    benchmarks can be shown together; ``seconds_mean`` turns it back into seconds.

    Attributes:
        run_id: the run.
        optimizers: labels, in alphabetical order; the first axis of the arrays.
        benchmarks: full names of those whose landscape is known; the second axis.
        seeds: all seeds; the third axis.
        targets: names, from the easiest to the hardest, `expert` last; the fourth axis.
        reached: by clock, shape as the axes say: when it was reached; inf if it was not, NaN where
            there is no such study or target.
        spent: by clock, shape without the last axis: all that the study spent.
        seconds_mean: seconds of a mean evaluation by benchmark; NaN if unknown.
    """

    run_id: str
    optimizers: tuple[str, ...]
    benchmarks: tuple[str, ...]
    seeds: tuple[int, ...]
    targets: tuple[str, ...]
    reached: dict[str, NDArray[np.float64]]
    spent: dict[str, NDArray[np.float64]]
    seconds_mean: dict[str, float]


@dataclass(frozen=True, slots=True)
class RunningTime:
    """What it costs on average until a target is reached, starting again after failures.

    Attributes:
        benchmark: full name.
        optimizer: its label.
        target: name of the target.
        studies: studies that tried.
        reached: studies that got there.
        expected: everything spent by all studies until they got there or ended, over `reached`;
            None if none did.
        interval: over seeds drawn anew; an end is None where it is unbounded.
        seconds: `expected` on the clock of the study, in seconds; None if unknown.
    """

    benchmark: str
    optimizer: str
    target: str
    studies: int
    reached: int
    expected: float | None
    interval: Interval
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Distribution:
    """The share of (study, target) pairs that are reached by each moment, arrays of shape (m,).

    `share` is that over all benchmarks, each counting alike; `low` and `high` its interval over
    seeds (NaN with too few).
    """

    optimizer: str
    moments: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Profile:
    """For which share of problems an optimizer needs at most tau times what the quickest needs.

    A problem is a target on a benchmark that any optimizer reached; the need is the expected
    running time. `share[i]` belongs to `taus[i]`; `solved` is the share ever reached.
    """

    optimizer: str
    taus: NDArray[np.float64]
    share: NDArray[np.float64]
    solved: float
    problems: int


def load_hits(
    results: str | Path = "results", run: str | None = None, benchmark: str | None = None
) -> Hits:
    """Read when the studies of a run reached their targets; arguments as for `load_curves`.

    Raises:
        StoreError: there is no such run, or no results at all.
        UserError: no benchmark's landscape is known.
    """
    results = Path(results)
    with open_index(results) as index:
        return read_hits(index, find_run(index, results, run).run_id, benchmark)


def read_hits(index: duckdb.DuckDBPyConnection, run_id: str, benchmark: str | None = None) -> Hits:
    """Read the hits of run `run_id` from an open index; otherwise as `load_hits`."""
    import fnmatch

    import numpy as np

    rows: list[tuple[Any, ...]] = index.execute(_ROWS, [run_id]).fetchall()
    if benchmark is not None:
        rows = [r for r in rows if r[0] == benchmark or fnmatch.fnmatchcase(r[0], benchmark)]
    if not rows:
        raise UserError(
            f"no benchmark of run '{run_id}' has a known landscape"
            + (f" and fits '{benchmark}'" if benchmark else ""),
            expected="recorded spaces, such as those of the target `replay`",
            remedy="use thresholds of the suite: daybreak sql 'FROM time_to_target'",
        )
    benchmarks, optimizers, seeds = (sorted({row[i] for row in rows}) for i in (0, 1, 2))
    gaps = {row[3]: row[4] for row in rows if row[3] != "expert"}
    targets = sorted(gaps, key=lambda name: float(gaps[name]))
    targets += ["expert"] if any(row[3] == "expert" for row in rows) else []
    places = [{name: i for i, name in enumerate(a)} for a in (optimizers, benchmarks, seeds)]
    shape = (len(optimizers), len(benchmarks), len(seeds))
    reached = {c: np.full((*shape, len(targets)), np.nan) for c in ("evaluations", "seconds")}
    spent = {c: np.full(shape, np.nan) for c in ("evaluations", "seconds")}
    means: dict[str, float] = {}
    for name, optimizer, seed, target, _, evaluation, evaluations, seconds, study_s, mean in rows:
        at = (places[0][optimizer], places[1][name], places[2][seed])
        means[name] = np.nan if mean is None else float(mean)
        spent["evaluations"][at] = evaluations
        spent["seconds"][at] = np.nan if study_s is None else study_s
        column = targets.index(target)
        reached["evaluations"][(*at, column)] = np.inf if evaluation is None else evaluation
        if mean is not None:
            reached["seconds"][(*at, column)] = np.inf if seconds is None else seconds
    return Hits(
        run_id=run_id,
        optimizers=tuple(optimizers),
        benchmarks=tuple(benchmarks),
        seeds=tuple(seeds),
        targets=tuple(targets),
        reached=reached,
        spent=spent,
        seconds_mean=means,
    )


def running_times(
    hits: Hits,
    *,
    clock: str = "evaluations",
    targets: Sequence[str] = (),
    level: float = 0.05,
    draws: int = DRAWS,
) -> list[RunningTime]:
    """Return the expected running time of every optimizer to every target on every benchmark.

    Args:
        hits: from `load_hits`.
        clock: evaluations or seconds; the latter in units of the space's mean evaluation.
        targets: names of targets; all if empty.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.
    """
    import numpy as np

    found = []
    for b, benchmark in enumerate(hits.benchmarks):
        for t, target in enumerate(hits.targets):
            if targets and target not in targets:
                continue
            for o, optimizer in enumerate(hits.optimizers):
                when = hits.reached[clock][o, b, :, t]
                tried = ~np.isnan(when)
                if not tried.any():
                    continue
                when, spent = when[tried], hits.spent[clock][o, b, tried]
                expected = _expected(when[None], spent[None])[0]
                interval = Interval(None, None)
                if len(when) >= FEWEST_SEEDS and np.isfinite(expected):
                    rng = np.random.default_rng(0)
                    picked = rng.integers(0, len(when), size=(draws, len(when)))
                    interval = percentile_interval(_expected(when[picked], spent[picked]), level)
                clocked = hits.reached["seconds"][o, b, tried, t]
                seconds = _expected(clocked[None], hits.spent["seconds"][o, b, tried][None])[0]
                seconds *= hits.seconds_mean[benchmark]
                found.append(
                    RunningTime(
                        benchmark=benchmark,
                        optimizer=optimizer,
                        target=target,
                        studies=len(when),
                        reached=int(np.isfinite(when).sum()),
                        expected=float(expected) if np.isfinite(expected) else None,
                        interval=interval,
                        seconds=float(seconds) if np.isfinite(seconds) else None,
                    )
                )
    order = {name: i for i, name in enumerate(hits.targets)}
    return sorted(
        found,
        key=lambda one: (
            one.benchmark,
            order[one.target],
            one.expected if one.expected is not None else float("inf"),
            -one.reached,
            one.optimizer,
        ),
    )


def _expected(when: NDArray[np.float64], spent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return expected running times, shape (draws,) of (draws, studies); inf if none got there."""
    import numpy as np

    there = np.isfinite(when)
    total = np.where(there, when, spent).sum(axis=1)
    with np.errstate(divide="ignore"):
        found: NDArray[np.float64] = np.where(there.any(axis=1), total / there.sum(axis=1), np.inf)
    return found


def distributions(
    hits: Hits,
    *,
    clock: str = "evaluations",
    moments: Sequence[float] = (),
    level: float = 0.05,
    draws: int = 500,
) -> list[Distribution]:
    """Return each optimizer's empirical distribution over targets and runs (ECDF).

    Args:
        hits: from `load_hits`; the expert's target takes no part, since few benchmarks have one.
        clock: evaluations or seconds (in units of the space's mean evaluation).
        moments: where it is wanted; every evaluation up to the longest study if empty.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.
    """
    import numpy as np

    used = [t for t, name in enumerate(hits.targets) if name != "expert"]
    at = np.asarray(moments, dtype=np.float64)
    if not len(at):
        longest = np.nanmax(hits.spent["evaluations"], initial=1)
        at = np.arange(1.0, float(longest) + 1)
    found = []
    for o, optimizer in enumerate(hits.optimizers):
        rng = np.random.default_rng(0)
        total, sums, count, fewest = np.zeros(len(at)), np.zeros((draws, len(at))), 0, 0
        for b in range(len(hits.benchmarks)):
            when = hits.reached[clock][o, b][:, used]
            when = when[~np.isnan(when).all(axis=1)]
            if not len(when):
                continue
            # the share of targets that each study has reached by each moment, (studies, moments)
            shares = (when[:, :, None] <= at).mean(axis=1)
            total += shares.mean(axis=0)
            picked = rng.integers(0, len(when), size=(draws, len(when)))
            weights = np.stack([np.bincount(p, minlength=len(when)) for p in picked])
            sums += weights @ shares / len(when)
            count, fewest = count + 1, min(fewest or len(when), len(when))
        if not count:
            continue
        low, high = np.quantile(sums / count, [level / 2, 1 - level / 2], axis=0)
        if fewest < FEWEST_SEEDS:
            low, high = np.full(len(at), np.nan), np.full(len(at), np.nan)
        found.append(Distribution(optimizer, at, total / count, low, high))
    return found


def profiles(
    hits: Hits, *, clock: str = "evaluations", taus: Sequence[float] = ()
) -> list[Profile]:
    """Return each optimizer's performance profile over (benchmark, target) problems.

    Args:
        hits: from `load_hits`.
        clock: evaluations or seconds.
        taus: factors from 1 on; if empty, every factor at which a profile steps.

    Optimizers without studies on a problem count as not having solved it: compare profiles only of
    those that ran on every benchmark.
    """
    import numpy as np

    need = _need(hits, clock)
    best = np.min(need, axis=0, initial=np.inf)
    solved = np.isfinite(best)
    with np.errstate(invalid="ignore"):
        ratios = need[:, solved] / best[solved]
    steps = np.unique(ratios[np.isfinite(ratios)])
    at = np.asarray(taus, dtype=np.float64) if len(taus) else np.unique(np.append(steps, 1.0))
    return [
        Profile(
            optimizer=optimizer,
            taus=at,
            # rounding must not cost the quickest its 1
            share=(ratios[o][:, None] <= at * (1 + 1e-12)).mean(axis=0)
            if solved.any()
            else np.zeros(len(at)),
            solved=float(np.isfinite(ratios[o]).mean()) if solved.any() else 0.0,
            problems=int(solved.sum()),
        )
        for o, optimizer in enumerate(hits.optimizers)
    ]


def _need(hits: Hits, clock: str) -> NDArray[np.float64]:
    """Return expected running times, shape (optimizers, problems); inf where never reached."""
    import numpy as np

    reached, spent = hits.reached[clock], hits.spent[clock]
    tried = ~np.isnan(reached)
    there = np.isfinite(reached)
    cost = np.where(there, reached, np.where(tried, spent[..., None], 0.0)).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        need = np.where(there.any(axis=2), cost / there.sum(axis=2), np.inf)
    found: NDArray[np.float64] = need.reshape(len(hits.optimizers), -1)
    return found

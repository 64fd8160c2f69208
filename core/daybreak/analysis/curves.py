"""The studies of a run as arrays: what each had found after each of its evaluations."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.analysis.hypervolume import coverages, several_objectives
from daybreak.analysis.queries import open_index
from daybreak.analysis.summary import find_run
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CLOCKS", "Curves", "load_curves"]

#: What may be counted: evaluations, or seconds in units of random search's mean evaluation.
CLOCKS = ("evaluations", "seconds")

# the best of each study after each evaluation, and what it ended as
_BESTS = """
    SELECT b.optimizer, b.benchmark, b.seed, b.evaluation, b.best, b.elapsed_s, s.status
    FROM best_so_far b JOIN studies s ON s.study_id = b.study_id
    WHERE b.run_id = ?
    ORDER BY s.study_no, b.evaluation
"""
_SCORES = {
    "evaluations": "SELECT optimizer, benchmark, seed, evaluation AS moment, score, baseline "
    "FROM score WHERE run_id = ?",
    "seconds": "SELECT optimizer, benchmark, seed, random_evaluations AS moment, score, baseline "
    "FROM score_by_time WHERE run_id = ?",
}


@dataclass(frozen=True, slots=True)
class Curves:
    """All studies of a run's optimizers, up to its largest number of evaluations n.

    Attributes:
        run_id: the run.
        suite: its suite.
        optimizers: labels, in alphabetical order; the first axis of the arrays.
        benchmarks: full names, in alphabetical order; the second axis.
        seeds: all seeds; the third axis.
        loss: best so far, shape (optimizers, benchmarks, seeds, n), in the objective's unit,
            negated where more is better; with several objectives the share of the joint front's
            hypervolume (see `daybreak.analysis.hypervolume`), negated; inf before the first success; NaN where a study did not
            get so far. A study that ended early, exhausted or broken down, keeps its best.
        score: score after as many evaluations, same shape (see the view `score`); NaN where there
            is no study or no landscape.
        score_by_time: score when random search is done with as many evaluations (see the view
            `score_by_time`), same axes; its last axis may be longer.
        elapsed_s: the studies' clocks, same shape as `loss`; NaN as there.
        directions: minimize or maximize, by benchmark; of the first objective.
        units: unit of the first objective, by benchmark.
        baseline: what random search is expected to have found, shape (benchmarks, n), with the sign
            of `loss`; NaN where unknown, or beyond what any study evaluated.
        landscapes: optimum and worst, with the sign of `loss`, of benchmarks whose whole space is
            known.
    """

    run_id: str
    suite: str
    optimizers: tuple[str, ...]
    benchmarks: tuple[str, ...]
    seeds: tuple[int, ...]
    loss: NDArray[np.float64]
    score: NDArray[np.float64]
    score_by_time: NDArray[np.float64]
    elapsed_s: NDArray[np.float64]
    directions: Mapping[str, str]
    units: Mapping[str, str | None]
    baseline: NDArray[np.float64]
    landscapes: Mapping[str, tuple[float, float]]

    @property
    def evaluations(self) -> int:
        """The largest number of evaluations of any study."""
        return int(self.loss.shape[-1])

    def scores(self, clock: str = "evaluations") -> NDArray[np.float64]:
        """Return scores by one of `CLOCKS`, shape (optimizers, benchmarks, seeds, moments)."""
        return self.score if clock == "evaluations" else self.score_by_time

    def scored(self) -> Curves:
        """Return the benchmarks alone whose landscape is known.

        Raises:
            UserError: there is none.
        """
        kept = [name for name in self.benchmarks if name in self.landscapes]
        if not kept:
            raise UserError(
                f"no benchmark of run '{self.run_id}' has a known landscape, so there is no score",
                expected="recorded spaces, such as those of the target `replay`",
                remedy="compare best results instead: daybreak compare A B",
            )
        return self._on([self.benchmarks.index(name) for name in kept])

    def _on(self, chosen: Sequence[int]) -> Curves:
        rows = list(chosen)
        return replace(
            self,
            benchmarks=tuple(self.benchmarks[i] for i in rows),
            loss=self.loss[:, rows],
            score=self.score[:, rows],
            score_by_time=self.score_by_time[:, rows],
            elapsed_s=self.elapsed_s[:, rows],
            baseline=self.baseline[rows],
        )

    def benchmark(self, name: str) -> Curves:
        """Return one benchmark alone, by its full name."""
        return self._on([self.benchmarks.index(name)])

    def index(self, optimizer: str) -> int:
        """Return where `optimizer` stands on the first axis.

        Raises:
            UserError: the run has no such optimizer.
        """
        if optimizer not in self.optimizers:
            raise UserError(
                f"run '{self.run_id}' has no optimizer '{optimizer}'",
                expected=f"one of {', '.join(self.optimizers)}",
                nearest=nearest(optimizer, self.optimizers),
            )
        return self.optimizers.index(optimizer)


def load_curves(
    results: str | Path = "results", run: str | None = None, benchmark: str | None = None
) -> Curves:
    """Read the curves of a run.

    Args:
        results: the results folder.
        run: a run's id, the beginning of just one, or a suite's name; the newest run if None.
        benchmark: a full name or a shell pattern; all benchmarks if None.

    Raises:
        StoreError: there is no such run, or no results at all.
        UserError: nothing was evaluated, or no benchmark fits.
    """
    results = Path(results)
    with open_index(results) as index:
        chosen = find_run(index, results, run)
        return read_curves(index, chosen.run_id, chosen.suite, benchmark)


def read_curves(
    index: duckdb.DuckDBPyConnection, run_id: str, suite: str, benchmark: str | None = None
) -> Curves:
    """Read the curves of run `run_id` from an open index; otherwise as `load_curves`."""
    import numpy as np

    bests = _columns(index, _BESTS, run_id)
    known = sorted(set(bests["benchmark"].tolist()))
    benchmarks = [n for n in known if benchmark is None or n == benchmark or _fits(n, benchmark)]
    if not benchmarks:
        raise UserError(
            f"run '{run_id}' has no evaluations"
            + (f" on a benchmark '{benchmark}'" if benchmark and known else ""),
            expected=f"one of {', '.join(known)}" if known else None,
            nearest=nearest(benchmark, known) if benchmark else None,
        )
    optimizers = sorted(set(bests["optimizer"].tolist()))
    seeds = sorted(set(bests["seed"].tolist()))
    axes = tuple({name: i for i, name in enumerate(a)} for a in (optimizers, benchmarks, seeds))
    told = {
        name: (direction, unit)
        for name, direction, unit in index.execute(
            "SELECT DISTINCT benchmark, direction, objective_unit FROM studies WHERE run_id = ?",
            [run_id],
        ).fetchall()
    }
    signs = np.asarray([-1.0 if told[name][0] == "maximize" else 1.0 for name in benchmarks])
    places, kept = _places(bests, axes)
    evaluation = bests["evaluation"][kept].astype(np.int64)
    shape = (len(optimizers), len(benchmarks), len(seeds), int(evaluation.max()))
    loss, elapsed = np.full(shape, np.nan), np.full(shape, np.nan)
    best = bests["best"][kept]
    loss[(*places, evaluation - 1)] = np.where(np.isnan(best), np.inf, best * signs[places[1]])
    elapsed[(*places, evaluation - 1)] = bests["elapsed_s"][kept]
    several = _shares(index, run_id, axes, loss)
    ended = np.zeros(shape[:3], dtype=bool)
    ended[places] = np.isin(bests["status"][kept].astype(str), ("exhausted", "failed"))
    score, baseline = _scores(index, "evaluations", run_id, axes, shape)
    landscapes = {
        name: (float(optimum) * signs[axes[1][name]], float(worst) * signs[axes[1][name]])
        for name, optimum, worst in index.execute(
            "SELECT benchmark, optimum, worst FROM landscapes WHERE run_id = ?", [run_id]
        ).fetchall()
        if name in axes[1] and optimum is not None and worst is not None and name not in several
    }
    score[:, [axes[1][name] for name in several]] = np.nan
    by_time = _scores(index, "seconds", run_id, axes, shape)[0]
    by_time[:, [axes[1][name] for name in several]] = np.nan
    return Curves(
        run_id=run_id,
        suite=suite,
        optimizers=tuple(optimizers),
        benchmarks=tuple(benchmarks),
        seeds=tuple(seeds),
        loss=_held(loss, ended),
        score=score,
        score_by_time=by_time,
        elapsed_s=elapsed,
        directions={name: told[name][0] for name in benchmarks},
        units={name: told[name][1] for name in benchmarks},
        baseline=baseline * signs[:, None],
        landscapes=landscapes,
    )


def _shares(
    index: duckdb.DuckDBPyConnection,
    run_id: str,
    axes: Sequence[Mapping[Any, int]],
    loss: NDArray[np.float64],
) -> list[str]:
    """Put shares of joint fronts in the place of losses; return the benchmarks with several objectives."""
    import numpy as np

    several = [name for name in several_objectives(index, run_id) if name in axes[1]]
    for name in several:
        own = loss[:, axes[1][name]]
        own[~np.isnan(own)] = np.inf  # nothing gave all objectives
    for one in coverages(index, run_id, several) if several else ():
        for study in one.studies:
            place = (axes[0][study.optimizer], axes[1][one.benchmark], axes[2][study.seed])
            loss[place][: len(study.share)] = -study.share
    return several


def _columns(index: duckdb.DuckDBPyConnection, sql: str, run_id: str) -> dict[str, NDArray[Any]]:
    """Return a query's columns; NULL is NaN where numbers are asked for, and they are floats."""
    import numpy as np

    found: dict[str, NDArray[Any]] = {}
    for name, column in index.execute(sql, [run_id]).fetchnumpy().items():
        if np.ma.isMaskedArray(column):
            column = np.ma.filled(column.astype(np.float64), np.nan)
        found[name] = np.asarray(column)
    return found


def _fits(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)


def _places(
    columns: Mapping[str, NDArray[Any]], axes: Sequence[Mapping[Any, int]]
) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.bool_]]:
    """Return the rows' places on the first three axes, and which rows have one."""
    import numpy as np

    found = []
    for name, axis in zip(("optimizer", "benchmark", "seed"), axes, strict=True):
        values, inverse = np.unique(columns[name], return_inverse=True)
        found.append(np.asarray([axis.get(x, -1) for x in values.tolist()], dtype=int)[inverse])
    kept = np.min(found, axis=0) >= 0 if len(found[0]) else np.zeros(0, dtype=bool)
    return tuple(place[kept] for place in found), kept


def _scores(
    index: duckdb.DuckDBPyConnection,
    clock: str,
    run_id: str,
    axes: Sequence[Mapping[Any, int]],
    shape: tuple[int, ...],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores, and the baselines by benchmark, up to the last moment of any study."""
    import numpy as np

    rows = _columns(index, _SCORES[clock], run_id)
    places, kept = _places(rows, axes)
    moment = rows["moment"][kept].astype(np.int64)
    last = max(shape[-1], int(moment.max(initial=0)))
    score, baseline = np.full((*shape[:3], last), np.nan), np.full((shape[1], last), np.nan)
    score[(*places, moment - 1)] = rows["score"][kept]
    baseline[places[1], moment - 1] = rows["baseline"][kept]
    return score, baseline


def _held(loss: NDArray[np.float64], ended: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return `loss` with the last value kept to the end, for studies that ended early."""
    import numpy as np

    lasting = np.minimum.accumulate(np.where(np.isnan(loss), np.inf, loss), axis=-1)
    begun = ~np.isnan(loss[..., :1])
    held: NDArray[np.float64] = np.where(np.isnan(loss) & ended[..., None] & begun, lasting, loss)
    return held

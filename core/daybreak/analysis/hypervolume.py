"""How much of what is possible a search with several objectives has covered: the hypervolume.

The hypervolume of a set of points is the volume that they dominate below a reference point; a set
whose front lies further ahead, or is wider, has more (E. Zitzler, L. Thiele, "Multiobjective
optimization using evolutionary algorithms", PPSN V, 1998). Everything here minimises.

To be comparable over objectives of different units it is measured on the box between the best value
of each objective on the joint front, that of all trials of a run on the benchmark, and the worst one
on that front, as 0 and 1. The reference point lies at 1.1, so that a front's ends count too
(H. Ishibuchi et al., "How to specify a reference point in hypervolume calculation for fair
performance comparison", Evolutionary Computation 26, 2018). Objectives of which all values are
positive are taken as logarithms: half the time is worth the same wherever it is saved.

A named reference (`default`, `expert`) is a point that takes no part in the joint front. It has a
share of its own, above 1 if that one point covers more than all trials together.

The view `front_share` says the same of each study's end in SQL.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.errors import UserError

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "BEYOND",
    "Coverage",
    "Covered",
    "Standing",
    "coverages",
    "growth",
    "nondominated",
    "read_coverage",
    "several_objectives",
    "volume",
]

#: how far beyond the worst of the joint front the reference point lies, in the front's extent
BEYOND = 0.1

_POINTS = """
    SELECT e.study_id, e.optimizer, e.seed, s.status, e.elapsed_s, e.status <> 'failed' AS ok,
           t.objectives::JSON::VARCHAR AS objectives
    FROM (FROM evaluations WHERE run_id = $run AND benchmark = $benchmark) e
    JOIN trials t ON t.trial_id = e.trial_id
    JOIN studies s ON s.study_id = e.study_id
    ORDER BY s.study_no, e.number
"""
_AXES = """
    SELECT benchmark, list(metric ORDER BY objective), list(unit ORDER BY objective),
           list(direction = 'maximize' ORDER BY objective)
    FROM metrics
    WHERE run_id = $run AND objective IS NOT NULL
    GROUP BY benchmark HAVING count(*) > 1
    ORDER BY benchmark
"""
_REFERENCES = """
    SELECT reference, metric, median FROM reference_values
    WHERE run_id = $run AND benchmark = $benchmark
    ORDER BY reference = 'default' DESC, reference
"""


@dataclass(frozen=True, slots=True)
class Covered:
    """One study: the share of the joint front's hypervolume after each evaluation.

    Attributes:
        optimizer: its label.
        seed: its seed.
        status: how the study ended: finished, exhausted, failed, ...
        share: shape (evaluations,), from 0 to 1.
        elapsed_s: the study's clock after each, in seconds, same shape.
        beats: names of the references that one of its trials dominates: it is at least as good in
            every objective, and better in one.
    """

    optimizer: str
    seed: int
    status: str
    share: NDArray[np.float64]
    elapsed_s: NDArray[np.float64]
    beats: tuple[str, ...] = ()

    def at(self, evaluations: int) -> float | None:
        """Return the share after so many evaluations; None if the study did not get so far.

        A study that ended by itself, exhausted or broken down, keeps what it had.
        """
        if 0 < evaluations <= len(self.share):
            return float(self.share[evaluations - 1])
        if len(self.share) and self.status in ("exhausted", "failed"):
            return float(self.share[-1])
        return None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a reference stands.

    Attributes:
        name: `default`, `expert`, ...
        values: its median of each objective, in the objective's unit.
        share: the hypervolume of this one point as a share of the joint front's; None where an
            objective is logarithmic and its value is not positive.
        beaten: whether a trial of the run dominates it.
    """

    name: str
    values: tuple[float, ...]
    share: float | None
    beaten: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """All studies of a run on one benchmark with several objectives.

    Attributes:
        benchmark: its full name.
        objectives: names of the objectives.
        logarithmic: whether each was taken as a logarithm.
        ideal: the best value of each on the joint front, in the objective's unit.
        nadir: the worst one on that front.
        front: number of different points on the joint front.
        studies: the studies, in the order of the run.
        references: the references that gave all objectives, `default` first.
    """

    benchmark: str
    objectives: tuple[str, ...]
    logarithmic: tuple[bool, ...]
    ideal: tuple[float, ...]
    nadir: tuple[float, ...]
    front: int
    studies: tuple[Covered, ...]
    references: tuple[Standing, ...] = ()


def nondominated(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the different points that no other point beats, shape (front, d), sorted."""
    import numpy as np

    ordered = np.unique(points, axis=0)
    if ordered.shape[1] == 2:
        lowest = np.minimum.accumulate(ordered[:, 1])
        kept = np.ones(len(ordered), dtype=bool)
        kept[1:] = ordered[1:, 1] < lowest[:-1]
        return np.asarray(ordered[kept])
    front: list[NDArray[np.float64]] = []
    for point in ordered:  # whoever beats a point comes before it
        if not any(bool(np.all(other <= point)) for other in front):
            front.append(point)
    return np.asarray(front).reshape(len(front), ordered.shape[1])


def volume(points: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Return the hypervolume of `points`, shape (n, d), below `reference`, shape (d,).

    Points with a coordinate that is not finite dominate nothing.

    Exact: of two objectives by a sweep; of more as the sum of what each point adds to those before
    it (L. While, L. Bradstreet, L. Barone, "A fast way of calculating exact hypervolumes", IEEE
    Transactions on Evolutionary Computation 16, 2012).
    """
    import numpy as np

    useful = np.isfinite(points) & (points < reference)
    inside = points[np.all(useful, axis=1)] if len(points) else points
    if not len(inside):
        return 0.0
    front = nondominated(inside)
    if front.shape[1] == 2:
        upper = np.concatenate([[reference[1]], front[:-1, 1]])
        return float(np.sum((reference[0] - front[:, 0]) * (upper - front[:, 1])))
    return math.fsum(_added(front[i], front[:i], reference) for i in range(len(front)))


def _added(
    point: NDArray[np.float64], others: NDArray[np.float64], reference: NDArray[np.float64]
) -> float:
    """Return the volume that `point` dominates and none of `others` does."""
    import numpy as np

    own = float(np.prod(reference - point))
    return own - volume(np.maximum(others, point), reference) if len(others) else own


def growth(points: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the hypervolume of the first 1, 2, ... n of `points`, shape (n,).

    Points with a coordinate that is not finite dominate nothing.
    """
    import numpy as np

    found = np.zeros(len(points))
    front = np.empty((0, points.shape[1]))
    total = 0.0
    for i, point in enumerate(points):
        useful = bool(np.all(np.isfinite(point)) and np.all(point < reference))
        if useful and not bool(np.any(np.all(front <= point, axis=1))):
            total += max(0.0, _added(point, front, reference))
            front = np.vstack([front[~np.all(point <= front, axis=1)], point])
        found[i] = total
    return found


def several_objectives(index: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, tuple[str, ...]]:
    """Return the objectives, by benchmark, of the run's benchmarks that have several."""
    rows = index.execute(_AXES, {"run": run_id}).fetchall()
    return {str(benchmark): tuple(metrics) for benchmark, metrics, *_ in rows}


def read_coverage(
    index: duckdb.DuckDBPyConnection, run_id: str, benchmarks: Sequence[str] | None = None
) -> list[Coverage]:
    """Return the coverage of each benchmark of run `run_id` that has several objectives.

    Benchmarks without any trial that gave all its objectives are left out.

    Args:
        index: the open index.
        run_id: the run.
        benchmarks: full names to look at; None: all.

    Raises:
        UserError: no benchmark has several objectives, or nothing gave all of them.
    """
    listed = [
        row
        for row in index.execute(_AXES, {"run": run_id}).fetchall()
        if benchmarks is None or row[0] in benchmarks
    ]
    if not listed:
        raise UserError(
            f"no benchmark of run '{run_id}' has several objectives, so there is no front to cover",
            remedy="ask about the one objective: daybreak analyze ranks",
        )
    found = coverages(index, run_id, [name for name, *_ in listed])
    if not found:
        raise UserError(f"no trial of run '{run_id}' gave all objectives of its benchmark")
    return found


def coverages(
    index: duckdb.DuckDBPyConnection, run_id: str, benchmarks: Sequence[str] | None = None
) -> list[Coverage]:
    """Return the same as `read_coverage`, nothing where there is nothing."""
    found = [
        _read(index, run_id, name, metrics, maximized)
        for name, metrics, _, maximized in index.execute(_AXES, {"run": run_id}).fetchall()
        if benchmarks is None or name in benchmarks
    ]
    return [one for one in found if one is not None]


def _read(
    index: duckdb.DuckDBPyConnection,
    run_id: str,
    benchmark: str,
    metrics: Sequence[str],
    maximized: Sequence[bool],
) -> Coverage | None:
    import numpy as np

    rows: list[tuple[Any, ...]] = index.execute(
        _POINTS, {"run": run_id, "benchmark": benchmark}
    ).fetchall()
    values = np.full((len(rows), len(metrics)), np.nan)
    for i, (*_, ok, objectives) in enumerate(rows):
        told = json.loads(objectives) if ok and objectives else {}
        numbers = [told.get(name) for name in metrics]
        if all(isinstance(x, int | float) and math.isfinite(x) for x in numbers):
            values[i] = numbers
    known = ~np.isnan(values).any(axis=1)
    if not known.any():
        return None
    logarithmic = [bool((column[known] > 0).all()) for column in values.T]
    signs = np.asarray([-1.0 if one else 1.0 for one in maximized])
    seen = values[known] * signs
    box = _Box.around(seen, nondominated(seen), logarithmic, signs)
    points = np.full_like(values, np.nan)
    points[known] = box.placed(values[known])
    whole = volume(points[known], box.reference)
    references = _references(index, run_id, benchmark, metrics)
    standings = []
    for name, own in references.items():
        place = box.placed(own)
        finite = bool(np.isfinite(place).all())
        standings.append(
            Standing(
                name,
                tuple(own.tolist()),
                volume(place[None], box.reference) / whole if finite else None,
                _dominates(seen, own * signs),
            )
        )
    studies = []
    for study in dict.fromkeys(row[0] for row in rows):
        mine = [i for i, row in enumerate(rows) if row[0] == study]
        _, optimizer, seed, status, *_ = rows[mine[0]]
        trials = values[mine] * signs
        studies.append(
            Covered(
                optimizer,
                int(seed),
                str(status),
                np.minimum(growth(points[mine], box.reference) / whole, 1.0),
                np.asarray([rows[i][4] for i in mine], dtype=np.float64),
                tuple(n for n, own in references.items() if _dominates(trials, own * signs)),
            )
        )
    return Coverage(
        benchmark,
        tuple(metrics),
        tuple(logarithmic),
        box.ideal,
        box.nadir,
        box.front,
        tuple(studies),
        tuple(standings),
    )


@dataclass(frozen=True)
class _Box:
    """The box of a joint front: where its best values are 0 and its worst ones 1.

    Attributes:
        ideal: the best value of each objective on the front, in the objective's unit.
        nadir: the worst.
        front: number of different points on it.
        reference: the reference point in the box, shape (d,).
    """

    ideal: tuple[float, ...]
    nadir: tuple[float, ...]
    front: int
    reference: NDArray[np.float64]
    _logarithmic: Sequence[bool]
    _signs: NDArray[np.float64]
    _low: NDArray[np.float64]
    _extent: NDArray[np.float64]

    @classmethod
    def around(
        cls,
        seen: NDArray[np.float64],
        joint: NDArray[np.float64],
        logarithmic: Sequence[bool],
        signs: NDArray[np.float64],
    ) -> _Box:
        """Return the box around the front `joint` of the points `seen`, both minimised."""
        import numpy as np

        ends = np.stack([joint.min(axis=0), joint.max(axis=0), seen.max(axis=0)]) * signs
        low, high, worst = _scaled(ends, logarithmic) * signs
        # a front that is a single value in some objective has no extent there: all that was seen,
        # then
        extent = np.where(high > low, high - low, worst - low)
        extent[extent <= 0] = 1.0
        return cls(
            tuple(ends[0].tolist()),
            tuple(ends[1].tolist()),
            len(joint),
            np.where(high > low, 1.0, 0.0) + BEYOND,
            logarithmic,
            signs,
            low,
            extent,
        )

    def placed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values in the objectives' units as points of the box; NaN where they are none."""
        found: NDArray[np.float64] = (
            _scaled(values, self._logarithmic) * self._signs - self._low
        ) / self._extent
        return found


def _scaled(values: NDArray[np.float64], logarithmic: Sequence[bool]) -> NDArray[np.float64]:
    import numpy as np

    found = values.copy()
    for i, one in enumerate(logarithmic):
        if one:
            own = values[..., i]
            found[..., i] = np.log(np.where(own > 0, own, np.nan))
    return found


def _dominates(points: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether one of `points` is nowhere worse than `other` and somewhere better; NaN never."""
    import numpy as np

    better = np.all(points <= other, axis=1) & np.any(points < other, axis=1)
    return bool(better.any())


def _references(
    index: duckdb.DuckDBPyConnection, run_id: str, benchmark: str, metrics: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return the medians of the references that have one of every objective, shape (d,) each."""
    import numpy as np

    told: dict[str, dict[str, float]] = {}
    for name, metric, median in index.execute(
        _REFERENCES, {"run": run_id, "benchmark": benchmark}
    ).fetchall():
        if median is not None:
            told.setdefault(str(name), {})[metric] = float(median)
    return {
        name: np.asarray([own[metric] for metric in metrics])
        for name, own in told.items()
        if all(metric in own for metric in metrics)
    }

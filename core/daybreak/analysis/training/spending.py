"""At what cost: dollars and joules to target, and who is neither slower nor dearer than another.

Costs are expected running costs: what all runs spent until they got there or ended, over those that
got there, as for time. Where there is no price or no energy counter there is no cost, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daybreak.analysis.resampling import DRAWS, Interval
from daybreak.analysis.training.runs import Timings
from daybreak.analysis.training.times import TimeToTarget, times_to_target

__all__ = ["Cost", "costs", "front"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What it costs an entry to get to a target.

    Attributes:
        benchmark: full name.
        target: name of the threshold.
        entry: what is compared.
        clock: the clock of `time`.
        runs: runs that tried.
        reached: runs that got there.
        time: expected running time; None if no run got there.
        time_interval: by the bootstrap over runs.
        dollars: expected dollars; None if no run got there or has a price.
        dollars_interval: likewise.
        joules: expected joules; None if no run got there or counted energy.
        joules_interval: likewise.
        front: whether no other entry is at least as quick and as cheap, and better in one; None
            where cost is unknown. Dollars count, joules where no entry has dollars.
        missing: runs that are missing for intervals.
    """

    benchmark: str
    target: str
    entry: str
    clock: str
    runs: int
    reached: int
    time: float | None
    time_interval: Interval
    dollars: float | None
    dollars_interval: Interval
    joules: float | None
    joules_interval: Interval
    front: bool | None
    missing: int


def costs(
    timings: Timings, clock: str | None = None, *, level: float = 0.05, draws: int = DRAWS
) -> list[Cost]:
    """Return what every entry costs on every target, the quickest first.

    Args:
        timings: from `load_timings`.
        clock: the clock to set against cost; the usual one if None.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: no run recorded the clock.
    """
    times = times_to_target(timings, clock, level=level, draws=draws)
    spent: dict[str, dict[tuple[str, str, str], TimeToTarget]] = {}
    for kind in ("dollars", "joules"):
        has = any(kind in one.spent for one in timings.rows)
        own = times_to_target(timings, kind, level=level, draws=draws) if has else []
        spent[kind] = {(one.benchmark, one.target, one.entry): one for one in own}
    found = []
    for one in times:
        key = (one.benchmark, one.target, one.entry)
        # a cost that only some of the runs recorded is not that of the entry
        dollars, joules = (
            cost if cost is not None and cost.runs == one.runs else None
            for cost in (spent[kind].get(key) for kind in ("dollars", "joules"))
        )
        found.append(
            Cost(
                benchmark=one.benchmark,
                target=one.target,
                entry=one.entry,
                clock=one.clock,
                runs=one.runs,
                reached=one.reached,
                time=one.expected,
                time_interval=one.expected_interval,
                dollars=None if dollars is None else dollars.expected,
                dollars_interval=_interval(dollars),
                joules=None if joules is None else joules.expected,
                joules_interval=_interval(joules),
                front=None,
                missing=one.missing,
            )
        )
    return _with_front(found)


def _interval(cost: TimeToTarget | None) -> Interval:
    return Interval(None, None) if cost is None else cost.expected_interval


def _with_front(found: Sequence[Cost]) -> list[Cost]:
    from dataclasses import replace

    problems: dict[tuple[str, str], list[Cost]] = {}
    for one in found:
        problems.setdefault((one.benchmark, one.target), []).append(one)
    marked: dict[tuple[str, str, str], bool] = {}
    for (benchmark, target), own in problems.items():
        kind = "dollars" if any(one.dollars is not None for one in own) else "joules"
        points = [
            (one.time, cost, one.entry)
            for one in own
            if one.time is not None and (cost := getattr(one, kind)) is not None
        ]
        beaten = front([(time, cost) for time, cost, _ in points])
        for (_, _, entry), on in zip(points, beaten, strict=True):
            marked[benchmark, target, entry] = on
    return [replace(one, front=marked.get((one.benchmark, one.target, one.entry))) for one in found]


def front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Return for each point whether no other is at most as large in both and smaller in one."""
    return [not any(a <= x and b <= y and (a < x or b < y) for a, b in points) for x, y in points]

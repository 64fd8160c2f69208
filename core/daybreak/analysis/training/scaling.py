"""What more threads, machines or samples at a time give: speed-up and efficiency over a parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.analysis.resampling import (
    DRAWS,
    Interval,
    affordable,
    bootstrap,
    expanded,
    percentile_interval,
)
from daybreak.analysis.training.outcomes import median_of
from daybreak.analysis.training.reasons import split
from daybreak.analysis.training.runs import Timing, Timings, labels
from daybreak.analysis.training.times import missing_runs
from daybreak.errors import UserError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ScalePoint", "known_parameters", "scaling"]


@dataclass(frozen=True, slots=True)
class ScalePoint:
    """An entry at one value of the parameter, against its smallest value (the base).

    Speed-ups are ratios of geometric means over the runs that got there, base over this one;
    an efficiency is a speed-up over ``value / base``: 1 is perfect.

    Attributes:
        benchmark: full name.
        target: name of the threshold.
        entry: what is compared, with the parameters that differ apart from this one.
        parameter: the parameter.
        value: its value here.
        base: its smallest value.
        clock: the clock of times.
        count: what progress is counted in.
        runs: runs that tried.
        reached: runs that got there.
        time: geometric mean of the time to target; None if no run got there.
        seconds: geometric mean of the seconds per epoch.
        progress: geometric mean of the epochs needed.
        speedup: in time to target.
        system: in seconds per epoch.
        statistical: in epochs needed; system x statistical = speedup.
        efficiency: of `speedup`.
        system_efficiency: of `system`.
        speedup_interval: by the bootstrap over runs of both.
        efficiency_interval: likewise.
        system_interval: of `system_efficiency`.
        communication: median share of the clock spent in communication; None if not recorded.
        missing: runs that get there that are missing for intervals, here or at the base.
    """

    benchmark: str
    target: str
    entry: str
    parameter: str
    value: float
    base: float
    clock: str
    count: str
    runs: int
    reached: int
    time: float | None
    seconds: float | None
    progress: float | None
    speedup: float | None
    system: float | None
    statistical: float | None
    efficiency: float | None
    system_efficiency: float | None
    speedup_interval: Interval
    efficiency_interval: Interval
    system_interval: Interval
    communication: float | None
    missing: int


def known_parameters(timings: Timings) -> list[str]:
    """Return parameters and facts that are numbers and differ among the runs of an entry."""
    values: dict[tuple[str, str, str], set[float]] = {}
    for one in timings.rows:
        for name, value in {**one.facts, **one.configuration}.items():
            number = _number(value)
            if number is not None and number > 0:
                values.setdefault((one.benchmark, one.entry, name), set()).add(number)
    return sorted({name for (_, _, name), own in values.items() if len(own) > 1})


def scaling(
    timings: Timings,
    parameter: str,
    clock: str | None = None,
    *,
    communication: Mapping[str, float | None] | None = None,
    level: float = 0.05,
    draws: int = DRAWS,
) -> list[ScalePoint]:
    """Return how every entry scales over `parameter`.

    Args:
        timings: from `load_timings`.
        parameter: name of a parameter of the configuration, else of a fact (`threads`, `nodes`).
        clock: a clock in seconds; the usual one if None.
        communication: by run, the share of its clock that was spent in communication.
        level: 1 minus the confidence of the intervals.
        draws: bootstrap draws.

    Raises:
        UserError: no run has the parameter with a positive number, or the clock is unfit.
    """
    clock = timings.clock(clock)
    rows = [one for one in timings.on(clock).rows if _value(one, parameter) is not None]
    if not rows:
        known = known_parameters(timings)
        raise UserError(
            f"no run of '{timings.run_id}' has a number '{parameter}'",
            expected=f"one of {', '.join(known)}" if known else "a parameter that differs",
            nearest=nearest(parameter, known),
        )
    # configurations that differ otherwise are no measure of scaling
    names = labels(rows, without=parameter)
    groups: dict[tuple[str, str, str], dict[float, list[Timing]]] = {}
    for one in rows:
        value = _value(one, parameter)
        if value is not None:
            key = (one.benchmark, one.target, names[one.run])
            groups.setdefault(key, {}).setdefault(value, []).append(one)
    found = []
    for (_, _, entry), values in sorted(groups.items()):
        count, *_ = split([one for own in values.values() for one in own], clock)
        logs = {value: _logs(own, clock, count) for value, own in sorted(values.items())}
        base = next(iter(logs))
        for value in logs:
            point = _point(values[value], logs[value], logs[base], value / base, level, draws)
            shares = [(communication or {}).get(one.run) for one in values[value]]
            fewest = min(logs[value].shape[1], logs[base].shape[1])
            found.append(
                ScalePoint(
                    benchmark=values[value][0].benchmark,
                    target=values[value][0].target,
                    entry=entry,
                    parameter=parameter,
                    value=value,
                    base=base,
                    clock=clock,
                    count=count,
                    communication=median_of(shares, level)[0],
                    missing=missing_runs(fewest),
                    **point,
                )
            )
    return found


def _value(one: Timing, parameter: str) -> float | None:
    for source in (one.configuration, one.facts):
        if parameter in source:
            number = _number(source[parameter])
            return number if number is not None and number > 0 else None
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _logs(rows: Sequence[Timing], clock: str, count: str) -> NDArray[np.float64]:
    """Return log T, log s and log E of the runs that got there, shape (3, runs)."""
    import numpy as np

    _, progress, seconds, _ = split(rows, clock, count)
    return np.stack([progress + seconds, seconds, progress])


def _point(
    rows: Sequence[Timing],
    own: NDArray[np.float64],
    base: NDArray[np.float64],
    times: float,
    level: float,
    draws: int,
) -> dict[str, Any]:
    import numpy as np

    means = np.exp(own.mean(axis=1)) if own.shape[1] else np.full(3, np.nan)
    ratios = np.full(3, np.nan)
    intervals = [Interval(None, None)] * 2
    if own.shape[1] and base.shape[1]:
        ratios = np.exp(base.mean(axis=1) - own.mean(axis=1))
        fewest = min(own.shape[1], base.shape[1])
        if not missing_runs(fewest) and own is not base:
            count = affordable(max(own.shape[1], base.shape[1]), draws)
            drawn = [
                bootstrap(
                    side.shape[1],
                    lambda picked, side=side: side[:2][:, picked].mean(axis=2).T,  # type: ignore[misc]
                    draws=count,
                    seed=seed,
                )
                for seed, side in enumerate((base, own))
            ]
            resampled = np.exp(drawn[0] - drawn[1])
            wider = expanded(level, fewest)
            intervals = [percentile_interval(resampled[:, i], wider) for i in range(2)]

    def known(value: float) -> float | None:
        return None if math.isnan(value) else float(value)

    return {
        "runs": len(rows),
        "reached": sum(one.reached for one in rows),
        "time": known(means[0]),
        "seconds": known(means[1]),
        "progress": known(means[2]),
        "speedup": known(ratios[0]),
        "system": known(ratios[1]),
        "statistical": known(ratios[2]),
        "efficiency": known(ratios[0] / times),
        "system_efficiency": known(ratios[1] / times),
        "speedup_interval": intervals[0],
        "efficiency_interval": _over(intervals[0], times),
        "system_interval": _over(intervals[1], times),
    }


def _over(interval: Interval, divisor: float) -> Interval:
    return Interval(
        *(None if end is None else end / divisor for end in (interval.low, interval.high))
    )

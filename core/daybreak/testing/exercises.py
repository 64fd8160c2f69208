"""Small problems for optimizers, and a driver that plays the study loop without measuring."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from daybreak.plugin.contracts import Optimizer, Problem, Reference
from daybreak.records import (
    TIME_TO_TARGET,
    Budget,
    Configuration,
    Curve,
    Direction,
    Event,
    FailureKind,
    Metric,
    Outcome,
    Trial,
    TrialStatus,
)
from daybreak.space import Categorical, Integer, Ordinal, Permutation, Program, Real, Space

__all__ = [
    "OUTSIDE",
    "drive",
    "failed",
    "measured",
    "problems",
    "streamed",
    "training_problem",
    "trial_of",
]

#: a reference of every problem that stands outside its space
OUTSIDE = "unscheduled"

_TIME = Metric("time", "s")
_RATE = Metric("rate", "1/s", Direction.MAXIMIZE)


def _spaces() -> dict[str, Space]:
    tiles = (1, 2, 4, 8, 16, 32, 64)
    return {
        "ordinal": Space(
            [
                Ordinal("tile_i", tiles, log=True, default=8),
                Ordinal("tile_j", tiles, log=True, default=8),
                Ordinal("unroll", (1, 2, 4, 8)),
            ],
            ["tile_i * tile_j <= 256", "tile_j % unroll == 0"],
            "ordinal",
        ),
        "permutation": Space(
            [Permutation("order", 4), Integer("threads", 1, 8)],
            ["pos(order, 0) < pos(order, 2)"],
            "permutation",
        ),
        "mixed": Space(
            [
                Real("rate", 1e-5, 1e-1, log=True, default=1e-3),
                Real("momentum", 0.0, 1.0),
                Integer("layers", 1, 12),
                Categorical("schedule", ("static", "dynamic", "guided")),
            ],
            name="mixed",
        ),
        "reals-constrained": Space(
            [Real("x", -2.0, 2.0), Real("y", -2.0, 2.0)], ["x + y <= 1"], "reals-constrained"
        ),
        "categorical": Space(
            [
                Categorical("level", ("-O0", "-O1", "-O2", "-O3")),
                Categorical("vectorise", (True, False)),
                Categorical("chunk", (1, 8, 64, "auto")),
            ],
            ["vectorise == False or level in {'-O2', '-O3'}"],
            "categorical",
        ),
        "conditional": Space(
            [
                Categorical("solver", ("direct", "iterative")),
                Integer("iterations", 1, 100, when="solver == 'iterative'"),
                Real("tolerance", 1e-9, 1e-3, log=True, when="solver == 'iterative'"),
            ],
            name="conditional",
        ),
        "one-point": Space([Ordinal("tile", (8,)), Categorical("level", ("-O2",))], name="one"),
        "few-points": Space(
            [Ordinal("tile", (1, 2, 4)), Categorical("level", ("-O2", "-O3"))],
            ["tile > 1 or level == '-O2'"],
            "few",
        ),
        "program": Space(
            [Program("source", "for i in range(8): pass\n", language="python")], name="program"
        ),
    }


def problems(*, seed: int = 0, evaluations: int = 40, objectives: int = 1) -> dict[str, Problem]:
    """Return a problem for each kind of space, by name.

    Each has the reference `default`, a point of the space, and the reference `OUTSIDE`, which is
    none. With `objectives` two, the second is maximised.
    """
    made = {}
    for name, space in _spaces().items():
        inside = space.default()
        if inside not in space:
            inside = space.sample(1, 0)[0]
        made[name] = Problem(
            benchmark=f"kit/{name}",
            space=space,
            objectives=(_TIME, _RATE)[:objectives],
            seed=seed,
            budget=Budget(evaluations=evaluations),
            references=(
                Reference("default", inside),
                Reference(OUTSIDE, {"scheduled": False}, in_space=False),
            ),
        )
    return made


def measured(configuration: Configuration, problem: Problem, value: float | None = None) -> Outcome:
    """Return a good outcome: a value in [1, 2) that the configuration decides, or `value`."""
    text = repr(sorted(dict(configuration).items()))
    first = 1.0 + zlib.crc32(text.encode()) / 2**32 if value is None else value
    values: dict[str, float | None] = {}
    for metric in problem.objectives:
        better = metric.direction is Direction.MINIMIZE
        values[metric.name] = first if better or value is not None else 3.0 - first
    return Outcome(TrialStatus.OK, objectives=values, low=first, high=first)


def training_problem(problem: Problem) -> Problem:
    """Return the problem as a training job: its objective is the time to an accuracy of 0.9."""
    return replace(
        problem,
        objectives=(Metric(TIME_TO_TARGET, "s"),),
        metrics=(Metric("accuracy", "1", Direction.MAXIMIZE),),
        curve=Curve("accuracy", 0.9),
    )


def streamed(number: int, configuration: Configuration, problem: Problem) -> Outcome:
    """Return the outcome of a training job: ten epochs, quicker where `measured` is lower.

    Every third trial does not reach its target.
    """
    pace = measured(configuration, problem).low or 1.0
    goal = 0.9 if number % 3 else 0.85
    events = tuple(
        Event(
            "accuracy",
            goal * min(1.0, epoch / (5.0 * pace)),
            epoch,
            10 * epoch,
            float(epoch),
            0.1 * epoch,
            0.2 * epoch,
        )
        for epoch in range(11)
    )
    if goal < 0.9:
        return replace(failed(problem, FailureKind.NOT_REACHED), events=events)
    reached = next(event for event in events if event.value >= 0.9)
    return Outcome(
        TrialStatus.OK,
        objectives={TIME_TO_TARGET: reached.train_s},
        events=events[: reached.seq + 1],
    )


def failed(problem: Problem, kind: FailureKind = FailureKind.BUILD) -> Outcome:
    """Return a failed outcome."""
    return Outcome(
        TrialStatus.FAILED,
        failure_kind=kind,
        message=f"{kind} on purpose",
        objectives={metric.name: None for metric in problem.objectives},
    )


def trial_of(
    number: int, configuration: Configuration, outcome: Outcome, *, reference: str | None = None
) -> Trial:
    """Return a trial as an optimizer is told of it."""
    return Trial(
        number=number,
        configuration=configuration,
        outcome=outcome,
        reference=reference,
        key=f"kit-{number}",
        started_at="2020-01-01T00:00:00.000000+00:00",
        total_s=0.1,
        elapsed_s=0.1 * (number + 1),
    )


def drive(
    optimizer: Optimizer,
    problem: Problem,
    trials: int,
    *,
    batch: int = 1,
    outcome: Callable[[int, Configuration, Problem], Outcome] | None = None,
    recorded: Sequence[Trial] = (),
    check: Callable[[Configuration], Any] | None = None,
) -> list[Trial]:
    """Ask, pretend to measure and tell, until `trials` are done or the optimizer has no more.

    Args:
        optimizer: what is driven.
        problem: what it was made for.
        trials: how many at most.
        batch: how many to ask for at a time.
        outcome: gives the outcome of trial `number`; by default `measured`.
        recorded: outcomes of trials that an earlier attempt has done: told, not measured anew.
        check: called with each proposal.

    Raises:
        AssertionError: the optimizer proposed more than it was asked for.
    """
    done: list[Trial] = []
    while len(done) < trials:
        wanted = min(batch, trials - len(done))
        proposed = optimizer.ask(wanted)
        if len(proposed) > wanted:
            raise AssertionError(f"ask({wanted}) returned {len(proposed)} configurations")
        if not proposed:
            break
        told: list[Trial] = []
        for configuration in proposed:
            if check is not None:
                check(configuration)
            number = len(done) + len(told)
            if number < len(recorded):
                told.append(recorded[number])
                continue
            kept: Mapping[str, Any] = dict(configuration)
            made = measured(kept, problem) if outcome is None else outcome(number, kept, problem)
            told.append(trial_of(number, kept, made))
        optimizer.tell(told)
        done += told
    return done

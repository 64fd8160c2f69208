"""What Daybreak records and passes between its floors: plain frozen data, no behaviour.

Nothing here imports another part of Daybreak, nor any third-party package. Seconds are floats in
seconds; times of day are UTC ISO 8601 strings with microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

__all__ = [
    "TIME_TO_TARGET",
    "Budget",
    "Configuration",
    "Curve",
    "Cutoff",
    "Direction",
    "Event",
    "FailureKind",
    "HistoryChoice",
    "Limits",
    "MeasurementProtocol",
    "Metric",
    "Outcome",
    "Repeats",
    "Sample",
    "StopRule",
    "StudyPlan",
    "Threshold",
    "Trial",
    "TrialStatus",
    "Value",
]

#: A parameter's value: number, text (categorical or program), truth value or permutation.
Value: TypeAlias = "int | float | str | bool | tuple[int, ...]"
#: A value for every parameter, by name.
Configuration: TypeAlias = Mapping[str, Value]

#: The objective that is read off a progress curve: the training clock (s) at its target.
TIME_TO_TARGET = "time_to_target"


class Direction(StrEnum):
    """Which way a metric gets better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class TrialStatus(StrEnum):
    """How a trial ended."""

    OK = "ok"
    FAILED = "failed"
    #: measured, but stopped early because it was hopelessly slow; its objective is what was seen
    STOPPED = "stopped"


class FailureKind(StrEnum):
    """Why a trial failed. Never "infeasible by known constraint": that is not run at all."""

    BUILD = "build"
    CRASH = "crash"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    WRONG_RESULT = "wrong_result"
    RESOURCE = "resource"
    #: a recorded table has no such configuration
    MISSING = "missing"
    MISSING_REQUIREMENT = "missing_requirement"
    #: a progress curve ended before its target; how far it came is in the trial's events
    NOT_REACHED = "not_reached"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Metric:
    """Something measured. An objective is a metric that the optimizer sees."""

    name: str
    unit: str
    direction: Direction = Direction.MINIMIZE
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured value of one metric: repeat `i` of a trial, in the metric's unit."""

    metric: str
    value: float
    i: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One point of a progress curve inside a trial.

    `train_s` is the training clock (evaluation, checkpoints and whatever else is no part of
    training excluded), `wall_s` the wall clock; both in seconds since the measurement began, so
    `train_s <= wall_s`. Within a metric neither runs back, nor do `step` and `epoch`. `seq` is given
    by Daybreak.
    """

    metric: str
    value: float
    seq: int = 0
    step: int | None = None
    epoch: float | None = None
    train_s: float | None = None
    wall_s: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """The progress curve that a benchmark's measurement streams: it is a training job.

    Attributes:
        metric: the progress metric, among the benchmark's objectives or metrics (which give its
            unit and direction; a fraction has the unit ``1``).
        target: the value at which training counts as done, in the metric's unit; None: it has none
            of its own, so training goes on to its natural end unless a suite sets one.
        deterministic: whether the same configuration and seed give the very same values of this
            metric at the same steps (the clocks differ, of course).
    """

    metric: str
    target: float | None = None
    deterministic: bool = False


@dataclass(frozen=True, slots=True)
class StopRule:
    """Where a progress curve ends, as a suite asks for it; whichever comes first.

    Attributes:
        target: value of the progress metric; None: train on, past the benchmark's own target too.
        train_s: seconds of the training clock; None: unbounded.
        epochs: epochs; None: unbounded.
    """

    target: float | None = None
    train_s: float | None = None
    epochs: float | None = None


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A condition under which an optimizer gives a progress curve up.

    Asked once: at the first event of `metric` at or past `epoch`, `step` or `train_s` (exactly one
    of them is set). If the best value of `metric` up to and with that event is worse than `value`,
    the trial ends there.
    """

    metric: str
    value: float
    epoch: float | None = None
    step: int | None = None
    train_s: float | None = None


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often to repeat: at least `min`, at most `max`, until the interval is narrow enough.

    `ci` is the half-width of the 95 % confidence interval of the median, relative to the median.
    """

    min: int = 5
    max: int = 50
    ci: float = 0.02


@dataclass(frozen=True, slots=True)
class MeasurementProtocol:
    """How a trial is measured; part of a trial's key.

    Attributes:
        repeats: number of timed repetitions.
        warmup: untimed repetitions before the first sample, or "auto": until stable.
        timeout_s: wall seconds for one whole trial (build, verify and measure each).
        hopeless: stop repeating when the first sample is this many times worse than the best so
            far; the trial is recorded as `stopped`. None: never.
        flush_cache: evict the processor's caches before every repetition.
        interleave: measure the references again after about this many trials; 0: only at the start.
        stop: where a progress curve ends; None: at the benchmark's own target.
        seed: of everything that a session of a `seeded` benchmark draws: the study's seed; 0 for
            the others.
    """

    repeats: Repeats = field(default_factory=Repeats)
    warmup: int | str = "auto"
    timeout_s: float = 30.0
    hopeless: float | None = 10.0
    flush_cache: bool = False
    interleave: int = 10
    stop: StopRule | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker process may use.

    `memory_bytes` bounds the address space; `output_bytes` what a candidate may print;
    `file_bytes` the size of any file it writes.
    """

    memory_bytes: int | None = None
    output_bytes: int = 16 * 1024 * 1024
    file_bytes: int = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Budget:
    """When a study ends: whichever bound comes first. `seconds` counts the study's own time."""

    evaluations: int | None = None
    seconds: float | None = None
    dollars: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value whose first reaching is timed ("time to target").

    Either `relative_to` names a reference and `value` is a factor of its result (1.0: as good as
    the reference; with minimisation 1.1 allows ten per cent slower), or it is None and `value` is
    absolute in the metric's unit. `metric` None means the first objective.
    """

    name: str
    value: float
    relative_to: str | None = None
    metric: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryChoice:
    """Which earlier trials an optimizer is given before its first proposal.

    Attributes:
        benchmarks: patterns of full names; empty: the study's own benchmark. Others count where
            parameters and objectives have the same names.
        optimizers: patterns of labels; empty: any.
        runs: patterns of run ids or suites' names; empty: any but the present run.
        most: so many configurations of each benchmark at most.
    """

    benchmarks: tuple[str, ...] = ()
    optimizers: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    most: int = 500


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """One optimizer on one benchmark with one seed, as a suite asks for it.

    `benchmark` is the full name `target/benchmark[:instance]`; `name` is the part that the target
    knows. `optimizer` is the label shown to users, unique within the suite; `component` the
    registered optimizer. Options are plain JSON values, already validated. `dollars_per_hour` is
    what the machine costs, if the suite says so.
    """

    benchmark: str
    target: str
    name: str
    options: Mapping[str, Any]
    optimizer: str
    component: str
    optimizer_options: Mapping[str, Any]
    seed: int
    budget: Budget
    protocol: MeasurementProtocol
    limits: Limits = field(default_factory=Limits)
    thresholds: tuple[Threshold, ...] = ()
    batch: int = 1
    history: HistoryChoice | None = None
    dollars_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What measuring one configuration gave, before it becomes a `Trial`.

    `objectives` maps each objective's name to the median of its samples (None when failed);
    `low` and `high` bound the 95 % confidence interval of the first objective's median.
    `phases` maps `build`, `verify`, `measure` (and finer names) to seconds. `facts` are JSON values
    about the artifact (code hash, sizes, sandbox used, warm-up count); `readings` are JSON values
    read off the machine around the measurement. `simulated_s` is the sum of `build`, `verify` and
    `measure` when these are simulated (the real seconds are the fact `real_s`); None: the phases
    are the wall's.
    """

    status: TrialStatus
    failure_kind: FailureKind | None = None
    message: str | None = None
    detail: str | None = None
    objectives: Mapping[str, float | None] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    samples: tuple[Sample, ...] = ()
    events: tuple[Event, ...] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    readings: Mapping[str, Any] = field(default_factory=dict)
    simulated_s: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One proposed configuration with its outcome: what an optimizer is told and the store keeps.

    `number` counts from 0 within the study. `reference` names the reference when this trial
    measured one. `elapsed_s` is the study's own clock at the end of the trial. Where the outcome
    has simulated seconds, `total_s` and `elapsed_s` count those beside the optimizer's real ones.
    """

    number: int
    configuration: Configuration
    outcome: Outcome
    reference: str | None = None
    key: str = ""
    started_at: str = ""
    ask_s: float = 0.0
    tell_s: float = 0.0
    total_s: float = 0.0
    elapsed_s: float = 0.0
    proposal: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """Whether the first objective has a value that may be compared."""
        return self.outcome.status is not TrialStatus.FAILED

    @property
    def objective(self) -> float | None:
        """The first objective's value, or None when the trial failed."""
        return next(iter(self.outcome.objectives.values()), None) if self.ok else None

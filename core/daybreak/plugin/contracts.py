"""The contracts between Daybreak and a component: what a target and an optimizer must do.

A target's factory takes no argument; an optimizer's factory takes a `Problem` and its validated
options. Both are called in the process that uses them: the target's in the planning process (for
`benchmarks`, `define` and `check`, which must be cheap and load no data) and again in the worker
(for `open`), the optimizer's in the process that runs the study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from daybreak.plugin.specs import Isolation
from daybreak.records import (
    Budget,
    Configuration,
    Curve,
    Cutoff,
    Event,
    FailureKind,
    MeasurementProtocol,
    Metric,
    Sample,
    StopRule,
    Trial,
)
from daybreak.space import Space

__all__ = [
    "Announces",
    "Artifact",
    "Benchmark",
    "Concludes",
    "Curtails",
    "Demands",
    "Explains",
    "Installable",
    "KnowsFaults",
    "Landscape",
    "Optimizer",
    "Problem",
    "Progress",
    "Reference",
    "Rehearses",
    "Requirement",
    "Session",
    "Simulates",
    "Spends",
    "Surveyed",
    "Target",
    "Verdict",
]

#: Whatever `Session.build` returns; Daybreak only hands it back to `verify` and `measure`.
Artifact = Any

#: Told what is going on: the share of it that is done, 0 to 1 (None: unknown), and words for it.
Progress = Callable[[float | None, str], None]


@dataclass(frozen=True, slots=True)
class Reference:
    """A named configuration with a published or measured standing: `default`, `expert`.

    `in_space` is False when it stands outside the search space (an unscheduled kernel, say): the
    session must build it all the same, optimizers never see it as a point. `note` and `source`
    say where it comes from and what was changed.
    """

    name: str
    configuration: Configuration
    in_space: bool = True
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One problem on a target, for one set of options.

    Attributes:
        name: the part after `target/`, e.g. ``spmm``.
        space: the search space, clipped to this machine where the target documents it.
        objectives: what optimizers see. Several are ranked together, by the share of the joint
            front; where one number must stand for a trial (early stop, thresholds) it is the first.
        instance: short label of the data and sizes, e.g. ``airfoil-k64``; part of the full name.
        references: named configurations.
        metrics: further metrics that a measurement may yield.
        summary: one line.
        options: the options that this benchmark was defined with (JSON values, defaults filled in).
        hidden_constraints: whether configurations may fail that satisfy the known constraints.
        notes: what a reader must know, e.g. parameters that are inert here.
        curve: the progress curve, if the measurement is a training job that streams events.
        seeded: whether `MeasurementProtocol.seed` seeds whatever the session draws, so that each
            seed is a training run of its own; the seed is then part of a trial's key.
        isolation: where this benchmark's session lives; None: where the target's spec says. For
            targets whose fidelities differ: a model is asked inline, a tool runs in a worker.
    """

    name: str
    space: Space
    objectives: tuple[Metric, ...]
    instance: str = ""
    references: tuple[Reference, ...] = ()
    metrics: tuple[Metric, ...] = ()
    summary: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    hidden_constraints: bool = True
    notes: tuple[str, ...] = ()
    curve: Curve | None = None
    seeded: bool = False
    isolation: Isolation | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something a target or optimizer needs on this machine, whether it is there, and the remedy.

    `needed`: nothing works without it; else only some benchmarks need it, and `Demands` says which.
    """

    name: str
    met: bool
    detail: str = ""
    remedy: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an artifact's result equals the independent reference.

    `error` is the largest deviation in the units of `tolerance` (relative unless the message says
    otherwise).
    """

    correct: bool
    error: float | None = None
    tolerance: float | None = None
    message: str = ""


class Session(Protocol):
    """One benchmark opened in the worker: loads its data once, then answers trials.

    `identity` maps names to values that, if changed, make old trials incomparable: hash of the
    data, compiler version. `floors` maps a metric's name to a value that no honest result can
    beat (the roofline): a median beyond it fails the trial as `wrong_result`.
    """

    identity: Mapping[str, str]
    floors: Mapping[str, float]

    def build(self, configuration: Configuration) -> Artifact:
        """Compile or prepare `configuration`.

        Raises:
            BuildFailed: the compiler refuses (a hidden constraint).
            ResourceExceeded: it does not fit the device.
        """
        ...

    def verify(self, artifact: Artifact) -> Verdict:
        """Run the artifact once on known inputs and compare with an independent reference."""
        ...

    def measure(
        self, artifact: Artifact, protocol: MeasurementProtocol
    ) -> Iterator[Sample | Event]:
        """Yield one `Sample` per objective and repetition, for as long as the caller iterates.

        The caller decides about warm-up, repetition and early stop, and closes the generator when
        it has seen enough; a measurement with a natural end (a training job) just returns.

        A benchmark with a `curve` yields events of its progress metric instead, the first one
        before training where that is cheap; the objectives are read off them. Further samples and
        events of other metrics may come in between. The generator is closed where the curve ends.
        """
        ...

    def __enter__(self) -> Self:
        """Load the data."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release everything; safe to call twice."""
        ...


@runtime_checkable
class Announces(Protocol):
    """A session that says how far a long trial has come: a build that takes minutes, say.

    While a trial runs in a worker or a fork, `progress` is a function of Daybreak's, to be called
    as often as the session likes, from any of its threads; it never waits and never raises. What it
    is told is shown to people and kept nowhere, so results must not depend on it. At other times,
    and with inline isolation, `progress` is what the session put there itself: a function that does
    nothing. It must be an attribute that can be set, not a method.
    """

    progress: Progress


@runtime_checkable
class Concludes(Protocol):
    """A session that judges what training made by an independent measure."""

    def conclude(self, artifact: Artifact) -> Iterable[Sample]:
        """Return samples of further metrics, e.g. the accuracy on held-out data.

        Called once the progress curve has ended, whoever ended it (but not after it diverged),
        outside all training clocks; asked twice it says the same.

        Raises:
            WrongResult: the independent measure contradicts the curve.
        """
        ...


@runtime_checkable
class Simulates(Protocol):
    """A session whose time is not the wall's: a recorded table, an analytic model.

    No warm-up is dropped, and the trial's phases and the study's clock take the seconds given here;
    the real ones stay in the fact `real_s`.
    """

    def simulated_phases(
        self, configuration: Configuration, repetitions: int
    ) -> Mapping[str, float]:
        """Return the seconds of `build`, `verify`, `measure` for a trial.

        `repetitions` samples were taken of the first objective (0: the trial failed before). A
        phase that is left out took no time or was not reached.
        """
        ...


@dataclass(frozen=True, slots=True)
class Landscape:
    """What is known of a whole search space.

    Attributes:
        values: the first objective of every feasible configuration that succeeds, in any order
            (a list or a one-dimensional array), in the objective's unit.
        failures: number of feasible configurations that fail.
        seconds: mean simulated seconds per evaluation over all of them, if known.
    """

    values: Sequence[float]
    failures: int
    seconds: float | None = None


@runtime_checkable
class Surveyed(Protocol):
    """A session that knows its whole space, so that optimum and random search are calculated.

    Asked once after opening. Only sessions with inline isolation are asked, and only of benchmarks
    with one objective.
    """

    def landscape(self) -> Landscape | None:
        """Return what is known of the whole space; None: not all of it is known after all."""
        ...


class Target(Protocol):
    """A compiler, device or simulator that builds and measures."""

    def benchmarks(self) -> Iterable[Benchmark]:
        """List every benchmark, defined with its default options."""
        ...

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        """Return benchmark `name` for `options` (already validated); cheap, loads no data.

        Raises:
            UserError: an option's value makes no sense.
        """
        ...

    def check(self) -> Iterable[Requirement]:
        """Say what this target needs on this machine, what is missing and how to get it."""
        ...

    def open(self, benchmark: Benchmark) -> Session:
        """Return a session for `benchmark`; called in the worker."""
        ...


@runtime_checkable
class Demands(Protocol):
    """A target of which some benchmarks, or some of their options, need more than the others."""

    def demands(self, benchmark: Benchmark) -> Iterable[Requirement]:
        """Return what `benchmark` with its options needs on this machine beyond `check`.

        Asked, for the benchmarks that are to run, before anything is run.
        """
        ...


@runtime_checkable
class Installable(Protocol):
    """A target whose toolchain `daybreak targets setup NAME` can install for the user."""

    def setup(self, progress: Progress, *, force: bool = False) -> str:
        """Install the toolchain into the user's cache and return a line that says where it is.

        `progress` is called with the fraction done (or None) and what is going on.

        Raises:
            RequirementError: something needed for the installation is missing.
        """
        ...


@runtime_checkable
class Rehearses(Protocol):
    """A target that names cheap options for its benchmarks; the conformance kit uses them."""

    def rehearsal(self) -> Mapping[str, Mapping[str, Any]]:
        """Return options by benchmark with which a trial takes at most a few seconds.

        A benchmark that is left out is not rehearsed.
        """
        ...


@runtime_checkable
class KnowsFaults(Protocol):
    """A target that knows configurations which must fail; the conformance kit tries them."""

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return configurations with the kind of failure that each must end in.

        They need not lie in the search space.
        """
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """What an optimizer is made for.

    `history` holds earlier trials of this very benchmark (other runs, another machine) to start
    warm from: tell them before the first `ask`. `related` holds those of other benchmarks, by full
    name, whose parameters and objectives have the same names; their values are not comparable with
    this benchmark's, so it is for optimizers that transfer (capability `transfers`) and nobody
    else. Both are ordered from best to worst with failures last, each configuration once and in
    this space; where a trial comes from is the fact `history` of its outcome (`benchmark`, `run`,
    `optimizer`). `references` may serve as priors.
    """

    benchmark: str
    space: Space
    objectives: tuple[Metric, ...]
    seed: int
    budget: Budget
    references: tuple[Reference, ...] = ()
    hidden_constraints: bool = True
    history: Sequence[Trial] = ()
    related: Mapping[str, Sequence[Trial]] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    curve: Curve | None = None
    stop: StopRule | None = None


class Optimizer(Protocol):
    """An ask/tell strategy. It never touches the clock and draws only from its seed."""

    def ask(self, n: int = 1) -> list[Configuration]:
        """Propose up to `n` feasible configurations; an empty list ends the study (exhausted)."""
        ...

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take finished trials, failed ones too; also ones that it did not propose itself."""
        ...


@runtime_checkable
class Explains(Protocol):
    """An optimizer that says what it believed about a proposal; stored with the trial as JSON."""

    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        """Return JSON values about the proposal just made."""
        ...


@runtime_checkable
class Spends(Protocol):
    """An optimizer that spends money or tokens; the totals since its start bound the study."""

    def spent(self) -> Mapping[str, float]:
        """Return totals by clock name: `dollars`, `tokens`."""
        ...


@runtime_checkable
class Curtails(Protocol):
    """An optimizer that gives up trials whose progress curve disappoints (early stopping)."""

    def cutoffs(self, configuration: Configuration) -> Sequence[Cutoff]:
        """Return when to give `configuration` up; asked of every proposal right after `ask`.

        Asked again, in the same order, when a study is resumed. Only for benchmarks with a curve.
        """
        ...

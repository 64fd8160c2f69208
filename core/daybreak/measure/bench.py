"""The bench: where one benchmark's configurations are built, verified and measured."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from daybreak.plugin.specs import Isolation
from daybreak.records import (
    Configuration,
    Cutoff,
    Event,
    Limits,
    MeasurementProtocol,
    Metric,
    Outcome,
)

if TYPE_CHECKING:
    from daybreak.measure.announcing import Doing
    from daybreak.measure.curve import CurveSetting
    from daybreak.plugin.contracts import Landscape

__all__ = ["Bench", "BenchPlan", "OnEvents", "OnProgress", "OpenReport", "open_bench"]

#: Gets the events of a progress curve as they come, thinned when there are very many.
OnEvents = Callable[[tuple[Event, ...]], None]
#: Gets what a trial is at, if its session announces it: a few times a second at most.
OnProgress: TypeAlias = "Callable[[Doing], None]"


@dataclass(frozen=True, slots=True)
class OpenReport:
    """What opening gave.

    Attributes:
        identity: the session's identity: if it changes, old trials are not comparable.
        floors: values by metric that no honest result can beat, in the metric's unit.
        sandbox: `bubblewrap`, `namespaces` or `limits`; `inline` for no process of its own.
        seconds: wall seconds that opening took, loading of the data included.
        cpus: the processors that the worker is bound to; empty: all.
    """

    identity: dict[str, str] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)
    sandbox: str = "inline"
    seconds: float = 0.0
    cpus: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """The arguments of `open_bench`."""

    factory: str
    name: str
    options: Mapping[str, Any]
    protocol: MeasurementProtocol
    limits: Limits
    isolation: Isolation
    devices: tuple[str, ...]
    objectives: tuple[Metric, ...]
    open_timeout_s: float
    curve: CurveSetting | None = None
    caches: tuple[str, ...] = ()
    reserves: bool = False


class Bench(ABC):
    """One opened benchmark. One thread measures; `cancel` may be called from any."""

    @property
    @abstractmethod
    def opened(self) -> OpenReport:
        """What opening gave."""

    @abstractmethod
    def measure(
        self,
        configuration: Configuration,
        *,
        best: float | None = None,
        cutoffs: Sequence[Cutoff] = (),
        on_events: OnEvents | None = None,
        on_progress: OnProgress | None = None,
    ) -> Outcome:
        """Build, verify and measure `configuration`.

        Whatever the candidate does, the answer is an outcome.

        Args:
            configuration: one value per parameter.
            best: the best value of the first objective so far, for the protocol's early stop.
            cutoffs: when to give a progress curve up.
            on_events: called while a progress curve is measured in another process; it must not
                raise.
            on_progress: called with what the session announces, likewise.

        Raises:
            RequirementError: a worker had to be started again and its session now lacks something.
            PluginError: likewise, and the target fails to open, or has another identity than before.
        """

    def landscape(self) -> Landscape | None:
        """Return what the session knows of its whole space; None if it does not say.

        Only a session in Daybreak's own process is asked: a table of millions of rows is nothing to
        send over the wire, and candidates' code could forge it. What the session raises goes
        through.
        """
        return None

    @abstractmethod
    def cancel(self) -> None:
        """End the trial in progress, which then fails as `cancelled`; without one, do nothing.

        An inline trial ends at its next sample.
        """

    @abstractmethod
    def close(self) -> None:
        """End the session and all its processes, and remove its scratch folder; may be repeated."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_bench(
    *,
    factory: str,
    name: str,
    options: Mapping[str, Any],
    protocol: MeasurementProtocol,
    limits: Limits,
    isolation: Isolation,
    objectives: tuple[Metric, ...],
    devices: tuple[str, ...] = (),
    open_timeout_s: float | None = None,
    curve: CurveSetting | None = None,
    caches: tuple[str, ...] = (),
    reserves: bool = False,
) -> Bench:
    """Open benchmark `name` of the target that `factory` makes, where `isolation` says.

    Args:
        factory: dotted path ``package.module:attribute`` of the target's factory.
        name: of the benchmark, without the target's name.
        options: JSON values, already validated.
        protocol: how to measure.
        limits: of the worker and its trials; inline there are none.
        isolation: `inline`, `worker` or `fork`.
        objectives: what is optimized, the first one ranks; at least one.
        devices: labels of the target's devices; `gpu` leaves /dev open and memory unbounded.
        open_timeout_s: wall seconds for opening; default `DAYBREAK_OPEN_TIMEOUT` or 600.
        curve: the benchmark's progress curve, if it has one.
        caches: names of the target's folders that its worker may write to.
        reserves: whether memory is bounded in the data segment rather than in addresses.

    Raises:
        RequirementError: something that the target needs is missing, or memory for its data is.
        UserError: the options make no sense to the target.
        PluginError: the target cannot be opened for another reason; the message says which.
        ValueError: there is no objective.
    """
    if not objectives:
        raise ValueError("a bench needs at least one objective")
    if open_timeout_s is None:
        open_timeout_s = float(os.environ.get("DAYBREAK_OPEN_TIMEOUT") or 600.0)
    plan = BenchPlan(
        factory=factory,
        name=name,
        options=options,
        protocol=protocol,
        limits=limits,
        isolation=isolation,
        devices=tuple(devices),
        objectives=tuple(objectives),
        open_timeout_s=open_timeout_s,
        curve=curve,
        caches=tuple(caches),
        reserves=reserves,
    )
    if isolation is Isolation.INLINE:
        from daybreak.measure.inline import InlineBench

        return InlineBench(plan)
    from daybreak.measure.process import ProcessBench

    return ProcessBench(plan)

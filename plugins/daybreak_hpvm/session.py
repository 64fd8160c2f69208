"""Sessions: one for each fidelity. Both answer with metrics of the same names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from daybreak import (
    Benchmark,
    Event,
    Landscape,
    MeasurementProtocol,
    ResourceExceeded,
    Sample,
    TrialFailed,
    Verdict,
)
from daybreak_hpvm.devices import RESOURCES, Device, overflows
from daybreak_hpvm.identity import source_digest
from daybreak_hpvm.ir import Program, fingerprint, interpret
from daybreak_hpvm.problem import Problem, compare, without_hardware

__all__ = ["Design", "ModelSession", "ProblemSession", "check_fits", "samples_of"]

#: verdicts on programs that only differ in their hardware are kept
_KEPT_VERDICTS = 4096


@dataclass(frozen=True)
class Design:
    """An artifact: a transformed program with its numbers. `facts` are stored with the trial.

    Attributes:
        program: what was transformed.
        values: of every objective and metric, by name.
        outputs: what the simulated hardware put out; empty where nothing was simulated.
        facts: JSON values.
        phases: seconds by name, within `build`.
    """

    program: Program
    values: Mapping[str, float]
    outputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)


def check_fits(used: Mapping[str, float], device: Device) -> None:
    """See whether a design fits.

    Raises:
        ResourceExceeded: with the numbers that overflow.
    """
    over = overflows(used, device)
    if over:
        told = ", ".join(
            f"{n:.0f} {name.upper()} of {device.capacity[name]}" for name, n in over.items()
        )
        raise ResourceExceeded(
            f"does not fit {device.name} ({device.part}): {told}",
            detail="\n".join(
                f"{name}: {used[name]:.0f} of {device.capacity[name]}" for name in RESOURCES
            ),
            numbers=over,
        )


def samples_of(benchmark: Benchmark, values: Mapping[str, float]) -> Iterator[Sample]:
    """Yield one sample of every metric, objectives last: they complete the repetition."""
    for metric in (*benchmark.metrics, *benchmark.objectives):
        yield Sample(metric.name, values[metric.name])


class ProblemSession:
    """What both fidelities have: a benchmark, and its problem while the session is open."""

    floors: Mapping[str, float] = {}

    def __init__(self, benchmark: Benchmark) -> None:
        self._benchmark = benchmark
        self._problem: Problem | None = None
        self.identity: Mapping[str, str] = {}

    @property
    def problem(self) -> Problem:
        """The problem, once the session is open."""
        if self._problem is None:
            raise RuntimeError("the session is not open")
        return self._problem

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Forget the problem; safe to call twice."""
        self._problem = None


class ModelSession(ProblemSession):
    """The fidelity `model`: nothing is built. Its clock is the wall's: what predicting really takes."""

    def __init__(self, benchmark: Benchmark) -> None:
        super().__init__(benchmark)
        self._verdicts: dict[str, Verdict] = {}

    def __enter__(self) -> Self:
        """Draw the inputs and read the constants."""
        from daybreak_hpvm.model.constants import file_digest

        self._verdicts.clear()
        self._problem = Problem.of(self._benchmark)
        self.identity = {
            **self._problem.identity,
            "model": source_digest("model"),
            "constants": file_digest(),
        }
        return self

    def build(self, configuration: Mapping[str, Any]) -> Design:
        """Transform the program and predict what it costs.

        Raises:
            ResourceExceeded: the design does not fit the device.
        """
        return self._design(configuration)

    def _design(self, configuration: Mapping[str, Any]) -> Design:
        from daybreak_hpvm.model.predict import predict

        problem = self.problem
        applied = problem.applied(configuration)
        estimate = predict(applied.program, problem.device, mhz=problem.options["clock_mhz"])
        check_fits(estimate.used, problem.device)
        return Design(
            applied.program,
            {
                "seconds": estimate.seconds,
                "area": estimate.area,
                "cycles": float(estimate.cycles),
                "clock": estimate.mhz,
                **{name: float(estimate.used[name]) for name in RESOURCES},
            },
            facts={
                "code": fingerprint(applied.program)[:16],
                "left_out": dict(applied.remarks),
                "verified": bool(problem.options["verify"]),
            },
        )

    def verify(self, artifact: Design) -> Verdict:
        """Interpret the transformed program and compare; what differs in hardware only, once."""
        problem = self.problem
        if not problem.options["verify"]:
            return Verdict(True, message="not verified: the option `verify` is off")
        plain = without_hardware(artifact.program)
        key = fingerprint(plain)
        found = self._verdicts.get(key)
        if found is None:
            found = compare(interpret(plain, problem.inputs), problem.expected)
            if len(self._verdicts) >= _KEPT_VERDICTS:
                self._verdicts.clear()
            self._verdicts[key] = found
        return found

    def measure(
        self,
        artifact: Design,
        protocol: MeasurementProtocol,  # noqa: ARG002 - always the same
    ) -> Iterator[Sample | Event]:
        """Yield every metric once: the model says the same each time."""
        yield from samples_of(self._benchmark, artifact.values)

    def landscape(self) -> Landscape | None:
        """Return the first objective over the whole space, if it is small (option `survey`)."""
        space = self._benchmark.space
        count = space.count()
        if count is None or count > int(self.problem.options["survey"]):
            return None
        first = self._benchmark.objectives[0].name
        values, failures = [], 0
        for configuration in map(space.at, range(count)):
            try:
                values.append(self._design(configuration).values[first])
            except TrialFailed:
                failures += 1
        return Landscape(values, failures)

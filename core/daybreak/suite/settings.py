"""The settings of a suite that a benchmark may override: budget, protocol, limits, thresholds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from daybreak.records import (
    Budget,
    HistoryChoice,
    Limits,
    MeasurementProtocol,
    Repeats,
    StopRule,
    Threshold,
)
from daybreak.suite.faults import describe
from daybreak.suite.values import Bytes, Count, Seconds

__all__ = [
    "BudgetSpec",
    "HistorySpec",
    "Label",
    "LimitsSpec",
    "Name",
    "PriceSpec",
    "ProtocolSpec",
    "RepeatsSpec",
    "StopSpec",
    "SuiteModel",
    "ThresholdSpec",
    "value_fault",
]

_DEFAULT_PROTOCOL = MeasurementProtocol()
_DEFAULT_LIMITS = Limits()


def value_fault(kind: str, message: str, expected: str | None = None) -> PydanticCustomError:
    """Return an error for a validator to raise; `expected` is shown on a line of its own."""
    context = {"message": message} | ({} if expected is None else {"expected": expected})
    return PydanticCustomError(kind, "{message}", context)


class SuiteModel(BaseModel):
    """What every part of a suite has in common: frozen, no unknown keys, finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _name(value: Any, more: str) -> str:
    """Check a name that appears in labels, patterns and file names; `more`: further characters."""
    if not isinstance(value, str):
        raise value_fault("name", f"wrong type: {describe(value)}", "text; quote it if need be")
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._{re.escape(more)}-]{{0,79}}", value):
        characters = ", ".join(f"'{c}'" for c in f"._{more}-")
        expected = f"1 to 80 letters, digits and {characters}, beginning with a letter or digit"
        raise value_fault("name", f"wrong value: {describe(value)}", expected)
    return value


#: a suite's name
Name = Annotated[str, BeforeValidator(lambda value: _name(value, ""))]
#: what `as:` says; no character that means something in `--only`
Label = Annotated[str, BeforeValidator(lambda value: _name(value, ":=,"))]
Positive = Annotated[float, Field(strict=True, gt=0)]


class HistorySpec(SuiteModel):
    """Earlier trials that an optimizer is given; patterns as in `only`."""

    benchmarks: tuple[StrictStr, ...] = Field(
        (), description="benchmarks whose trials to give; else those of the study's own"
    )
    optimizers: tuple[StrictStr, ...] = Field(
        (), description="optimizers whose trials to give; else of any"
    )
    runs: tuple[StrictStr, ...] = Field(
        (), description="runs (ids or suites' names) whose trials to give; else of any"
    )
    most: Count = Field(500, description="configurations of each benchmark at most")

    def record(self) -> HistoryChoice:
        """Return the choice as the run loop takes it."""
        return HistoryChoice(self.benchmarks, self.optimizers, self.runs, self.most)


class BudgetSpec(SuiteModel):
    """When a study ends: whichever bound comes first. At least one must be given."""

    evaluations: Count | None = Field(
        None, description="trials of an optimizer; references are not counted"
    )
    seconds: Seconds | None = Field(
        None,
        description="the study's own clock: a number of seconds or a duration such as 30s, 2min; "
        "on recorded measurements that is simulated time",
    )
    dollars: Positive | None = Field(
        None, description="money that the optimizer spends, e.g. on a language model"
    )
    tokens: Count | None = Field(None, description="tokens that the optimizer spends")

    @model_validator(mode="after")
    def _bounded(self) -> BudgetSpec:
        if (self.evaluations, self.seconds, self.dollars, self.tokens) == (None,) * 4:
            raise value_fault(
                "budget", "the budget bounds nothing", "evaluations, seconds, dollars or tokens"
            )
        return self

    def record(self) -> Budget:
        """Return the budget as it is recorded."""
        return Budget(
            evaluations=self.evaluations,
            seconds=self.seconds,
            dollars=self.dollars,
            tokens=self.tokens,
        )


class RepeatsSpec(SuiteModel):
    """How often a trial is repeated; a bare number means exactly that often."""

    min: Count = Field(_DEFAULT_PROTOCOL.repeats.min, description="at least this often")
    max: Count = Field(_DEFAULT_PROTOCOL.repeats.max, description="at most this often")
    ci: Positive = Field(
        _DEFAULT_PROTOCOL.repeats.ci,
        description="until the 95 % confidence interval of the median is at most this far from "
        "the median, relative to it",
    )

    @model_validator(mode="after")
    def _in_order(self) -> RepeatsSpec:
        low, high = self.min, self.max
        if "min" not in self.model_fields_set:
            low = min(low, high)
        elif "max" not in self.model_fields_set:
            high = max(low, high)
        if low > high:
            raise value_fault(
                "order", f"min ({self.min}) is larger than max ({self.max})", "min <= max"
            )
        # one of the two was left to its default, which gives way to the other
        object.__setattr__(self, "min", low)
        object.__setattr__(self, "max", high)
        return self


def _repeats(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"min": value, "max": value}
    if not isinstance(value, (Mapping, RepeatsSpec)):
        raise value_fault(
            "repeats",
            f"wrong type: {describe(value)}",
            "a whole number, or a mapping with min, max and ci",
        )
    return value


def _warmup(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise value_fault("warmup", f"wrong value: {describe(value)}", "auto, or a whole number from 0")


def _hopeless(value: Any) -> Any:
    return None if value == "never" else value


class StopSpec(SuiteModel):
    """Where the progress curve of a training job ends: whichever comes first."""

    at: StrictStr | None = Field(
        None,
        description="name of one of the suite's targets; null: train on to the budget; the "
        "benchmark's own target if absent",
    )
    train: Seconds | None = Field(
        None, description="bound on the training clock: seconds, or a duration such as 60s, 2min"
    )
    epochs: Positive | None = Field(None, description="bound on the epochs")

    def record(self, target: float | None) -> StopRule:
        """Return the rule as it is recorded; `target` is the value that `at` stands for."""
        return StopRule(target=target, train_s=self.train, epochs=self.epochs)


class ProtocolSpec(SuiteModel):
    """How a trial is measured."""

    repeats: Annotated[RepeatsSpec, BeforeValidator(_repeats)] = Field(
        default_factory=RepeatsSpec,
        description="timed repetitions: a number, or {min, max, ci}",
    )
    warmup: Annotated[int | str, BeforeValidator(_warmup)] = Field(
        _DEFAULT_PROTOCOL.warmup,
        description="untimed repetitions before the first sample, or auto: until stable",
    )
    timeout: Seconds = Field(
        _DEFAULT_PROTOCOL.timeout_s,
        description="bound on building, on verifying and on measuring one configuration, each",
    )
    hopeless: Annotated[
        Annotated[float, Field(strict=True, ge=1)] | None, BeforeValidator(_hopeless)
    ] = Field(
        _DEFAULT_PROTOCOL.hopeless,
        description="stop repeating when the first sample is this many times worse than the best "
        "so far; never (or null): measure everything out",
    )
    flush_cache: StrictBool = Field(
        _DEFAULT_PROTOCOL.flush_cache,
        description="evict the processor's caches before every repetition",
    )
    interleave: Annotated[int, Field(strict=True, ge=0, le=10**9)] = Field(
        _DEFAULT_PROTOCOL.interleave,
        description="measure the references again after about this many trials; 0: only at start",
    )
    stop: StopSpec | None = Field(
        None,
        description="where a training job ends; at its own target if absent",
    )

    def record(self) -> MeasurementProtocol:
        """Return the protocol as it is recorded, but for `stop`, which needs the benchmark."""
        return MeasurementProtocol(
            repeats=Repeats(self.repeats.min, self.repeats.max, self.repeats.ci),
            warmup=self.warmup,
            timeout_s=self.timeout,
            hopeless=self.hopeless,
            flush_cache=self.flush_cache,
            interleave=self.interleave,
        )


class PriceSpec(SuiteModel):
    """What the machine costs, for time to target in dollars."""

    dollars_per_hour: Annotated[float, Field(strict=True, ge=0)] = Field(
        description="price of the machine while a trial trains, in US dollars per hour"
    )


class LimitsSpec(SuiteModel):
    """What a worker process may use."""

    memory: Bytes | None = Field(
        None,
        description="address space, e.g. 4GiB; null: 8 GiB or three quarters of the machine, whichever is less",
    )
    output: Bytes = Field(_DEFAULT_LIMITS.output_bytes, description="what a candidate may print")
    file: Bytes = Field(_DEFAULT_LIMITS.file_bytes, description="size of any file it writes")

    def record(self) -> Limits:
        """Return the limits as they are recorded."""
        return Limits(memory_bytes=self.memory, output_bytes=self.output, file_bytes=self.file)


def _values(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and not value:
        raise value_fault("values", "is empty", "a number, or a list of numbers")
    return value if isinstance(value, (list, tuple)) else [value]


class ThresholdSpec(SuiteModel):
    """A value whose first reaching is timed: relative to a reference, or absolute with a unit."""

    value: Annotated[
        tuple[Annotated[float, Field(strict=True)], ...],
        BeforeValidator(_values),
    ] = Field(
        description="a number, or a list for several thresholds: a factor of the reference's "
        "result, or a value in the metric's unit"
    )
    relative_to: StrictStr | None = Field(
        None, description="name of the reference that value is a factor of"
    )
    metric: StrictStr | None = Field(None, description="metric; the first objective if absent")
    unit: StrictStr | None = Field(None, description="unit of value; the metric's own if absent")

    @model_validator(mode="after")
    def _sound(self) -> ThresholdSpec:
        if self.relative_to is None:
            return self
        if self.unit is not None:
            raise value_fault(
                "threshold", "'unit' and 'relative_to' exclude each other", "one of the two"
            )
        if any(value <= 0 for value in self.value):
            raise value_fault("threshold", "a factor of a reference must be greater than 0")
        return self

    def records(self, name: str) -> list[Threshold]:
        """Return a threshold for every value; several are told apart as ``name-value``."""
        return [
            Threshold(
                name=name if len(self.value) == 1 else f"{name}-{value:g}",
                value=value,
                relative_to=self.relative_to,
                metric=self.metric,
                unit=self.unit,
            )
            for value in self.value
        ]

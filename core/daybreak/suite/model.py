"""The validated suite: what `load_suite` returns, after includes, defaults and matrices.

A user's shorthand (a bare name, `each:`, overrides beside a benchmark's name) is spelled out by
`daybreak.suite.shape` before these models see it; `docs/reference/suite-format.md` describes what
the user writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from daybreak.records import Budget, Limits, MeasurementProtocol, Repeats, Threshold
from daybreak.suite.faults import describe
from daybreak.suite.tree import MapNode
from daybreak.suite.values import Bytes, Count, Seconds

__all__ = [
    "FORMATS",
    "BenchmarkEntry",
    "BudgetSpec",
    "LimitsSpec",
    "OptimizerEntry",
    "ProtocolSpec",
    "RepeatsSpec",
    "Suite",
    "ThresholdSpec",
]

#: the suite formats that this Daybreak reads
FORMATS = (1,)

_DEFAULT_PROTOCOL = MeasurementProtocol()
_DEFAULT_LIMITS = Limits()
_LARGEST_SEED = 2**63 - 1
_MOST_SEEDS = 10_000


def _fault(kind: str, message: str, expected: str | None = None) -> PydanticCustomError:
    context = {} if expected is None else {"expected": expected}
    text = message.replace("{", "{{").replace("}", "}}")
    return PydanticCustomError(kind, text, context)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _name(value: Any, more: str) -> str:
    """Check a name that appears in labels, patterns and file names; `more`: further characters."""
    if not isinstance(value, str):
        raise _fault("name", f"wrong type: {describe(value)}", "text; quote it if need be")
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._{re.escape(more)}-]{{0,79}}", value):
        characters = ", ".join(f"'{c}'" for c in f"._{more}-")
        expected = f"1 to 80 letters, digits and {characters}, beginning with a letter or digit"
        raise _fault("name", f"wrong value: {describe(value)}", expected)
    return value


#: a suite's name
Name = Annotated[str, BeforeValidator(lambda value: _name(value, ""))]
#: what `as:` says; no character that means something in `--only`
Label = Annotated[str, BeforeValidator(lambda value: _name(value, ":=,"))]
Positive = Annotated[float, Field(strict=True, gt=0)]


class BudgetSpec(_Model):
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
            raise _fault(
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


class RepeatsSpec(_Model):
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
            raise _fault("order", f"min ({self.min}) is larger than max ({self.max})", "min <= max")
        # one of the two was left to its default, which gives way to the other
        object.__setattr__(self, "min", low)
        object.__setattr__(self, "max", high)
        return self


def _repeats(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"min": value, "max": value}
    if not isinstance(value, (Mapping, RepeatsSpec)):
        raise _fault(
            "repeats",
            f"wrong type: {describe(value)}",
            "a whole number, or a mapping with min, max and ci",
        )
    return value


def _warmup(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise _fault("warmup", f"wrong value: {describe(value)}", "auto, or a whole number from 0")


def _hopeless(value: Any) -> Any:
    return None if value == "never" else value


class ProtocolSpec(_Model):
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

    def record(self) -> MeasurementProtocol:
        """Return the protocol as it is recorded."""
        return MeasurementProtocol(
            repeats=Repeats(self.repeats.min, self.repeats.max, self.repeats.ci),
            warmup=self.warmup,
            timeout_s=self.timeout,
            hopeless=self.hopeless,
            flush_cache=self.flush_cache,
            interleave=self.interleave,
        )


class LimitsSpec(_Model):
    """What a worker process may use."""

    memory: Bytes | None = Field(None, description="address space, e.g. 4GiB; null: no limit")
    output: Bytes = Field(_DEFAULT_LIMITS.output_bytes, description="what a candidate may print")
    file: Bytes = Field(_DEFAULT_LIMITS.file_bytes, description="size of any file it writes")

    def record(self) -> Limits:
        """Return the limits as they are recorded."""
        return Limits(memory_bytes=self.memory, output_bytes=self.output, file_bytes=self.file)


def _values(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and not value:
        raise _fault("values", "is empty", "a number, or a list of numbers")
    return value if isinstance(value, (list, tuple)) else [value]


class ThresholdSpec(_Model):
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
            raise _fault(
                "threshold", "'unit' and 'relative_to' exclude each other", "one of the two"
            )
        if any(value <= 0 for value in self.value):
            raise _fault("threshold", "a factor of a reference must be greater than 0")
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


class BenchmarkEntry(_Model):
    """One benchmark with its options; defaults, matrix and overrides are already worked in."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    label: Label | None = None
    budget: BudgetSpec
    targets: dict[str, ThresholdSpec] = Field(default_factory=dict)
    protocol: ProtocolSpec = Field(default_factory=ProtocolSpec)
    limits: LimitsSpec = Field(default_factory=LimitsSpec)

    @field_validator("name")
    @classmethod
    def _full(cls, name: str) -> str:
        target, _, rest = name.partition("/")
        if not target or not rest or name != name.strip():
            raise _fault("name", f"'{name}' names no benchmark", "TARGET/BENCHMARK, e.g. taco/spmm")
        return name


class OptimizerEntry(_Model):
    """One optimizer with its options; `only` holds the patterns of the benchmarks it runs on."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    label: Label | None = None
    batch: Count = 1
    only: tuple[StrictStr, ...] = ()


def _seeds(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 1e2
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= _MOST_SEEDS:
            raise _fault(
                "seeds", f"wrong value: {describe(value)}", f"a number of seeds, 1 to {_MOST_SEEDS}"
            )
        return list(range(value))
    if not isinstance(value, (list, tuple)):
        raise _fault(
            "seeds", f"wrong type: {describe(value)}", "a number of seeds, or a list of seeds"
        )
    if not value:
        raise _fault("seeds", "is empty", "a number of seeds, or a list of seeds")
    for i, seed in enumerate(value):
        if isinstance(seed, int) and seed in value[:i]:
            raise _fault("seeds", f"seed {seed} appears twice", "each seed once")
    return value


class Suite(_Model):
    """A suite, validated; `benchmarks` is expanded: one entry for each combination of options.

    Attributes:
        path: the file it was read from, or None.
        source: the text of that file.
        sources: the text of every file that took part, by path: the suite's and its includes.
        warnings: what is allowed but probably not meant.
    """

    suite: int = Field(description="version of the format: 1")
    name: Name = Field(description="short name: letters, digits, '.', '_' and '-'")
    description: StrictStr = Field("", description="one line about what the suite is for")
    benchmarks: tuple[BenchmarkEntry, ...] = Field(
        description="a list with at least one benchmark, e.g. '- taco/spmm: {columns: 64}'"
    )
    optimizers: tuple[OptimizerEntry, ...] = Field(
        description="a list with at least one optimizer, e.g. '- random'"
    )
    seeds: Annotated[
        tuple[Annotated[StrictInt, Field(ge=0, le=_LARGEST_SEED)], ...], BeforeValidator(_seeds)
    ] = Field((0,), description="how many seeds (counted from 0), or a list of seeds")
    budget: BudgetSpec | None = Field(
        None, description="when a study ends, e.g. {evaluations: 20} or {seconds: 5min}"
    )
    targets: dict[str, ThresholdSpec] = Field(
        default_factory=dict,
        description="thresholds for time to target: a reference's name and a factor, or "
        "{metric, value, unit}",
    )
    protocol: ProtocolSpec = Field(
        default_factory=ProtocolSpec, description="how a trial is measured"
    )
    limits: LimitsSpec = Field(
        default_factory=LimitsSpec, description="what a worker process may use"
    )
    batch: Count = Field(1, description="configurations that an optimizer is asked for at once")
    requires_plugins: tuple[StrictStr, ...] = Field(
        (), description="distributions that must be installed, as PEP 508 requirements"
    )

    _tree: MapNode = PrivateAttr()
    _path: Path | None = PrivateAttr(None)
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[str, ...] = PrivateAttr(())

    @property
    def tree(self) -> MapNode:
        """The values with their positions, in the shape of this model."""
        return self._tree

    @property
    def path(self) -> Path | None:
        """The file that the suite was read from."""
        return self._path

    @property
    def source(self) -> str:
        """The text of the suite's own file."""
        return next(iter(self._sources.values()), "")

    @property
    def sources(self) -> Mapping[str, str]:
        """The text of the suite's file and of each included one, by path."""
        return self._sources

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but probably not meant, one sentence each."""
        return self._warnings

    @field_validator("requires_plugins")
    @classmethod
    def _requirements(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from packaging.requirements import InvalidRequirement, Requirement

        for text in value:
            try:
                Requirement(text)
            except InvalidRequirement:
                raise _fault(
                    "requirement",
                    f"'{text}' is no requirement",
                    "a distribution with an optional version, e.g. 'daybreak-mine>=1.2'",
                ) from None
        return value

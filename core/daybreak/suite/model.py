"""The validated suite: what `load_suite` returns, after includes, defaults and matrices.

A user's shorthand (a bare name, `each:`, overrides beside a benchmark's name) is spelled out by
`daybreak.suite.shape` before these models see it; `docs/reference/suite-format.md` describes what
the user writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, StrictInt, StrictStr, field_validator

from daybreak.suite.faults import describe
from daybreak.suite.settings import (
    BudgetSpec,
    HistorySpec,
    Label,
    LimitsSpec,
    Name,
    PriceSpec,
    ProtocolSpec,
    SuiteModel,
    ThresholdSpec,
    value_fault,
)
from daybreak.suite.tree import MapNode
from daybreak.suite.values import Count

__all__ = ["FORMATS", "BenchmarkEntry", "OptimizerEntry", "Suite"]

#: the suite formats that this Daybreak reads
FORMATS = (1,)

_LARGEST_SEED = 2**63 - 1
_MOST_SEEDS = 10_000


class BenchmarkEntry(SuiteModel):
    """One benchmark with its options; defaults, matrix and overrides are already worked in."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    label: Label | None = None
    budget: BudgetSpec
    targets: dict[str, ThresholdSpec] = Field(default_factory=dict)
    protocol: ProtocolSpec = Field(default_factory=ProtocolSpec)
    limits: LimitsSpec = Field(default_factory=LimitsSpec)
    price: PriceSpec | None = None

    @field_validator("name")
    @classmethod
    def _full(cls, name: str) -> str:
        target, _, rest = name.partition("/")
        if not target or not rest or name != name.strip():
            raise value_fault(
                "name", f"'{name}' names no benchmark", "TARGET/BENCHMARK, e.g. taco/spmm"
            )
        return name


def _seeds(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 1e2
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= _MOST_SEEDS:
            raise value_fault(
                "seeds", f"wrong value: {describe(value)}", f"a number of seeds, 1 to {_MOST_SEEDS}"
            )
        return list(range(value))
    if not isinstance(value, (list, tuple)):
        raise value_fault(
            "seeds", f"wrong type: {describe(value)}", "a number of seeds, or a list of seeds"
        )
    if not value:
        raise value_fault("seeds", "is empty", "a number of seeds, or a list of seeds")
    for i, seed in enumerate(value):
        if isinstance(seed, int) and seed in value[:i]:
            raise value_fault("seeds", f"seed {seed} appears twice", "each seed once")
    return value


Seeds = Annotated[
    tuple[Annotated[StrictInt, Field(ge=0, le=_LARGEST_SEED)], ...], BeforeValidator(_seeds)
]


class OptimizerEntry(SuiteModel):
    """One optimizer with its options.

    `only` holds the patterns of the benchmarks that it runs on; `seeds` replaces the suite's, for
    an optimizer too slow for all of them.
    """

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    label: Label | None = None
    batch: Count = 1
    only: tuple[StrictStr, ...] = ()
    history: HistorySpec | None = None
    seeds: Seeds | None = None


class Suite(SuiteModel):
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
    seeds: Seeds = Field((0,), description="how many seeds (counted from 0), or a list of seeds")
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
    price: PriceSpec | None = Field(
        None, description="what the machine costs, e.g. {dollars_per_hour: 3.06}"
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
                raise value_fault(
                    "requirement",
                    f"'{text}' is no requirement",
                    "a distribution with an optional version, e.g. 'daybreak-mine>=1.2'",
                ) from None
        return value

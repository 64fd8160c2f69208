"""A small target and some optimizers that need no compiler: what the suite floor is tested with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from daybreak.errors import UserError
from daybreak.plugin import ComponentSpec, OptimizerSpec, Registry, TargetSpec
from daybreak.plugin.contracts import Benchmark, Reference, Requirement
from daybreak.records import Direction, Metric
from daybreak.space import Ordinal, Permutation, Program, Space, parse_constraint

TIME = Metric("time", "ms")
AREA = Metric("area", "LUT")


class KernelOptions(BaseModel):
    """Options of `fake/spmm` and `fake/spmv`."""

    model_config = ConfigDict(extra="forbid")

    matrix: str = "airfoil"
    columns: int = Field(64, ge=1)
    sizes: list[int] = Field(default_factory=lambda: [1, 2])
    mode: Literal["fast", "exact"] = "fast"


class BoundOptions(BaseModel):
    """Options of `fake/bound`: a bound that can make a reference infeasible."""

    model_config = ConfigDict(extra="forbid")

    largest: int = 8


class FakeTarget:
    """Five benchmarks that differ in what a suite has to check."""

    def benchmarks(self) -> Iterable[Benchmark]:
        return [
            *(self.define(name, {}) for name in ("spmm", "bound", "pareto", "program")),
            self.define("spmv", {"matrix": "listed", "columns": 7}),
        ]

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        if options.get("matrix") == "missing":
            raise UserError(
                "cannot read matrix 'missing'", field="matrix", remedy="daybreak data fetch missing"
            )
        largest = options.get("largest", 8)
        parameters: list[Any] = [Ordinal("chunk", (1, 2, 4, 8)), Permutation("order", 3)]
        if name == "program":
            parameters.append(Program("source", "x = 1", "python"))
        space = Space(parameters, [parse_constraint(f"chunk <= {largest}")])
        expert = Reference("expert", {"chunk": 8, "order": [0, 1, 2]})
        default = Reference("default", {"chunk": 0, "order": [0, 1, 2]}, in_space=False)
        instance = f"{options['matrix']}-k{options['columns']}" if "matrix" in options else ""
        return Benchmark(
            name=name,
            space=space,
            objectives=(TIME, AREA) if name == "pareto" else (TIME,),
            instance=instance,
            references=() if name == "program" else (expert, default),
            metrics=(Metric("accuracy", "1", Direction.MAXIMIZE),),
            options=options,
        )

    def check(self) -> Iterable[Requirement]:
        return [
            Requirement("compiler", met=False, detail="not on PATH", remedy="apt install gcc"),
            Requirement("library", met=True),
        ]

    def open(self, benchmark: Benchmark) -> Any:
        raise AssertionError("planning opens nothing")


class BacoOptions(BaseModel):
    """Options of the optimizer `baco`."""

    model_config = ConfigDict(extra="forbid")

    class Prior(BaseModel):
        model_config = ConfigDict(extra="forbid")

        near: str
        strength: float = 1.0

    preset: Literal["default", "paper"] = "default"
    prior: Prior | None = None
    samples: int | str = 7


def _optimizer(*_: Any) -> None:
    raise AssertionError("planning makes no optimizer")


def fake_registry(*more: ComponentSpec) -> Registry:
    """Return a registry with the target `fake`, four optimizers, and `more`."""
    return Registry.from_specs(
        *more,
        TargetSpec(
            name="fake",
            factory="suite_fakes:FakeTarget",
            summary="a fake",
            benchmark_options=(
                ("spmm", "suite_fakes:KernelOptions"),
                ("spmv", "suite_fakes:KernelOptions"),
                ("bound", "suite_fakes:BoundOptions"),
            ),
        ),
        OptimizerSpec(
            name="random", factory="suite_fakes:_optimizer", summary="r", max_objectives=0
        ),
        OptimizerSpec(
            name="baco",
            factory="suite_fakes:_optimizer",
            summary="b",
            options="suite_fakes:BacoOptions",
        ),
        OptimizerSpec(
            name="agent",
            factory="suite_fakes:_optimizer",
            summary="a",
            parameter_types=frozenset({"program", "ordinal", "permutation"}),
            capabilities=frozenset({"spends"}),
        ),
        OptimizerSpec(
            name="numeric",
            factory="suite_fakes:_optimizer",
            summary="n",
            parameter_types=frozenset({"ordinal"}),
            requires=("surely-not-installed-package>=1",),
        ),
    )

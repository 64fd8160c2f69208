"""The sum of absolute values."""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration, Parameter
from daybreak_rise.benchmarks.answers import Expected, rounding
from daybreak_rise.benchmarks.base import (
    Launch,
    Sizes,
    Work,
    Workload,
    group_constraints,
    ordinal,
    powers,
    sizes_of_launch,
)
from daybreak_rise.dsl import (
    PRIVATE,
    abs_,
    add,
    fun,
    join,
    map_,
    map_local,
    map_work_group,
    reduce_,
    reduce_seq,
    reorder_with_stride,
    split,
)
from daybreak_rise.expr import Expr
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.types import array, f32

__all__ = ["Asum"]


class Asum(Workload):
    """The sum of |x|; the kernel leaves n / sp1 partial sums, as the published one does."""

    name = "asum"
    summary = "the sum of a vector's absolute values, as partial sums"
    published: ClassVar[Sizes] = {"n": 16777216}
    rehearsal: ClassVar[Sizes] = {"n": 65536}
    notes = ("as published, the kernel ends with n / sp1 partial sums; nobody adds them up",)

    def parameters(self, sizes: Sizes) -> list[Parameter]:
        """Return the five parameters."""
        n = sizes["n"]
        return [
            ordinal("sp0", powers(1, n)),
            ordinal("gs0", powers(1, 1024)),
            ordinal("stride", powers(1, n)),
            ordinal("sp1", powers(256, n)),
            ordinal("ls0", powers(1, 1024)),
        ]

    def constraints(self, sizes: Sizes, limits: DeviceLimits) -> list[str]:
        """Return the published constraints."""
        return [
            "sp0 % sp1 == 0",
            "((sp0*(1/(sp1)))) >= (1)",
            "sp0 >= sp1 * stride",
            "gs0 % ls0 == 0",
            *group_constraints(limits, 1),
        ]

    def configurations(self, sizes: Sizes) -> dict[str, Configuration]:
        """Return the published ones with splits and strides that fit."""
        n = sizes["n"]
        found: dict[str, Configuration] = {}
        for name, launch, (sp0, sp1, stride) in (
            ("default", {"ls0": 4, "gs0": 1024}, (n, 512, 4096)),
            ("expert", {"ls0": 128, "gs0": 1024}, (262144, 2048, 128)),
        ):
            sp0 = min(sp0, n)
            sp1 = min(sp1, sp0)
            found[name] = {**launch, "sp0": sp0, "sp1": sp1, "stride": min(stride, sp0 // sp1)}
        return found

    def program(self, sizes: Sizes) -> Expr:
        """Return a map and a reduction."""
        return fun(array(sizes["n"], f32), lambda x: x | map_(abs_) | reduce_(add, 0.0))

    def lower(self, sizes: Sizes, configuration: Configuration) -> Expr:
        """Return groups of sp0 elements, reordered, and sp1 of them summed by a work-item."""
        sp0, sp1, stride = (int(configuration[name]) for name in ("sp0", "sp1", "stride"))  # type: ignore[arg-type]
        return fun(
            array(sizes["n"], f32),
            lambda x: (
                x
                | split(sp0)
                | map_work_group(0)(
                    reorder_with_stride(stride)
                    >> split(sp1)
                    >> map_local(0)(reduce_seq(PRIVATE)(lambda sum_, one: abs_(one) + sum_, 0.0))
                )
                | join
            ),
        )

    def launch(self, configuration: Configuration) -> Launch:
        """Return a launch of one dimension."""
        return sizes_of_launch(configuration, 1)

    def draw(self, sizes: Sizes, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], ...]:
        """Return a vector of numbers in [-1, 1)."""
        return (rng.random(sizes["n"], dtype=np.float32) * np.float32(2) - np.float32(1),)

    def expected(
        self,
        sizes: Sizes,
        configuration: Configuration,
        inputs: Sequence[np.ndarray[Any, Any]],
    ) -> Expected:
        """Return the partial sums: within sp0 elements, every (sp0 / stride)th row read across."""
        sp0, sp1, stride = (int(configuration[name]) for name in ("sp0", "sp1", "stride"))  # type: ignore[arg-type]
        (x,) = inputs
        groups = np.abs(x.astype(np.float64)).reshape(-1, sp0 // stride, stride)
        values = groups.transpose(0, 2, 1).reshape(-1, sp1).sum(axis=1)
        return Expected(values, np.abs(values), rounding(sp1))

    def work(self, sizes: Sizes) -> Work:
        """Return an absolute value and an addition, and one read, for each element."""
        return Work(2.0 * sizes["n"], 4.0 * sizes["n"])

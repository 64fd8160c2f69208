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
from daybreak_rise.dsl import abs_, add, fun, join, map_, reduce_
from daybreak_rise.elevate.strategy import Strategy, rule, seq
from daybreak_rise.elevate.traversal import argument, fmap, in_lambdas, normalise
from daybreak_rise.expr import Expr, Lambda, alpha_equal, spine
from daybreak_rise.rules.forms import as_map, as_reduce, mapping, reducing
from daybreak_rise.rules.lowering import to_map_local, to_map_work_group
from daybreak_rise.rules.maps import map_fusion
from daybreak_rise.rules.movement import reorder_before_map, split_before_map
from daybreak_rise.rules.reductions import reduce_map_fusion, reduce_reordered, reduce_split
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.strategies.lowering import lower_nest, lower_rest, upstream
from daybreak_rise.strategies.normal import dfnf
from daybreak_rise.types import array, f32

__all__ = ["Asum", "reduce_of_reductions"]


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

    def strategy(self, sizes: Sizes, configuration: Configuration) -> Strategy:
        """Return groups of sp0 elements, reordered, and sp1 of them summed by a work-item."""
        sp0, sp1, stride = (int(configuration[name]) for name in ("sp0", "sp1", "stride"))  # type: ignore[arg-type]
        parts = seq(reduce_reordered(stride), reduce_split(sp1), dfnf)
        inwards = normalise(split_before_map | reorder_before_map | map_fusion | reduce_map_fusion)
        lowered = upstream(lower_nest(to_map_work_group(0), to_map_local(0)))
        return in_lambdas(
            seq(
                dfnf,
                reduce_split(sp0),
                dfnf,
                argument(fmap(parts)),
                reduce_of_reductions,
                argument(seq(dfnf, inwards, dfnf, lowered, lower_rest)),
            )
        )

    def kernel_part(self, rewritten: Expr) -> Expr:
        """Return what the last reduction, over the partial sums, is given."""
        if not isinstance(rewritten, Lambda):
            raise TypeError("a program is a lambda")
        _, (_, _, partial) = spine(rewritten.body)
        return Lambda(rewritten.param, partial)

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


def _joined(e: Expr) -> Expr | str | None:
    form = as_reduce(e)
    outer = None if form is None else as_map(form.array)
    if form is None or outer is None or not isinstance(outer.function, Lambda):
        return None
    inner = as_reduce(outer.function.body)
    if inner is None or not alpha_equal(inner.function, form.function):
        return None
    if inner.start != form.start:
        return "the reductions begin with different values"
    rows = mapping(outer.head, Lambda(outer.function.param, inner.array), outer.array)
    return reducing(form.head, form.function, form.start, rows | join)


# *(g >> reduce(f, z)) >> reduce(f, z) -> *g >> J >> reduce(f, z)
reduce_of_reductions = rule(
    "reduce_of_reductions", _joined, needs="a reduce of reduces by the same function"
)

"""Scaling a vector."""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration, Parameter
from daybreak_rise.benchmarks.answers import Expected, rounding
from daybreak_rise.benchmarks.base import (
    Sizes,
    Work,
    Workload,
    group_constraints,
    ordinal,
    powers,
)
from daybreak_rise.dsl import fun, map_
from daybreak_rise.elevate.strategy import Strategy, seq
from daybreak_rise.elevate.traversal import argument, fmap, in_lambdas
from daybreak_rise.expr import Expr
from daybreak_rise.rules.lowering import to_map_local, to_map_seq, to_map_work_group
from daybreak_rise.rules.maps import split_join
from daybreak_rise.rules.vectors import vectorise
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.strategies.lowering import lower_nest, upstream
from daybreak_rise.strategies.normal import dfnf
from daybreak_rise.types import array, f32

__all__ = ["Scal"]


class Scal(Workload):
    """y = alpha x."""

    name = "scal"
    summary = "a vector times a number"
    published: ClassVar[Sizes] = {"n": 33554432}
    rehearsal: ClassVar[Sizes] = {"n": 65536}
    repeats = True
    notes = (
        "the program uses the first dimension alone: gs1 > 1 does the work again, and ls1 > 1 "
        "puts such work-items into the same group, as in the published benchmark",
    )
    reference_notes: ClassVar[dict[str, str]] = {
        "default": "as published it breaks the known constraint s0 % (s1 * vec) == 0: a group has "
        "fewer than s1 vectors, so that a work-item takes all of them",
    }

    def parameters(self, sizes: Sizes) -> list[Parameter]:
        """Return the seven parameters."""
        launch, splits = powers(1, 1024), powers(1, sizes["n"])
        return [
            ordinal("ls1", launch),
            ordinal("gs0", launch),
            ordinal("s0", splits),
            ordinal("vec", (2, 4, 8, 16)),
            ordinal("gs1", launch),
            ordinal("ls0", launch),
            ordinal("s1", splits),
        ]

    def constraints(self, sizes: Sizes, limits: DeviceLimits) -> list[str]:
        """Return the published constraints, of which the first, second, seventh and eighth bind."""
        return [
            "gs0 % ls0 == 0",
            "s0 % (s1*vec) == 0",
            "((s0*(1/((s1*vec))))) >= (1)",
            "((s0*s1*(1/((s1*vec))))) >= (1)",
            "(s0*s1) % (s1*vec) == 0",
            "((s0*s1*vec*(1/((s1*vec))))) >= (1)",
            "gs1 % ls1 == 0",
            f"((ls0*ls1)) <= ({limits.work_group})",
            f"(({sizes['n']}*s1*vec*(1/((s1*vec))))) >= (1)",
            *group_constraints(limits, 2),
        ]

    def configurations(self, sizes: Sizes) -> dict[str, Configuration]:
        """Return the published ones; `expert` takes no more than there is."""
        return {
            "default": {
                "ls0": 32, "ls1": 1, "gs0": 1024, "gs1": 1,
                "s0": min(32, sizes["n"]), "s1": min(32, sizes["n"]), "vec": 8,
            },
            "expert": {
                "ls0": 256, "ls1": 1, "gs0": 1024, "gs1": 1,
                "s0": min(512, sizes["n"]), "s1": 1, "vec": 2,
            },
        }  # fmt: skip

    def program(self, sizes: Sizes) -> Expr:
        """Return a map over the vector."""
        return fun(array(sizes["n"], f32), f32, lambda x, alpha: x | map_(lambda one: alpha * one))

    def strategy(self, sizes: Sizes, configuration: Configuration) -> Strategy:
        """Return groups of s0 elements, and in them vectors, s1 of them for a work-item."""
        s0, s1, vec = (int(configuration[name]) for name in ("s0", "s1", "vec"))  # type: ignore[arg-type]
        s1 = min(s1, max(s0 // vec, 1))  # for the published default, which stands outside the space
        vectors = seq(vectorise(vec), argument(split_join(s1)))
        return in_lambdas(
            seq(
                dfnf,
                split_join(s0),
                argument(fmap(vectors)),
                dfnf,
                upstream(lower_nest(to_map_work_group(0), to_map_local(0), to_map_seq)),
            )
        )

    def draw(self, sizes: Sizes, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], ...]:
        """Return a vector of numbers in [-1, 1) and a factor."""
        x = rng.random(sizes["n"], dtype=np.float32) * 2 - 1
        return x.astype(np.float32), np.array(rng.uniform(0.5, 2.0), np.float32)

    def expected(
        self,
        sizes: Sizes,
        configuration: Configuration,
        inputs: Sequence[np.ndarray[Any, Any]],
    ) -> Expected:
        """Return the product; one multiplication rounds once."""
        x, alpha = inputs
        values = x.astype(np.float64) * float(alpha)
        return Expected(values, np.abs(values), rounding(0))

    def work(self, sizes: Sizes) -> Work:
        """Return one multiplication, one read and one write for each element."""
        return Work(float(sizes["n"]), 8.0 * sizes["n"])

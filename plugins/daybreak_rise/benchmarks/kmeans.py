"""The nearest cluster of every point: a step of k-means."""

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
    launch_constraints,
    launch_parameters,
)
from daybreak_rise.dsl import (
    add,
    cast,
    fst,
    fun,
    generate,
    let,
    literal,
    lt,
    map_,
    pair,
    reduce_,
    select,
    snd,
    transpose,
    zip_,
)
from daybreak_rise.elevate.strategy import Strategy, seq
from daybreak_rise.elevate.traversal import in_lambdas
from daybreak_rise.expr import Expr
from daybreak_rise.rules.lowering import to_map_global
from daybreak_rise.runtime.limits import DeviceLimits
from daybreak_rise.strategies.loops import fuse_reductions
from daybreak_rise.strategies.lowering import lower_nest, lower_rest
from daybreak_rise.types import array, f32, i32

__all__ = ["Kmeans"]

#: larger than every distance
_FAR = float(np.finfo(np.float32).max)


class Kmeans(Workload):
    """Which of the clusters is nearest to each point."""

    name = "kmeans"
    summary = "the nearest of the clusters for every point"
    published: ClassVar[Sizes] = {"points": 524288, "clusters": 10, "features": 34}
    rehearsal: ClassVar[Sizes] = {"points": 2048, "clusters": 5, "features": 8}
    repeats = True
    notes = (
        "the program uses the first dimension alone: gs1 > 1 does the work again, as in the "
        "published benchmark",
    )

    def parameters(self, sizes: Sizes) -> list[Parameter]:
        """Return the four parameters."""
        return launch_parameters()

    def constraints(self, sizes: Sizes, limits: DeviceLimits) -> list[str]:
        """Return the published constraints."""
        return launch_constraints(limits)

    def configurations(self, sizes: Sizes) -> dict[str, Configuration]:
        """Return the published ones, which fit every size."""
        return {
            "default": {"ls0": 1, "ls1": 1, "gs0": 1024, "gs1": 1},
            "expert": {"ls0": 256, "ls1": 1, "gs0": 1024, "gs1": 1},
        }

    def program(self, sizes: Sizes) -> Expr:
        """Return, for every point, the least pair of distance and number."""
        points, clusters, features = (sizes[one] for one in ("points", "clusters", "features"))
        return fun(
            array(features, points, f32),
            array(clusters, features, f32),
            lambda data, centres: (
                data
                | transpose
                | map_(
                    lambda point: snd(
                        zip_(generate(clusters)(lambda i: cast(i32)(i)), centres)
                        | map_(
                            lambda one: pair(
                                zip_(point, snd(one)) | map_(_square) | reduce_(add, 0.0), fst(one)
                            )
                        )
                        | reduce_(_nearer, pair(literal(_FAR, f32), literal(0, i32)))
                    )
                )
            ),
        )

    def strategy(self, sizes: Sizes, configuration: Configuration) -> Strategy:
        """Return a work-item for a point, which keeps the nearest cluster in registers."""
        return seq(fuse_reductions, in_lambdas(lower_nest(to_map_global(0))), lower_rest)

    def draw(self, sizes: Sizes, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], ...]:
        """Return features by point, and clusters by feature."""
        data = rng.random((sizes["features"], sizes["points"]), dtype=np.float32)
        centres = rng.random((sizes["clusters"], sizes["features"]), dtype=np.float32)
        return data, centres

    def expected(
        self,
        sizes: Sizes,
        configuration: Configuration,
        inputs: Sequence[np.ndarray[Any, Any]],
    ) -> Expected:
        """Return the number of the nearest cluster; of two equally near ones either will do."""
        data, centres = (one.astype(np.float64) for one in inputs)
        distances = np.stack([((data - centre[:, None]) ** 2).sum(axis=0) for centre in centres])
        order = np.argsort(distances, axis=0, kind="stable")
        nearest = order[0]
        if len(centres) == 1:
            return Expected(nearest, 1.0, 0.0)
        second = order[1]
        columns = np.arange(len(nearest))
        gap = distances[second, columns] - distances[nearest, columns]
        # each of the two is rounded
        slack = 2 * rounding(sizes["features"]) * distances[second, columns]
        return Expected(nearest, 1.0, 0.0, close=gap <= slack, either=second)

    def work(self, sizes: Sizes) -> Work:
        """Return three operations for a feature of a point and a cluster; every input once."""
        points, clusters, features = (sizes[one] for one in ("points", "clusters", "features"))
        return Work(
            3.0 * points * clusters * features,
            4.0 * (points * features + clusters * features + points),
        )


def _square(one: Expr) -> Expr:
    found: Expr = let(fst(one) - snd(one), lambda apart: apart * apart)
    return found


def _nearer(best: Expr, other: Expr) -> Expr:
    found: Expr = let(other, lambda one: select(lt(fst(one), fst(best)), one, best))
    return found

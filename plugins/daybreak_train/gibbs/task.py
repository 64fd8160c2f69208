"""`train/gibbs`: marginals of a factor graph by Gibbs sampling, in order, at random, or racing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from daybreak import (
    TIME_TO_TARGET,
    Benchmark,
    Categorical,
    Curve,
    Direction,
    Metric,
    Ordinal,
    Reference,
    Space,
)
from daybreak_train.tasks.protocol import Task
from daybreak_train.team import thread_choices

if TYPE_CHECKING:
    from daybreak_train.gibbs.workload import GibbsWorkload

__all__ = ["GibbsTask"]

_ASYNCHRONOUS = "De Sa, Olukotun, Ré, ICML 2016, arXiv 1602.07415, algorithms 1 and 2"

_TIME = Metric(TIME_TO_TARGET, "s", Direction.MINIMIZE, "training clock at the target")
_METRICS = (
    Metric(
        "bias",
        "1",
        Direction.MINIMIZE,
        "largest error of an estimated marginal against the exact one",
    ),
    Metric(
        "replica_bias",
        "1",
        Direction.MINIMIZE,
        "bias of a second run of as many updates, from the opposite start with other random numbers",
    ),
    Metric("throughput", "1/s", Direction.MAXIMIZE, "updates per second of the training clock"),
)


class GibbsTask(Task):
    """Gibbs sampling to a given bias."""

    def define(self, options: Mapping[str, Any]) -> Benchmark:
        """Return the benchmark for `options`."""
        threads = thread_choices(options["threads"])
        space = _space(threads)
        default = space.default()
        return Benchmark(
            name="gibbs",
            space=space,
            objectives=(_TIME,),
            instance=_instance(options),
            references=(
                Reference(
                    "default",
                    default,
                    note="random scan, one thread, marginals from the states",
                    source=_ASYNCHRONOUS,
                ),
                Reference(
                    "expert",
                    {
                        **default,
                        "scan": "order",
                        "estimate": "conditionals",
                        "threads": threads[-1],
                        "bits": 32,
                    },
                    note="in order, marginals from the conditionals (Rao-Blackwell), all processors "
                    "on one state",
                ),
            ),
            metrics=_METRICS,
            summary="marginals of a factor graph by Gibbs sampling, sequential or asynchronous",
            options=dict(options),
            hidden_constraints=True,
            notes=(
                "An epoch is a sweep: as many updates as there are variables. Before anything is "
                "recorded the state itself is the estimate.",
                "With several threads on one state a seed does not repeat a run exactly.",
            ),
            curve=Curve("bias", options["target"], deterministic=threads == (1,)),
            seeded=True,
        )

    def open(self, benchmark: Benchmark) -> GibbsWorkload:
        """Make the graph and calculate its marginals."""
        from daybreak_train.gibbs.workload import GibbsWorkload

        return GibbsWorkload(benchmark.options)

    def rehearsal(self) -> Mapping[str, Any]:
        """Return a small grid."""
        return {"size": 4, "target": 0.02, "epochs": 20_000}


def _instance(options: Mapping[str, Any]) -> str:
    graph, size, weight = options["graph"], options["size"], f"{options['weight']:g}"
    if graph == "voting":
        return f"voting-{options['semantics']}-{size}-w{weight}"
    if graph == "hierarchy":
        return f"hierarchy-{options['semantics']}-{size}x{options['members']}-w{weight}"
    return f"{graph}-{size}-w{weight}"


def _space(threads: tuple[int, ...]) -> Space:
    return Space(
        [
            Categorical("scan", ("random", "order"), default="random"),
            Categorical("estimate", ("states", "conditionals"), default="states"),
            Ordinal("threads", threads, log=True, default=1),
            Categorical("together", ("one-state", "own-states"), default="one-state",
                        when="threads > 1"),
            Ordinal("late", (1, 4, 16, 64), log=True, default=1),
            Ordinal("burn_in", (0, 10, 100, 1000), default=0),
            Ordinal("bits", (8, 16, 32, 53), default=53),
        ],
        name="gibbs",
    )  # fmt: skip

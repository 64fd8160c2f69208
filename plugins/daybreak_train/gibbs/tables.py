"""The papers' results as tables: ``python -m daybreak_train.gibbs.tables NAME``."""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Iterable, Sequence

import numpy as np

from daybreak_train.gibbs.counting import voting_joint
from daybreak_train.gibbs.elimination import all_states, eliminate, probabilities
from daybreak_train.gibbs.families import grid, voting
from daybreak_train.gibbs.graph import FactorGraph
from daybreak_train.gibbs.mixing import (
    complete_chain,
    delayed_chain,
    mixing_time,
    stationary,
    voting_chain,
)
from daybreak_train.gibbs.sampler import Recipe, Sampler
from daybreak_train.gibbs.width import hierarchy_width
from daybreak_train.printing import write_table
from daybreak_train.team import Team, thread_choices

__all__ = ["asynchronous_rows", "complete_rows", "lateness_rows", "main", "mixing_rows"]

_SEMANTICS = ("linear", "logical", "ratio")
Row = tuple[object, ...]


def mixing_rows(voters: Sequence[int], weight: float) -> Iterable[Row]:
    """Yield, for each number of voters, variables and then exact mixing time and width by semantics.

    Mixing times in updates, to a total variation distance of 1/4 from the worst start. The width
    is left out (None) where it takes too long.
    """
    for count in voters:
        row: list[object] = [count, 1 + 2 * count]
        for semantics in _SEMANTICS:
            target = voting_joint(count, weight, 0.0, semantics).ravel()
            row.append(mixing_time(voting_chain(count, weight, semantics), target))
            graph = voting(count, weight, 0.1, semantics)
            factors = list(graph.hyperedges())
            row.append(hierarchy_width(factors) if len(factors) <= 13 else None)
        yield tuple(row)


def complete_rows(sizes: Sequence[int], weights: Sequence[float]) -> Iterable[Row]:
    """Yield, for each size of the complete graph, its exact mixing time at each weight."""
    for size in sizes:
        chains = [complete_chain(size, weight, 0.0) for weight in weights]
        yield (size, *(mixing_time(chain, stationary(chain)) for chain in chains))


def lateness_rows(latest: int) -> Iterable[Row]:
    """Yield the exact bias of writing late, on three variables that pull each other along."""
    graph = FactorGraph(np.array([-0.3, -0.3, 0.0]), np.array([[0, 1], [1, 2], [0, 2]]), np.ones(3))
    states, exact = all_states(3) > 0, probabilities(graph)
    for late in range(1, latest + 1):
        settled = stationary(delayed_chain(graph, late))
        yield (
            late,
            float(np.abs((settled - exact) @ states).max()),
            float(0.5 * np.abs(settled - exact).sum()),
        )


def asynchronous_rows(
    side: int, weight: float, sweeps: int, seeds: int, late: Sequence[int]
) -> Iterable[Row]:
    """Yield threads, lateness, bias after `sweeps` (median, least, most) and updates per second.

    A random scan, marginals from the conditionals, on one grid; 1 thread with lateness 1 is the
    sequential sampler.
    """
    graph = grid(side, weight, 0.5 * np.random.default_rng(0).standard_normal(side * side))
    exact = eliminate(graph)
    updates = sweeps * graph.size
    for threads in thread_choices(None):
        for delay in late:
            recipe = Recipe(
                in_order=False, averaged=True, threads=threads, shared=True, late=delay,
                burn_in=min(100, sweeps // 10), bits=53,
            )  # fmt: skip
            sampler = Sampler(graph, recipe)
            biases, seconds = [], 0.0
            for seed in range(seeds):
                sampler.start(np.ones(graph.size, dtype=np.int8), [seed, 1602])
                with Team(threads) as team:
                    began = time.perf_counter()
                    sampler.advance(team, 0, updates)
                    seconds += time.perf_counter() - began
                biases.append(float(np.abs(sampler.estimate() - exact).max()))
            yield (
                threads, delay, statistics.median(biases), min(biases), max(biases),
                seeds * updates / seconds,
            )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_train.gibbs.tables")
    names = parser.add_subparsers(dest="table", required=True)
    one = names.add_parser("mixing", help="voting: mixing time and hierarchy width by semantics")
    one.add_argument("--most", type=int, default=14, help="largest number of voters on a side")
    one.add_argument("--weight", type=float, default=1.5)
    one = names.add_parser("complete", help="complete graph: mixing time below and above weight 1")
    one.add_argument("--most", type=int, default=160, help="largest number of variables")
    one = names.add_parser("lateness", help="exact bias of writing late")
    one.add_argument("--most", type=int, default=6)
    one = names.add_parser("asynchronous", help="measured bias and speed of racing threads")
    one.add_argument("--side", type=int, default=12)
    one.add_argument("--weight", type=float, default=0.2)
    one.add_argument("--sweeps", type=int, default=100_000)
    one.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    if chosen.table == "mixing":
        header = ["voters", "variables"]
        for semantics in _SEMANTICS:
            header += [semantics, "width"]
        write_table(header, mixing_rows(range(2, chosen.most + 1, 2), chosen.weight))
    elif chosen.table == "complete":
        weights = (0.5, 1.5, 1.8)
        sizes = [20 * 2**power for power in range(int(math.log2(max(20, chosen.most) / 20)) + 1)]
        write_table(
            ["variables", *(f"weight {weight}" for weight in weights)],
            complete_rows(sizes, weights),
        )
    elif chosen.table == "lateness":
        write_table(["late", "bias", "total variation"], lateness_rows(chosen.most))
    else:
        write_table(
            ["threads", "late", "bias", "least", "most", "updates/s"],
            asynchronous_rows(
                chosen.side, chosen.weight, chosen.sweeps, chosen.seeds, (1, 4, 16, 64)
            ),
        )


if __name__ == "__main__":
    main()

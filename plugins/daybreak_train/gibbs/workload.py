"""A factor graph with its exact marginals, and the jobs that estimate these."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import Configuration, Event, Sample, Verdict, WrongResult
from daybreak_train.clock import TrainingClock
from daybreak_train.gibbs.elimination import enumerate_marginals
from daybreak_train.gibbs.families import graph_and_marginals
from daybreak_train.gibbs.graph import FactorGraph
from daybreak_train.gibbs.sampler import Recipe, Sampler
from daybreak_train.gibbs.verification import verify
from daybreak_train.gibbs.width import influence
from daybreak_train.team import Team

__all__ = ["GibbsJob", "GibbsWorkload"]

#: a look comes when the updates have grown by this factor
_LOOK = 1.1
#: and no sooner than after so many updates: calling the threads together costs time
_LEAST = 4096
#: up to so many variables, a second way to the exact marginals is affordable
_ENUMERATED = 16
#: words in the entropy of what is drawn, besides the seed
_START, _CHAIN, _REPLICA = 1, 2, 3


class GibbsWorkload:
    """One graph; see `daybreak_train.tasks.protocol.Workload`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._graph: FactorGraph | None
        self._graph, self._exact = graph_and_marginals(options)
        self.identity = {"data": self._graph.digest()}

    def build(self, configuration: Configuration) -> GibbsJob:
        """Compile the sampler of `configuration`."""
        if self._graph is None:
            raise RuntimeError("the workload is closed")
        return GibbsJob(self._graph, self._exact, self._options, Recipe.of(configuration))

    def close(self) -> None:
        """Forget the graph."""
        self._graph = None


@dataclass
class _Run:
    """What the last training came to at its last look."""

    seed: int
    estimate: NDArray[np.float64]
    said: float
    updates: int
    train_s: float


class GibbsJob:
    """One configuration; see `daybreak_train.tasks.protocol.Job`."""

    def __init__(
        self,
        graph: FactorGraph,
        exact: NDArray[np.float64],
        options: Mapping[str, Any],
        recipe: Recipe,
    ) -> None:
        self._graph = graph
        self._exact = exact
        self._options = options
        self._recipe = recipe
        began = time.perf_counter()
        self._sampler = Sampler(graph, recipe)
        self.phases: Mapping[str, float] = {"compile": time.perf_counter() - began}
        self.facts: Mapping[str, Any] = {"variables": graph.size}
        if not graph.rules:
            self.facts = {**self.facts, "influence": influence(graph)}
        self._made: _Run | None = None
        self._judged: tuple[Sample, ...] = ()

    def verify(self) -> Verdict:
        """Compare the compiled updates with plain Python."""
        return verify(self._graph, self._recipe)

    def train(self, seed: int, clock: TrainingClock) -> Iterator[Event]:
        """Sample from a random state until the option `epochs` (sweeps) is used up."""
        self._judged = ()
        size, sampler = self._graph.size, self._sampler
        most = self._options["epochs"] * size
        updates = 0
        with Team(self._recipe.threads) as team:
            with clock:
                sampler.start(self._start(seed), [seed, _CHAIN])
            yield self._look(seed, updates, clock)
            while updates < most:
                until = min(most, max(updates + max(size, _LEAST), math.ceil(updates * _LOOK)))
                with clock:
                    sampler.advance(team, updates, until)
                updates = until
                yield self._look(seed, updates, clock)

    def _start(self, seed: int) -> NDArray[np.int8]:
        random = np.random.default_rng([seed, _START])
        return random.choice(np.array([-1, 1], dtype=np.int8), size=self._graph.size)

    def _look(self, seed: int, updates: int, clock: TrainingClock) -> Event:
        estimate = self._sampler.estimate()
        said = float(np.abs(estimate - self._exact).max())
        self._made = _Run(seed, estimate, said, updates, clock.train_s)
        return clock.event("bias", said, step=updates, epoch=updates / self._graph.size)

    def conclude(self) -> Iterable[Sample]:
        """Compare with marginals calculated another way, and with a second run.

        Raises:
            WrongResult: the curve is contradicted by the sum over all states (small graphs only).
        """
        made = self._made
        if made is None or self._judged:
            return self._judged
        if self._graph.size <= _ENUMERATED:
            worst = float(np.abs(made.estimate - enumerate_marginals(self._graph)).max())
            if abs(worst - made.said) > 1e-9:
                raise WrongResult(
                    f"against the sum over all states the bias is {worst:.6g}, "
                    f"but {made.said:.6g} on the curve"
                )
        samples = []
        if made.updates:
            with Team(self._recipe.threads) as team:
                self._sampler.start(-self._start(made.seed), [made.seed, _REPLICA])
                self._sampler.advance(team, 0, made.updates)
            replica = float(np.abs(self._sampler.estimate() - self._exact).max())
            samples.append(Sample("replica_bias", replica))
            if made.train_s > 0.0:
                samples.append(Sample("throughput", made.updates / made.train_s))
        self._judged = tuple(samples)
        return self._judged

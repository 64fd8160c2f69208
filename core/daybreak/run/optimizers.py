"""The optimizers of a run: made where their specs say, in this process or one of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daybreak.plugin import Component
from daybreak.plugin.contracts import Optimizer, Problem
from daybreak.plugin.specs import Isolation, OptimizerSpec
from daybreak.run.optimizer_homes import OptimizerHomes
from daybreak.run.optimizer_process import OptimizerProcess, start_optimizer

__all__ = ["Optimizers"]


class Optimizers:
    """Makes the optimizers of a run and ends their processes."""

    def __init__(self) -> None:
        self._homes = OptimizerHomes()

    def __enter__(self) -> Optimizers:
        """Start nothing: the first optimizer that needs a process does."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every process."""
        self.close()

    def create(
        self,
        component: Component,
        problem: Problem,
        options: Mapping[str, Any],
        *,
        isolation: Isolation | None = None,
    ) -> Optimizer:
        """Make an optimizer; `isolation` overrides its spec's.

        Raises:
            Cancelled: the run was interrupted.
            DaybreakError: as `Component.create`; PluginError also when its process dies.
        """
        spec = component.spec
        if isolation is None:
            isolation = spec.isolation if isinstance(spec, OptimizerSpec) else Isolation.INLINE
        if isolation is Isolation.INLINE:
            made: Optimizer = component.create(problem, dict(options))
            return made
        return start_optimizer(self._homes, component, problem, dict(options))

    def release(self, optimizer: Optimizer) -> None:
        """End the optimizer's process, if it has one; safe to call twice."""
        if isinstance(optimizer, OptimizerProcess):
            optimizer.close()

    def cancel(self) -> None:
        """Kill every process, from any thread or a signal handler; whoever waits is woken."""
        self._homes.cancel()

    def close(self) -> None:
        """End every process, for good."""
        self._homes.close()

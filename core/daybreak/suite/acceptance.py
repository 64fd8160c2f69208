"""Which benchmarks the optimizers of a suite take, as they say themselves before the run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from daybreak.suite.benchmarks import PlannedBenchmark, note_user_error
from daybreak.suite.faults import Faults

if TYPE_CHECKING:
    from daybreak.errors import UserError
    from daybreak.suite.optimizers import PlannedOptimizer

__all__ = ["check_acceptance"]

#: benchmarks are named in a message up to this many
_NAMED = 4


def check_acceptance(
    pairs: Iterable[tuple[PlannedBenchmark, PlannedOptimizer]], faults: Faults
) -> None:
    """Ask each optimizer of `pairs` about its benchmark, and note what it refuses.

    The same reason for several benchmarks is noted once, with their names.

    Raises:
        PluginError: an optimizer's check is broken.
    """
    refused: dict[tuple[int, str], tuple[PlannedOptimizer, UserError, list[str]]] = {}
    for one, optimizer in pairs:
        error = optimizer.source.refusal(one.benchmark, optimizer.options)
        if error is not None:
            key = (id(optimizer), str(error))
            refused.setdefault(key, (optimizer, error, []))[2].append(one.full)
    for optimizer, error, names in refused.values():
        shown = ", ".join(names[:_NAMED])
        if len(names) > _NAMED:
            shown += f" and {len(names) - _NAMED} more"
        if error.remedy is None:
            error.remedy = optimizer.remedy
        note_user_error(
            faults,
            error,
            optimizer.node,
            optimizer.place,
            prefix=f"'{optimizer.component}' cannot take {shown}: ",
        )

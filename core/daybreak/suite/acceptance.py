"""Whether an optimizer takes a benchmark with its options, as it says itself before the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daybreak.errors import UserError
from daybreak.plugin.contracts import Benchmark
from daybreak.plugin.specs import OptimizerSpec, load_object

__all__ = ["refusal"]


def refusal(
    spec: OptimizerSpec, benchmark: Benchmark, options: Mapping[str, Any]
) -> UserError | None:
    """Return what the optimizer's `accepts` raises for the benchmark; None if it takes it."""
    if spec.accepts is None:
        return None
    try:
        load_object(spec.accepts)(benchmark, dict(options))
    except UserError as error:
        return error
    return None

"""Its plugin module imports numpy."""

from __future__ import annotations

import numpy as np

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"

#: so that numpy is used
VERSION = np.__version__


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-heavy-listing",
            factory="broken_parts.optimizers:Walker",
            summary="Its plugin module imports numpy.",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded"}),
            parameter_types=frozenset({"ordinal"}),
            max_objectives=1,
        )
    ]

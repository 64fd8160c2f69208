"""A metric without a unit."""

from __future__ import annotations

from daybreak.plugin import MetricSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_metrics():
    return [
        MetricSpec(
            name="beads",
            factory="abacus.metrics:beads",
            summary="Beads moved",
            unit="",
            direction="maximize",
        )
    ]

"""An optimizer for a type of parameter that does not exist."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="coin",
            factory="abacus.coin:Coin",
            summary="Tosses a coin",
            parameter_types=frozenset({"float"}),
        )
    ]

"""Returns an optimizer where targets are asked for."""

from __future__ import annotations

from daybreak.plugin import OptimizerSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets():
    return [OptimizerSpec(name="good-coin", factory="abacus.coin:Coin", summary="Tosses a coin")]

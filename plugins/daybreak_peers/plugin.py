"""Hook implementations of the plugin `peers`."""

from __future__ import annotations

from daybreak import OptimizerSpec, hookimpl
from daybreak_peers import inverted_specs, modelled_specs

__all__ = ["daybreak_register_optimizers"]

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers() -> list[OptimizerSpec]:
    """Register every library's optimizers; whether it is installed is looked up when it is used."""
    return [*modelled_specs.specs(), *inverted_specs.specs()]

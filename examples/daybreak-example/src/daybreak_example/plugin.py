"""Hook implementations: what this plugin brings.

Specs only, with dotted paths: `daybreak plugins list` imports this module and nothing else of the
package.
"""

from __future__ import annotations

from daybreak import Isolation, OptimizerSpec, TargetSpec, hookimpl

__all__ = ["daybreak_register_optimizers", "daybreak_register_targets"]

#: the version of Daybreak's plugin API that this module was written for
DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_targets() -> list[TargetSpec]:
    """Register the target."""
    return [
        TargetSpec(
            name="cmatmul",
            factory="daybreak_example.target:CMatmul",
            summary="A tiled matrix product in C, built by the system's compiler",
            options="daybreak_example.options:MatmulOptions",
            requires=("numpy>=1.26",),
            devices=("cpu",),
            # the matrices are loaded once; every trial runs in a fork, where it may crash
            isolation=Isolation.FORK,
        )
    ]


@hookimpl
def daybreak_register_optimizers() -> list[OptimizerSpec]:
    """Register the optimizer."""
    return [
        OptimizerSpec(
            name="hill-climb",
            factory="daybreak_example.hill_climb:HillClimb",
            summary="Walks from neighbour to neighbour, and starts anew where it gets stuck",
            options="daybreak_example.options:HillClimbOptions",
            capabilities=frozenset({"batch", "exhausts", "seeded"}),
            max_objectives=1,
        )
    ]

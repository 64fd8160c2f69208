"""Hook implementations of the plugin `random`."""

from __future__ import annotations

from daybreak import OptimizerSpec, hookimpl

__all__ = ["daybreak_register_optimizers"]

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers() -> list[OptimizerSpec]:
    """Register the four optimizers."""
    every_type = frozenset({"real", "integer", "ordinal", "categorical", "permutation", "program"})
    return [
        OptimizerSpec(
            name="random",
            factory="daybreak_random.sampling:Random",
            summary="Uniform over the feasible configurations, without repetition.",
            capabilities=frozenset({"batch", "seeded", "exhausts"}),
            max_objectives=0,
        ),
        OptimizerSpec(
            name="random-path",
            factory="daybreak_random.sampling:RandomPath",
            summary="Path-biased: one random child at each level of the constraint trees (ATF).",
            capabilities=frozenset({"batch", "seeded", "exhausts"}),
            max_objectives=0,
        ),
        OptimizerSpec(
            name="grid",
            factory="daybreak_random.grid:Grid",
            summary="Every feasible configuration, or an evenly spread part of them.",
            options="daybreak_random.options:GridOptions",
            capabilities=frozenset({"batch", "exhausts"}),
            parameter_types=frozenset({"integer", "ordinal", "categorical", "permutation"}),
            max_objectives=0,
        ),
        OptimizerSpec(
            name="references",
            factory="daybreak_random.references:References",
            summary="Measures the benchmark's references and nothing else.",
            options="daybreak_random.options:ReferencesOptions",
            capabilities=frozenset({"batch"}),
            parameter_types=every_type,
            max_objectives=0,
        ),
    ]

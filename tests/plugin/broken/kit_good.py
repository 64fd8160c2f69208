"""Keeps every rule: an optimizer, targets inline and in a worker that know their faults, a trainer."""

from __future__ import annotations

from daybreak.plugin import Isolation, OptimizerSpec, TargetSpec, hookimpl

DAYBREAK_API = "1.0"


@hookimpl
def daybreak_register_optimizers():
    return [
        OptimizerSpec(
            name="kit-walker",
            factory="broken_parts.optimizers:Walker",
            summary="Keeps every rule",
            options="broken_parts.optimizers:StrictOptions",
            capabilities=frozenset({"seeded", "batch"}),
            max_objectives=0,
        )
    ]


@hookimpl
def daybreak_register_targets():
    return [
        TargetSpec(
            name=f"kit-adder-{isolation}",
            factory="broken_parts.targets:" + factory,
            summary="Keeps every rule",
            options="broken_parts.targets:Options",
            isolation=isolation,
        )
        for isolation, factory in (
            (Isolation.INLINE, "Adder"),
            (Isolation.WORKER, "FaultyAdder"),
            (Isolation.FORK, "FaultyAdder"),
        )
    ] + [
        TargetSpec(
            name="kit-trainer",
            factory="broken_parts.trainers:Trainer",
            summary="Keeps every rule",
            options="broken_parts.targets:Options",
            isolation=Isolation.WORKER,
        )
    ]

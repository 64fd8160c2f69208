"""Registers the target with Daybreak; imports nothing heavy."""

from __future__ import annotations

from daybreak import Isolation, TargetSpec, hookimpl

__all__ = ["DAYBREAK_API", "daybreak_register_targets"]

#: the version of Daybreak's hooks that this module is written for
DAYBREAK_API = "1.0"

_OPTIONS = "daybreak_rise.options:"


@hookimpl
def daybreak_register_targets() -> list[TargetSpec]:
    """Return the one target of this plugin."""
    return [
        TargetSpec(
            name="rise",
            factory="daybreak_rise.target:RiseTarget",
            summary="functional patterns rewritten by strategies, run through OpenCL",
            capabilities=frozenset({"compiles", "verifies", "opencl"}),
            # what else a benchmark needs depends on its runtime and back end: see `demands`
            requires=("numpy>=1.26",),
            extra="rise",
            devices=("cpu", "gpu"),
            # drivers keep threads and contexts, which no fork survives
            isolation=Isolation.WORKER,
            exclusive=True,
            benchmark_options=(
                ("mm-cpu", _OPTIONS + "MmCpuOptions"),
                ("mm-gpu", _OPTIONS + "MmGpuOptions"),
                ("asum", _OPTIONS + "AsumOptions"),
                ("scal", _OPTIONS + "ScalOptions"),
                ("kmeans", _OPTIONS + "KmeansOptions"),
                ("harris", _OPTIONS + "HarrisOptions"),
                ("stencil", _OPTIONS + "StencilOptions"),
            ),
        )
    ]

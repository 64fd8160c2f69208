"""Registers the target with Daybreak; imports nothing heavy."""

from __future__ import annotations

from daybreak import Isolation, TargetSpec, hookimpl

__all__ = ["DAYBREAK_API", "daybreak_register_targets"]

#: the version of Daybreak's hooks that this module is written for
DAYBREAK_API = "1.0"

_OPTIONS = "daybreak_taco.options:"


@hookimpl
def daybreak_register_targets() -> list[TargetSpec]:
    """Return the one target of this plugin."""
    return [
        TargetSpec(
            name="taco",
            factory="daybreak_taco.target:TacoTarget",
            summary="sparse kernels compiled by the Tensor Algebra Compiler, timed on this CPU",
            capabilities=frozenset({"compiles", "verifies", "openmp"}),
            requires=("numpy>=1.26", "scipy>=1.13"),
            executables=(),
            devices=("cpu",),
            isolation=Isolation.FORK,
            exclusive=True,
            benchmark_options=(
                ("spmv", _OPTIONS + "SpmvOptions"),
                ("spmm", _OPTIONS + "SpmmOptions"),
                ("sddmm", _OPTIONS + "SddmmOptions"),
                ("ttv", _OPTIONS + "TtvOptions"),
                ("mttkrp", _OPTIONS + "MttkrpOptions"),
            ),
        )
    ]

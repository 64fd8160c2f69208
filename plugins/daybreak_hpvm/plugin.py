"""Registers the target with Daybreak; imports nothing heavy."""

from __future__ import annotations

from daybreak import Isolation, TargetSpec, hookimpl

__all__ = ["DAYBREAK_API", "daybreak_register_targets"]

#: the version of Daybreak's hooks that this module is written for
DAYBREAK_API = "1.0"

_OPTIONS = "daybreak_hpvm.options:"


@hookimpl
def daybreak_register_targets() -> list[TargetSpec]:
    """Return the one target of this plugin.

    Its benchmarks with the fidelity `model` say that their sessions live inline; what is said here
    is for `rtl`, whose tools are other people's programs. Nothing is timed, so trials may overlap.
    """
    return [
        TargetSpec(
            name="hpvm",
            factory="daybreak_hpvm.target:HpvmTarget",
            summary="dataflow programs made into FPGA designs: modelled, or built with real tools",
            capabilities=frozenset({"compiles", "verifies", "fidelities"}),
            requires=("numpy>=1.26",),
            extra="hpvm",
            devices=("cpu",),
            isolation=Isolation.WORKER,
            exclusive=False,
            benchmark_options=(
                ("bfs", _OPTIONS + "BfsOptions"),
                ("audio", _OPTIONS + "AudioOptions"),
                ("preeuler", _OPTIONS + "PreEulerOptions"),
                ("edge", _OPTIONS + "EdgeOptions"),
            ),
            caches=("hpvm",),
            reserves=True,
        )
    ]

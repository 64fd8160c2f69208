"""Specs of Kernel Tuner, pyATF, OpenTuner and HyperMapper."""

from __future__ import annotations

from daybreak import Isolation, OptimizerSpec

__all__ = ["specs"]

_LISTED = frozenset({"integer", "ordinal", "categorical", "permutation"})
_CAPABILITIES = frozenset({"seeded", "exhausts"})


def specs() -> list[OptimizerSpec]:
    """Return the specs."""
    return [
        OptimizerSpec(
            name="kernel-tuner",
            factory="daybreak_peers.kernel_tuner_peer:KernelTuner",
            summary="Kernel Tuner's search strategies: genetic algorithm, annealing, BO and others.",
            options="daybreak_peers.inverted_options:KernelTunerOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_LISTED,
            requires=("kernel_tuner>=1.5",),
            accepts="daybreak_peers.refusals:kernel_tuner",
            isolation=Isolation.WORKER,
        ),
        OptimizerSpec(
            name="pyatf",
            factory="daybreak_peers.pyatf_peer:PyAtf",
            summary="pyATF's search techniques over its chain of trees.",
            options="daybreak_peers.inverted_options:PyAtfOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_LISTED,
            requires=("pyatf>=0.0.12",),
            accepts="daybreak_peers.refusals:pyatf",
            isolation=Isolation.WORKER,
        ),
        OptimizerSpec(
            name="opentuner",
            factory="daybreak_peers.opentuner_peer:OpenTuner",
            summary="OpenTuner's AUC bandit over its techniques.",
            options="daybreak_peers.inverted_options:OpenTunerOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_LISTED | {"real"},
            requires=("opentuner>=0.8.8",),
            accepts="daybreak_peers.refusals:opentuner",
            isolation=Isolation.WORKER,
        ),
        OptimizerSpec(
            name="hypermapper",
            factory="daybreak_peers.hypermapper_peer:HyperMapper",
            summary="HyperMapper 2.2: a random forest or a Gaussian process, with feasibility.",
            options="daybreak_peers.inverted_options:HyperMapperOptions",
            capabilities=_CAPABILITIES,
            parameter_types=_LISTED | {"real"},
            accepts="daybreak_peers.refusals:hypermapper",
            isolation=Isolation.WORKER,
        ),
    ]

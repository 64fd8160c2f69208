"""Plugins: how targets, optimizers and the other components reach Daybreak.

Importing this package is cheap. The contracts (`Target`, `Session`, `Benchmark`, ...) pull in the
search spaces, so they are loaded when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daybreak.plugin.component import Component
from daybreak.plugin.loader import load_plugins
from daybreak.plugin.markers import API_VERSION, hookimpl
from daybreak.plugin.registry import KINDS, ObserverFailure, Registry
from daybreak.plugin.specs import (
    ComponentSpec,
    ExecutorSpec,
    ExporterSpec,
    ImporterSpec,
    Isolation,
    MetricSpec,
    OptimizerSpec,
    ReportSpec,
    TargetSpec,
    ViewSpec,
    load_object,
)
from daybreak.plugin.status import PluginRecord, PluginStatus

if TYPE_CHECKING:
    from daybreak.plugin.contracts import (
        Artifact,
        Benchmark,
        Explains,
        Installable,
        KnowsFaults,
        Landscape,
        Optimizer,
        Problem,
        Reference,
        Rehearses,
        Requirement,
        Session,
        Simulates,
        Spends,
        Surveyed,
        Target,
        Verdict,
    )

__all__ = [
    "API_VERSION",
    "KINDS",
    "Artifact",
    "Benchmark",
    "Component",
    "ComponentSpec",
    "ExecutorSpec",
    "Explains",
    "ExporterSpec",
    "ImporterSpec",
    "Installable",
    "Isolation",
    "KnowsFaults",
    "Landscape",
    "MetricSpec",
    "ObserverFailure",
    "Optimizer",
    "OptimizerSpec",
    "PluginRecord",
    "PluginStatus",
    "Problem",
    "Reference",
    "Registry",
    "Rehearses",
    "ReportSpec",
    "Requirement",
    "Session",
    "Simulates",
    "Spends",
    "Surveyed",
    "Target",
    "TargetSpec",
    "Verdict",
    "ViewSpec",
    "hookimpl",
    "load_object",
    "load_plugins",
]

_CONTRACTS = frozenset(
    {
        "Artifact",
        "Benchmark",
        "Explains",
        "Installable",
        "KnowsFaults",
        "Landscape",
        "Optimizer",
        "Problem",
        "Reference",
        "Rehearses",
        "Requirement",
        "Session",
        "Simulates",
        "Spends",
        "Surveyed",
        "Target",
        "Verdict",
    }
)


def __getattr__(name: str) -> Any:
    """Load the contracts when one of them is first asked for."""
    if name in _CONTRACTS:
        from daybreak.plugin import contracts

        return getattr(contracts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

"""Daybreak: a benchmarking harness where any optimizer meets any target.

The names below are the public API. Each is imported when first used, so that `import daybreak`
costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# name -> module that defines it
_HOMES = {
    "Benchmark": "daybreak.plugin.contracts",
    "Budget": "daybreak.records",
    "BuildFailed": "daybreak.errors",
    "Categorical": "daybreak.space",
    "ComponentSpec": "daybreak.plugin.specs",
    "Configuration": "daybreak.records",
    "Constraint": "daybreak.space",
    "DaybreakError": "daybreak.errors",
    "Direction": "daybreak.records",
    "Event": "daybreak.records",
    "Explains": "daybreak.plugin.contracts",
    "ExecutorSpec": "daybreak.plugin.specs",
    "FailureKind": "daybreak.records",
    "ImporterSpec": "daybreak.plugin.specs",
    "Installable": "daybreak.plugin.contracts",
    "Integer": "daybreak.space",
    "Isolation": "daybreak.plugin.specs",
    "KnowsFaults": "daybreak.plugin.contracts",
    "Limits": "daybreak.records",
    "MeasurementProtocol": "daybreak.records",
    "Metric": "daybreak.records",
    "MetricSpec": "daybreak.plugin.specs",
    "Optimizer": "daybreak.plugin.contracts",
    "OptimizerSpec": "daybreak.plugin.specs",
    "Ordinal": "daybreak.space",
    "OutOfMemory": "daybreak.errors",
    "Outcome": "daybreak.records",
    "Parameter": "daybreak.space",
    "Permutation": "daybreak.space",
    "PluginError": "daybreak.errors",
    "Problem": "daybreak.plugin.contracts",
    "Program": "daybreak.space",
    "Real": "daybreak.space",
    "Reference": "daybreak.plugin.contracts",
    "Repeats": "daybreak.records",
    "ReportSpec": "daybreak.plugin.specs",
    "Requirement": "daybreak.plugin.contracts",
    "RequirementError": "daybreak.errors",
    "ResourceExceeded": "daybreak.errors",
    "Rehearses": "daybreak.plugin.contracts",
    "RunSummary": "daybreak.run",
    "Sample": "daybreak.records",
    "Session": "daybreak.plugin.contracts",
    "Space": "daybreak.space",
    "SpaceError": "daybreak.errors",
    "Spends": "daybreak.plugin.contracts",
    "StoreError": "daybreak.errors",
    "SuiteError": "daybreak.errors",
    "Target": "daybreak.plugin.contracts",
    "TargetSpec": "daybreak.plugin.specs",
    "Threshold": "daybreak.records",
    "Trial": "daybreak.records",
    "TrialFailed": "daybreak.errors",
    "TrialStatus": "daybreak.records",
    "UserError": "daybreak.errors",
    "Verdict": "daybreak.plugin.contracts",
    "ViewSpec": "daybreak.plugin.specs",
    "WrongResult": "daybreak.errors",
    "flush_caches": "daybreak.measure",
    "hookimpl": "daybreak.plugin",
    "load_space": "daybreak.space",
    "load_suite": "daybreak.suite",
    "nearest": "daybreak.errors",
    "parse_constraint": "daybreak.space",
    "query": "daybreak.analysis",
    "query_arrow": "daybreak.analysis",
    "run_suite": "daybreak.run",
}

__all__ = [
    "Benchmark",
    "Budget",
    "BuildFailed",
    "Categorical",
    "ComponentSpec",
    "Configuration",
    "Constraint",
    "DaybreakError",
    "Direction",
    "Event",
    "ExecutorSpec",
    "Explains",
    "FailureKind",
    "ImporterSpec",
    "Installable",
    "Integer",
    "Isolation",
    "KnowsFaults",
    "Limits",
    "MeasurementProtocol",
    "Metric",
    "MetricSpec",
    "Optimizer",
    "OptimizerSpec",
    "Ordinal",
    "OutOfMemory",
    "Outcome",
    "Parameter",
    "Permutation",
    "PluginError",
    "Problem",
    "Program",
    "Real",
    "Reference",
    "Rehearses",
    "Repeats",
    "ReportSpec",
    "Requirement",
    "RequirementError",
    "ResourceExceeded",
    "RunSummary",
    "Sample",
    "Session",
    "Space",
    "SpaceError",
    "Spends",
    "StoreError",
    "SuiteError",
    "Target",
    "TargetSpec",
    "Threshold",
    "Trial",
    "TrialFailed",
    "TrialStatus",
    "UserError",
    "Verdict",
    "ViewSpec",
    "WrongResult",
    "__version__",
    "flush_caches",
    "hookimpl",
    "load_space",
    "load_suite",
    "nearest",
    "parse_constraint",
    "query",
    "query_arrow",
    "run_suite",
]

if TYPE_CHECKING:
    from daybreak.analysis import query, query_arrow
    from daybreak.errors import (
        BuildFailed,
        DaybreakError,
        OutOfMemory,
        PluginError,
        RequirementError,
        ResourceExceeded,
        SpaceError,
        StoreError,
        SuiteError,
        TrialFailed,
        UserError,
        WrongResult,
        nearest,
    )
    from daybreak.measure import flush_caches
    from daybreak.plugin import hookimpl
    from daybreak.plugin.contracts import (
        Benchmark,
        Explains,
        Installable,
        KnowsFaults,
        Optimizer,
        Problem,
        Reference,
        Rehearses,
        Requirement,
        Session,
        Spends,
        Target,
        Verdict,
    )
    from daybreak.plugin.specs import (
        ComponentSpec,
        ExecutorSpec,
        ImporterSpec,
        Isolation,
        MetricSpec,
        OptimizerSpec,
        ReportSpec,
        TargetSpec,
        ViewSpec,
    )
    from daybreak.records import (
        Budget,
        Configuration,
        Direction,
        Event,
        FailureKind,
        Limits,
        MeasurementProtocol,
        Metric,
        Outcome,
        Repeats,
        Sample,
        Threshold,
        Trial,
        TrialStatus,
    )
    from daybreak.run import RunSummary, run_suite
    from daybreak.space import (
        Categorical,
        Constraint,
        Integer,
        Ordinal,
        Parameter,
        Permutation,
        Program,
        Real,
        Space,
        load_space,
        parse_constraint,
    )
    from daybreak.suite import load_suite


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'daybreak' has no attribute '{name}'")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})

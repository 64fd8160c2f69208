"""Whether a spec that a plugin returned is well formed. Frozen dataclasses check nothing."""

from __future__ import annotations

import re
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

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
)
from daybreak.records import Direction

__all__ = ["PARAMETER_TYPES", "SPEC_TYPES", "check_spec"]

#: the class of spec that each kind's registration hook returns
SPEC_TYPES: dict[str, type[ComponentSpec]] = {
    "target": TargetSpec,
    "optimizer": OptimizerSpec,
    "executor": ExecutorSpec,
    "metric": MetricSpec,
    "view": ViewSpec,
    "importer": ImporterSpec,
    "exporter": ExporterSpec,
    "report": ReportSpec,
}
#: every type of parameter that a search space may hold
PARAMETER_TYPES = frozenset({"real", "integer", "ordinal", "categorical", "permutation", "program"})

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# metrics and views become columns and tables of SQL
_SQL_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def check_spec(kind: str, spec: Any) -> list[str]:
    """Return what is wrong with `spec`, returned as a component of `kind`; empty if it is fine."""
    wanted = SPEC_TYPES[kind]
    if not isinstance(spec, wanted):
        return [f"returned {_show(spec)}; expected {wanted.__name__}"]
    problems = [*_check_common(spec), *_check_kind(spec)]
    return [f"{kind} {spec.name!r}: {problem}" for problem in problems]


def _show(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"[:120]


def _check_common(spec: ComponentSpec) -> list[str]:
    problems = []
    sql = isinstance(spec, MetricSpec | ViewSpec)
    pattern = _SQL_NAME if sql else _NAME
    if not isinstance(spec.name, str) or not pattern.fullmatch(spec.name):
        words = "underscores" if sql else "hyphens"
        problems.append(f"name must be lower case letters, digits and single {words} between")
    problems += _check_path("factory", spec.factory)
    if spec.options is not None:
        problems += _check_path("options", spec.options)
    if not isinstance(spec.summary, str) or not spec.summary.strip() or "\n" in spec.summary:
        problems.append("summary must be one line of text")
    if not isinstance(spec.capabilities, frozenset) or not _all_text(spec.capabilities):
        problems.append("capabilities must be a frozenset of words")
    if spec.extra is not None and not (isinstance(spec.extra, str) and _NAME.fullmatch(spec.extra)):
        problems.append(f"extra must name an extra of the distribution, not {_show(spec.extra)}")
    for field in ("requires", "executables", "devices"):
        value = getattr(spec, field)
        if not isinstance(value, tuple) or not _all_text(value):
            problems.append(f"{field} must be a tuple of texts, not {_show(value)}")
        elif field == "requires":
            problems += _check_requires(value)
    return problems


def _check_kind(spec: ComponentSpec) -> list[str]:
    problems = []
    if isinstance(spec, TargetSpec):
        if not isinstance(spec.isolation, Isolation):
            problems.append(f"isolation must be an Isolation, not {_show(spec.isolation)}")
        if not isinstance(spec.caches, tuple) or not all(
            isinstance(name, str) and _NAME.fullmatch(name) for name in spec.caches
        ):
            problems.append(f"caches must be a tuple of names of folders, not {_show(spec.caches)}")
        if not isinstance(spec.reserves, bool):
            problems.append(f"reserves must be a bool, not {_show(spec.reserves)}")
        if not isinstance(spec.benchmark_options, tuple):
            problems.append("benchmark_options must be a tuple of (benchmark, dotted path)")
        else:
            problems += _check_benchmark_options(spec.benchmark_options)
    if isinstance(spec, OptimizerSpec):
        if spec.isolation not in (Isolation.INLINE, Isolation.WORKER):
            problems.append(
                f"isolation must be Isolation.INLINE or Isolation.WORKER, not {_show(spec.isolation)}"
            )
        types = spec.parameter_types
        if not isinstance(types, frozenset) or not types or not types <= PARAMETER_TYPES:
            problems.append(
                f"parameter_types must be a frozenset out of {', '.join(sorted(PARAMETER_TYPES))}"
            )
        if type(spec.max_objectives) is not int or spec.max_objectives < 0:
            problems.append("max_objectives must be a whole number, 0 for any")
        if spec.accepts is not None:
            problems += _check_path("accepts", spec.accepts)
    if isinstance(spec, MetricSpec):
        if not isinstance(spec.unit, str) or not spec.unit.strip():
            problems.append("unit is mandatory ('1' for a plain number)")
        if spec.direction not in {direction.value for direction in Direction}:
            problems.append(f"direction must be minimize or maximize, not {spec.direction!r}")
    return problems


def _check_benchmark_options(pairs: tuple[Any, ...]) -> list[str]:
    problems = []
    for pair in pairs:
        if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)):
            problems.append(f"benchmark_options holds {_show(pair)}, not (benchmark, dotted path)")
        else:
            problems += _check_path(f"benchmark_options of '{pair[0]}'", pair[1])
    return problems


def _check_path(field: str, value: Any) -> list[str]:
    if isinstance(value, str) and _PATH.fullmatch(value):
        return []
    return [f"{field} must be a dotted path 'package.module:attribute', not {_show(value)}"]


def _check_requires(requires: tuple[str, ...]) -> list[str]:
    problems = []
    for text in requires:
        try:
            Requirement(text)
        except InvalidRequirement:
            problems.append(f"requires holds '{text}', which is no PEP 508 requirement")
    return problems


def _all_text(values: Any) -> bool:
    return all(isinstance(value, str) and value for value in values)

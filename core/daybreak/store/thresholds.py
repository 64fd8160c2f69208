"""Thresholds of studies as rows of the index: absolute ones in the unit of their metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from daybreak.store.tables import as_number, as_text

__all__ = ["threshold_rows"]

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}


def threshold_rows(
    study_id: str, thresholds: Sequence[Any], unit_of: Callable[[str | None], str | None]
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a study's rows of the table `thresholds`, and a sentence if something is amiss.

    Args:
        study_id: the study.
        thresholds: mappings with `name`, `metric`, `relative_to`, `value` and `unit`.
        unit_of: gives the unit of a metric (None: the first objective) as far as it is known; an
            absolute value in another unit is converted if both are units of time, and is NULL
            otherwise.
    """
    rows: list[dict[str, Any]] = []
    problem = None
    for threshold in thresholds:
        if not isinstance(threshold, Mapping):
            problem = f"a threshold of study '{study_id}' is malformed: {threshold!r}"
            continue
        name, metric, unit = (as_text(threshold.get(n)) for n in ("name", "metric", "unit"))
        relative_to = as_text(threshold.get("relative_to"))
        value = as_number(threshold.get("value"))
        native = unit_of(metric) if unit is not None and not relative_to else None
        if native is not None and unit is not None and native != unit:
            if native in _SECONDS and unit in _SECONDS and value is not None:
                value, unit = value * _SECONDS[unit] / _SECONDS[native], native
            else:
                value = None
                problem = (
                    f"threshold '{name}' of study '{study_id}' is in '{unit}', its metric in "
                    f"'{native}': it cannot be evaluated"
                )
        rows.append(
            {
                "study_id": study_id,
                "name": name,
                "metric": metric,
                "relative_to": relative_to,
                "value": value,
                "unit": unit,
            }
        )
    return rows, problem

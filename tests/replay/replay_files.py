"""Small recorded files, written by hand, for the tests."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CACHE_KEYS = ("x", "y")


def result(
    configuration: Mapping[str, Any],
    runtimes: Sequence[float] | None = (2.0, 2.5, 2.25),
    *,
    invalidity: str = "correct",
    compilation: float = 100.0,
    **more: Any,
) -> dict[str, Any]:
    """Return one T4 result, times in milliseconds."""
    value: Any = "RuntimeFailedConfig" if runtimes is None else sum(runtimes) / len(runtimes)
    times: dict[str, Any] = {
        "compilation": compilation,
        "framework": 1.0,
        "search_algorithm": 0,
        "validation": 10.0,
    }
    if runtimes is not None:
        times["runtimes"] = list(runtimes)
    return {
        "timestamp": "2026-01-01 00:00:00+00:00",
        "configuration": dict(configuration),
        "times": times,
        "invalidity": invalidity,
        "correctness": int(invalidity == "correct"),
        "measurements": [{"name": "time", "value": value, "unit": ""}],
        "objectives": ["time"],
        **more,
    }


def t4(results: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """Return the content of a T4 file."""
    return {
        "schema_version": "1.0.0",
        "metadata": {"timeunit": "miliseconds"},
        "results": list(results),
        **more,
    }


def entry(x: Any, y: Any, times: Sequence[float] | str = (2.0, 4.0), **more: Any) -> dict[str, Any]:
    """Return one entry of a Kernel Tuner cache."""
    measured = (
        {"time": times}
        if isinstance(times, str)
        else {"time": sum(times) / len(times), "times": list(times)}
    )
    return {
        "x": x,
        "y": y,
        **measured,
        "compile_time": 50.0,
        "verification_time": 0,
        "benchmark_time": 20.0,
        "strategy_time": 0,
        "framework_time": 1.0,
        "timestamp": "2026-01-01 00:00:00+00:00",
        **more,
    }


def cache(
    entries: Sequence[Mapping[str, Any]],
    values: Mapping[str, Sequence[Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the content of a cache file."""
    return {
        "device_name": "a device",
        "kernel_name": "a kernel",
        "problem_size": [1024, 1, 1],
        "tune_params_keys": list(CACHE_KEYS),
        "tune_params": dict(values or {"x": [1, 2, 4], "y": [0, 1]}),
        "objective": "time",
        "cache": {f"{one['x']},{one['y']}": dict(one) for one in entries},
        **more,
    }


def write(path: Path, content: Any) -> Path:
    """Write JSON, packed if the name ends in .gz; text and bytes as they are."""
    data = content if isinstance(content, bytes | str) else json.dumps(content)
    raw = data.encode() if isinstance(data, str) else data
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path

"""Writes Daybreak's studies as T4, and as a cache that Kernel Tuner reads.

Sources: github.com/odgaard/TuningSchema `results-schema.json` 1.0.0; Kernel Tuner 1.5.0
`file_utils.get_t4_results` and `util.process_cache`.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from daybreak import ExportReport, FailureKind, RecordedStudy, Space, Trial, UserError
from daybreak_replay.formats.t4 import OWN
from daybreak_replay.units import TIME_UNITS, time_unit

__all__ = ["CacheExporter", "T4Exporter"]

#: What T4 and Kernel Tuner call a kind of failure; the others say nothing about a configuration.
_WORDS = {
    FailureKind.BUILD: ("compile", "CompilationFailedConfig"),
    FailureKind.CRASH: ("runtime", "RuntimeFailedConfig"),
    FailureKind.MEMORY: ("runtime", "RuntimeFailedConfig"),
    FailureKind.RESOURCE: ("runtime", "RuntimeFailedConfig"),
    FailureKind.TIMEOUT: ("timeout", "RuntimeFailedConfig"),
    FailureKind.WRONG_RESULT: ("correctness", "RuntimeFailedConfig"),
}
_TIME_UNIT_WORDS = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}
_LONG = {"min", "h"}


class T4Exporter:
    """Writes one T4 file; every trial is a result, in order of the studies."""

    def write(
        self, studies: Sequence[RecordedStudy], out: Path, options: Mapping[str, Any]
    ) -> ExportReport:
        """Write `studies` to the file `out`.

        Raises:
            UserError: no trial can be exported, or `out` cannot be written.
        """
        objectives = list(studies[0].benchmark["objectives"])
        unit = _file_unit(objectives)
        left_out: dict[str, int] = {}
        results = [
            _result(trial, objectives, studies[0].benchmark, unit)
            for trial in _usable(studies, left_out)
        ]
        _check_any(results, out, left_out)
        content = {
            "schema_version": "1.0.0",
            "metadata": {
                "timeunit": _TIME_UNIT_WORDS[unit],
                "benchmark": studies[0].benchmark.get("benchmark"),
                "studies": [_study(one) for one in studies],
                OWN: _own(studies[0].benchmark),
            },
            "results": results,
        }
        _write(out, content, indent=bool(options.get("indent")))
        return ExportReport((out,), len(results), left_out)


class CacheExporter:
    """Writes a closed cache file; of a configuration's trials the first is kept."""

    def write(
        self, studies: Sequence[RecordedStudy], out: Path, options: Mapping[str, Any]
    ) -> ExportReport:
        """Write `studies` to the file `out`.

        Raises:
            UserError: no trial can be exported, the space has real parameters, or `out` cannot be
                written.
        """
        benchmark = studies[0].benchmark
        space = Space.from_dict(benchmark["space"])
        objectives = list(benchmark["objectives"])
        values = _tune_params(space, out)
        left_out: dict[str, int] = {}
        cache: dict[str, Any] = {}
        for trial in _usable(studies, left_out):
            configuration = {name: trial.configuration[name] for name in space.names}
            key = ",".join(str(_plain(value)) for value in configuration.values())
            if key in cache:
                left_out["repeated a configuration"] = (
                    left_out.get("repeated a configuration", 0) + 1
                )
            else:
                cache[key] = _entry(trial, configuration, objectives)
        _check_any(cache, out, left_out)
        content = {
            "device_name": _device(studies[0].run),
            "kernel_name": str(benchmark.get("benchmark", "daybreak")),
            "problem_size": [1, 1, 1],
            "tune_params_keys": list(space.names),
            "tune_params": values,
            "objective": "time" if _is_time(objectives[0]) else objectives[0]["name"],
            "cache": cache,
        }
        _write(out, content, indent=bool(options.get("indent")))
        return ExportReport((out,), len(cache), left_out, ("Times are in milliseconds.",))


def _usable(studies: Sequence[RecordedStudy], left_out: dict[str, int]) -> Iterator[Trial]:
    """Yield the trials that say something about a configuration of the space."""
    names = {one["name"] for one in studies[0].benchmark["space"]["parameters"]}
    for study in studies:
        for trial in study.trials:
            outcome = trial.outcome
            reason = None
            if set(trial.configuration) != names:
                reason = "outside the search space"
            elif not trial.ok and outcome.failure_kind not in _WORDS:
                reason = f"failed as '{outcome.failure_kind}', which says nothing of it"
            if reason is None:
                yield trial
            else:
                left_out[reason] = left_out.get(reason, 0) + 1


def _check_any(found: Any, out: Path, left_out: Mapping[str, int]) -> None:
    if not found:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise UserError(
            "there is no trial to export" + (f": {reasons}" if reasons else ""), file=out
        )


def _is_time(metric: Mapping[str, Any]) -> bool:
    return time_unit(metric["unit"]) is not None and metric["direction"] == "minimize"


def _file_unit(objectives: Sequence[Mapping[str, Any]]) -> str:
    """Return the unit for the file's times: that of the first objective, so its digits stay."""
    unit = time_unit(objectives[0]["unit"])
    return "ms" if unit is None or unit in _LONG else unit


def _result(
    trial: Trial, objectives: Sequence[Mapping[str, Any]], benchmark: Mapping[str, Any], unit: str
) -> dict[str, Any]:
    outcome = trial.outcome
    factor = 1.0 / TIME_UNITS[unit]
    times: dict[str, Any] = {
        "compilation": outcome.phases.get("build", 0.0) * factor,
        "framework": outcome.phases.get("framework", 0.0) * factor,
        "search_algorithm": (trial.ask_s + trial.tell_s) * factor,
        "validation": outcome.phases.get("verify", 0.0) * factor,
        "runtimes": [],
    }
    if "measure" in outcome.phases:
        times["benchmark"] = outcome.phases["measure"] * factor
    result: dict[str, Any] = {
        "timestamp": trial.started_at,
        "configuration": {name: _plain(value) for name, value in trial.configuration.items()},
        "times": times,
        "invalidity": "correct",
        "correctness": 1,
        "measurements": [],
        "objectives": [metric["name"] for metric in objectives],
    }
    if not trial.ok:
        word, mark = _WORDS[outcome.failure_kind or FailureKind.CRASH]
        result["invalidity"], result["correctness"] = word, 0
        result["measurements"] = [
            {"name": metric["name"], "value": mark, "unit": metric["unit"]} for metric in objectives
        ]
        result[OWN] = {"failure_kind": outcome.failure_kind, "message": outcome.message}
        return result
    series: dict[str, list[float]] = {}
    for sample in outcome.samples:
        series.setdefault(sample.metric, []).append(sample.value)
    for metric in (*objectives, *benchmark.get("metrics", ())):
        values = series.get(metric["name"])
        if not values:
            continue
        stated = metric["unit"]
        scaled = time_unit(stated)
        if metric is objectives[0] and _is_time(metric) and scaled is not None:
            ratio = TIME_UNITS[scaled] / TIME_UNITS[unit]
            times["runtimes"] = values if ratio == 1.0 else [value * ratio for value in values]
            reported = _mean(times["runtimes"])
            one = {"name": metric["name"], "value": reported, "unit": unit}
            result["measurements"].append(one)
        else:
            value: Any = values if len(values) > 1 else values[0]
            result["measurements"].append({"name": metric["name"], "value": value, "unit": stated})
    return result


def _entry(
    trial: Trial, configuration: Mapping[str, Any], objectives: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    outcome = trial.outcome
    entry: dict[str, Any] = {name: _plain(value) for name, value in configuration.items()}
    names = ["time" if _is_time(one) else one["name"] for one in objectives]
    if not trial.ok:
        _, mark = _WORDS[outcome.failure_kind or FailureKind.CRASH]
        entry["__error__"] = mark
        entry.update(dict.fromkeys(names, mark))
    for name, metric in zip(names, objectives, strict=True):
        series = [s.value for s in outcome.samples if s.metric == metric["name"]]
        unit = time_unit(metric["unit"])
        if not trial.ok or not series:
            continue
        if _is_time(metric) and unit is not None:
            series = (
                [value * TIME_UNITS[unit] * 1e3 for value in series] if unit != "ms" else series
            )
            entry.setdefault("times", series)
        entry[name] = _mean(series)
    for phase, name in (
        ("build", "compile_time"),
        ("verify", "verification_time"),
        ("measure", "benchmark_time"),
        ("framework", "framework_time"),
    ):
        entry[name] = outcome.phases.get(phase, 0.0) * 1e3
    entry["strategy_time"] = (trial.ask_s + trial.tell_s) * 1e3
    entry["timestamp"] = trial.started_at
    return entry


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _tune_params(space: Space, out: Path) -> dict[str, list[Any]]:
    """Return every parameter's values, as Kernel Tuner wants them."""
    found: dict[str, list[Any]] = {}
    for parameter in space.parameters:
        size = parameter.size
        if size is None or size > 100_000:
            raise UserError(
                f"the {parameter.type} parameter '{parameter.name}' has no list of values, which "
                "Kernel Tuner needs",
                file=out,
                remedy="export as t4",
            )
        found[parameter.name] = [_plain(parameter.value_at(i)) for i in range(size)]
    return found


def _own(benchmark: Mapping[str, Any]) -> dict[str, Any]:
    """Return what T4 has no place for: whose repetitions `runtimes` are, units and directions."""
    objectives = list(benchmark["objectives"])
    metrics = [*objectives, *benchmark.get("metrics", ())]
    return {
        "runtimes": objectives[0]["name"] if _is_time(objectives[0]) else None,
        "metrics": [
            {"name": one["name"], "unit": one["unit"], "direction": str(one["direction"])}
            for one in metrics
        ],
    }


def _study(study: RecordedStudy) -> dict[str, Any]:
    return {
        "run": study.run.get("run_id"),
        "study": study.study.get("study_id"),
        "optimizer": study.study.get("optimizer"),
        "seed": study.study.get("seed"),
        "trials": len(study.trials),
    }


def _device(run: Mapping[str, Any]) -> str:
    machine = run.get("machine")
    if isinstance(machine, Mapping):
        for name in ("gpu", "processor", "cpu", "model"):
            if isinstance(machine.get(name), str):
                return str(machine[name])
    return "unknown"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _write(out: Path, content: Mapping[str, Any], *, indent: bool) -> None:
    """Write JSON to `out`, whole or not at all."""
    scratch = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    text = json.dumps(content, indent=1 if indent else None, ensure_ascii=False, allow_nan=False)
    try:
        scratch.write_text(text + "\n", encoding="utf-8")
        os.replace(scratch, out)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", file=out) from error
    finally:
        scratch.unlink(missing_ok=True)

"""One file of pytest-benchmark: its machine, its commit, its benchmarks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from daybreak_importers.findings import Findings
from daybreak_importers.text import as_text, find_number, is_future, scrub, utc

__all__ = ["Execution", "Timed", "read_execution"]

#: What of a processor's description is the same on another day; the rest (clock rates) is read off.
_CPU_IDENTITY = frozenset(
    {
        *("brand_raw", "brand", "vendor_id_raw", "vendor_id", "arch", "arch_string_raw", "bits"),
        *("count", "family", "model", "stepping", "hardware_raw"),
        *("l1_data_cache_size", "l1_instruction_cache_size", "l2_cache_size", "l3_cache_size"),
    }
)
_SOFTWARE = (
    *("python_implementation", "python_implementation_version", "python_version"),
    *("python_compiler", "python_build", "system", "release"),
)
_STATISTICS = ("min", "max", "mean", "stddev")


@dataclass(frozen=True, slots=True)
class Timed:
    """One test: full name without parameters, their text (``None``: it has none), what is kept of
    their values, seconds of each round where they are recorded, the median, further statistics by
    name, and facts.
    """

    test: str
    parameters: str | None
    configuration: dict[str, Any]
    rounds: tuple[float, ...]
    median: float
    statistics: dict[str, float]
    facts: dict[str, Any]
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """What a file says: when, where (identity apart from readings), of which commit, and its tests.

    `node` is the machine's own name.
    """

    began: str | None
    machine: dict[str, Any]
    environment: dict[str, Any]
    readings: dict[str, Any]
    commit: dict[str, Any]
    node: str | None = None
    tests: list[Timed] = field(default_factory=list)


def read_execution(content: Any, file: str, findings: Findings) -> Execution | None:
    """Return what the content of a file says; None, with a remark, if it is no such file."""
    if not isinstance(content, dict) or not isinstance(content.get("benchmarks"), list):
        findings.leave_out(file, "no file of pytest-benchmark", "no list of benchmarks")
        return None
    about = content.get("machine_info")
    if not isinstance(about, dict):
        findings.remark(file, "no machine: machine_info is missing")
        about = {}
    began = utc(content.get("datetime"))
    if began is None:
        findings.remark(file, f"no date: datetime {as_text(content.get('datetime'))}")
    if is_future(began):
        findings.remark(file, f"date in the future: datetime {as_text(content.get('datetime'))}")
    given = about.get("cpu")
    cpu: dict[str, Any] = given if isinstance(given, dict) else {}
    commit = content.get("commit_info")
    machine = {name: scrub(about[name]) for name in ("machine", "processor") if about.get(name)} | {
        f"cpu_{name}": scrub(v) for name, v in cpu.items() if name in _CPU_IDENTITY
    }
    execution = Execution(
        began=began,
        machine=machine,
        environment={name: scrub(about[name]) for name in _SOFTWARE if about.get(name)},
        # also the advertised rate, which virtual machines measure anew each time
        readings={name: scrub(v) for name, v in cpu.items() if name.startswith("hz_")},
        commit=scrub(commit) if isinstance(commit, dict) else {},
        node=as_text(about.get("node")),
    )
    if content.get("version") is not None:
        execution.environment["pytest_benchmark"] = as_text(content["version"])
    for place, each in enumerate(content["benchmarks"]):
        timed = _timed(each, place, file, findings)
        if timed is not None:
            execution.tests.append(timed)
    return execution


def _timed(given: Any, place: int, file: str, findings: Findings) -> Timed | None:
    if not isinstance(given, dict):
        findings.leave_out(file, "no benchmark", f"number {place} is no JSON object")
        return None
    full = as_text(given.get("fullname")) or as_text(given.get("name"))
    if full is None:
        findings.leave_out(file, "no name", f"number {place}")
        return None
    stats = given.get("stats")
    stats = stats if isinstance(stats, dict) else {}
    rounds = _rounds(stats.get("data"), full, file, findings)
    stated = find_number(stats.get("median"))
    median = stated
    if rounds:
        median = statistics.median(rounds)
        if stated is not None and not math.isclose(stated, median, rel_tol=1e-6, abs_tol=1e-12):
            what = (
                f"two medians: {full} states {stated:g}, its rounds have {median:g}, which counts"
            )
            findings.remark(file, what)
    if median is None:
        median = find_number(stats.get("mean"))
        if median is not None:
            findings.remark(file, f"no median: the mean is taken of {full}")
    if median is None or median < 0:
        why = "negative" if median is not None else "no median"
        findings.leave_out(file, "no time", f"{full}: {why}")
        return None
    test, bracket, rest = full.partition("[")
    parameters = rest.removesuffix("]") if bracket else None
    numbers = {
        name: number
        for name in ("rounds", "iterations", "iqr", "q1", "q3", "outliers", "ops", "total")
        if (number := stats.get(name)) is not None
    }
    facts = {
        "statistics": scrub(numbers),
        **{
            name: scrub(given[name])
            for name in ("group", "extra_info", "options")
            if given.get(name)
        },
    }
    return Timed(
        test,
        parameters,
        _configuration(given, parameters),
        rounds,
        median,
        {name: n for name in _STATISTICS if (n := find_number(stats.get(name))) is not None},
        facts,
        as_text(given.get("group")),
    )


def _rounds(data: Any, test: str, file: str, findings: Findings) -> tuple[float, ...]:
    if not isinstance(data, list):
        return ()
    rounds = [
        number for value in data if (number := find_number(value)) is not None and number >= 0
    ]
    if len(rounds) < len(data):
        findings.remark(
            file, f"rounds without a time: {len(data) - len(rounds)} of {len(data)} of {test}"
        )
    return tuple(rounds)


def _configuration(given: Mapping[str, Any], parameters: str | None) -> dict[str, Any]:
    """Return the test's parameters as values of Daybreak's."""
    params = given.get("params")
    if not isinstance(params, dict):
        return {} if parameters is None else {"param": parameters}
    found: dict[str, Any] = {}
    for name, value in params.items():
        plain = scrub(value)
        usable = isinstance(plain, bool | int | float | str)
        found[str(name)] = plain if usable else as_text(plain) or "None"
    return found

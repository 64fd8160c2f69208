"""Takes the trials of a Daybreak results folder as a table: samples, phases and failures are kept.

Trials of all studies and references count, whoever proposed them. Those that failed for reasons of
the run (cancelled, a missing requirement, a fault of the harness) say nothing and are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from daybreak import Direction, FailureKind, Metric, Space, SpaceError, UserError, nearest
from daybreak_replay.recording import PHASES, Recording, Row

__all__ = ["read_results"]

#: Failures that are no property of the configuration.
_NO_NEWS = frozenset(
    {
        FailureKind.MISSING,
        FailureKind.CANCELLED,
        FailureKind.INTERNAL,
        FailureKind.MISSING_REQUIREMENT,
    }
)


def read_results(path: Path, benchmark: str | None, run: str | None) -> tuple[Recording, str]:
    """Return the trials of one benchmark, and a digest of them.

    Args:
        path: a results folder, or the database in it.
        benchmark: full name of the benchmark; may be left out if there is one only.
        run: take one run only.

    Raises:
        UserError: no such benchmark or run; several machines, or search spaces, in one table.
    """
    folder = path.parent if path.suffix == ".duckdb" else path
    defined = _chosen(folder, benchmark, run)
    first = defined[0]
    rows, left_out = _rows(folder, first, [one["run_id"] for one in defined])
    if not rows:
        raise UserError(f"the results hold no usable trial of '{first['benchmark']}'", file=folder)
    metrics = _metrics(folder, first)
    notes = [
        f"Recorded by Daybreak in {len(defined)} run(s) of {first['benchmark']}.",
        *(f"{count} trials are left out: {reason}." for reason, count in left_out.items()),
    ]
    references = {
        str(one["name"]): one["configuration"]
        for one in first["references"]
        if isinstance(one, Mapping) and one.get("in_space", True) and one.get("name") != "optimum"
    }
    recording = Recording(
        file=str(folder),
        unit="row",
        parameters=tuple(one["name"] for one in first["space"]["parameters"]),
        rows=rows,
        metrics=metrics,
        objectives=tuple(m.name for m in metrics if m.name in first["objectives"]),
        space=first["space"],
        references=references,
        notes=notes,
        facts={"format": "Daybreak results", "benchmark": first["benchmark"]},
    )
    return recording, _digest(recording)


def _ask(folder: Path, sql: str) -> list[dict[str, Any]]:
    from daybreak import query_arrow

    return query_arrow(sql, folder).to_pylist()  # type: ignore[no-any-return]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _chosen(folder: Path, benchmark: str | None, run: str | None) -> list[dict[str, Any]]:
    """Return the benchmark as each run defined it."""
    found = _ask(
        folder,
        "SELECT b.run_id, b.benchmark, b.space::VARCHAR AS space, b.space_fingerprint, "
        "b.identity::VARCHAR AS identity, r.machine_id, "
        "b.reference_configurations::VARCHAR AS refs "
        "FROM benchmarks b JOIN runs r USING (run_id) ORDER BY b.run_id DESC",
    )
    if not found:
        raise UserError("these results hold no benchmark", file=folder)
    runs = list(dict.fromkeys(one["run_id"] for one in found))
    if run is not None:
        if run not in runs:
            raise UserError(
                f"there is no run '{run}'",
                file=folder,
                field="run",
                expected="one of " + ", ".join(runs[:20]),
                nearest=nearest(run, runs),
            )
        found = [one for one in found if one["run_id"] == run]
    names = list(dict.fromkeys(one["benchmark"] for one in found))
    if benchmark is None and len(names) == 1:
        benchmark = names[0]
    if benchmark not in names:
        raise UserError(
            "these results hold several benchmarks"
            if benchmark is None
            else f"these results hold no benchmark '{benchmark}'",
            file=folder,
            field="benchmark",
            expected="one of " + ", ".join(names),
            nearest=nearest(benchmark, names) if benchmark else None,
            remedy="name it: option `benchmark`",
        )
    found = [one for one in found if one["benchmark"] == benchmark]
    for column, what in (
        ("space_fingerprint", "search spaces"),
        ("machine_id", "machines"),
        ("identity", "data or compilers"),
    ):
        different = {one[column] for one in found}
        if len(different) > 1:
            raise UserError(
                f"the runs of '{benchmark}' had {len(different)} different {what}: their trials "
                "are not comparable",
                file=folder,
                field="run",
                expected="one of " + ", ".join(one["run_id"] for one in found[:20]),
                remedy="choose one: option `run`",
            )
    for one in found:
        one["space"] = json.loads(one["space"])
        listed = json.loads(one["refs"] or "[]")
        if isinstance(listed, Mapping):
            listed = [{"name": k, "configuration": v} for k, v in listed.items()]
        one["references"] = listed
        one["objectives"] = []
    return found


def _metrics(folder: Path, defined: dict[str, Any]) -> tuple[Metric, ...]:
    found = _ask(
        folder,
        "SELECT metric, unit, direction, objective, summary FROM metrics "  # noqa: S608 - quoted
        f"WHERE run_id = {_quoted(defined['run_id'])} "
        f"AND benchmark = {_quoted(defined['benchmark'])} "
        "ORDER BY objective NULLS LAST, metric",
    )
    defined["objectives"] = [one["metric"] for one in found if one["objective"] is not None]
    return tuple(
        Metric(one["metric"], one["unit"], Direction(one["direction"]), one["summary"] or "")
        for one in found
    )


def _rows(
    folder: Path, defined: Mapping[str, Any], runs: Sequence[str]
) -> tuple[list[Row], dict[str, int]]:
    listed = ", ".join(map(_quoted, runs))
    wanted = (
        "SELECT t.* FROM trials t JOIN studies s USING (study_id) "  # noqa: S608 - quoted
        f"WHERE s.run_id IN ({listed}) AND s.benchmark = {_quoted(str(defined['benchmark']))}"
    )
    trials = _ask(
        folder,
        "SELECT trial_id, status, failure_kind, message, configuration::VARCHAR AS configuration "  # noqa: S608
        f"FROM ({wanted}) ORDER BY trial_id",
    )
    samples: dict[int, dict[str, list[float]]] = {}
    for one in _ask(
        folder,
        "SELECT trial_id, metric, list(value ORDER BY i) AS series FROM samples "  # noqa: S608
        f"SEMI JOIN ({wanted}) USING (trial_id) GROUP BY trial_id, metric",
    ):
        samples.setdefault(one["trial_id"], {})[one["metric"]] = one["series"]
    seconds: dict[int, dict[str, float]] = {}
    for one in _ask(
        folder,
        "SELECT trial_id, phase, seconds FROM phases "  # noqa: S608
        f"SEMI JOIN ({wanted}) USING (trial_id)",
    ):
        if one["phase"] in PHASES:
            seconds.setdefault(one["trial_id"], {})[one["phase"]] = one["seconds"]
    space = Space.from_dict(defined["space"])
    rows: list[Row] = []
    left_out: dict[str, int] = {}
    for trial in trials:
        kind = FailureKind(trial["failure_kind"]) if trial["failure_kind"] else None
        if kind in _NO_NEWS:
            reason = f"they failed as '{kind.value}'" if kind else ""
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        try:
            configuration = space.normalise(json.loads(trial["configuration"]))
        except SpaceError:
            reason = "references outside the search space"
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        failed = trial["status"] == "failed"
        rows.append(
            Row(
                int(trial["trial_id"]),
                configuration,
                samples={} if failed else samples.get(trial["trial_id"], {}),
                failure=(kind or FailureKind.CRASH) if failed else None,
                message=trial["message"] or "" if failed else "",
                seconds=seconds.get(trial["trial_id"], {}),
            )
        )
    return rows, left_out


def _digest(recording: Recording) -> str:
    """Return a hash of what was recorded: the same for the same trials, in whatever index."""
    hashed = hashlib.sha256()
    for row in recording.rows:
        told = [row.configuration, row.samples, row.failure, row.seconds]
        hashed.update(json.dumps(told, sort_keys=True, default=str).encode())
    return hashed.hexdigest()

"""Rows of the index made from records that are no trials: runs, studies, benchmarks and the like."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from daybreak.store.codec import decode_json, encode_json
from daybreak.store.reader import study_row
from daybreak.store.rows import StudyRow

if TYPE_CHECKING:
    import duckdb

__all__ = ["NUMBER_BITS", "apply_record", "flatten"]

#: A trial's id is its study's number shifted left by this many bits, plus the trial's number.
NUMBER_BITS = 22
# both together stay below 2**53, so that an id survives a trip through a double (JSON, pandas)
_STUDY_BITS = 53 - NUMBER_BITS

_INT64 = 1 << 63

_RUN_COLUMNS = ("suite", "daybreak_version", "suite_path", "suite_source")
_BENCHMARK_TEXTS = ("target", "name", "instance", "summary", "space_fingerprint", "sandbox")
_BENCHMARK_JSONS = ("space", "options", "identity", "floors", "notes")
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}


def apply_record(
    connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]
) -> str | None:
    """Bring one record into the index; return a sentence if something is amiss.

    Records of types that this version does not know are passed over.
    """
    handler = _HANDLERS.get(record["type"])
    if handler is None:
        return None
    try:
        problem: str | None = handler(connection, run_id, record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return f"a record of type '{record['type']}' of run '{run_id}' is malformed: {error!r}"
    return problem


def flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float | None, str]]:
    """Return (dotted name, number or None, text) for every leaf of nested readings."""
    leaves: list[tuple[str, float | None, str]] = []
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            leaves += flatten(value, f"{path}.")
        elif isinstance(value, list | tuple):
            leaves += flatten({str(i): item for i, item in enumerate(value)}, f"{path}.")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            leaves.append((path, None, value if isinstance(value, str) else encode_json(value)))
        else:
            leaves.append((path, float(value), encode_json(value)))
    return leaves


def _run(connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]) -> None:
    row = record["row"]
    named = {*_RUN_COLUMNS, "machine_id", "environment_id", "started_at"}
    details = {name: value for name, value in row.items() if name not in named}
    connection.execute("DELETE FROM runs WHERE run_id = ?", [run_id])
    _insert(
        connection,
        "runs",
        {
            "run_id": run_id,
            "suite_key": record["suite_key"],
            "status": "running",
            "machine_id": row.get("machine_id"),
            "environment_id": row.get("environment_id"),
            "started_at": row.get("started_at"),
            "details": encode_json(details),
            **{name: _text(row.get(name)) for name in _RUN_COLUMNS},
        },
    )


def _run_status(
    connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]
) -> None:
    running = record["status"] == "running"
    connection.execute(
        "UPDATE runs SET status = ?, message = ?, finished_at = TRY_CAST(? AS TIMESTAMP) "
        "WHERE run_id = ?",
        [record["status"], record.get("message"), None if running else record["at"], run_id],
    )


def _machine(connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]) -> None:
    _identity(connection, "machines", "machine_id", "identity", run_id, record)


def _environment(
    connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]
) -> None:
    _identity(connection, "environments", "environment_id", "lock", run_id, record)


def _identity(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    key: str,
    content: str,
    run_id: str,
    record: Mapping[str, Any],
) -> None:
    connection.execute(f"DELETE FROM {table} WHERE {key} = ?", [record[key]])  # noqa: S608
    _insert(connection, table, {key: record[key], content: encode_json(record[content])})
    connection.execute(f"UPDATE runs SET {key} = ? WHERE run_id = ?", [record[key], run_id])  # noqa: S608


def _plugin(connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]) -> None:
    row = record["row"]
    connection.execute(
        "DELETE FROM plugins WHERE run_id = ? AND name IS NOT DISTINCT FROM ?",
        [run_id, row.get("name")],
    )
    columns = ("name", "distribution", "version", "module", "status", "reason")
    _insert(
        connection,
        "plugins",
        {"run_id": run_id, **{name: _text(row.get(name)) for name in columns}},
    )


def _benchmark(
    connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]
) -> None:
    row = record["row"]
    key = [run_id, row["benchmark"]]
    where = "WHERE run_id = ? AND benchmark = ?"
    known = connection.execute(f"SELECT count(*) FROM benchmarks {where}", key).fetchone()  # noqa: S608
    if not known or not known[0]:
        _insert(connection, "benchmarks", {"run_id": run_id, "benchmark": row["benchmark"]})
    changes: dict[str, Any] = {n: _text(row[n]) for n in _BENCHMARK_TEXTS if n in row}
    changes |= {n: encode_json(row[n]) for n in _BENCHMARK_JSONS if n in row}
    if "references" in row:
        changes["reference_configurations"] = encode_json(row["references"])
    named = {*_BENCHMARK_TEXTS, *_BENCHMARK_JSONS, "benchmark", "references"}
    named |= {"objectives", "metrics"}
    details = {name: value for name, value in row.items() if name not in named}
    if details:
        changes["details"] = encode_json(details)
    objectives = list(row.get("objectives") or ())
    if objectives:
        first = objectives[0]
        changes |= {
            "objective": first["name"],
            "objective_unit": first.get("unit"),
            "direction": first.get("direction") or "minimize",
        }
    if changes:
        columns = ", ".join(f"{name} = ?" for name in changes)
        connection.execute(
            f"UPDATE benchmarks SET {columns} {where}",  # noqa: S608
            [*changes.values(), *key],
        )
    _metrics(connection, key, objectives, list(row.get("metrics") or ()))
    if objectives:
        first = [changes["objective"], changes["objective_unit"], changes["direction"]]
        connection.execute(
            f"UPDATE studies SET objective = ?, objective_unit = ?, direction = ? {where}",  # noqa: S608
            [*first, *key],
        )
        # a study may be recorded before its benchmark is opened: the units are known only now
        studies = connection.execute(
            f"SELECT study_id, thresholds FROM studies {where}",  # noqa: S608
            key,
        ).fetchall()
        for study_id, thresholds in studies:
            _thresholds(connection, run_id, row["benchmark"], study_id, decode_json(thresholds))


def _metrics(
    connection: duckdb.DuckDBPyConnection,
    key: Sequence[str],
    objectives: Sequence[Mapping[str, Any]],
    metrics: Sequence[Mapping[str, Any]],
) -> None:
    names = {metric["name"] for metric in objectives}
    ranked: list[tuple[int | None, Mapping[str, Any]]] = list(enumerate(objectives))
    ranked += [(None, metric) for metric in metrics if metric["name"] not in names]
    for rank, metric in ranked:
        connection.execute(
            "DELETE FROM metrics WHERE run_id = ? AND benchmark = ? AND metric = ?",
            [*key, metric["name"]],
        )
        _insert(
            connection,
            "metrics",
            {
                "run_id": key[0],
                "benchmark": key[1],
                "metric": metric["name"],
                "unit": metric.get("unit"),
                "direction": metric.get("direction") or "minimize",
                "objective": rank,
                "summary": metric.get("summary"),
            },
        )


def _study(
    connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]
) -> str | None:
    row = study_row(record["row"])
    known = connection.execute(
        "SELECT run_id FROM studies WHERE study_id = ?", [row.study_id]
    ).fetchone()
    if known and known[0] != run_id:
        return (
            f"study '{row.study_id}' of run '{run_id}' is known from run '{known[0]}' already "
            "and was left out: ids of studies must differ"
        )
    if known:
        connection.execute("DELETE FROM studies WHERE study_id = ?", [row.study_id])
    jsons = {"budget", "options", "protocol", "thresholds", "details"}
    columns = {field.name: getattr(row, field.name) for field in fields(StudyRow)}
    columns |= {name: encode_json(columns[name]) for name in jsons}
    objective = connection.execute(
        "SELECT objective, objective_unit, direction FROM benchmarks "
        "WHERE run_id = ? AND benchmark = ?",
        [run_id, row.benchmark],
    ).fetchone() or (None, None, None)
    columns |= {
        "run_id": run_id,
        "study_no": _study_number(connection, row.study_id),
        "objective": objective[0],
        "objective_unit": objective[1],
        "direction": objective[2] or "minimize",
    }
    if not -_INT64 <= row.seed < _INT64:
        columns["seed"] = None
    _insert(connection, "studies", columns)
    return _thresholds(connection, run_id, row.benchmark, row.study_id, row.thresholds)


def _study_number(connection: duckdb.DuckDBPyConnection, study_id: str) -> int:
    """Return a number for the study, the same in every index but for rare collisions."""
    salt = 0
    while True:
        text = study_id if salt == 0 else f"{study_id}#{salt}"
        digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        number = int.from_bytes(digest[:8]) >> (64 - _STUDY_BITS)
        taken = connection.execute(
            "SELECT count(*) FROM studies WHERE study_no = ?", [number]
        ).fetchone()
        if not taken or not taken[0]:
            return number
        salt += 1


def _thresholds(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    benchmark: str,
    study_id: str,
    thresholds: Sequence[Mapping[str, Any]],
) -> str | None:
    """Write a study's thresholds anew, absolute ones in the unit of their metric."""
    problem = None
    connection.execute("DELETE FROM thresholds WHERE study_id = ?", [study_id])
    for threshold in thresholds:
        metric, value, unit = (threshold.get(name) for name in ("metric", "value", "unit"))
        if unit is not None and not threshold.get("relative_to"):
            found = connection.execute(
                "SELECT unit FROM metrics WHERE run_id = ? AND benchmark = ? "
                "AND (metric = ? OR (? IS NULL AND objective = 0))",
                [run_id, benchmark, metric, metric],
            ).fetchone()
            native = found[0] if found else None
            if native is not None and native != unit:
                if native in _SECONDS and unit in _SECONDS and value is not None:
                    value, unit = value * _SECONDS[unit] / _SECONDS[native], native
                else:
                    value = None
                    problem = (
                        f"threshold '{threshold.get('name')}' of study '{study_id}' is in "
                        f"'{unit}', its metric in '{native}': it cannot be evaluated"
                    )
        _insert(
            connection,
            "thresholds",
            {
                "study_id": study_id,
                "name": threshold.get("name"),
                "metric": metric,
                "relative_to": threshold.get("relative_to"),
                "value": value,
                "unit": unit,
            },
        )
    return problem


def _study_status(
    connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]
) -> None:
    status, at = record["status"], record["at"]
    ended = status not in ("pending", "running")
    connection.execute(
        "UPDATE studies SET status = ?, message = ?, "
        "finished_at = TRY_CAST(? AS TIMESTAMP), "
        "started_at = coalesce(started_at, TRY_CAST(? AS TIMESTAMP)) "
        "WHERE study_id = ? AND run_id = ?",
        [
            status,
            record.get("message"),
            at if ended else None,
            at if status == "running" else None,
            record["study_id"],
            run_id,
        ],
    )


def _readings(
    connection: duckdb.DuckDBPyConnection, run_id: str, record: Mapping[str, Any]
) -> None:
    for name, value, text in flatten(record["values"]):
        _insert(
            connection,
            "readings",
            {
                "run_id": run_id,
                "study_id": record.get("study_id"),
                "read_at": record.get("at"),
                "name": name,
                "value": value,
                "text": text,
            },
        )


_HANDLERS: dict[str, Any] = {
    "run": _run,
    "run_status": _run_status,
    "machine": _machine,
    "environment": _environment,
    "plugin": _plugin,
    "benchmark": _benchmark,
    "study": _study,
    "study_status": _study_status,
    "readings": _readings,
}
_TIMES = frozenset({"started_at", "finished_at", "read_at"})


def _insert(connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Any]) -> None:
    # names come from this module, values are bound
    places = ", ".join("TRY_CAST(? AS TIMESTAMP)" if n in _TIMES else "?" for n in columns)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",  # noqa: S608
        list(columns.values()),
    )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return encode_json(value)

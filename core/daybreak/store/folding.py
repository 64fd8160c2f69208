"""Rows of the index made from records that are no trials: runs, studies, benchmarks and the like.

The records of a batch are folded in memory, in order, onto the rows that the index has under their
keys; then every table is written at once. The outcome does not depend on how records are cut into
batches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import count
from typing import TYPE_CHECKING, Any

from daybreak.store.codec import decode_json, encode_json
from daybreak.store.reader import study_row
from daybreak.store.rows import StudyRow
from daybreak.store.tables import TABLES, as_number, as_text, delete, insert, select, update
from daybreak.store.thresholds import threshold_rows

if TYPE_CHECKING:
    import duckdb

__all__ = ["NUMBER_BITS", "Folding", "flatten"]

#: A trial's id is its study's number shifted left by this many bits, plus the trial's number.
NUMBER_BITS = 22
# both together stay below 2**53, so that an id survives a trip through a double (JSON, pandas)
_STUDY_BITS = 53 - NUMBER_BITS

_INT64 = 1 << 63

_RUN_COLUMNS = ("suite", "daybreak_version", "suite_path", "suite_source")
_PLUGIN_COLUMNS = ("name", "distribution", "version", "module", "status", "reason")
_BENCHMARK_TEXTS = ("target", "name", "instance", "summary", "space_fingerprint", "sandbox")
_BENCHMARK_JSONS = ("space", "options", "identity", "floors", "notes")
_BENCHMARK_KEYS = frozenset(
    (*_BENCHMARK_TEXTS, *_BENCHMARK_JSONS, "benchmark", "references", "objectives", "metrics")
)
_STUDY_JSONS = ("budget", "options", "protocol", "thresholds", "details")
_OBJECTIVE = ("objective", "objective_unit", "direction")

_Row = dict[str, Any]
_Key = tuple[str | None, ...]
_Record = Mapping[str, Any]


class Folding:
    """The records of one batch, folded onto what the index holds.

    Args:
        connection: the open index, in a transaction.
        run_id: the run that all records are of.
        records: all that will be given to `take`, as (type, record): the rows that they may touch
            are read at once.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        run_id: str,
        records: Iterable[tuple[str, _Record]],
    ) -> None:
        self._connection = connection
        self._run_id = run_id
        self._handlers: dict[str, Callable[[_Record], str | None]] = {
            "run": self._run,
            "run_status": self._run_status,
            "machine": self._machine,
            "environment": self._environment,
            "plugin": self._plugin,
            "benchmark": self._benchmark,
            "study": self._study,
            "study_status": self._study_status,
            "readings": self._readings,
            "landscape": self._landscape,
            "ceiling": self._ceiling,
        }
        # the rows as they are by now, and in order the keys of those that the index lacks
        self._rows: dict[str, dict[_Key, _Row]] = {name: {} for name in TABLES}
        self._changed: dict[str, dict[_Key, None]] = {name: {} for name in TABLES}
        self._new_readings: list[_Row] = []
        # thresholds of the studies that this batch records
        self._thresholds: dict[str, Sequence[Any]] = {}
        # what random search is expected to find, of the benchmarks whose landscape is recorded
        self._baselines: dict[str, list[_Row]] = {}
        # benchmarks whose first objective, or whose metrics, are not what they were
        self._reranked: dict[str, None] = {}
        self._remeasured: dict[str, None] = {}
        self._elsewhere: dict[str, str] = {}  # studies of other runs
        self._numbers: set[int] = set()  # taken ones among those that new studies would get
        self._load(list(records))

    def take(self, kind: str, record: _Record) -> str | None:
        """Fold one record in; return a sentence if something is amiss.

        A malformed record changes nothing. Records of types that this version does not know are
        passed over.
        """
        handler = self._handlers.get(kind)
        if handler is None:
            return None
        try:
            return handler(record)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            return f"a record of type '{kind}' of run '{self._run_id}' is malformed: {error!r}"

    def write(self) -> None:
        """Bring the rows that changed into the index."""
        self._pass_objectives_on()
        for name, keys in self._changed.items():
            rows = [self._rows[name][key] for key in keys]
            delete(self._connection, TABLES[name], rows)
            insert(self._connection, TABLES[name], rows)
        insert(self._connection, TABLES["readings"], self._new_readings)
        self._write_thresholds()
        replaced = [{"run_id": self._run_id, "benchmark": name} for name in self._baselines]
        delete(self._connection, TABLES["baselines"], replaced)
        baselines = [row for found in self._baselines.values() for row in found]
        insert(self._connection, TABLES["baselines"], baselines)

    def _load(self, records: Sequence[tuple[str, _Record]]) -> None:
        kinds = {kind for kind, _ in records}
        recorded = [_part(record, "study_id") for kind, record in records if kind == "study"]
        reported = [record.get("study_id") for kind, record in records if kind == "study_status"]
        named = [
            _part(record, "benchmark") for kind, record in records if kind in ("benchmark", "study")
        ]
        if kinds & {"run", "run_status", "machine", "environment"}:
            self._keep("runs", "run_id", [self._run_id])
        benchmarks = [name for name in named if isinstance(name, str)]
        self._keep("benchmarks", "benchmark", benchmarks)
        self._keep("metrics", "benchmark", benchmarks)
        studies = [name for name in (*recorded, *reported) if isinstance(name, str)]
        for row in select(self._connection, TABLES["studies"], "study_id", studies):
            if row["run_id"] == self._run_id:
                self._rows["studies"][row["study_id"],] = row
            else:
                self._elsewhere[row["study_id"]] = row["run_id"]
        numbers = [
            _hashed(name, 0)
            for name in recorded
            if isinstance(name, str) and (name,) not in self._rows["studies"]
        ]
        taken = select(self._connection, TABLES["studies"], "study_no", numbers)
        self._numbers.update(row["study_no"] for row in taken)

    def _keep(self, name: str, column: str, values: Sequence[str]) -> None:
        table = TABLES[name]
        for row in select(self._connection, table, column, values, run_id=self._run_id):
            self._rows[name][tuple(row[part] for part in table.key)] = row

    def _put(self, name: str, row: _Row) -> None:
        table = TABLES[name]
        whole = {**dict.fromkeys(table.columns), **row}
        key = tuple(whole[part] for part in table.key)
        rows = self._rows[name]
        if rows.get(key) != whole:
            rows[key] = whole
            self._changed[name][key] = None

    def _run(self, record: _Record) -> None:
        row = record["row"]
        named = {*_RUN_COLUMNS, "machine_id", "environment_id", "started_at"}
        details = {name: value for name, value in row.items() if name not in named}
        self._put(
            "runs",
            {
                "run_id": self._run_id,
                "suite_key": as_text(record["suite_key"]),
                "status": "running",
                "machine_id": as_text(row.get("machine_id")),
                "environment_id": as_text(row.get("environment_id")),
                "started_at": as_text(row.get("started_at")),
                "details": encode_json(details),
                **{name: as_text(row.get(name)) for name in _RUN_COLUMNS},
            },
        )

    def _run_status(self, record: _Record) -> None:
        running = record["status"] == "running"
        self._change_run(
            status=as_text(record["status"]),
            message=as_text(record.get("message")),
            finished_at=None if running else as_text(record["at"]),
        )

    def _change_run(self, **changes: str | None) -> None:
        row = self._rows["runs"].get((self._run_id,))
        if row is not None:
            self._put("runs", {**row, **changes})

    def _machine(self, record: _Record) -> None:
        name = _name(record["machine_id"])
        identity = encode_json(record["identity"])
        self._put("machines", {"machine_id": name, "identity": identity})
        self._change_run(machine_id=name)

    def _environment(self, record: _Record) -> None:
        name = _name(record["environment_id"])
        self._put("environments", {"environment_id": name, "lock": encode_json(record["lock"])})
        self._change_run(environment_id=name)

    def _plugin(self, record: _Record) -> None:
        row = record["row"]
        columns = {name: as_text(row.get(name)) for name in _PLUGIN_COLUMNS}
        self._put("plugins", {"run_id": self._run_id, **columns})

    def _benchmark(self, record: _Record) -> None:
        row = record["row"]
        name = _name(row["benchmark"])
        key = {"run_id": self._run_id, "benchmark": name}
        changes: _Row = {n: as_text(row[n]) for n in _BENCHMARK_TEXTS if n in row}
        changes |= {n: encode_json(row[n]) for n in _BENCHMARK_JSONS if n in row}
        if "references" in row:
            changes["reference_configurations"] = encode_json(row["references"])
        details = {n: value for n, value in row.items() if n not in _BENCHMARK_KEYS}
        if details:
            changes["details"] = encode_json(details)
        objectives = list(row.get("objectives") or ())
        metrics = _metrics(objectives, list(row.get("metrics") or ()))
        if objectives:
            first = objectives[0]
            changes["objective"] = _name(first["name"])
            changes["objective_unit"] = as_text(first.get("unit"))
            changes["direction"] = as_text(first.get("direction")) or "minimize"
        before = self._rows["benchmarks"].get((self._run_id, name), {})
        self._put("benchmarks", {**before, **key, **changes})
        if any(changes.get(n) != before.get(n) for n in _OBJECTIVE if n in changes):
            self._reranked[name] = self._remeasured[name] = None
        for metric in metrics:
            known = self._rows["metrics"].get((self._run_id, name, metric["metric"]))
            if known is None or known["unit"] != metric["unit"]:
                self._remeasured[name] = None
            self._put("metrics", {**key, **metric})

    def _study(self, record: _Record) -> str | None:
        row = study_row(record["row"])
        study_id, benchmark = _name(row.study_id), as_text(row.benchmark)
        if study_id in self._elsewhere:
            return (
                f"study '{study_id}' of run '{self._run_id}' is known from run "
                f"'{self._elsewhere[study_id]}' already and was left out: "
                "ids of studies must differ"
            )
        columns = {field.name: getattr(row, field.name) for field in fields(StudyRow)}
        columns |= {
            name: encode_json(value) if name in _STUDY_JSONS else as_text(value)
            for name, value in columns.items()
        }
        before = self._rows["studies"].get((study_id,))
        columns |= {
            "run_id": self._run_id,
            # the objective is that of the benchmark in the end
            **_objective(self._rows["benchmarks"].get((self._run_id, benchmark), {})),
            "seed": _integer(row.seed),
            "dollars_per_hour": as_number(row.dollars_per_hour),
            "started_at": [as_text(row.started_at)],
            "study_no": self._number(study_id) if before is None else before["study_no"],
        }
        self._put("studies", columns)
        self._thresholds[study_id] = row.thresholds
        return threshold_rows(study_id, row.thresholds, self._units(benchmark))[1]

    def _number(self, study_id: str) -> int:
        """Return a number for a new study, the same in every index but for rare collisions."""
        for salt in count():
            number = _hashed(study_id, salt)
            if number in self._numbers:
                continue
            if salt == 0 or not select(self._connection, TABLES["studies"], "study_no", [number]):
                break
        self._numbers.add(number)
        return number

    def _study_status(self, record: _Record) -> None:
        status, at = as_text(record["status"]), as_text(record["at"])
        study_id, message = record["study_id"], as_text(record.get("message"))
        row = self._rows["studies"].get((as_text(study_id),))
        if row is None:
            return
        ended = status not in ("pending", "running")
        began = row["started_at"]
        if status == "running" and at not in began:
            began = [*began, at]
        changes = {"status": status, "message": message, "started_at": began}
        self._put("studies", {**row, **changes, "finished_at": at if ended else None})

    def _readings(self, record: _Record) -> None:
        of = {
            "run_id": self._run_id,
            "study_id": as_text(record.get("study_id")),
            "read_at": as_text(record.get("at")),
        }
        self._new_readings += [
            {**of, "name": name, "value": value, "text": text}
            for name, value, text in flatten(record["values"])
        ]

    def _landscape(self, record: _Record) -> None:
        """Recorded again, with more evaluations say, the later record holds."""
        row = record["row"]
        name = _name(row["benchmark"])
        of = {"run_id": self._run_id, "benchmark": name}
        mean = as_number(row.get("seconds_mean"))
        baselines = [
            {**of, "evaluation": n, "expected": float(value), "seconds": mean and n * mean}
            for n, value in enumerate(row.get("expected") or (), start=1)
        ]
        self._put(
            "landscapes",
            {
                **of,
                "configurations": int(row["configurations"]),
                "failures": int(row["failures"]),
                "seconds_mean": mean,
                **{n: as_number(row.get(n)) for n in ("optimum", "median", "worst")},
            },
        )
        self._baselines[name] = baselines

    def _ceiling(self, record: _Record) -> None:
        """Measured again in the same run, the later record holds."""
        row = record["row"]
        self._put(
            "ceilings",
            {
                "run_id": self._run_id,
                "machine_id": _name(row["machine_id"]),
                "device": _name(row["device"]),
                "ceiling": _name(row["ceiling"]),
                "threads": _integer(int(row["threads"])),
                "value": float(row["value"]),
                "repeats": _integer(int(row["repeats"])),
                "low": as_number(row.get("low")),
                "high": as_number(row.get("high")),
                "details": encode_json(row.get("details") or {}),
                **{n: as_text(row.get(n)) for n in ("kind", "unit", "measured_at")},
            },
        )

    def _pass_objectives_on(self) -> None:
        """Give studies the first objective of their benchmark, whichever was recorded first."""
        benchmarks = self._rows["benchmarks"]
        rows = [benchmarks[self._run_id, name] for name in self._reranked]
        update(self._connection, TABLES["studies"], ("run_id", "benchmark"), _OBJECTIVE, rows)
        studies = self._rows["studies"]
        for key in self._changed["studies"]:
            benchmark = benchmarks.get((self._run_id, studies[key]["benchmark"]))
            if benchmark is not None:
                studies[key] = {**studies[key], **_objective(benchmark)}

    def _write_thresholds(self) -> None:
        """Write thresholds anew, of new studies and of those whose metrics have other units now."""
        studies = {
            study_id: (self._rows["studies"][study_id,]["benchmark"], thresholds)
            for study_id, thresholds in self._thresholds.items()
        }
        for row in select(
            self._connection, TABLES["studies"], "benchmark", self._remeasured, run_id=self._run_id
        ):
            if row["study_id"] not in studies:
                studies[row["study_id"]] = (row["benchmark"], decode_json(row["thresholds"]))
        rows: list[_Row] = []
        for study_id, (benchmark, thresholds) in studies.items():
            rows += threshold_rows(study_id, thresholds, self._units(benchmark))[0]
        delete(self._connection, TABLES["thresholds"], [{"study_id": name} for name in studies])
        insert(self._connection, TABLES["thresholds"], rows)

    def _units(self, benchmark: str | None) -> Callable[[str | None], str | None]:
        """Return what gives the unit of a metric of `benchmark`; None: its first objective."""

        def unit(metric: str | None) -> str | None:
            if metric is None:
                row = self._rows["benchmarks"].get((self._run_id, benchmark), {})
                found: str | None = row.get("objective_unit")
            else:
                row = self._rows["metrics"].get((self._run_id, benchmark, metric), {})
                found = row.get("unit")
            return found

        return unit


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
            leaves.append((path, as_number(value), encode_json(value)))
    return leaves


def _part(record: _Record, name: str) -> Any:
    row = record.get("row")
    return row.get(name) if isinstance(row, Mapping) else None


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a name must be text, not {value!r}")
    return value


def _integer(value: float) -> int | None:
    """Return a seed if a column of integers can hold it."""
    return round(value) if -_INT64 <= value < _INT64 else None


def _hashed(study_id: str, salt: int) -> int:
    text = study_id if salt == 0 else f"{study_id}#{salt}"
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8]) >> (64 - _STUDY_BITS)


def _objective(benchmark: Mapping[str, Any]) -> _Row:
    columns = {name: benchmark.get(name) for name in _OBJECTIVE}
    return {**columns, "direction": columns["direction"] or "minimize"}


def _metrics(
    objectives: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> list[_Row]:
    """Return the rows of metrics, but for the benchmark: objectives with their rank, then others."""
    names = {_name(metric["name"]) for metric in objectives}
    ranked: list[tuple[int | None, Mapping[str, Any]]] = list(enumerate(objectives))
    ranked += [(None, metric) for metric in others if _name(metric["name"]) not in names]
    return [
        {
            "metric": metric["name"],
            "unit": as_text(metric.get("unit")),
            "direction": as_text(metric.get("direction")) or "minimize",
            "objective": rank,
            "summary": as_text(metric.get("summary")),
        }
        for rank, metric in ranked
    ]

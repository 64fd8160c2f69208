"""On what: the machine, its software, the plugins, the benchmarks and the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from daybreak.analysis.answers import Answer
from daybreak.report.sections.shape import Body, Data, Material, Nothing, topic

__all__ = ["environment", "machine", "plugins", "problems", "suite"]

# the libraries that numbers depend on most, shown before the others
_TELLING = (
    "daybreak", "numpy", "scipy", "numba", "torch", "scikit-learn", "jax", "optuna", "duckdb",
)  # fmt: skip
_ROWS = 200


@topic("machine", "Machine")
def machine(material: Material) -> Body:
    """The hardware, and what was read off it meanwhile."""
    run_id = material.evidence.run.run_id
    found = material.find(
        "SELECT m.machine_id, m.identity::VARCHAR AS identity\n"
        "FROM runs r JOIN machines m ON m.machine_id = r.machine_id WHERE r.run_id = {id}",
        id=run_id,
    )
    readings = material.find(
        "SELECT name, count(*) AS times, min(value) AS least, median(value) AS median, "
        "max(value) AS most, any_value(text) FILTER (value IS NULL) AS text\n"
        "FROM readings WHERE run_id = {id} AND name <> 'warning' GROUP BY name ORDER BY name",
        id=run_id,
    )
    if not found.rows and not readings.rows:
        raise Nothing("the run does not say which machine it ran on")
    rows: list[dict[str, Any]] = []
    if found.rows:
        identity = _mapping(found.rows[0]["identity"])
        rows += [{"what": what, "value": value} for what, value in _identity(identity)]
        rows.append({"what": "machine id", "value": found.rows[0]["machine_id"]})
    rows += [
        {"what": row["name"].replace("_", " "), "value": _reading(row)}
        for row in readings.rows[:_ROWS]
        if row["median"] is not None or row["text"] not in (None, "", "null")
    ]
    return Body(
        "What the numbers were measured on; results of different machines are never mixed. Below "
        "the line of the machine's id: what was read off it meanwhile, median [least, most]. A clock "
        "rate or load that moves is a reason to measure again.",
        table=Answer("machine", "Machine", ("what", "value"), tuple(rows)),
        sql=f"{found.sql};\n\n{readings.sql}",
        data=Data(readings.columns, [tuple(row.values()) for row in readings.rows]),
    )


def _reading(row: Mapping[str, Any]) -> str:
    if row["median"] is None:
        return str(row["text"])
    sizes = row["name"].endswith("bytes")
    middle, low, high = (
        _bytes(value) if sizes else f"{value:.4g}"
        for value in (row["median"], row["least"], row["most"])
    )
    return middle if low == high else f"{middle} [{low}, {high}] in {row['times']} readings"


def _identity(identity: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = []
    for name, value in identity.items():
        if value in (None, [], {}, ""):
            if name == "gpus":
                facts.append(("gpus", "none"))
            continue
        if name == "caches" and isinstance(value, Mapping):
            text = ", ".join(f"{level} {_bytes(size)}" for level, size in value.items())
        elif name == "memory_gib":
            name, text = "memory", f"{value} GiB"
        elif name == "gpus" and isinstance(value, list):
            text = ", ".join(
                f"{gpu.get('name')} ({gpu.get('memory_mib')} MiB)"
                if isinstance(gpu, Mapping)
                else str(gpu)
                for gpu in value
            )
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        facts.append((name.replace("_", " "), text))
    return facts


def _bytes(size: Any) -> str:
    if not isinstance(size, int | float):
        return str(size)
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size / 1024:.3g} KiB"


@topic("environment", "Software")
def environment(material: Material) -> Body:
    """The lock of packages and compilers."""
    found = material.find(
        "SELECT e.environment_id, e.lock::VARCHAR AS lock\n"
        "FROM runs r JOIN environments e ON e.environment_id = r.environment_id "
        "WHERE r.run_id = {id}",
        id=material.evidence.run.run_id,
    )
    if not found.rows:
        raise Nothing("the run does not say which software it ran with")
    lock = _mapping(found.rows[0]["lock"])
    packages = lock.get("distributions")
    packages = packages if isinstance(packages, Mapping) else {}
    compilers = lock.get("compilers")
    facts = [
        (name.replace("_", " "), str(value))
        for name, value in lock.items()
        if name not in ("distributions", "compilers") and value not in (None, "", [], {})
    ]
    if isinstance(compilers, Mapping):
        facts += [(str(name), str(version)) for name, version in compilers.items()]
    facts += [(name, str(packages[name])) for name in _TELLING if name in packages]
    facts.append(("environment id", found.rows[0]["environment_id"]))
    return Body(
        "Compilers and the libraries that numbers depend on most; a run goes on only with the very "
        "same ones.",
        table=Answer(
            "environment",
            "Software",
            ("what", "version"),
            tuple({"what": what, "version": version} for what, version in facts[:_ROWS]),
        ),
        sql=found.sql,
        data=Data(("package", "version"), [(name, packages[name]) for name in packages]),
        listing=(
            f"all {len(packages)} packages",
            "\n".join(f"{name}=={version}" for name, version in packages.items()),
        )
        if packages
        else None,
    )


@topic("plugins", "Plugins")
def plugins(material: Material) -> Body:
    """Which plugins were installed, and whether they worked."""
    found = material.find(
        "SELECT name, distribution, version, status, reason FROM plugins WHERE run_id = {id} "
        "ORDER BY name",
        id=material.evidence.run.run_id,
    )
    if not found.rows:
        raise Nothing("the run does not say which plugins it ran with")
    return Body(
        "What was installed beside Daybreak. A plugin that is not `ok` took no part.",
        table=Answer("plugins", "Plugins", found.columns, tuple(found.rows[:_ROWS])),
        sql=found.sql,
    )


@topic("problems", "Benchmarks")
def problems(material: Material) -> Body:
    """What was measured, in what unit, how confined."""
    found = material.find(
        "SELECT b.benchmark, b.summary, b.objective, b.objective_unit, b.direction, b.sandbox, "
        "l.configurations\nFROM (FROM benchmarks WHERE {run}) b LEFT JOIN landscapes l "
        "ON l.run_id = b.run_id AND l.benchmark = b.benchmark ORDER BY b.benchmark"
    )
    if not found.rows:
        raise Nothing("no benchmark was opened")
    rows = [
        {
            "benchmark": row["benchmark"],
            "objective": f"{row['objective']} ({row['objective_unit'] or 'no unit'}, "
            f"{'more' if row['direction'] == 'maximize' else 'less'} is better)",
            "known configurations": row["configurations"],
            "confined by": row["sandbox"],
            "what": row["summary"],
        }
        for row in found.rows[:_ROWS]
    ]
    columns = [column for column in rows[0] if any(row[column] not in (None, "") for row in rows)]
    notes = (f"the first {_ROWS} of {len(found.rows)}",) if len(found.rows) > _ROWS else ()
    return Body(
        "What was measured, in which unit, and which way it gets better; how many configurations are "
        "known, and what confined the candidates, where the run says so.",
        table=Answer("problems", "Benchmarks", tuple(columns), tuple(rows), notes),
        sql=found.sql,
        data=Data(found.columns, [tuple(row.values()) for row in found.rows]),
    )


@topic("suite", "Suite and protocol")
def suite(material: Material) -> Body:
    """The suite's text, to run it again."""
    found = material.find(
        "SELECT suite_path, suite_source FROM runs WHERE run_id = {id}",
        id=material.evidence.run.run_id,
    )
    protocols = material.find(
        "SELECT protocol::VARCHAR AS protocol, budget::VARCHAR AS budget, count(*) AS studies\n"
        "FROM studies WHERE {run} GROUP BY ALL ORDER BY studies DESC, protocol, budget LIMIT 20"
    )
    source = found.rows[0]["suite_source"] if found.rows else None
    rows = [
        {
            "studies": row["studies"],
            "budget": _words(row["budget"]),
            "protocol": _words(row["protocol"]),
        }
        for row in protocols.rows
    ]
    rows = [row for row in rows if row["budget"] or row["protocol"]]
    if not source and not rows:
        raise Nothing("the run does not say what its suite was")
    return Body(
        "How long each study might go on and how each trial was measured, as recorded with the "
        "studies. With the suite's text and the software above, the run can be made again.",
        table=Answer("suite", "Protocol", ("studies", "budget", "protocol"), tuple(rows))
        if rows
        else None,
        sql=protocols.sql,
        listing=("the suite", source) if source else None,
    )


def _words(text: str | None) -> str:
    """Return a JSON mapping in words, without what is null."""

    def flat(value: Any, name: str = "") -> list[str]:
        if isinstance(value, Mapping):
            return [
                part for key, one in value.items() for part in flat(one, f"{name} {key}".strip())
            ]
        if value is None or value == {}:
            return []
        return [f"{name.replace('_', ' ')} {json.dumps(value, ensure_ascii=False)}"]

    return ", ".join(flat(_mapping(text)))


def _mapping(text: str | None) -> Mapping[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, Mapping) else {}

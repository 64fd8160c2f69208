"""Records that are no trials: folded a batch at a time, the index is as if taken one by one."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import STUDY, begin, make_trial

from daybreak.store import RunWriter, StudyRow, folding, ingest, ingestion
from daybreak.store.codec import SCHEMA_VERSION, encode_line, encode_trial
from daybreak.store.database import migrate
from daybreak.store.folding import flatten
from daybreak.store.ingestion import fill
from daybreak.store.segments import run_folder, segment_path
from daybreak.store.thresholds import threshold_rows

RUNS = ("r1", "r2")
BENCHMARKS = ("toy/a", "toy/b")
STUDIES = ("s1", "s2", "s3", "s4")

TABLES = {
    "runs": "*", "machines": "*", "environments": "*", "plugins": "*", "benchmarks": "*",
    "metrics": "*", "studies": "*", "thresholds": "*", "phases": "*", "samples": "*",
    "readings": "*", "ceilings": "*",
    # which of the objectives ranks is known once the benchmark is opened, before any trial
    "trials": "* EXCLUDE (objective, objective_unit)",
}  # fmt: skip

names = st.sampled_from(["time", "energy"])
units = st.sampled_from([None, "s", "ms", "J"])
metrics = st.lists(
    st.fixed_dictionaries(
        {"name": names}, optional={"unit": units, "direction": st.just("maximize")}
    ),
    max_size=2,
)
times = st.sampled_from(["2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00", "no time", None])
statuses = st.sampled_from(["pending", "running", "finished", "failed"])
messages = st.sampled_from([None, "why", 'ev"en\u0000 ✓'])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
thresholds = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["fast", "good"]), "value": st.none() | st.floats(0, 9)},
        optional={
            "metric": names,
            "unit": units,
            "relative_to": st.sampled_from([None, "expert"]),
        },
    ),
    max_size=2,
)


def record(kind: str, **columns: st.SearchStrategy) -> st.SearchStrategy[dict]:
    base = {"type": st.just(kind), "schema_version": st.just(SCHEMA_VERSION)}
    return st.fixed_dictionaries({**base, **columns})


benchmarks = record(
    "benchmark",
    row=st.fixed_dictionaries(
        {"benchmark": st.sampled_from(BENCHMARKS)},
        optional={
            "target": st.just("toy"), "instance": st.sampled_from([None, "small"]),
            "objectives": metrics, "metrics": metrics, "space": values, "floors": values,
            "references": values, "later": values,
        },
    ),
)  # fmt: skip
studies = record(
    "study",
    row=st.fixed_dictionaries(
        {
            "study_id": st.sampled_from(STUDIES), "study_key": st.just("k"),
            "benchmark": st.sampled_from(BENCHMARKS), "target": st.just("toy"),
            "optimizer": st.sampled_from(["random", "tpe"]), "component": st.just("c"),
            "seed": st.integers(-(2**65), 2**65) | st.integers(0, 9), "thresholds": thresholds,
        },
        optional={
            "budget": values, "details": st.dictionaries(st.text(max_size=3), values, max_size=2),
            "status": statuses, "message": messages, "started_at": times, "later": values,
        },
    ),
)  # fmt: skip
others = st.one_of(
    record(
        "study_status", study_id=st.sampled_from(STUDIES), status=statuses, message=messages, at=times
    ),
    record("run", suite_key=st.just("k"), row=st.dictionaries(st.sampled_from(["suite", "x"]), values)),
    record("run_status", status=statuses, message=messages, at=times),
    record("machine", machine_id=st.sampled_from(["m1", "m2"]), identity=values),
    record("environment", environment_id=st.sampled_from(["e1", "e2"]), lock=values),
    record("plugin", row=st.fixed_dictionaries({"name": st.sampled_from([None, "p", "q"]), "version": values})),
    record(
        "readings",
        study_id=st.sampled_from((None, *STUDIES)),
        at=times,
        values=st.dictionaries(st.text(max_size=3), values, max_size=3),
    ),
    record(
        "ceiling",
        row=st.fixed_dictionaries(
            {
                "machine_id": st.sampled_from(["m1", None]), "device": st.just("cpu"),
                "ceiling": st.sampled_from(["memory", "gemm_f64"]), "value": st.floats() | st.just("1"),
                "threads": st.integers(0, 3) | st.just(2**65), "repeats": st.integers(0, 9),
            },
            optional={"low": values, "unit": values, "measured_at": times, "details": values},
        ),
    ),
    record("of a later version", row=values),
    # malformed in all sorts of ways
    st.builds(
        lambda kind, row: {"type": kind, "schema_version": SCHEMA_VERSION, "row": row},
        st.sampled_from(["study", "benchmark", "plugin", "run", "machine", "study_status", "readings", "ceiling"]),
        values | st.fixed_dictionaries({"study_id": values, "benchmark": values, "thresholds": values}),
    ),
    st.just(b'{"type":"study", oops\n'),
)  # fmt: skip
trials = st.tuples(st.sampled_from(STUDIES), st.integers(0, 2), st.sampled_from([None, 1.0, 2.0]))
sequences = st.lists(
    st.tuples(st.sampled_from(RUNS), st.one_of(studies, studies, benchmarks, others, trials)),
    max_size=25,
)


def write_spool(results: Path, sequence: list) -> None:
    """Write records as lines of their runs; a trial only if its study is recorded before it."""
    recorded = set()
    lines: dict[str, list[bytes]] = {run: [] for run in RUNS}
    for run, item in sequence:
        if isinstance(item, bytes):
            lines[run].append(item)
        elif isinstance(item, dict):
            lines[run].append(encode_line(item))
            if item["type"] == "study" and isinstance(item["row"], dict) and "seed" in item["row"]:
                recorded.add((run, item["row"]["study_id"]))
        elif (run, item[0]) in recorded:
            lines[run].append(encode_line(encode_trial(item[0], make_trial(*item[1:]))))
    for run, texts in lines.items():
        folder = run_folder(results, run)
        folder.mkdir(parents=True)
        segment_path(folder, 1).write_bytes(b"".join(texts))


def take_in(results: Path, *, chunk: int) -> tuple[dict[str, list[str]], list[str]]:
    """What an index in memory holds that took the spool in, in batches of `chunk` bytes or more."""
    with duckdb.connect(config={"threads": 1}) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingestion, "_CHUNK", chunk)
        # numbers of studies collide often
        patch.setattr(folding, "_STUDY_BITS", 3)
        migrate(connection, None)
        problems = fill(connection, results).problems
        contents = {
            table: sorted(map(repr, connection.execute(f"SELECT {what} FROM {table}").fetchall()))
            for table, what in TABLES.items()
        }
    return contents, problems


@settings(max_examples=12, deadline=None)
@given(sequences, st.integers(100, 2000))
def test_batches_of_any_size_make_the_same_index(tmp_path_factory, sequence, some):
    results = tmp_path_factory.mktemp("results")
    write_spool(results, sequence)
    one_by_one, problems = take_in(results, chunk=1)
    assert take_in(results, chunk=1 << 30) == (one_by_one, problems)
    assert take_in(results, chunk=some) == (one_by_one, problems)


def rows(results: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(results / "daybreak.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_status_reaches_a_study_of_an_earlier_batch(tmp_path):
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, make_trial(0))
        ingest(tmp_path)
        writer.study_status(STUDY.study_id, "running")
        writer.study_status(STUDY.study_id, "failed", "why")
        ingest(tmp_path, threads=1)
        writer.study_status("no such study", "running")
        assert ingest(tmp_path).problems == []
    (study,) = rows(
        tmp_path,
        "SELECT status, message, started_at <= finished_at, objective, optimizer, budget, "
        "(SELECT trial_id // 4194304 FROM trials) = study_no FROM studies",
    )
    assert study == ("failed", "why", True, "time", "random", '{"evaluations":20}', True)
    assert rows(tmp_path, "SELECT name, value FROM thresholds") == [("expert", 1.0)]


def test_another_objective_reaches_the_studies_of_earlier_batches(tmp_path):
    with begin(tmp_path) as writer:
        ingest(tmp_path)
        writer.benchmark(
            {"benchmark": "toy/sum", "objectives": [{"name": "rate", "direction": "maximize"}]}
        )
        ingest(tmp_path)
    asked = "SELECT objective, objective_unit, direction FROM"
    assert rows(tmp_path, f"{asked} studies") == [("rate", None, "maximize")]
    assert rows(tmp_path, f"{asked} benchmarks") == [("rate", None, "maximize")]


def test_studies_whose_numbers_collide_keep_their_trials_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(folding, "_STUDY_BITS", 4)
    columns = {name: getattr(STUDY, name) for name in StudyRow.__slots__}
    with RunWriter.create(tmp_path, "r1", suite_key="", row={}) as writer:
        for half in (range(6), range(6, 12)):
            for i in half:
                writer.study(StudyRow(**{**columns, "study_id": f"s{i}", "study_key": f"k{i}"}))
                writer.trial(f"s{i}", make_trial(0, float(i)))
            ingest(tmp_path)
    assert rows(tmp_path, "SELECT count(DISTINCT study_no), max(study_no) < 16 FROM studies") == [
        (12, True)
    ]
    found = rows(tmp_path, "SELECT study_id, objective FROM trials ORDER BY objective")
    assert found == [(f"s{i}", float(i)) for i in range(12)]


odd_study = {name: getattr(STUDY, name) for name in StudyRow.__slots__}


@pytest.mark.parametrize(
    "line",
    [
        {"type": "readings", "values": {"big": 10**400}},
        {"type": "readings", "values": 5},
        {"type": "study_status", "study_id": [1], "status": {"odd": 1}, "at": 5},
        {"type": "benchmark", "row": {"benchmark": "toy/odd", "objectives": [{"unit": "s"}]}},
        {"type": "benchmark", "row": {"benchmark": None}},
        {"type": "machine", "machine_id": 7, "identity": {}},
        {"type": "study", "row": {**odd_study, "study_id": "odd", "seed": "one"}},
        {"type": "study", "row": {**odd_study, "study_id": None}},
        {"type": ["odd"], "row": None},
        {"type": "plugin", "row": {"name": {"odd": 1}, "reason": [1, None]}},
    ],
    ids=lambda line: json.dumps(line)[:60],
)
def test_an_odd_record_stops_nothing_and_changes_nothing_by_halves(tmp_path, line):
    with begin(tmp_path) as writer:
        path = segment_path(writer.folder, 1)
    with path.open("a") as file:
        file.write(json.dumps({"schema_version": 1, **line}) + "\n")
    with RunWriter.resume(tmp_path, "r1") as writer:
        writer.trial(STUDY.study_id, make_trial(0))
        assert ingest(tmp_path).trials == 1
    assert rows(tmp_path, "SELECT benchmark FROM benchmarks") == [("toy/sum",)]
    assert rows(tmp_path, "SELECT study_id FROM studies") == [("r1/s1",)]


def test_an_odd_threshold_does_not_cost_its_study(tmp_path):
    columns = {name: getattr(STUDY, name) for name in StudyRow.__slots__}
    odd = (5, {"name": "word", "value": "fast"}, {"name": "good", "value": 2, "unit": "ms"})
    with begin(tmp_path) as writer:
        writer.study(StudyRow(**{**columns, "thresholds": odd}))
        (problem,) = ingest(tmp_path).problems
    assert problem == "a threshold of study 'r1/s1' is malformed: 5"
    found = rows(tmp_path, "SELECT name, value, unit FROM thresholds ORDER BY name")
    assert found == [("good", 0.002, "s"), ("word", None, None)]


def test_thresholds_take_the_unit_of_their_own_metric():
    known = {None: "us", "energy": "J"}
    given_thresholds = [
        {"name": "a", "value": 1.0, "unit": "ms"},
        {"name": "b", "value": 1.0, "unit": "ms", "metric": "energy"},
        {"name": "c", "value": 1.0, "unit": "ms", "metric": "unheard of"},
        {"name": "d", "value": 0.9, "unit": "ms", "relative_to": "expert"},
    ]
    found, problem = threshold_rows("s", given_thresholds, known.get)
    assert [(row["name"], row["value"], row["unit"]) for row in found] == [
        ("a", pytest.approx(1000.0), "us"), ("b", None, "ms"), ("c", 1.0, "ms"), ("d", 0.9, "ms"),
    ]  # fmt: skip
    assert "threshold 'b' of study 's' is in 'ms', its metric in 'J'" in problem


def test_readings_are_flattened_leaf_by_leaf():
    assert flatten({"a": {"b": [1, True]}, "c": "x", "big": 10**400}) == [
        ("a.b.0", 1.0, "1"), ("a.b.1", None, "true"), ("c", None, "x"),
        ("big", None, str(10**400)),
    ]  # fmt: skip

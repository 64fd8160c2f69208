"""Files of pytest-benchmark, by hand and by the tool itself."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from importing import remarks, rows, run_import, spool

from daybreak import UserError
from daybreak_importers.findings import Findings
from daybreak_importers.pytest_benchmark.reading import read_execution

CONTENT: dict[str, Any] = {
    "machine_info": {
        "node": "box",
        "processor": "x86_64",
        "machine": "x86_64",
        "python_version": "3.11.7",
        "release": "6.1",
        "cpu": {
            "brand_raw": "A Processor",
            "count": 8,
            "hz_actual": [2100000000, 0],
            "hz_advertised": [2596150000, 0],
        },
    },
    "commit_info": {"id": "a" * 40, "branch": "main", "dirty": True},
    "benchmarks": [
        {
            "group": "sums",
            "name": "test_sum[10]",
            "fullname": "tests/test_sums.py::test_sum[10]",
            "params": {"n": 10, "kind": ["a"]},
            "param": "10",
            "extra_info": {"who": "x@example.org"},
            "options": {"min_rounds": 5},
            "stats": {"min": 1.0, "max": 4.0, "mean": 2.0, "stddev": 1.0, "median": 1.5, "rounds": 4,
                      "data": [1.0, 1.0, 2.0, 4.0]},
        },
        {
            "group": None,
            "name": "test_one",
            "fullname": "tests/test_sums.py::TestAll::test_one",
            "params": None,
            "param": None,
            "stats": {"min": 0.5, "max": 0.5, "mean": 0.5, "stddev": 0, "median": 0.5, "rounds": 9},
        },
    ],
    "datetime": "2024-05-06T07:08:09.123456",
    "version": "5.1.0",
}  # fmt: skip


def put(folder: Path, name: str, content: Any = CONTENT) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def changed(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CONTENT), **parts}


def test_a_file_is_a_run_and_a_test_a_study(tmp_path: Path) -> None:
    done = run_import("pytest-benchmark", put(tmp_path, "0001_x.json"), tmp_path / "r")
    assert done.run_id == "pytest-benchmark-0001_x-2024-05-06t070809"
    assert rows(
        "SELECT benchmark, s.optimizer, t.objective, t.objective_unit, t.configuration, "
        "t.started_at::VARCHAR FROM trials t JOIN studies s USING (study_id) ORDER BY 1",
        tmp_path / "r",
    ) == [
        (
            "pytest-benchmark/tests.test_sums.py.TestAll.test_one",
            "0001_x", 0.5, "s", "{}", "2024-05-06 07:08:09.123456",
        ),
        (
            "pytest-benchmark/tests.test_sums.py.test_sum:10",
            "0001_x", 1.5, "s", '{"n":10,"kind":"[\\"a\\"]"}', "2024-05-06 07:08:09.123456",
        ),
    ]  # fmt: skip
    assert rows(
        "SELECT value FROM samples WHERE metric = 'time' ORDER BY value", tmp_path / "r"
    ) == [(0.5,), (1.0,), (1.0,), (2.0,), (4.0,)]
    assert rows("SELECT DISTINCT suite, machine_id IS NOT NULL FROM runs", tmp_path / "r") == [
        ("pytest-benchmark", True)
    ]
    assert b"@example.org" not in b"".join(spool(tmp_path / "r").values())


def test_the_machine_is_the_same_at_another_clock_rate(tmp_path: Path) -> None:
    put(tmp_path / "s", "Linux/0001_a.json")
    later = changed(datetime="2024-05-07T00:00:00")
    later["machine_info"]["cpu"] |= {"hz_actual": [1, 0], "hz_advertised": [2, 0]}
    put(tmp_path / "s", "Linux/0002_b.json", later)
    run_import("pytest-benchmark", tmp_path / "s", tmp_path / "r")
    assert rows("SELECT count(*), count(DISTINCT machine_id) FROM runs", tmp_path / "r") == [(2, 1)]
    assert rows(
        "SELECT DISTINCT value FROM readings WHERE name LIKE 'hz_actual%' AND value > 0 ORDER BY 1",
        tmp_path / "r",
    ) == [(1.0,), (2100000000.0,)]
    before = spool(tmp_path / "r")
    assert run_import("pytest-benchmark", tmp_path / "s", tmp_path / "r").known
    assert spool(tmp_path / "r") == before
    put(tmp_path / "s", "Linux/0003_c.json", changed(datetime="2024-05-08T00:00:00"))
    done = run_import("pytest-benchmark", tmp_path / "s", tmp_path / "r")
    assert done.collected is not None
    assert (done.collected.added, done.collected.known) == (2, 4)


@pytest.mark.parametrize(
    ("label", "shown"), [("file", "x"), ("commit", "aaaaaaaaaaaa-dirty"), ("branch", "main")]
)
def test_studies_are_called_after_what_is_compared(tmp_path: Path, label: str, shown: str) -> None:
    run_import("pytest-benchmark", put(tmp_path, "x.json"), tmp_path / "r", f"label={label}")
    assert rows("SELECT DISTINCT optimizer FROM studies", tmp_path / "r") == [(shown,)]


def test_odd_files_and_tests_are_reported(tmp_path: Path) -> None:
    odd = changed()
    first, second = odd["benchmarks"]
    first["stats"]["median"] = 9.0
    first["stats"]["data"].append(None)
    odd["benchmarks"] += [
        {**second, "fullname": "t::no_stats", "stats": {}},
        {**second, "fullname": "t::negative", "stats": {"median": -1}},
        {**second, "fullname": None, "name": None},
        "nothing",
        copy.deepcopy(second),
    ]
    put(tmp_path / "s", "a.json", odd)
    put(tmp_path / "s", "b.json", {**odd, "datetime": "2024-05-06T07:08:11"})
    put(tmp_path / "s", "cut.json", json.dumps(CONTENT)[:100])
    put(tmp_path / "s", "other.json", {"a": 1})
    done = run_import("pytest-benchmark", tmp_path / "s", tmp_path / "r")
    kinds = [(file, what.partition(":")[0]) for file, _, what in remarks(done)]
    assert [kind for file, kind in kinds if file == "a.json"] == [
        "rounds without a time",
        "two medians",
        "no time",
        "no time",
        "no name",
        "no benchmark",
        "test again",
    ]
    assert ("cut.json", "damaged JSON") in kinds
    assert ("other.json", "no file of pytest-benchmark") in kinds
    assert ("b.json", "two files claim one run") in kinds
    assert done.report.rows == done.report.kept + sum(done.report.left_out.values())
    assert rows("SELECT count(*), count(DISTINCT run_id) FROM studies", tmp_path / "r") == [(3, 1)]


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file of pytest-benchmark[\s\S]*--benchmark-json"):
        run_import("pytest-benchmark", put(tmp_path, "x.json", "[]"), tmp_path / "r")
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="there are no JSON files"):
        run_import("pytest-benchmark", tmp_path / "none", tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_what_the_tool_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import pytest\n\n@pytest.mark.parametrize('n', [1, 'a b'])\n"
        "def test_len(benchmark, n):\n    benchmark.pedantic(len, args=(str(n),), rounds=7)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_x.py"]
    command += ["--benchmark-save=mine", "--benchmark-save-data"]
    # nothing of this pytest's own options and workers
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=environment)
    done = run_import("pytest-benchmark", tmp_path / ".benchmarks", tmp_path / "r")
    (path,) = (tmp_path / ".benchmarks").rglob("*.json")
    written = json.loads(path.read_text())["benchmarks"]
    assert (done.report.kept, remarks(done)) == (2, [])
    ours = rows("SELECT objective FROM trials ORDER BY objective", tmp_path / "r")
    assert [v for (v,) in ours] == pytest.approx(sorted(b["stats"]["median"] for b in written))
    assert rows("SELECT count(*) FROM samples WHERE metric = 'time'", tmp_path / "r") == [(14,)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "benchmarks",
                    "stats",
                    "median",
                    "data",
                    "fullname",
                    "params",
                    "cpu",
                    "machine_info",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_read_or_reported(content: Any) -> None:
    findings = Findings()
    for whole in (content, {"benchmarks": [content]}, {**CONTENT, "machine_info": content}):
        execution = read_execution(whole, "f", findings)
        assert execution is None or all(timed.median >= 0 for timed in execution.tests)

"""`daybreak sql`, `show`, `runs` and `db`, as a user types them."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from small_results import FAILED, Results
from typer.testing import CliRunner

from daybreak.cli.app import app
from daybreak.errors import StoreError, UserError

QUERY = "SELECT optimizer, best_median, versus_expert FROM leaderboard"


@pytest.fixture
def results(tmp_path, monkeypatch):
    run = Results(tmp_path).benchmark()
    run.reference("default", [0.008]).reference("expert", [0.002, 0.004, 0.003])
    thresholds = [{"name": "expert", "value": 1.0, "relative_to": "expert"}]
    run.study([0.009, FAILED, 0.0015], thresholds=thresholds)
    run.study([0.009, 0.004], thresholds=thresholds)
    run.study([FAILED, 0.005], optimizer="grid", thresholds=thresholds, status="interrupted")
    run.writer.readings({"warning": "the machine is busy: load 9 on 2 cores"})
    run.done("interrupted")
    monkeypatch.setenv("DAYBREAK_RESULTS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def call(*arguments, stdin=None):
    result = CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_sql_prints_a_table(results):
    output = call("sql", QUERY).stdout
    assert re.search(r"random\s+0\.00275\s+1\.09091", output)


def test_sql_prints_json_with_null_for_what_json_lacks(results):
    sql = "SELECT 1 AS a, NULL AS b, 'nan'::DOUBLE AS c, MAP {'x': 1.5} AS d, [1] AS e"
    for option in (("--format", "json"), ("--json",)):
        assert json.loads(call("sql", sql, *option).stdout) == [
            {"a": 1, "b": None, "c": None, "d": {"x": 1.5}, "e": [1]}
        ]


def test_sql_prints_csv_with_nested_values_as_json(results):
    output = call("sql", "SELECT 'a,b' AS x, MAP {'y': 1.5} AS m, NULL AS n", "--format", "csv")
    assert output.stdout == '"x","m","n"\n"a,b","{""y"": 1.5}",\n'


def test_sql_writes_parquet_to_a_pipe_and_to_a_file(results, tmp_path):
    piped = pq.read_table(io.BytesIO(call("sql", QUERY, "--format", "parquet").stdout_bytes))
    out = tmp_path / "answer.parquet"
    call("sql", QUERY, "--out", str(out))
    assert piped.equals(pq.read_table(out))
    assert piped.column("optimizer").to_pylist() == ["random", "grid"]


def test_sql_reads_the_query_from_standard_input(results):
    for arguments in (["-"], []):
        assert json.loads(call("sql", *arguments, "--json", stdin=QUERY + "\n").stdout)


def test_sql_lists_tables_and_columns(results):
    rows = json.loads(call("sql", "--tables", "--json").stdout)
    assert {"trials", "leaderboard"} <= {row["name"] for row in rows}
    rows = json.loads(call("sql", "trials", "--schema", "--json").stdout)
    assert rows[0]["column"] == "trial_id"
    assert all(row["meaning"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sql", "FROM trails"], "did you mean: trials"),
        (["sql", "DROP TABLE trials"], "results are only read"),
        (["sql", QUERY, "--format", "jsn"], "did you mean: json"),
        (["sql", QUERY, "--format", "table", "--out", "x"], "for the terminal"),
        (["sql", QUERY, "--out", "/proc/none/x.csv"], "cannot be written"),
        (["sql", "SELECT message FROM leaderboard"], "'message' is a column of .*trials"),
        (["sql", "FROM read_csv('/etc/passwd')"], "it sees no files"),
        (["db", "export", "--out", "/proc/none"], "name another folder: --out DIR"),
        (["db", "rebuild", "--results", "/proc/none"], "run a suite first"),
        (["sql", "trails", "--schema"], "did you mean: trials"),
        (["show", "toyz"], "did you mean: toys"),
        (["db", "export", "--format", "xml"], "there is no format 'xml'"),
        (["db", "merge", "nowhere"], "no results in this folder"),
    ],
)
def test_mistakes_are_explained(results, arguments, message):
    with pytest.raises(UserError, match=message):
        call(*arguments)


def test_a_mistake_ends_with_exit_code_2_and_no_traceback(results):
    result = subprocess.run(
        [sys.executable, "-m", "daybreak", "sql", "FROM trails"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_show_compares_optimizers_with_references(results):
    result = call("show")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "toy/b" in lines
    assert "default 1 8 0.375x" in lines
    assert "expert 3 3 [2, 4] 1x" in lines
    # one of two studies reached the expert, so the median of both is unknown
    assert "random 2 2.75 [1.5, 4] 1.09x 5 - (1/2) build 1" in lines
    assert "grid 1 5 0.6x 2 - (0/1) build 1, 1 studies open" in lines
    assert "r1, interrupted" in result.stderr
    assert "warning: the machine is busy: load 9 on 2 cores" in result.stderr
    assert "daybreak run toys" in result.stderr
    assert "daybreak compare grid random" in result.stderr


@pytest.mark.parametrize("name", ["r1", "r", "toys"])
def test_show_finds_a_run_by_its_beginning_or_its_suite(results, name):
    shown = json.loads(call("show", name, "--json").stdout)
    assert shown["run"]["run_id"] == "r1"
    (benchmark,) = shown["benchmarks"]
    assert [one["optimizer"] for one in benchmark["optimizers"]] == ["random", "grid"]
    assert benchmark["optimizers"][0]["targets"][0] == {
        "name": "expert", "threshold": 0.003, "studies": 2, "reached": 1, "evaluations": None,
    }  # fmt: skip
    assert shown["warnings"] == ["the machine is busy: load 9 on 2 cores"]


def test_show_takes_the_newest_run_and_refuses_an_ambiguous_beginning(results):
    Results(results, "r2", started_at="2026-02-01T00:00:00+00:00").benchmark().done()
    assert json.loads(call("show", "--json").stdout)["run"]["run_id"] == "r2"
    with pytest.raises(StoreError, match="beginning of 2 runs"):
        call("show", "r")


def test_runs_are_listed(results):
    (row,) = json.loads(call("runs", "list", "--json").stdout)
    assert (row["run_id"], row["status"]) == ("r1", "interrupted")
    assert (row["studies"], row["evaluations"], row["failures"]) == (3, 7, 2)
    assert "r1" in call("runs", "list").stdout


def test_an_empty_folder_says_what_to_do(tmp_path):
    assert "daybreak run quickstart" in call("runs", "list", "--results", str(tmp_path)).stderr
    with pytest.raises(StoreError, match="daybreak run quickstart"):
        call("show", "--results", str(tmp_path))


def test_db_commands(results, tmp_path):
    other = tmp_path / "other"
    Results(other, "r9").benchmark().done()
    assert json.loads(call("db", "merge", str(other), "--json").stdout)["added"] == ["r9"]
    assert json.loads(call("db", "rebuild", "--json").stdout)["runs"] == 2
    files = json.loads(
        call("db", "export", "--format", "csv", "--out", str(tmp_path / "out"), "--json").stdout
    )
    names = {file.rpartition("/")[2] for file in files}
    assert {"trials.csv", "leaderboard.csv"} <= names
    assert "staged.csv" not in names
    assert json.loads(call("db", "migrate", "--json").stdout)["problems"] == []


def test_help_is_light_and_has_an_example():
    code = (
        "import sys\nfrom daybreak.cli.app import app\n"
        "print([m for m in ('duckdb', 'pandas', 'pyarrow', 'numpy') if m in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "[]\n"
    for command in (["sql"], ["show"], ["runs", "list"], ["db", "rebuild"], ["db", "merge"],
                    ["db", "export"], ["db", "migrate"]):  # fmt: skip
        assert "Example: daybreak" in call(*command, "--help").stdout


def test_a_failed_write_to_a_file_leaves_its_own_message(results, monkeypatch):
    """Clearing up fails too on a read-only file system; that must not hide why."""

    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(UserError, match=r"x\.csv: cannot be written"):
        call("sql", QUERY, "--out", "/proc/none/x.csv")


def test_commands_to_copy_are_quoted(results, tmp_path, monkeypatch):
    folder = results.with_name(f"{results.name} with spaces")
    results.rename(folder)
    said = call("show", "--results", str(folder)).stderr
    assert f"daybreak compare grid random --results '{folder}'" in said


def test_an_export_of_nothing_known_makes_no_folder(results, tmp_path):
    with pytest.raises(StoreError, match="did you mean: trials"):
        call("db", "export", "--out", str(tmp_path / "out"), "--only", "trails")
    assert not (tmp_path / "out").exists()


def test_a_narrow_terminal_cuts_no_number_off(results, monkeypatch):
    wide = call("show").stdout
    monkeypatch.setenv("COLUMNS", "30")
    narrow = call("show").stdout
    for word in re.findall(r"[^\s]+", wide):
        assert word in narrow

"""CSV and Parquet with a column mapping."""

from __future__ import annotations

import pytest
from replay_files import write, write_csv

from daybreak.errors import UserError
from daybreak.records import FailureKind
from daybreak_replay.loading import Reading, load_table

TIME = {"ms": {"unit": "ms", "direction": "minimize"}}
HEADER = ["n", "kind", "ms", "ok", "build_us"]
ROWS = [
    [1, "a", 1.5, "true", 1000],
    [2, "a", 2.5, "true", 2000],
    [1, "b", 2147483647, "false", 3000],
    [2, "b", 4.5, "true", ""],
    [2, "b", 5.5, "true", ""],
]
MAPPING = {"parameters": ["n", "kind"], "objectives": TIME}


def load(path, **options):
    return load_table(path, Reading.of({**MAPPING, **options}))


def fails(path, match, **options):
    with pytest.raises(UserError, match=match) as caught:
        load(path, **options)
    return caught.value


@pytest.fixture
def file(tmp_path):
    return write_csv(tmp_path / "a.csv", HEADER, ROWS)


@pytest.fixture
def parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    columns = {
        "n": [1, 2, 1, 2],
        "kind": ["a", "a", "b", "b"],
        "ms": [[1.5], [2.5], [], [4.5, 5.5]],
        "ok": [True, True, False, True],
        "build_us": [1000, 2000, 3000, None],
    }
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_reads_repetitions_statuses_and_times(kind, request):
    path = request.getfixturevalue("file" if kind == "csv" else "parquet")
    table = load(path, status="ok", times={"build": {"column": "build_us", "unit": "us"}})
    assert len(table) == 4
    assert table.series["ms"].of(table.index[2, "b"]) == [4.5, 5.5]
    assert table.failures[table.index[1, "b"]] is FailureKind.CRASH
    assert table.seconds["build"][table.index[1, "b"]] == pytest.approx(3e-3)
    assert table.messages[table.index[1, "b"]].lower() == "recorded as failed: ok false"


def test_sentinels_mark_failures(file):
    table = load(file, failed_values=[2147483647])
    assert table.failures[table.index[1, "b"]] is FailureKind.CRASH
    assert "2147483647" in table.messages[table.index[1, "b"]]


def test_lists_of_repetitions_in_a_cell(tmp_path):
    path = write_csv(
        tmp_path / "a.csv",
        ["n", "kind", "ms"],
        [[1, "a", "[1.5, 2.5]"], [2, "a", "3;4"], [3, "a", "5 6 7"]],
    )
    table = load(path)
    assert [table.series["ms"].of(row) for row in range(3)] == [[1.5, 2.5], [3, 4], [5, 6, 7]]


def test_further_metrics_and_directions(tmp_path, define):
    path = write_csv(
        tmp_path / "a.csv", ["n", "gf", "w"], [[1, 10, 100], [2, 30, 200], [4, 20, 50]]
    )
    benchmark = define(
        path=path,
        parameters=["n"],
        objectives={"speed": {"column": "gf", "unit": "GFLOP/s", "direction": "maximize"}},
        metrics={"w": {"unit": "W", "direction": "minimize"}},
    )
    assert benchmark.references[0].configuration == {"n": 2}
    assert [m.name for m in benchmark.metrics] == ["w"]


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"objectives": None}, "objectives", "which of them is an objective"),
        ({"objectives": ["ms"]}, "objectives", "which of them is an objective"),
        ({"objectives": {"ms": {"unit": "ms"}}}, "objectives.ms.direction", "has no direction"),
        (
            {"objectives": {"ms": {"direction": "minimize"}}},
            "objectives.ms.unit",
            "has no unit",
        ),
        (
            {"objectives": {"mss": {"unit": "ms", "direction": "minimize"}}},
            "objectives.mss",
            "no column 'mss'",
        ),
        ({"parameters": None}, "parameters", "which of them are parameters"),
        ({"parameters": ["n", "knd"]}, "parameters", "no column 'knd'"),
        ({"status": "okay"}, "status", "no column 'okay'"),
        ({"failures": {"x": "explosion"}, "status": "ok"}, "failures.x", "no kind of failure"),
        (
            {"times": {"build": {"column": "build_us", "unit": "years"}}},
            "times.build.unit",
            "no unit of time",
        ),
        ({"metrics": {"n": {"unit": "1"}}}, "metrics.n.direction", "has no direction"),
    ],
)
def test_mappings_that_say_too_little(file, options, field, says):
    error = fails(file, says, **options)
    assert error.field == field
    assert error.file == str(file)


def test_a_misspelt_column_gets_the_nearest(file):
    assert fails(file, "no column", parameters=["n", "kynd"]).nearest == "kind"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("n,kind,ms\n1,a,1.0\n2,a\n", 3, "2 cells"),
        ("n,kind,ms\n1,a,1.0\n2,a,fast\n", 3, "'fast' is no number"),
        ("n,kind,ms\n1,a,1.0\n,a,2.0\n", 3, "'n' has no value"),
        ("n,kind,ms\n1,a,1.0\n2,a,nan\n", 3, "'ms' is nan"),
        ("n,kind,ms\n1,a,1.0\n2,a,0\n", 3, "'ms' is 0, no duration"),
        ("n,kind,ms\n1,a,1.0\n2,a,\n", 3, "no value of 'ms'"),
        ('n,kind,ms\n1,a,1.0\n2,"a,2\n', None, "no CSV"),
        ("n,n,ms\n1,a,1.0\n", 1, "two columns"),
        ("\n", 1, "no header"),
        ("n,kind,ms\n", None, "no rows"),
    ],
)
def test_broken_lines(tmp_path, text, line, says):
    error = fails(write(tmp_path / "a.csv", text), says)
    if line is not None:
        assert error.line == line


def test_an_unknown_status_names_the_line_and_the_remedy(tmp_path):
    path = write_csv(
        tmp_path / "a.csv", ["n", "kind", "ms", "ok"], [[1, "a", 1, "ok"], [2, "a", 2, "meh"]]
    )
    error = fails(path, "the status 'meh' is not known", status="ok")
    assert error.line == 3
    assert "failures: {meh: crash}" in error.remedy
    table = load(path, status="ok", failures={"meh": "memory"})
    assert table.failures[1] is FailureKind.MEMORY
    table = load(path, status="ok", valid=["ok", "meh"])
    assert table.failures == [None, None]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("compile", FailureKind.BUILD),
        ("timeout", FailureKind.TIMEOUT),
        ("wrong_result", FailureKind.WRONG_RESULT),
        ("CompilationFailedConfig", FailureKind.BUILD),
        ("0", FailureKind.CRASH),
    ],
)
def test_statuses_that_are_kinds_of_failure(tmp_path, word, kind):
    path = write_csv(
        tmp_path / "a.csv", ["n", "kind", "ms", "ok"], [[1, "a", 1, "ok"], [2, "a", "", word]]
    )
    assert load(path, status="ok").failures[1] is kind


def test_other_separators_and_whole_floats(tmp_path):
    path = write(tmp_path / "a.csv", "n;kind;ms\n2048.0;a;1.5\n4096.0;b;2\n")
    assert load(path).parameters["n"].domain == (2048, 4096)
    path = write(tmp_path / "b.tsv", "n\tkind\tms\n0.5\ta\t1.5\n4\tb\t2\n")
    assert load(path).parameters["n"].domain == (0.5, 4.0)


def test_truths_and_orders(tmp_path):
    path = write(tmp_path / "a.csv", 'n,kind,ms\nTrue,"[0, 1]",1\nFalse,"[1, 0]",2\n')
    table = load(path)
    assert table.parameters["n"].domain == (True, False)
    assert table.parameters["kind"].domain == ((0, 1), (1, 0))


def test_cut_files(tmp_path, parquet):
    path = write(
        tmp_path / "a.csv.gz", "n,kind,ms\n" + "".join(f"{i},a,{i}.5\n" for i in range(1, 999))
    )
    path.write_bytes(path.read_bytes()[:-600])
    fails(path, "cut short")
    assert 10 < len(load(path, incomplete="prefix")) < 998
    parquet.write_bytes(parquet.read_bytes()[:-30])
    fails(parquet, "no Parquet file, or it was cut short")


def test_columns_that_cannot_name_parameters_are_renamed(tmp_path):
    path = write(tmp_path / "a.csv", "block size,ms\n1,2\n")
    table = load(path, parameters=["block size"])
    assert list(table.parameters) == ["block_size"]
    assert any("'block size' is block_size" in note for note in table.notes)

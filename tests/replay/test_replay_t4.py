"""Reading T4: variations that writers produce, and what broken files get."""

from __future__ import annotations

import json
import math

import pytest
from replay_files import result, t4, write

from daybreak.errors import UserError
from daybreak.records import Direction, FailureKind
from daybreak_replay.loading import Reading, load_table

ROWS = [result({"x": x, "y": y}, (x + y / 10, x + y / 10 + 0.5)) for x in (1, 2, 4) for y in (0, 1)]


def load(path, **options):
    return load_table(path, Reading.of(options))


def fails(path, match, **options):
    with pytest.raises(UserError, match=match) as caught:
        load(path, **options)
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "A.JSON"])
def test_reads_plain_and_packed(tmp_path, name):
    table = load(write(tmp_path / name, t4(ROWS)))
    assert len(table) == 6
    assert table.series["time"].of(table.index[2, 1]) == [2.1, 2.6]
    assert table.seconds["build"][0] == pytest.approx(0.1)
    assert table.seconds["verify"][0] == pytest.approx(0.01)
    assert table.seconds["framework"][0] == pytest.approx(0.001)
    assert table.measure_seconds()[table.index[1, 0]] == pytest.approx(2.5e-3)
    (metric,) = table.metrics
    assert (metric.name, metric.unit, metric.direction) == ("time", "ms", Direction.MINIMIZE)


@pytest.mark.parametrize(
    ("word", "unit", "factor"),
    [
        ("miliseconds", "ms", 1e-3),
        ("milliseconds", "ms", 1e-3),
        ("Milliseconds", "ms", 1e-3),
        ("seconds", "s", 1.0),
        ("microseconds", "us", 1e-6),
        ("Nanoseconds", "ns", 1e-9),
    ],
)
def test_time_units(tmp_path, word, unit, factor):
    table = load(write(tmp_path / "a.json", t4(ROWS, metadata={"timeunit": word})))
    assert table.metrics[0].unit == unit
    assert table.seconds["build"][0] == pytest.approx(100 * factor)


def test_the_option_overrides_the_file(tmp_path):
    path = write(tmp_path / "a.json", t4(ROWS))
    assert load(path, time_unit="s").metrics[0].unit == "s"


def test_without_a_unit_that_of_the_measurements_counts(tmp_path):
    rows = json.loads(json.dumps(ROWS))
    for row in rows:
        row["measurements"][0]["unit"] = "us"
    content = t4(rows)
    del content["metadata"]
    assert load(write(tmp_path / "a.json", content)).metrics[0].unit == "us"
    del rows[0]["measurements"][0]["unit"]
    bare = t4(ROWS)
    del bare["metadata"]
    error = fails(write(tmp_path / "b.json", bare), "in which unit")
    assert "time_unit: ms" in str(error.remedy)


def test_an_unknown_unit(tmp_path):
    error = fails(write(tmp_path / "a.json", t4(ROWS, metadata={"timeunit": "fortnights"})), "fort")
    assert error.expected == "one of s, ms, us, ns, min, h"
    error = fails(write(tmp_path / "a.json", t4(ROWS, metadata={"timeunit": "micosecond"})), "mico")
    assert error.nearest == "us"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("compile", FailureKind.BUILD),
        ("runtime", FailureKind.CRASH),
        ("timeout", FailureKind.TIMEOUT),
        ("correctness", FailureKind.WRONG_RESULT),
    ],
)
def test_failures_keep_their_kind_and_compile_time(tmp_path, word, kind):
    bad = result({"x": 8, "y": 0}, None, invalidity=word, compilation=7000.0)
    table = load(write(tmp_path / "a.json", t4([*ROWS, bad])))
    row = table.index[8, 0]
    assert table.failures[row] is kind
    assert table.seconds["build"][row] == pytest.approx(7.0)
    assert "RuntimeFailedConfig" in table.messages[row]


def test_violated_constraints_are_no_part_of_the_space(tmp_path, define):
    bad = result({"x": 8, "y": 0}, None, invalidity="constraints")
    path = write(tmp_path / "a.json", t4([*ROWS, bad]))
    table = load(path)
    assert table.outside == {(8, 0)}
    benchmark = define(path=path)
    assert benchmark.space.count() == 6
    assert {"x": 8, "y": 0} not in benchmark.space
    assert any("violating a constraint" in note for note in benchmark.notes)


def test_an_unknown_word_is_refused_with_the_nearest(tmp_path):
    bad = result({"x": 8, "y": 0}, None, invalidity="compiled")
    error = fails(write(tmp_path / "a.json", t4([*ROWS, bad])), "result 6: invalidity")
    assert error.nearest == "compile"


def test_an_unknown_version(tmp_path):
    fails(write(tmp_path / "a.json", t4(ROWS, schema_version="2.0.0")), "version 2.0.0")


@pytest.mark.parametrize("value", [math.nan, 0.0, -1.0, math.inf])
def test_bad_times(tmp_path, value):
    bad = result({"x": 8, "y": 0}, (1.0, value))
    path = write(tmp_path / "a.json", t4([*ROWS, bad]))
    error = fails(path, r"result 6: repetition 1 of 'time' is")
    assert "bad_rows" in str(error.remedy)
    assert (8, 0) not in load(path, bad_rows="drop").index
    failed = load(path, bad_rows="failed")
    assert failed.failures[failed.index[8, 0]] is FailureKind.WRONG_RESULT
    assert any("1 rows count as failed" in note for note in failed.notes)


def test_a_row_that_neither_failed_nor_succeeded(tmp_path):
    nothing = {**result({"x": 8, "y": 0}), "measurements": []}
    del nothing["times"]["runtimes"]
    fails(write(tmp_path / "a.json", t4([*ROWS, nothing])), "result 6: there is no value of 'time'")


def test_the_reported_value_serves_where_there_are_no_runtimes(tmp_path):
    rows = json.loads(json.dumps(ROWS))
    for row in rows:
        row["times"]["runtimes"] = []
    table = load(write(tmp_path / "a.json", t4(rows)))
    assert table.series["time"].of(0) == [rows[0]["measurements"][0]["value"]]


def test_repeated_rows_become_repetitions(tmp_path):
    table = load(write(tmp_path / "a.json", t4([*ROWS, result({"x": 1, "y": 0}, (9.0,))])))
    assert len(table) == 6
    assert table.series["time"].of(table.index[1, 0]) == [1.0, 1.5, 9.0]
    assert any("1 rows repeat" in note for note in table.notes)


def test_success_beats_failure_of_the_same_configuration(tmp_path):
    again = result({"x": 1, "y": 0}, None, invalidity="runtime")
    table = load(write(tmp_path / "a.json", t4([again, *ROWS])))
    assert table.failures[table.index[1, 0]] is None
    assert any("both failed and succeeded" in note for note in table.notes)


def test_other_parameters_in_one_result(tmp_path):
    fails(
        write(tmp_path / "a.json", t4([*ROWS, result({"x": 1, "z": 0})])),
        "result 6: its configuration has another parameter 'z'",
    )
    fails(
        write(tmp_path / "b.json", t4([*ROWS, result({"x": 1})])), "result 6: .* no parameter 'y'"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("[]", "no results"),
        ("{}", "neither T4 nor a cache"),
        ('{"rows": []}', "neither T4 nor a cache.*'rows'"),
        ("not json", "not JSON"),
        (b"\xff\xfe\x00", "not a text file"),
        ('{"results": [1]}', "neither T4 nor"),
        ('{"results": [{}], "metadata": {"timeunit": "ms"}}', "result 0: this is no T4 result"),
        ('{"results": [], "metadata": {"timeunit": "ms"}}', "no results"),
        ('{"results": [], "results": []}', "occurs twice"),
        ("[" * 100_000, "nested too deeply|not JSON"),
    ],
)
def test_what_is_no_t4(tmp_path, content, says):
    fails(write(tmp_path / "a.json", content), says)


def test_a_damaged_gzip(tmp_path):
    path = write(tmp_path / "a.json.gz", t4(ROWS))
    data = bytearray(path.read_bytes())
    data[30] ^= 255
    path.write_bytes(bytes(data))
    fails(path, "damaged|not JSON|UTF-8")


def test_every_cut_is_noticed_and_its_whole_rows_can_be_read(tmp_path):
    text = json.dumps(t4(ROWS), indent=1)
    inside = text.index('"results"') + 14
    for at in range(inside, len(text) - 1, 7):
        path = write(tmp_path / f"cut{at}.json", text[:at].rstrip())
        error = fails(path, "cut short: it ends in the middle")
        assert "incomplete: prefix" in error.remedy
        whole = text[inside:at].count("\n  }")
        if whole:
            assert len(load(path, incomplete="prefix")) == whole
        else:
            fails(path, "no results", incomplete="prefix")


def test_a_cut_gzip(tmp_path):
    path = write(tmp_path / "a.json.gz", t4([result({"x": x, "y": 0}) for x in range(1, 500)]))
    path.write_bytes(path.read_bytes()[:-700])
    fails(path, "cut short")
    table = load(path, incomplete="prefix")
    assert 100 < len(table) < 499


def test_a_gzip_both_cut_and_damaged(tmp_path):
    path = write(tmp_path / "a.json.gz", t4([result({"x": x, "y": 0}) for x in range(1, 500)]))
    data = bytearray(path.read_bytes()[:-700])
    data[3] = 0xFF  # flags that no header has
    path.write_bytes(bytes(data))
    fails(path, "cut short and damaged", incomplete="prefix")


def test_damage_in_the_middle_is_no_cut(tmp_path):
    text = json.dumps(t4(ROWS), indent=1)
    at = text.index('"invalidity"', len(text) // 2)
    path = write(tmp_path / "a.json", text[:at] + "}" + text[at:])
    error = fails(path, "not JSON", incomplete="prefix")
    assert error.line == text[:at].count("\n") + 1


def test_missing_file_and_folder(tmp_path):
    fails(tmp_path / "none.json", "cannot be read")
    fails(write(tmp_path / "a.dat", "x"), "does not say which format")


def test_objectives_with_unit_and_direction(tmp_path, define):
    rows = json.loads(json.dumps(ROWS))
    for i, row in enumerate(rows):
        row["measurements"] += [
            {"name": "GFLOP/s", "value": 10.0 + i, "unit": ""},
            {"name": "watts", "value": 100.0 - i, "unit": "W"},
            {"name": "gpu", "value": "a name", "unit": ""},
        ]
    path = write(tmp_path / "a.json", t4(rows))
    benchmark = define(path=path)
    assert [m.name for m in benchmark.metrics] == ["GFLOP/s"]
    assert any("watts" in note for note in benchmark.notes)
    both = define(
        path=path, objectives={"GFLOP/s": None, "watts": {"direction": "minimize"}, "time": None}
    )
    assert [(m.name, m.unit, str(m.direction)) for m in both.objectives] == [
        ("GFLOP/s", "GFLOP/s", "maximize"),
        ("watts", "W", "minimize"),
        ("time", "ms", "minimize"),
    ]
    with pytest.raises(UserError, match="better high or low"):
        define(path=path, objectives=["watts"])
    with pytest.raises(UserError, match="has a value of the objective 'tim'") as caught:
        define(path=path, objectives=["tim"])
    assert caught.value.nearest == "time"


def test_reported_times_outside_their_repetitions_are_told(tmp_path):
    rows = json.loads(json.dumps(ROWS))
    rows[0]["measurements"][0]["value"] = 99.0
    table = load(write(tmp_path / "a.json", t4(rows)))
    assert any("In 1 results the reported time" in note for note in table.notes)


def test_texts_and_truths_as_parameters(tmp_path, define):
    rows = [
        result({"layout": layout, "fast": fast, "n": n})
        for layout in ("row", "col")
        for fast in (True, False)
        for n in (1, 2)
    ]
    space = define(path=write(tmp_path / "a.json", t4(rows))).space
    assert [p.type for p in space.parameters] == ["categorical", "categorical", "ordinal"]
    assert space.count() == 8
    assert {"layout": "row", "fast": True, "n": 1} in space
    assert {"layout": "row", "fast": 1, "n": 1} not in space


def test_read_once_per_process_and_again_when_changed(tmp_path):
    path = write(tmp_path / "a.json", t4(ROWS))
    assert load(path) is load(path)
    write(path, t4(ROWS[:4]))
    assert len(load(path)) == 4

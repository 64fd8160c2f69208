"""Import, export, and Daybreak's own results as a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replay_files import entry, result, t4, write, write_csv

from daybreak import RecordedStudy
from daybreak.cli import main
from daybreak.errors import UserError
from daybreak.records import FailureKind, Outcome, Sample, Trial, TrialStatus
from daybreak.space import Space
from daybreak_replay.exporter import CacheExporter, T4Exporter
from daybreak_replay.loading import Reading, load_table

ROWS = [result({"x": x, "y": y}, (x + y / 10, x + y / 10 + 0.5)) for x in (1, 2, 4) for y in (0, 1)]


@pytest.fixture
def daybreak(capsys, monkeypatch):
    """Return a function that runs a command and returns what it printed."""

    def run(*words, code=0):
        monkeypatch.setattr("sys.argv", ["daybreak", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert ended.value.code == code, captured.out + captured.err
        return captured.out if words[-1] in ("--json", "json") else captured.out + captured.err

    return run


@pytest.fixture
def file(tmp_path):
    bad = result({"x": 8, "y": 0}, None, invalidity="runtime")
    return write(tmp_path / "Gemm_A100_T4.json.gz", t4([*ROWS, bad]))


def test_import_makes_a_benchmark_and_a_suite_that_runs(file, tmp_path, daybreak):
    suite = tmp_path / "suite.yaml"
    told = daybreak("import", "t4", file, "--suite", suite)
    assert "7 of 7 rows kept" in told
    assert "replay/gemm-a100" in daybreak("benchmarks", "list")
    file.unlink()  # the benchmark has a copy
    text = suite.read_text().replace("seeds: 10", "seeds: 2").replace("  - baco\n", "")
    suite.write_text(text)
    daybreak("suites", "check", suite)
    results = tmp_path / "results"
    daybreak("run", suite, "--results", results)
    output = daybreak(
        "sql", "SELECT count(*) AS n FROM trials", "--results", results, "--format", "json"
    )
    assert json.loads(output)[0]["n"] >= 14


def test_importing_again(file, tmp_path, daybreak):
    daybreak("import", "t4", file, "--name", "mine")
    daybreak("import", "t4", file, "--name", "mine")
    other = write(tmp_path / "other.json", t4(ROWS))
    told = daybreak("import", "t4", other, "--name", "mine", code=2)
    assert "there is an imported table 'mine' of another file" in told
    daybreak("import", "t4", other, "--name", "mine", "-o", "replace=true")
    assert "6 of 6" in daybreak("import", "t4", other, "--name", "mine")


@pytest.mark.parametrize("name", ["table", "pnpoly-rtx3090", "a b", "../x", ""])
def test_names_that_cannot_be_taken(file, name, daybreak):
    told = daybreak("import", "t4", file, "--name", name, code=2)
    assert "name" in told


def test_a_failed_import_leaves_nothing(tmp_path, daybreak):
    path = write(tmp_path / "a.json", t4([*ROWS, result({"x": 8, "y": 0}, (0.0,))]))
    told = daybreak("import", "t4", path, code=2)
    assert "result 6" in told
    assert not (tmp_path / "data").exists()


def test_import_with_a_space_and_missing_rows(file, tmp_path, daybreak):
    space = write(
        tmp_path / "t1.json",
        {
            "ConfigurationSpace": {
                "TuningParameters": [
                    {"Name": "x", "Type": "int", "Values": "[1, 2, 4, 8]"},
                    {"Name": "y", "Type": "int", "Values": "[0, 1]"},
                ],
                "Conditions": [],
            }
        },
    )
    told = daybreak("import", "t4", file, "-o", f"space={space}", code=2)
    assert "lacks 1 of 8" in told
    daybreak("import", "t4", file, "-o", f"space={space}", "-o", "missing=failed")
    space.unlink()
    shown = json.loads(daybreak("benchmarks", "show", "replay/gemm-a100", "--json"))
    assert shown["feasible"] == 8


def test_import_a_table(tmp_path, define, daybreak):
    path = write_csv(tmp_path / "t.csv", ["n", "ms"], [[1, 2.5], [2, 1.5], [2, 1.7]])
    told = daybreak("import", "table", path, code=2)
    assert "which of them is an objective" in told
    daybreak(
        "import", "table", path, "--name", "mine",
        "-o", "parameters=[n]", "-o", "objectives={ms: {unit: ms, direction: minimize}}",
        "-o", "references={expert: {n: 1}}",
    )  # fmt: skip
    benchmark = define("mine")
    assert {one.name for one in benchmark.references} == {"expert", "optimum"}


def test_a_damaged_import_is_left_out_of_the_listing(file, tmp_path, daybreak):
    daybreak("import", "t4", file, "--name", "mine")
    place = tmp_path / "data" / "replay" / "mine" / "description.json"
    place.write_text("{")
    assert "replay/mine" not in daybreak("benchmarks", "list")


def suite_of(tmp_path, file, *, evaluations=5):
    suite = tmp_path / "s.yaml"
    suite.write_text(
        "suite: 1\nname: s\nbenchmarks:\n"
        f"  - replay/table: {{path: {file}}}\n"
        f"optimizers: [random]\nseeds: 2\nbudget: {{evaluations: {evaluations}}}\n"
        "protocol: {repeats: {min: 2, max: 2}}\n"
    )
    return suite


def test_results_become_a_table(file, tmp_path, define, daybreak):
    results = tmp_path / "results"
    daybreak("run", suite_of(tmp_path, file, evaluations=7), "--results", results)
    benchmark = define(path=results)
    assert benchmark.space.count() == 7
    table = load_table(results, Reading())
    assert len(table) == 7
    original = load_table(file, Reading())
    for key, row in table.index.items():
        was = original.index[key]
        assert set(table.series["time"].of(row)) == set(original.series["time"].of(was))
        assert table.failures[row] is original.failures[was]
        assert table.seconds["build"][row] == pytest.approx(original.seconds["build"][was])
        assert table.seconds["framework"][row] == pytest.approx(original.seconds["framework"][was])
    with pytest.raises(UserError, match="hold no benchmark 'replay/tble:x'"):
        define(path=results, benchmark="replay/tble:x")
    with pytest.raises(UserError, match="there is no run 'x'"):
        define(path=results, run="x")


def test_partial_results_say_what_they_lack(file, tmp_path, define, daybreak):
    results = tmp_path / "results"
    daybreak("run", suite_of(tmp_path, file, evaluations=2), "--results", results)
    with pytest.raises(UserError, match="of 7 feasible configurations"):
        define(path=results)
    assert define(path=results, missing="exclude").space.count() < 7


def test_export_t4_fits_kernel_tuners_schema_and_is_replayed(file, tmp_path, define, daybreak):
    file_utils = pytest.importorskip("kernel_tuner.file_utils")
    import jsonschema

    results = tmp_path / "results"
    daybreak("run", suite_of(tmp_path, file, evaluations=7), "--results", results)
    out = tmp_path / "out.json"
    daybreak("export", "t4", "--results", results, "--out", out, "--optimizer", "random")
    content = json.loads(out.read_text())
    _, schema = file_utils.output_file_schema("results")
    jsonschema.Draft202012Validator(schema).validate(content)
    assert len(content["results"]) == 14
    benchmark = define(path=out)
    assert benchmark.space.count() == 7
    table, original = load_table(out, Reading()), load_table(file, Reading())
    for key, row in table.index.items():
        was = original.index[key]
        # both seeds replayed both repetitions
        assert sorted(table.series["time"].of(row)) == sorted(2 * original.series["time"].of(was))
        assert table.failures[row] is original.failures[was]


def test_export_for_kernel_tuner_is_simulated_by_it(file, tmp_path, daybreak):
    kernel_tuner = pytest.importorskip("kernel_tuner")
    from kernel_tuner import util

    results = tmp_path / "results"
    daybreak("run", suite_of(tmp_path, file, evaluations=7), "--results", results)
    out = tmp_path / "cache.json"
    daybreak("export", "kernel-tuner", "--results", results, "--out", out, "--optimizer", "random")
    read = util.read_cache(str(out), open_cache=False)
    assert len(read["cache"]) == 7
    assert isinstance(read["cache"]["8,0"]["__error__"], util.RuntimeFailedConfig)
    found, _ = kernel_tuner.tune_kernel(
        read["kernel_name"],
        "",
        tuple(read["problem_size"]),
        [],
        read["tune_params"],
        restrictions=["x != 8 or y == 0"],
        simulation_mode=True,
        cache=str(out),
        quiet=True,
    )
    times = {(one["x"], one["y"]): one["time"] for one in found if "__error__" not in one}
    original = load_table(file, Reading())
    assert times.keys() == {
        key for key, row in original.index.items() if not original.failures[row]
    }
    for key, time in times.items():
        series = original.series["time"].of(original.index[key])
        assert time == pytest.approx(sum(series) / len(series))


BENCHMARK = {
    "benchmark": "other/thing",
    "space": {},
    "objectives": [{"name": "latency", "unit": "ms", "direction": "minimize"}],
    "metrics": [{"name": "rate", "unit": "1/s", "direction": "maximize"}],
}

_positive = st.floats(1e-6, 1e9, allow_nan=False)
_failures = st.sampled_from(
    [
        FailureKind.BUILD,
        FailureKind.CRASH,
        FailureKind.TIMEOUT,
        FailureKind.MEMORY,
        FailureKind.RESOURCE,
        FailureKind.WRONG_RESULT,
    ]
)


@st.composite
def tables(draw):
    """Return outcomes by configuration: samples of two metrics, or a failure, and phases."""
    keys = draw(
        st.lists(
            st.tuples(st.integers(-9, 9), st.sampled_from(["a", "b", "ü"]), st.booleans()),
            min_size=1,
            max_size=8,
            unique=True,
        )
    )
    found = {}
    for i, key in enumerate(keys):
        failure = draw(st.none() | _failures) if i else None
        series = draw(st.lists(_positive, min_size=1, max_size=5))
        phases = {phase: draw(st.floats(0, 1e4)) for phase in ("build", "verify", "measure")}
        found[key] = (failure, series, draw(_positive), phases)
    return found


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(recorded=tables(), unit=st.sampled_from(["ms", "s", "us"]))
def test_any_table_survives_t4(recorded, unit, tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("t4")
    names = ("n", "name", "flag")
    configurations = [dict(zip(names, key, strict=True)) for key in recorded]
    trials = []
    for number, (configuration, one) in enumerate(
        zip(configurations, recorded.values(), strict=True)
    ):
        failure, series, rate, phases = one
        samples = () if failure else (
            *(Sample("latency", value, i) for i, value in enumerate(series)),
            Sample("rate", rate),
        )  # fmt: skip
        outcome = Outcome(
            status=TrialStatus.FAILED if failure else TrialStatus.OK,
            failure_kind=failure,
            message="why" if failure else None,
            objectives={"latency": None if failure else sorted(series)[len(series) // 2]},
            samples=samples,
            phases=phases,
        )
        trials.append(Trial(number, configuration, outcome, started_at="2026-01-01"))
    benchmark = {
        **BENCHMARK,
        "space": Space.from_rows(configurations).to_dict(),
        "objectives": [{**BENCHMARK["objectives"][0], "unit": unit}],
    }
    out = folder / "a.json"
    report = T4Exporter().write([RecordedStudy({}, benchmark, {}, trials)], out, {})
    assert report.trials == len(trials)
    table = load_table(out, Reading())
    assert len(table) == len(recorded)
    assert [(m.name, m.unit) for m in table.metrics][:1] == [("latency", unit)]
    for key, (failure, series, rate, phases) in recorded.items():
        row = table.index[key]
        assert table.failures[row] is failure
        if failure is None:
            assert table.series["latency"].of(row) == series
            assert table.series["rate"].of(row) == [rate]
        else:
            assert table.messages[row] == "why"
        for phase, seconds in phases.items():
            assert table.seconds[phase][row] == pytest.approx(seconds)


def test_what_cannot_be_exported(tmp_path):
    space = Space.from_rows([{"x": 1}, {"x": 2}]).to_dict()
    outcome = Outcome(status=TrialStatus.FAILED, failure_kind=FailureKind.CANCELLED)
    study = RecordedStudy({}, {**BENCHMARK, "space": space}, {}, [Trial(0, {"x": 1}, outcome)])
    for exporter in (T4Exporter(), CacheExporter()):
        with pytest.raises(UserError, match="no trial to export: 1 failed as 'cancelled'"):
            exporter.write([study], tmp_path / "a.json", {})
    good = Outcome(
        status=TrialStatus.OK, objectives={"latency": 1.0}, samples=(Sample("latency", 1.0),)
    )
    with pytest.raises(UserError, match="cannot be written"):
        T4Exporter().write(
            [RecordedStudy({}, {**BENCHMARK, "space": space}, {}, [Trial(0, {"x": 1}, good)])],
            tmp_path / "none" / "a.json",
            {},
        )


def test_a_cache_is_imported_as_t4_is(tmp_path, define, daybreak):
    from replay_files import cache

    path = write(tmp_path / "c.json", cache([entry(x, y) for x in (1, 2, 4) for y in (0, 1)]))
    daybreak("import", "t4", path, "--name", "c")
    assert define("c").space.count() == 6

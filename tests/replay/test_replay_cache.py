"""Reading Kernel Tuner's caches: written by hand, and by Kernel Tuner itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from replay_files import cache, entry, write

from daybreak.errors import UserError
from daybreak.records import FailureKind
from daybreak_replay.loading import Reading, load_table

ENTRIES = [entry(x, y, (x + y, x + y + 1.0)) for x in (1, 2, 4) for y in (0, 1)]


def load(path, **options):
    return load_table(path, Reading.of(options))


def fails(path, match, **options):
    with pytest.raises(UserError, match=match) as caught:
        load(path, **options)
    assert str(path) in str(caught.value)
    return caught.value


def test_reads_times_in_milliseconds(tmp_path):
    table = load(write(tmp_path / "a.json", cache(ENTRIES)))
    row = table.index[2, 1]
    assert table.series["time"].of(row) == [3.0, 4.0]
    assert table.metrics[0].unit == "ms"
    assert table.seconds["build"][row] == pytest.approx(0.05)
    assert table.seconds["measure"][row] == pytest.approx(0.02)
    assert table.facts["device_name"] == "a device"
    assert table.unit == "entry"


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        ("CompilationFailedConfig", FailureKind.BUILD),
        ("RuntimeFailedConfig", FailureKind.CRASH),
        ("ErrorConfig", FailureKind.CRASH),
        ("TimeoutFailedConfig", FailureKind.TIMEOUT),
        ("VerificationFailedConfig", FailureKind.WRONG_RESULT),
    ],
)
@pytest.mark.parametrize("field", ["time", "__error__"])
def test_names_of_errors(tmp_path, mark, kind, field):
    bad = entry(4, 1, mark) if field == "time" else entry(4, 1, __error__=mark)
    table = load(write(tmp_path / "a.json", cache([*ENTRIES[:5], bad])))
    assert table.failures[table.index[4, 1]] is kind
    assert mark in table.messages[table.index[4, 1]]


def test_invalid_configurations_are_no_part_of_the_space(tmp_path, define):
    path = write(tmp_path / "a.json", cache([*ENTRIES[:5], entry(4, 1, "InvalidConfig")]))
    benchmark = define(path=path)
    assert benchmark.space.size == 6
    assert benchmark.space.count() == 5


def test_the_mark_of_older_versions(tmp_path):
    table = load(write(tmp_path / "a.json", cache([*ENTRIES[:5], entry(4, 1, (1e20,))])))
    assert table.failures[table.index[4, 1]] is FailureKind.CRASH
    assert any("1e20" in note for note in table.notes)


def test_declared_values_make_the_parameters(tmp_path, define):
    values = {"x": [1, 2, 4, 8], "y": [0, 1, 2]}
    space = define(path=write(tmp_path / "a.json", cache(ENTRIES, values))).space
    assert space["x"].values == (1, 2, 4, 8)
    assert space["x"].log
    assert not space["y"].log
    assert space.count() == 6
    whole = define(path=write(tmp_path / "b.json", cache(ENTRIES))).space
    assert whole.constraints == ()
    assert whole.count() == 6


def test_a_parameter_outside_its_declared_values(tmp_path):
    path = write(tmp_path / "a.json", cache([*ENTRIES, entry(5, 0)]))
    error = fails(path, "entry 6: x = 5 is not among the values")
    assert error.nearest == "4"
    assert error.field == "x"


def test_an_entry_that_contradicts_its_key(tmp_path):
    content = cache(ENTRIES)
    content["cache"]["2,0"]["x"] = 4
    fails(write(tmp_path / "a.json", content), r'entry 2 \("2,0"\): its parameters are 4,0')


def test_keys_may_be_written_otherwise(tmp_path):
    content = cache(ENTRIES)
    content["cache"] = {key.replace(",", ", "): one for key, one in content["cache"].items()}
    assert len(load(write(tmp_path / "a.json", content))) == 6


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tune_params_keys": None, "tune_params": None}, "does not say what its parameters are"),
        ({"tune_params": {"x": [1]}}, "no values are declared for the parameter 'y'"),
        ({"cache": {}}, "no entries"),
        ({"schema_version": "3.0.0"}, "version 3.0.0"),
    ],
)
def test_headers_that_say_too_little(tmp_path, change, says):
    fails(write(tmp_path / "a.json", cache(ENTRIES, **change)), says)


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_known_versions(tmp_path, version):
    assert len(load(write(tmp_path / "a.json", cache(ENTRIES, schema_version=version)))) == 6


def test_an_entry_without_a_parameter(tmp_path):
    content = cache(ENTRIES)
    del content["cache"]["4,0"]["y"]
    fails(write(tmp_path / "a.json", content), r'entry 4 \("4,0"\): it has no value .* \'y\'')


def test_a_key_that_occurs_twice(tmp_path):
    text = json.dumps(cache(ENTRIES)).replace('"2,1":', '"2,0":')
    fails(write(tmp_path / "a.json", text), "the key '2,0' occurs twice")


def unclosed(entries):
    """Write a cache as Kernel Tuner does while it tunes: a header, then an entry per line."""
    head = json.dumps(cache([]), indent="")[:-3]
    return head + "".join(
        "\n" + json.dumps({f"{one['x']},{one['y']}": one})[1:-1] + "," for one in entries
    )


def test_a_cache_that_was_left_open(tmp_path):
    path = write(tmp_path / "a.json", unclosed(ENTRIES))
    error = fails(path, "cut short: it ends in the middle, after 6 whole items of 'cache'")
    assert "incomplete: prefix" in error.remedy
    assert len(load(path, incomplete="prefix")) == 6
    path = write(tmp_path / "b.json", unclosed(ENTRIES)[:-40])
    table = load(path, incomplete="prefix")
    assert len(table) == 5
    assert any("cut short" in note for note in table.notes)


def test_every_cut_of_an_open_cache(tmp_path):
    text = unclosed(ENTRIES)
    start = text.index('"1,0"')
    for at in range(start + 1, len(text), 11):
        path = write(tmp_path / "a.json", text[:at])
        fails(path, "cut short")
        whole = text[:at].count('"timestamp": "2026-01-01 00:00:00+00:00"}')
        if whole:
            assert len(load(path, incomplete="prefix")) == whole


def test_further_metrics(tmp_path, define):
    entries = [entry(x, y, **{"GFLOP/s": 100.0 * x, "odd": 3.0}) for x in (1, 2, 4) for y in (0, 1)]
    path = write(tmp_path / "a.json", cache(entries, objective=["GFLOP/s"]))
    benchmark = define(path=path)
    assert [(m.name, str(m.direction)) for m in benchmark.objectives] == [("GFLOP/s", "maximize")]
    assert [m.name for m in benchmark.metrics] == ["time"]
    assert benchmark.references[0].configuration["x"] == 4


C_CODE = """
#include <time.h>
float kernel(float *out, int n) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int r = 0; r < tile * unroll; r++)
        for (int i = 0; i < n; i++) out[i] = out[i] * 0.5f + tile;
    clock_gettime(CLOCK_MONOTONIC, &b);
    return (b.tv_sec - a.tv_sec) * 1e3f + (b.tv_nsec - a.tv_nsec) * 1e-6f + 1e-4f;
}
"""


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """Tune a real C kernel with Kernel Tuner: the folder, results, parameters."""
    pytest.importorskip("kernel_tuner")
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    import numpy
    from kernel_tuner import tune_kernel

    folder = tmp_path_factory.mktemp("tuned")
    params = {"tile": [1, 2, 4], "unroll": [1, 2, 4]}
    out = numpy.zeros(1000, dtype=numpy.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the compiler's files are put into the working folder
        results, _ = tune_kernel(
            "kernel",
            C_CODE,
            1000,
            [out, numpy.int32(1000)],
            params,
            restrictions=["tile * unroll <= 8"],
            lang="C",
            cache=str(folder / "cache.json"),
            iterations=5,
            quiet=True,
        )
    return folder, results, params


def test_a_cache_that_kernel_tuner_wrote(tuned, define):
    folder, results, _ = tuned
    path = folder / "cache.json"
    written = json.loads(path.read_text())["cache"] if _closed(path) else None
    options = {} if written is not None else {"incomplete": "prefix"}
    benchmark = define(path=path, **options)
    expected = {(t, u) for t in (1, 2, 4) for u in (1, 2, 4) if t * u <= 8}
    assert {(c["tile"], c["unroll"]) for c in benchmark.space.grid()} == expected
    table = load(path, **options)
    assert len(results) == len(table) == len(expected)
    for one in results:
        row = table.index[one["tile"], one["unroll"]]
        assert table.series["time"].of(row) == pytest.approx(one["times"])
        assert table.seconds["build"][row] == pytest.approx(one["compile_time"] / 1e3)


def test_a_t4_file_that_kernel_tuner_wrote(tuned, tmp_path, define):
    from kernel_tuner.file_utils import store_output_file

    _, results, params = tuned
    path = tmp_path / "t4.json"
    store_output_file(str(path), results, params)
    benchmark = define(path=path)
    assert benchmark.space.count() == len(results)
    table = load(path)
    for one in results:
        row = table.index[one["tile"], one["unroll"]]
        assert table.series["time"].of(row) == pytest.approx(one["times"])
        assert table.seconds["measure"][row] == pytest.approx(one["benchmark_time"] / 1e3)


def _closed(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True

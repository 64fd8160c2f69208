"""The shipped tables, against the counts and values published with them.

Source of the expectations: the description of the hub's data sets (configurations, statuses, best
and median of the reported times), and counting the 59 runs with a text tool.
"""

from __future__ import annotations

import gzip
import itertools
import json
import statistics
from collections import Counter

import pytest

from daybreak.records import FailureKind
from daybreak_replay.catalogue import descriptions
from daybreak_replay.target import ReplayTarget

#: configurations, failures by kind, best and median of the reported (mean) times in ms
PUBLISHED = {
    "convolution-a100": (
        4362,
        {FailureKind.CRASH: 155, FailureKind.BUILD: 6},
        0.5536,
        1.83395,
        32.2257,
    ),
    "convolution-mi250x": (4362, {}, 0.6588, 19.84419, 100.295),
    "dedispersion-a100": (11130, {}, 68.11658, 72.49899, 119.8989),
    "pnpoly-rtx3090": (4092, {FailureKind.CRASH: 318}, 8.71424, 13.535019, None),
}


def opened(name):
    target = ReplayTarget()
    return target._define(name, {"seed": 0})


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name):
    count, failures, best, median, worst = PUBLISHED[name]
    defined = opened(name)
    table, space = defined.opened.table, defined.benchmark.space
    assert len(table) == count
    assert space.count() == count
    assert defined.opened.coverage.missing == 0
    assert Counter(kind for kind in table.failures if kind is not None) == failures
    time = table.series["time"]
    means = [
        statistics.fmean(time.of(row)) for row in range(len(table)) if table.failures[row] is None
    ]
    # pnpoly's reported times are not the means of its repetitions: within half a per cent
    near = 5e-3 if name == "pnpoly-rtx3090" else 1e-3
    assert min(means) == pytest.approx(best, rel=near)
    assert statistics.median(means) == pytest.approx(median, rel=near)
    if worst is not None:
        assert max(means) == pytest.approx(worst, rel=near)
    assert defined.benchmark.objectives[0].unit == "ms"


def test_a_table_holds_what_its_file_holds():
    """Every row of the smallest T4 file, read independently."""
    description = descriptions()["convolution-mi250x"]
    content = json.loads(gzip.decompress(description.path.read_bytes()))
    table = opened("convolution-mi250x").opened.table
    for number, result in enumerate(content["results"]):
        row = table.index[tuple(result["configuration"].values())]
        assert table.series["time"].of(row) == result["times"]["runtimes"]
        assert table.seconds["build"][row] == pytest.approx(result["times"]["compilation"] / 1e3)
        assert table.places[row] == number


def test_convolution_conditions_hold_for_just_the_rows():
    table = opened("convolution-a100").opened.table
    names = list(table.parameters)
    domains = {name: sorted(column.domain) for name, column in table.parameters.items()}
    expected = set()
    for values in itertools.product(*domains.values()):
        c = dict(zip(names, values, strict=True))
        shared = (c["block_size_x"] * c["tile_size_x"] + c["filter_width"] - 1) * (
            c["block_size_y"] * c["tile_size_y"] + c["filter_height"] - 1
        )
        if (
            (c["use_padding"] == 0 or c["block_size_x"] % 32 != 0)
            and c["block_size_x"] * c["block_size_y"] <= 1024
            and (c["use_padding"] == 0 or c["use_shmem"] != 0)
            and (c["use_shmem"] == 0 or shared < 12 * 1024)
        ):
            expected.add(values)
    assert set(table.index) == expected


def test_the_traces_of_asum():
    defined = opened("asum-gpu")
    table, benchmark = defined.opened.table, defined.benchmark
    raw = gzip.decompress(descriptions()["asum-gpu"].path.read_bytes()).decode().splitlines()[1:]
    assert len(raw) == 9050
    assert len({line.split(",")[-1] for line in raw}) == 59
    keys = {tuple(line.split(",")[:5]) for line in raw}
    assert len(table) == len(keys) == 7979
    failed = {tuple(line.split(",")[:5]) for line in raw if line.split(",")[6] == "false"}
    assert sum(kind is not None for kind in table.failures) == len(failed)
    # sp1 divides sp0: 27 * 28 / 2 pairs of powers of two; ls0 divides gs0: 11 * 12 / 2; 27 strides
    assert benchmark.space.count() == 378 * 27 * 66
    assert defined.opened.coverage.missing == 378 * 27 * 66 - 7979
    assert min(table.series["runtime"].flat) == 0.663648
    expert = {one.name: one for one in benchmark.references}["expert"]
    assert not expert.in_space
    assert defined.opened.values == {"expert": 0.75568, "default": 200.0}


def test_every_shipped_table_says_where_it_is_from():
    licences = (next(iter(descriptions().values())).place.parent / "LICENSES.md").read_text()
    shipped = [one for one in descriptions().values() if not one.kept]
    assert len(shipped) == 5
    for description in shipped:
        assert "MIT" in description.source
        assert description.path.name in licences


def test_optimum_is_the_best_median():
    for name in PUBLISHED:
        defined = opened(name)
        table = defined.opened.table
        medians = {
            row: statistics.median(table.series["time"].of(row))
            for row in range(len(table))
            if table.failures[row] is None
        }
        best = min(medians, key=medians.get)
        reference = {one.name: one for one in defined.benchmark.references}["optimum"]
        assert dict(reference.configuration) == table.configuration(best)
        assert "no fair prior" in reference.note

"""Percent of peak against measured ceilings, by hand; and ceilings on their way into the index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_results import Results, trial

from daybreak.analysis import query_arrow
from daybreak.analysis.machines import newest_ceilings
from daybreak.analysis.summary import summarize_run
from daybreak.analysis.views import create_statements
from daybreak.records import Event, Sample, Trial
from daybreak.store import RunWriter, rebuild

#: 1 Gflop/s and 0.5 Gflop/s in f64, twice that in f32; 100 MB/s and 80 MB/s: on two and one thread
CEILINGS = {
    ("gemm_f64", "compute", 2): 1e9,
    ("gemm_f64", "compute", 1): 0.5e9,
    ("gemm_f32", "compute", 2): 2e9,
    ("gemm_f32", "compute", 1): 1e9,
    ("memory", "bandwidth", 2): 100e6,
    ("memory", "bandwidth", 1): 80e6,
    ("L2", "bandwidth", 1): 900e6,
}


def measure(
    folder: Path,
    run_id: str = "machine-1",
    machine: str = "m1",
    *,
    factor: float = 1.0,
    at: str = "2026-02-01T00:00:00+00:00",
) -> None:
    row = {"suite": "machine-roofline", "machine_id": machine, "started_at": at}
    with RunWriter.create(folder, run_id, suite_key="machine-roofline", row=row) as writer:
        for (ceiling, kind, threads), value in CEILINGS.items():
            writer.ceiling(
                {
                    "machine_id": machine,
                    "device": "cpu",
                    "ceiling": ceiling,
                    "kind": kind,
                    "threads": threads,
                    "value": value * factor,
                    "low": value * factor * 0.9,
                    "high": value * factor * 1.1,
                    "unit": "B/s" if kind == "bandwidth" else "flop/s",
                    "repeats": 7,
                    "measured_at": at,
                    "details": {"kernel": "numba"},
                }
            )
        writer.finish("finished")


def stating(number: int, value: float, work: Mapping[str, Any], **more: Any) -> Trial:
    one = trial(number, value, **more)
    return replace(one, outcome=replace(one.outcome, facts={"work": dict(work)}))


def shares(folder: Path) -> list[tuple[Any, ...]]:
    sql = (
        "SELECT ceiling, ceiling_threads, percent_of_peak, peak, seconds, flops_per_s, bytes_per_s "
        "FROM percent_of_peak WHERE source = 'roofline' ORDER BY study_id"
    )
    return [tuple(row.values()) for row in query_arrow(sql, folder).to_pylist()]


def test_the_longer_of_the_two_bounds_is_the_peak(tmp_path: Path) -> None:
    measure(tmp_path)
    run = Results(tmp_path).benchmark(unit="ms")
    # 2e8 operations at 1e9 a second take 200 ms, 1e7 bytes at 1e8 a second 100 ms
    run.study([stating(0, 400.0, {"flops": 2e8, "bytes": 1e7}), 900.0])
    # on one processor: 400 ms and 125 ms
    run.study([stating(0, 400.0, {"flops": 2e8, "bytes": 1e7, "threads": 1})])
    # in f32 100 ms and 100.001 ms
    run.study([stating(0, 400.0, {"flops": 2e8, "bytes": 1.00001e7, "precision": "f32"})])
    # of integers only the bytes are known: there is no ceiling for their arithmetic
    run.study([stating(0, 400.0, {"flops": 2e12, "bytes": 1e7, "precision": "i8"})])
    run.study([stating(0, 400.0, {"flops": 2e8})])
    run.study([400.0])  # states nothing
    run.done()
    found = shares(tmp_path)
    assert [row[:3] for row in found] == [
        ("gemm_f64", 2, pytest.approx(50.0)),
        ("gemm_f64", 1, pytest.approx(100.0)),
        ("memory", 2, pytest.approx(25.00025)),
        ("memory", 2, pytest.approx(25.0)),
        ("gemm_f64", 2, pytest.approx(50.0)),
    ]
    assert found[0][3:] == (
        pytest.approx(200.0),
        pytest.approx(0.4),
        pytest.approx(5e8),
        pytest.approx(2.5e7),
    )
    assert found[4][6] is None


@pytest.mark.parametrize(("threads", "taken"), [(1, 1), (2, 2), (3, 2), (None, 2)])
def test_ceilings_of_as_many_processors_as_were_used(
    tmp_path: Path, threads: int | None, taken: int
) -> None:
    measure(tmp_path)
    run = Results(tmp_path).benchmark()
    run.study([stating(0, 1.0, {"flops": 1e8, "threads": threads})])
    run.done()
    assert shares(tmp_path)[0][1] == taken


def test_the_newest_measurement_of_the_runs_own_machine_counts(tmp_path: Path) -> None:
    measure(tmp_path, "machine-2", factor=4.0, at="2026-03-01T00:00:00+00:00")
    measure(tmp_path)
    measure(tmp_path, "machine-3", "m2", factor=100.0, at="2026-04-01T00:00:00+00:00")
    for machine in ("m1", "m3"):
        run = Results(tmp_path, f"r-{machine}", machine=machine).benchmark()
        run.study([stating(0, 1.0, {"flops": 1e9})])
        run.done()
    # 4 Gflop/s would do 1e9 operations in a quarter of the second; of m3 nothing is known
    assert [row[2] for row in shares(tmp_path)] == [pytest.approx(25.0)]


def test_metrics_state_work_too_and_overrule_the_fact(tmp_path: Path) -> None:
    measure(tmp_path)
    run = Results(tmp_path).benchmark()
    samples = [Sample("flops", value, i) for i, value in enumerate((1e8, 3e8, 2e8))]
    run.study([stating(0, 1.0, {"flops": 9e9, "bytes": 1e6}, samples=samples)])
    run.study([trial(0, 1.0, samples=[Sample("bytes", 5e7)])])
    run.done()
    assert [row[:3] for row in shares(tmp_path)] == [
        ("gemm_f64", 2, pytest.approx(20.0)),
        ("memory", 2, pytest.approx(50.0)),
    ]


def test_a_curve_takes_its_whole_training_clock(tmp_path: Path) -> None:
    measure(tmp_path)
    events = tuple(
        Event("accuracy", 0.1 * i, i, step=100 * i, epoch=float(i), train_s=2.0 * i)
        for i in range(6)
    )

    def trained(work: Mapping[str, Any], value: float = 0.5) -> Trial:
        one = stating(0, value, work)
        return replace(one, outcome=replace(one.outcome, events=events))

    run = Results(tmp_path).benchmark(unit="1", direction="maximize")
    # ten seconds, five epochs, 500 steps: 1e9, 2e9 and 5e9 operations at 1e9 a second
    run.study([trained({"flops": 1e9})])
    run.study([trained({"flops": 4e8, "per": "epoch"})])
    run.study([trained({"flops": 1e7, "per": "step"})])
    run.study([trained({"flops": 1e7, "per": "night"})])
    run.benchmark("toy/timed").study([trained({"flops": 1e9}, 10.0)], benchmark="toy/timed")
    run.study([trained({"flops": 1e9}, 8.0)], benchmark="toy/timed")  # it trained on
    run.done()
    assert [(row[2], row[3], row[4]) for row in shares(tmp_path)] == [
        (pytest.approx(10.0), None, 10.0),
        (pytest.approx(20.0), None, 10.0),
        (pytest.approx(50.0), None, 10.0),
        (pytest.approx(10.0), pytest.approx(1.0), 10.0),
        (pytest.approx(10.0), None, 10.0),
    ]


@pytest.mark.parametrize(
    "work",
    [
        {"flops": 0},
        {"flops": -1e9},
        {"flops": "many"},
        {"flops": None, "bytes": None},
        {"bytes": 1e6, "device": "gpu"},
        [1, 2],
        "much",
    ],
)
def test_work_that_says_nothing_gives_no_row(tmp_path: Path, work: Any) -> None:
    measure(tmp_path)
    run = Results(tmp_path).benchmark()
    one = trial(0, 1.0)
    run.study([replace(one, outcome=replace(one.outcome, facts={"work": work}))])
    run.done()
    assert shares(tmp_path) == []


def test_a_floor_and_measured_ceilings_stand_side_by_side(tmp_path: Path) -> None:
    measure(tmp_path)
    run = Results(tmp_path).benchmark(floors={"time": 0.1})
    run.study([stating(0, 0.5, {"flops": 1e8})])
    run.done()
    sql = "SELECT source, percent_of_peak FROM percent_of_peak ORDER BY source"
    assert [tuple(row.values()) for row in query_arrow(sql, tmp_path).to_pylist()] == [
        ("floor", pytest.approx(20.0)),
        ("roofline", pytest.approx(20.0)),
    ]


def test_newest_ceilings_of_a_machine(tmp_path: Path) -> None:
    measure(tmp_path, "machine-2", factor=4.0, at="2026-03-01T00:00:00+00:00")
    measure(tmp_path)
    rows = newest_ceilings(tmp_path, "m1")
    assert [(row.ceiling, row.threads) for row in rows] == [
        ("L2", 1),
        ("memory", 1),
        ("memory", 2),
        ("gemm_f32", 1),
        ("gemm_f32", 2),
        ("gemm_f64", 1),
        ("gemm_f64", 2),
    ]
    assert rows[2].value == 400e6
    assert (rows[2].low, rows[2].high) == (pytest.approx(360e6), pytest.approx(440e6))
    assert {row.run_id for row in rows} == {"machine-2"}
    assert newest_ceilings(tmp_path, "m9") == []


def test_ceilings_survive_a_rebuilding_of_the_index(tmp_path: Path) -> None:
    measure(tmp_path)
    before = newest_ceilings(tmp_path, "m1")
    rebuild(tmp_path, views=create_statements())
    assert newest_ceilings(tmp_path, "m1") == before


def test_a_measured_machine_is_not_the_newest_run(tmp_path: Path) -> None:
    run = Results(tmp_path).benchmark()
    run.study([1.0])
    run.done()
    measure(tmp_path, at="2027-01-01T00:00:00+00:00")
    assert summarize_run(tmp_path).run.run_id == "r1"
    assert summarize_run(tmp_path, "machine-1").run.run_id == "machine-1"

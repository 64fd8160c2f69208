"""How fast views and statistics of training runs answer.

Size from the environment: DAYBREAK_BENCH_EVENTS (1,000,000 by default).
"""

from __future__ import annotations

import os

import pytest
from synthetic_curves import make_training_spool

from daybreak.analysis import Asked, answer, query_arrow, update
from daybreak.analysis.training import load_points, load_timings

EVENTS = int(os.environ.get("DAYBREAK_BENCH_EVENTS", "1000000"))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run of training jobs, taken into the index."""
    folder = tmp_path_factory.mktemp("curves")
    make_training_spool(folder, events=EVENTS)
    update(folder)
    return folder


@pytest.mark.parametrize(
    "view",
    [
        "curves",
        "progress_metrics",
        "curve_targets",
        "trial_time_to_target",
        "training_runs",
        "training_repeats",
        "time_to_target",
    ],
)
def test_asking_a_view_of_curves(benchmark, results, view):
    benchmark.extra_info.update(events=EVENTS)
    table = benchmark.pedantic(query_arrow, args=(f"FROM {view}", results), rounds=3)
    assert table.num_rows > 0


def test_loading_timings(benchmark, results):
    found = benchmark.pedantic(load_timings, args=(results,), rounds=2)
    assert found.rows


def test_loading_points(benchmark, results):
    found = benchmark.pedantic(load_points, args=(results,), rounds=2)
    assert len(found) == 2


@pytest.mark.parametrize(
    "name",
    ["time-to-accuracy", "survival", "thresholds", "rank-stability", "variation", "factors"],
)
def test_answering(benchmark, results, name):
    asked = Asked(against="sgd")
    (found,) = benchmark.pedantic(answer, args=(name, results, asked), rounds=1)
    assert found.rows

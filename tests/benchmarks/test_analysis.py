"""How fast views and statistics answer where landscapes are known.

Size from the environment: DAYBREAK_BENCH_TRIALS (100,000 by default).
"""

from __future__ import annotations

import os

import duckdb
import pytest
from synthetic_spool import make_spool

from daybreak.analysis import Asked, answer, load_curves, query_arrow, update
from daybreak.store.database import database_path

TRIALS = int(os.environ.get("DAYBREAK_BENCH_TRIALS", "100000"))


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A large run, its ten benchmarks given landscapes straight in the index."""
    results = tmp_path_factory.mktemp("known")
    make_spool(results, trials=TRIALS, samples=1)
    update(results)
    with duckdb.connect(str(database_path(results))) as connection:
        connection.execute(
            "INSERT INTO landscapes SELECT 'big', 'toy/b' || b, 100000, 5000, 1e-4, 1e-3, 1e-1, 0.5 "
            "FROM range(10) t(b)"
        )
        connection.execute(
            "INSERT INTO baselines SELECT 'big', 'toy/b' || b, n, 1e-4 + 1e-3 / n, 0.5 * n "
            "FROM range(10) t(b), range(1, 1001) u(n)"
        )
    return results


@pytest.mark.parametrize(
    "view", ["score", "score_by_time", "ecdf", "duplicates", "suggestion_time", "beliefs"]
)
def test_asking_a_view_of_landscapes(benchmark, known, view):
    benchmark.extra_info.update(trials=TRIALS)
    sql = f"SELECT count(*) FROM (SELECT * FROM {view})" if view == "beliefs" else f"FROM {view}"
    table = benchmark.pedantic(query_arrow, args=(sql, known), rounds=3, warmup_rounds=1)
    assert table.num_rows > 0


def test_loading_curves(benchmark, known):
    curves = benchmark.pedantic(load_curves, args=(known,), rounds=2)
    assert len(curves.landscapes) == 10


@pytest.mark.parametrize("name", ["score", "ranks", "speedup", "ecdf", "profile", "time-to-target"])
def test_answering(benchmark, known, name):
    asked = Asked(at=(20, 60), against="random")
    (found,) = benchmark.pedantic(answer, args=(name, known, asked), rounds=1)
    assert found.rows

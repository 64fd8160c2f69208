"""Whole runs: random and halving on the same training job, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from halving_fakes import EPOCHS, accuracy, judge

from daybreak import Isolation, OptimizerSpec, TargetSpec, UserError, load_suite, query, run_suite
from daybreak.plugin import Registry
from daybreak.suite import plan_suite
from daybreak_halving.plugin import daybreak_register_optimizers as halving
from daybreak_random.plugin import daybreak_register_optimizers as random_ones

SUITE = """\
suite: 1
name: halves
benchmarks: [fake/{benchmark}]
optimizers:
  - random
  - halving: {{eta: {eta}}}
    as: halving
seeds: [1, 2]
budget: {{evaluations: {evaluations}}}
protocol: {{hopeless: never}}
"""


def registry() -> Registry:
    optimizers: list[OptimizerSpec] = [*halving(), *random_ones()]
    target = TargetSpec(
        name="fake", factory="halving_fakes:Target", summary="x", isolation=Isolation.INLINE
    )
    return Registry.from_specs(target, *optimizers)


def run(folder: Path, *, benchmark: str = "job", eta: int = 3, evaluations: int = 40) -> Path:
    path = folder / "halves.yaml"
    path.write_text(SUITE.format(benchmark=benchmark, eta=eta, evaluations=evaluations))
    summary = run_suite(path, results=folder / "results", registry=registry())
    assert summary.status == "finished"
    return folder / "results"


def rows(results: Path, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in query(sql, results).itertuples(index=False)]


TRIALS = """
SELECT s.seed, t.number, (t.configuration ->> 'x')::INT AS x, t.facts ->> 'stop' AS stop,
       c.epoch, c.train_s, t.objective
FROM trials t JOIN studies s USING (study_id)
JOIN (SELECT trial_id, max(epoch) AS epoch, max(train_s) AS train_s FROM events GROUP BY 1) c
    USING (trial_id)
WHERE s.optimizer = '{}' ORDER BY 1, 2
"""


@pytest.mark.parametrize("eta", [2, 3, 4])
def test_the_same_best_for_much_less_training(tmp_path: Path, eta: int) -> None:
    results = run(tmp_path, eta=eta)
    full, early = (rows(results, TRIALS.format(name)) for name in ("random", "halving"))
    assert [row[:3] for row in full] == [row[:3] for row in early], "the same proposals"
    for seed in (1, 2):
        whole, cut = ([row for row in part if row[0] == seed] for part in (full, early))
        # who learns fastest is ahead at every rung, so that the best one is never given up
        assert min(r[6] for r in whole if r[6] == r[6]) == min(r[6] for r in cut if r[6] == r[6])
        assert sum(r[5] for r in cut) < 0.5 * sum(r[5] for r in whole)
        curves = [[-accuracy(r[2], e) for e in range(int(r[4]) + 1)] for r in whole]
        reached = {i for i, r in enumerate(whole) if r[3] == "target"}
        ends = judge(curves, eta, [eta**k for k in range(6)], reached)
        assert [r[4] if r[3] == "cutoff" else None for r in cut] == ends
        assert [r[4] for r in cut] == [
            r[4] if end is None else end for r, end in zip(whole, ends, strict=True)
        ]
    assert {"cutoff", "target"} <= {row[3] for row in early}


def test_what_was_given_up_and_why_is_recorded(tmp_path: Path) -> None:
    results = run(tmp_path)
    found = rows(
        results,
        "SELECT facts -> 'cutoff' ->> 'epoch', facts -> 'cutoff' ->> 'value', t.status, "
        "failure_kind, proposal -> 'rungs' ->> 0, proposal ->> 'clock' FROM trials t "
        "JOIN studies s USING (study_id) WHERE optimizer = 'halving' AND facts ->> 'stop' = 'cutoff'",
    )
    assert found
    for epoch, value, status, kind, first, clock in found:
        assert float(epoch) in (1.0, 3.0, 9.0, 27.0)
        assert 0.0 < float(value) < 1.0
        assert (status, kind, clock) == ("failed", "not_reached", "epoch")
        assert '"at":1.0' in first.replace(" ", "")


def test_where_the_metric_itself_is_asked_for_a_cutoff_stops(tmp_path: Path) -> None:
    results = run(tmp_path, benchmark="level", evaluations=12)
    found = rows(
        results,
        "SELECT DISTINCT facts ->> 'stop', t.status, t.objective IS NOT NULL FROM trials t "
        "JOIN studies s USING (study_id) WHERE optimizer = 'halving' ORDER BY 1",
    )
    assert found == [("cutoff", "stopped", True), ("natural", "ok", True)]
    best = rows(results, "SELECT optimizer, seed, max(objective) FROM evaluations GROUP BY ALL")
    assert len({(seed, value) for _, seed, value in best}) == 2
    epochs = rows(
        results,
        "SELECT optimizer, max(epoch) FROM events JOIN evaluations USING (trial_id) GROUP BY 1",
    )
    assert {epoch for _, epoch in epochs} == {float(EPOCHS)}


class Interrupted(BaseException):
    """Stands for a kill."""


@pytest.mark.parametrize("after", [1, 9, 20])
def test_a_resumed_study_gives_up_what_it_would_have(tmp_path: Path, after: int) -> None:
    class Stopping:
        left = after

        def event(self, kind: str, values: dict[str, Any]) -> None:
            if kind == "trial_finished":
                self.left -= 1
                if not self.left:
                    raise Interrupted

        def close(self) -> None: ...

    (tmp_path / "whole").mkdir()
    whole = run(tmp_path / "whole", evaluations=12)
    path = tmp_path / "halves.yaml"
    path.write_text(SUITE.format(benchmark="job", eta=3, evaluations=12))
    with pytest.raises(Interrupted):
        run_suite(path, results=tmp_path / "results", listener=Stopping(), registry=registry())
    resumed = run(tmp_path, evaluations=12)
    sql = TRIALS.format("halving")
    assert str(rows(resumed, sql)) == str(rows(whole, sql))
    assert (
        rows(resumed, "SELECT text FROM readings WHERE text LIKE '%not what the optimizer%'") == []
    )


def test_a_benchmark_without_a_curve_is_refused_before_the_run(tmp_path: Path) -> None:
    path = tmp_path / "halves.yaml"
    path.write_text(SUITE.format(benchmark="plain", eta=3, evaluations=3))
    with pytest.raises(UserError, match="'plain' has none"):
        plan_suite(load_suite(path), registry())

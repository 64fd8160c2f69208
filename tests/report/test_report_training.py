"""What a report says of training runs that are timed by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

sys.path.insert(0, str(Path(__file__).parents[1] / "analysis"))

from training_results import TrainingResults, curve

from daybreak.analysis.training import load_timings, survival
from daybreak.report.making import make_report
from daybreak.report.sections.training import _survivors


def by_name(report):
    return {section.name: section for section in report.sections}


def test_references_stand_beside_optimizers_and_misses_apart_from_failures(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    looks = curve((0.1, 0.95))
    kinds = (None, "not_reached", "crash")
    run.study([run.trial(n, looks, kind=k, objective=8.0) for n, k in enumerate(kinds)])
    for name, kind, value in (
        ("default", None, 6.0),
        ("expert", None, 2.0),
        ("expert", "not_reached", 0),
    ):
        run.study(
            [run.trial(0, looks, kind=kind, objective=value, reference=name)],
            role="reference", optimizer="references",
        )  # fmt: skip
    body = by_name(make_report(run.done()))["leaderboard"].body
    rows = {row["who"]: row for row in body.table.rows}
    assert list(rows) == ["default (reference)", "expert (reference)", "sgd"]
    assert (rows["sgd"]["failed"], rows["sgd"]["not reached"]) == (1, 1)
    assert (rows["expert (reference)"]["failed"], rows["expert (reference)"]["not reached"]) == (
        None,
        1,
    )
    assert [row["vs expert"] for row in rows.values()] == ["0.333x", "1x", "0.25x"]
    assert len(body.data.rows) == 3


def test_with_one_price_cost_is_no_picture(tmp_path):
    for name, prices in (("one", (3.6, 3.6)), ("two", (3.6, 7.2))):
        run = TrainingResults(tmp_path / name).benchmark()
        for entry, price in zip(("a", "b"), prices, strict=True):
            for seed in range(2):
                looks = curve((0.1, 0.95), epoch_s=10.0 + seed + 5 * (entry == "a"))
                run.study([looks], optimizer=entry, seed=seed, price=price)
        body = by_name(make_report(run.done()))["spending"].body
        assert (body.svg is None) == (name == "one")
        assert len(body.table.rows) == 2


def test_the_band_of_a_survival_curve_reaches_to_where_all_are_there(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    for seed in range(6):
        run.study([curve((0.1,) * (1 + seed) + (0.95,))], seed=seed)
    (found,) = survival(load_timings(run.done()))
    line = _survivors(found)
    assert line.x.tolist() == [0, 10, 20, 30, 40, 50, 60, 60]
    # a sixth is on its way until 60, and the band says so until then
    assert line.middle[-2:].tolist() == pytest.approx([1 / 6, 0])
    assert np.isfinite(line.low[-2])
    assert line.low[-2] == line.low[-3]


def test_a_median_that_is_never_reached_has_a_mark_of_its_own(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    for seed in range(3):
        run.study([curve((0.1, 0.95))], optimizer="sure", seed=seed)
        run.study([curve((0.1, 0.2))], optimizer="never", seed=seed)
    body = by_name(make_report(run.done()))["time-to-target"].body
    assert "hollow arrow" in body.caption
    rows = {row["entry"]: row for row in body.table.rows}
    assert np.isinf(rows["never"]["median"].value)

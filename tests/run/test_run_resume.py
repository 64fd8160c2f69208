"""A run goes on where it stopped, whatever stopped it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Recorder, Runner
from run_fakes import BowlSession

from daybreak import UserError, query

TRIALS = """
    SELECT benchmark, optimizer, seed, role, number, configuration, t.status, failure_kind,
           t.objective, reference
    FROM trials t JOIN studies USING (study_id) ORDER BY ALL
"""


class Stop(BaseException):
    """Stands for a kill: not an exception that anybody catches."""


def _stop_after(monkeypatch: pytest.MonkeyPatch, trials: int) -> None:
    seen = 0

    def event(self: Recorder, kind: str, values: dict[str, Any]) -> None:
        nonlocal seen
        self.events.append((kind, values))
        seen += kind == "trial_finished"
        if seen == trials:
            raise Stop

    monkeypatch.setattr(Recorder, "event", event)


@pytest.mark.parametrize("trials", [1, 2, 7, 16])
def test_the_resumed_run_equals_the_uninterrupted(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trials: int
) -> None:
    run("random, descent", seeds=2, results=tmp_path / "whole")
    with monkeypatch.context() as patch:
        _stop_after(patch, trials)
        with pytest.raises(Stop):
            run("random, descent", seeds=2)
    summary, recorder = run("random, descent", seeds=2)
    assert summary.resumed
    assert summary.status == "finished"
    assert sum(t["replayed"] for t in recorder.of("trial_finished")) == trials
    whole, resumed = query(TRIALS, tmp_path / "whole"), query(TRIALS, tmp_path / "results")
    assert whole.equals(resumed)


def test_a_finished_run_measures_nothing_again(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = run("random")

    def refuse(*_: object) -> None:
        raise AssertionError("nothing is to be opened")

    monkeypatch.setattr(BowlSession, "__enter__", refuse)
    again, recorder = run("random")
    assert again.run_id == first.run_id
    assert again.status == "finished"
    assert all(t["replayed"] for t in recorder.of("trial_finished"))


def test_more_seeds_optimizers_and_evaluations_extend_the_run(run: Runner) -> None:
    first, _ = run("random", seeds=1, evaluations=4)
    more, recorder = run("random, descent", seeds=2, evaluations=6)
    assert more.run_id == first.run_id
    assert more.trials == 24
    assert sum(t["replayed"] for t in recorder.trials()) == 4


def test_fresh_starts_anew(run: Runner) -> None:
    first, _ = run("random")
    second, recorder = run("random", fresh=True)
    assert second.run_id != first.run_id
    assert not any(t["replayed"] for t in recorder.trials())


def test_another_benchmark_option_is_another_run(run: Runner) -> None:
    first, _ = run("random")
    second, _ = run("random", benchmarks="  - fake/bowl: {instance: other}")
    assert second.run_id != first.run_id


def test_changed_data_is_refused(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    run("random", evaluations=3)
    monkeypatch.setattr(BowlSession, "identity", {"data": "bowl-2"})
    _, recorder = run("random", evaluations=5)
    (ended,) = [s for s in recorder.of("study_finished") if s["role"] == "optimizer"]
    assert ended["status"] == "failed"
    assert "data changed" in ended["message"]
    assert "--fresh" in ended["message"]


def test_an_unseeded_optimizer_is_told_on(run: Runner) -> None:
    run("unseeded", evaluations=6)
    _, recorder = run("unseeded", evaluations=8)
    assert any("depends on more than its seed" in w["message"] for w in recorder.of("warning"))
    assert len(recorder.trials()) == 8


def test_another_process_on_the_same_run_is_refused(run: Runner, tmp_path: Path) -> None:
    from daybreak.store import RunWriter

    summary, _ = run("random")
    with (
        RunWriter.resume(tmp_path / "results", summary.run_id),
        pytest.raises(UserError, match="being written"),
    ):
        run("random", evaluations=9)


def test_a_warning_of_noise_is_recorded_once(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import daybreak.run.books as books

    said = iter(
        ["the load average is 3.1 on 2 processors", "the load average is 2.7 on 2 processors"]
    )
    monkeypatch.setattr(books, "noise_warnings", lambda: [next(said), "turbo is on: always"])
    run("random", evaluations=2)
    _, recorder = run("random", evaluations=4)
    told = [w["message"] for w in recorder.of("warning")]
    assert "the load average is 2.7 on 2 processors" in told  # told each time
    found = query(
        "SELECT text FROM readings WHERE name = 'warning' ORDER BY 1", tmp_path / "results"
    )
    assert found["text"].tolist() == [
        "the load average is 3.1 on 2 processors",
        "turbo is on: always",
    ]

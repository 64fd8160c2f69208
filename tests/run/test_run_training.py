"""Runs of training jobs: stop rules, prices, seeds, cutoffs, and what is recorded of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Recorder
from training_fakes import EPOCHS, training_registry

from daybreak import Isolation, MeasurementProtocol, RunSummary, query
from daybreak.records import Budget, Repeats, StopRule, StudyPlan
from daybreak.run import run_suite
from daybreak.run.keys import canonical, study_key, trial_key_prefix

SUITE = """\
suite: 1
name: training
benchmarks:
{benchmarks}
optimizers: [{optimizers}]
seeds: {seeds}
budget: {{evaluations: 5}}
targets: {{accuracy-80: {{metric: accuracy, value: 0.8}}}}
protocol: {{hopeless: never{stop}}}
price: {{dollars_per_hour: 3.6}}
"""


def train(
    folder: Path,
    optimizers: str = "listed",
    *,
    benchmarks: str = "  - fake/job",
    seeds: str = "[0]",
    stop: str = "",
    results: str = "results",
    isolation: Isolation = Isolation.INLINE,
    homes: Isolation = Isolation.INLINE,
    recorder: Recorder | None = None,
) -> tuple[RunSummary, Recorder]:
    path = folder / "training.yaml"
    text = SUITE.format(benchmarks=benchmarks, optimizers=optimizers, seeds=seeds, stop=stop)
    path.write_text(text)
    recorder = recorder or Recorder()
    summary = run_suite(
        path,
        results=folder / results,
        listener=recorder,
        registry=training_registry(isolation, homes),
    )
    return summary, recorder


def rows(folder: Path, sql: str, results: str = "results") -> list[tuple[Any, ...]]:
    frame = query(sql, folder / results)
    return [tuple(row) for row in frame.itertuples(index=False)]


@pytest.mark.parametrize("isolation", [Isolation.INLINE, Isolation.FORK])
def test_what_is_recorded_of_training(tmp_path: Path, isolation: Isolation) -> None:
    summary, _ = train(tmp_path, isolation=isolation, stop=", stop: {at: accuracy-80}")
    assert summary.status == "finished"
    found = rows(
        tmp_path,
        "SELECT configuration ->> 'rate', t.status, failure_kind, t.objective, "
        "facts ->> 'stop' FROM trials t ORDER BY number",
    )
    # 1 - exp(-rate * epoch / 20) >= 0.8 from epoch 32.2 / rate on, at half a second each; the
    # wobble of a hundredth moves that by an epoch or two
    assert [row[1] for row in found] == ["ok", "ok", "ok", "ok", "failed"]
    for rate, row in zip((1, 2, 4, 8), found, strict=False):
        assert row[3] == pytest.approx(0.5 * 32.2 / rate, abs=1.0)
        assert row[4] == "target"
    assert found[4][2] == "not_reached"
    assert found[4][4] == "diverged"
    assert rows(tmp_path, "SELECT DISTINCT dollars_per_hour FROM studies") == [(3.6,)]
    protocol = json.loads(rows(tmp_path, "SELECT protocol FROM studies")[0][0])
    assert protocol["stop"] == {"target": 0.8, "train_s": None, "epochs": None}
    details = json.loads(rows(tmp_path, "SELECT details FROM benchmarks")[0][0])
    assert details["curve"] == {"metric": "accuracy", "target": 0.9, "deterministic": True}
    assert details["seeded"] is True
    counted = rows(
        tmp_path,
        "SELECT number, count(*), max(epoch), max(wall_s) FROM events JOIN trials USING (trial_id) "
        "GROUP BY number ORDER BY number",
    )
    for (number, count, epoch, wall_s), row in zip(counted, found, strict=True):
        assert count == epoch + 1
        assert wall_s == 0.75 * epoch
        if number < 4:
            assert row[3] == 0.5 * epoch, "the last event is the one that reached the target"
    phases = rows(
        tmp_path,
        "SELECT number FROM phases JOIN trials USING (trial_id) WHERE phase = 'conclude'",
    )
    assert sorted(number for (number,) in phases) == [0, 1, 2, 3], "not after it diverged"
    held_out = rows(tmp_path, "SELECT count(*) FROM samples WHERE metric = 'held_out'")
    assert held_out == [(4,)]


def test_training_on_shows_what_comes_after_the_target(tmp_path: Path) -> None:
    train(tmp_path, stop=", stop: {at: null, epochs: 30}")
    assert rows(tmp_path, "SELECT max(epoch) FROM events") == [(30.0,)]
    found = rows(tmp_path, "SELECT t.objective FROM trials t ORDER BY number")
    # epoch 46 / rate for the benchmark's own 0.9: not within 30 epochs at rate 1
    assert found[0][0] != found[0][0]
    assert found[1][0] == pytest.approx(0.5 * 46 / 2, abs=1.5)


def test_seeds_are_training_runs_of_their_own(tmp_path: Path) -> None:
    train(
        tmp_path,
        benchmarks="  - fake/job\n  - fake/unseeded",
        seeds="[0, 1, 5]",
        stop=", stop: {at: null, epochs: 3}",
    )
    found = rows(
        tmp_path,
        "SELECT benchmark, seed, t.key, list(v.value ORDER BY v.seq)::VARCHAR "
        "FROM trials t JOIN studies USING (study_id) JOIN events v USING (trial_id) "
        "WHERE number = 1 GROUP BY ALL",
    )
    seeded = [row for row in found if row[0] == "fake/job"]
    assert len({row[2] for row in seeded}) == 3
    assert len({row[3] for row in seeded}) == 3
    others = [row for row in found if row[0] == "fake/unseeded"]
    assert len(others) == 3
    assert len({row[2] for row in others}) == len({row[3] for row in others}) == 1


def test_never_reaching_a_target_is_no_broken_study(tmp_path: Path) -> None:
    summary, recorder = train(tmp_path, "hopeless", stop=", stop: {at: accuracy-80, epochs: 5}")
    assert summary.status == "finished"
    assert summary.exit_code == 0
    (ended,) = recorder.of("study_finished")
    # three proposals, then nothing is left
    assert ended["status"] == "exhausted"
    assert {t["failure_kind"] for t in recorder.trials()} == {"not_reached"}


CUT = "SELECT number, configuration, status, failure_kind, facts -> 'cutoff', facts -> 'curve' FROM trials ORDER BY number"


@pytest.mark.parametrize("optimizer", ["curtailing", "explains-too"])
def test_cutoffs_are_the_same_from_an_optimizer_in_its_own_process(
    tmp_path: Path, optimizer: str
) -> None:
    train(tmp_path, optimizer, results="inline")
    train(tmp_path, optimizer, results="worker", homes=Isolation.WORKER)
    train(tmp_path, optimizer, results="both", homes=Isolation.WORKER, isolation=Isolation.FORK)
    inline = rows(tmp_path, CUT, "inline")
    assert str(inline) == str(rows(tmp_path, CUT, "worker")) == str(rows(tmp_path, CUT, "both"))
    stops = [json.loads(row[4]) if isinstance(row[4], str) else None for row in inline]
    # 1 - exp(-rate / 5) at epoch 4: 0.18, 0.33, 0.55, 0.80
    assert [stop is not None for stop in stops] == [True, True, False, False, False]
    assert stops[0] == {"metric": "accuracy", "value": 0.501, "epoch": 4.0}
    assert json.loads(inline[0][5])["epoch"] == 4.0


class Interrupted(BaseException):
    """Stands for a kill."""


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_resumed_study_cuts_where_it_would_have(tmp_path: Path, after: int) -> None:
    class Stopping(Recorder):
        def event(self, kind: str, values: dict[str, Any]) -> None:
            super().event(kind, values)
            if len(self.of("trial_finished")) == after and kind == "trial_finished":
                raise Interrupted

    train(tmp_path, "curtailing", results="whole")
    with pytest.raises(Interrupted):
        train(tmp_path, "curtailing", recorder=Stopping())
    summary, recorder = train(tmp_path, "curtailing")
    assert summary.resumed
    assert sum(t["replayed"] for t in recorder.of("trial_finished")) == after
    assert str(rows(tmp_path, CUT)) == str(rows(tmp_path, CUT, "whole"))


@pytest.mark.parametrize("homes", [Isolation.INLINE, Isolation.WORKER])
@pytest.mark.parametrize(
    ("optimizer", "says"),
    [
        ("two-clocks", "this one has epoch and step"),
        ("unknown-metric", "did it mean 'accuracy'?"),
        ("no-cutoff", None),
    ],
)
def test_bad_cutoffs_end_one_study_only(
    tmp_path: Path, optimizer: str, says: str | None, homes: Isolation
) -> None:
    summary, recorder = train(tmp_path, f"{optimizer}, listed", homes=homes)
    ended = {one["optimizer"]: one for one in recorder.of("study_finished")}
    assert ended[optimizer]["status"] == "failed"
    assert "failed to say when to give up" in ended[optimizer]["message"]
    assert says is None or says in ended[optimizer]["message"]
    assert ended["listed"]["status"] == "finished"
    assert summary.failed_studies == 1


def test_a_run_tells_how_far_a_long_trial_has_come(tmp_path: Path) -> None:
    _, recorder = train(
        tmp_path,
        benchmarks="  - fake/job: {delay: 0.05}",
        isolation=Isolation.FORK,
        stop=", stop: {at: null}",
    )
    told = recorder.of("progress")
    # five trials of forty epochs of 50 ms, looked at twice a second
    assert len(told) >= 5
    assert {one["metric"] for one in told} == {"accuracy"}
    assert {one["optimizer"] for one in told} == {"listed"}
    assert all(0 <= one["epoch"] <= EPOCHS for one in told)
    assert all(one["train_s"] == 0.5 * one["epoch"] for one in told)


# -- keys

PLAN = StudyPlan(
    benchmark="fake/job",
    target="fake",
    name="job",
    options={"a": 1},
    optimizer="listed",
    component="listed",
    optimizer_options={},
    seed=3,
    budget=Budget(evaluations=5),
    protocol=MeasurementProtocol(repeats=Repeats(2, 4, 0.5)),
)
IDENTITY = {
    "identity": {"data": "d"},
    "versions": {"v": "1"},
    "machine_id": "m",
    "environment_id": "e",
}


def test_keys_of_what_streams_no_curve_are_what_they_were() -> None:
    # written down from the version that knew no curves
    assert trial_key_prefix(PLAN, **IDENTITY) == (  # type: ignore[arg-type]
        '{"benchmark":"fake/job","environment":"e","identity":{"data":"d"},"machine":"m",'
        '"options":{"a":1},"protocol":{"flush_cache":false,"hopeless":10.0,"repeats":[2,4,0.5],'
        '"timeout_s":30.0,"warmup":"auto"},"versions":{"v":"1"}}'
    )
    key = study_key(PLAN, space="s", versions={"v": "1"})
    assert key == "f902e2b554f485d816d6f6e10faa571e07bbbde014411e75ef651d6a87242724"
    assert key == study_key(replace(PLAN, dollars_per_hour=3.0), space="s", versions={"v": "1"})


def test_a_stop_rule_and_a_seed_change_the_keys() -> None:
    stopped = replace(PLAN, protocol=replace(PLAN.protocol, stop=StopRule(0.9, None, 3.0)))
    seeded = replace(PLAN, protocol=replace(PLAN.protocol, seed=3))
    prefixes = {trial_key_prefix(plan, **IDENTITY) for plan in (PLAN, stopped, seeded)}  # type: ignore[arg-type]
    assert len(prefixes) == 3
    keys = {study_key(plan, space="s", versions={}) for plan in (PLAN, stopped)}
    assert len(keys) == 2
    assert canonical({"stop": {"epochs": 3.0, "target": 0.9, "train_s": None}})[1:-1] in (
        trial_key_prefix(stopped, **IDENTITY)  # type: ignore[arg-type]
    )

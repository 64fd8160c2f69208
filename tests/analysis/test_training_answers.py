"""`daybreak analyze` of training runs, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from training_results import TrainingResults, curve
from typer.testing import CliRunner

from daybreak.analysis.answers import QUESTIONS, Asked, answer
from daybreak.analysis.training import load_points, load_timings, rank_stability, times_at
from daybreak.cli.app import app
from daybreak.errors import UserError
from daybreak.records import Sample

TRAINING = [name for name, question in QUESTIONS.items() if question.group == "training"]


def write(folder: Path) -> Path:
    """Three entries with six seeds on two benchmarks, each with one, two and four threads."""
    run = TrainingResults(folder)
    rng = np.random.default_rng(1)
    for name in ("train/a", "train/b"):
        run.benchmark(name, seeded=True)
        for entry, pace, seconds in (("sgd", 4, 10), ("svrg", 3, 16), ("default", 3, 20)):
            for seed in range(6):
                noise = rng.normal(0, 0.01, 14) - 0.07 * (seed == 5)
                values = 0.96 - 0.85 * np.exp(-np.arange(14) / pace) + noise
                trials = [
                    run.trial(
                        n,
                        curve([float(v) for v in values], epoch_s=seconds / threads**0.8),
                        configuration={"lr": 0.1, "threads": threads},
                        samples=[
                            Sample("test_accuracy", float(values[-1]) - 0.005),
                            Sample("energy", 100.0 + seed),
                            Sample("communication_s", 2.0 * threads),
                        ],
                        reference="default" if entry == "default" else None,
                    )
                    for n, threads in enumerate((1, 2, 4))
                ]
                run.study(
                    trials,
                    benchmark=name,
                    optimizer="references" if entry == "default" else entry,
                    role="reference" if entry == "default" else "optimizer",
                    seed=seed,
                    price=3.6,
                    thresholds=[{"name": "accuracy-80", "value": 0.8, "metric": "accuracy"}],
                )
    return run.done()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("training"))


@pytest.fixture
def results(folder, monkeypatch):
    monkeypatch.setenv("DAYBREAK_RESULTS", str(folder))
    monkeypatch.setenv("COLUMNS", "120")
    return folder


def call(*arguments):
    found = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found


def ask(name, *options):
    (one,) = json.loads(call("analyze", name, *options, "--json").stdout)
    return one


def test_training_asks_every_question_and_the_sql_behind_runs(results):
    asked = json.loads(call("analyze", "training", "--json").stdout)
    assert [one["name"] for one in asked] == TRAINING
    for one in asked:
        assert one["rows"], one["name"]
        assert set().union(*one["rows"]) <= set(one["columns"]), one["name"]
        if one["sql"]:
            assert json.loads(call("sql", one["sql"], "--json").stdout), one["name"]


def test_answers_print_and_turn_into_markdown(results):
    told = call("analyze", "training").stdout
    assert "Time to target (train_s): training" in told
    marked = call("analyze", "training", "--markdown").stdout
    assert marked.count("### ") == len(TRAINING)


def test_time_to_accuracy_of_studies_counts_evaluations_and_study_seconds(results):
    one = ask("time-to-accuracy", "--of", "studies", "--clock", "seconds")
    assert {row["entry"] for row in one["rows"]} == {"sgd", "svrg"}
    assert "a run is a whole study" in " ".join(one["notes"])
    # the first evaluation of every study reaches 0.8
    one = ask("time-to-accuracy", "--of", "studies", "--target", "accuracy-80")
    assert all(row["reached"] == row["runs"] == 6 for row in one["rows"])


def test_configurations_are_told_apart_on_demand(results):
    mixed = ask("time-to-accuracy", "--target", "target", "--benchmark", "train/a")
    assert {row["entry"]: row["runs"] for row in mixed["rows"]} == {
        "sgd": 18, "svrg": 18, "default": 18,
    }  # fmt: skip
    assert any("--by configuration" in note for note in mixed["notes"])
    apart = ask("time-to-accuracy", "--by", "configuration", "--benchmark", "train/a")
    assert {row["entry"] for row in apart["rows"]} >= {"sgd (threads=1)", "svrg (threads=4)"}
    assert all(row["runs"] == 6 for row in apart["rows"])


def test_factors_are_against_the_default_reference_unless_another_is_named(results):
    rows = ask("factors")["rows"]
    assert {row["against"] for row in rows} == {"default"}
    quick = next(row for row in rows if row["entry"] == "svrg" and row["target"] == "accuracy-80")
    product = quick["system"]["value"] * quick["statistical"]["value"]
    assert quick["speed-up"]["value"] == pytest.approx(product)
    assert quick["system"]["value"] == pytest.approx(20 / 16)
    assert {row["against"] for row in ask("factors", "--against", "sgd")["rows"]} == {"sgd"}
    other = ask("factors", "--against", "train/a")["rows"]
    assert {row["benchmark"] for row in other} == {"train/b"}


def test_scaling_finds_threads_by_itself(results):
    one = ask("scaling", "--target", "target")
    assert one["title"].startswith("Scaling over threads")
    at_four = [row for row in one["rows"] if row["value"] == 4]
    for row in at_four:
        assert row["system efficiency"]["value"] == pytest.approx(4**-0.2)
        assert row["communication"] > 0


def test_scaling_shows_nothing_that_scales_nowhere(tmp_path):
    run = TrainingResults(tmp_path).benchmark()
    looks = curve((0.1, 0.95))
    for rate, threads in ((0.1, 1), (0.2, 2), (0.2, 4)):
        trial = run.trial(0, looks, configuration={"lr": rate, "threads": threads})
        run.study([trial], optimizer="a")
    results = run.done()
    asked = Asked(parameter="threads")
    (one,) = answer("scaling", results, asked)
    assert [(row["entry"], row["value"]) for row in one.rows] == [
        ("a (lr=0.2)", 2),
        ("a (lr=0.2)", 4),
    ]
    with pytest.raises(UserError, match="has two values of lr and else the same"):
        answer("scaling", results, Asked(parameter="lr"))


def test_both_answers_say_the_same_of_a_named_threshold(results):
    timed = {
        (row["benchmark"], row["entry"]): row["expected"]
        for row in ask("time-to-accuracy", "--target", "target")["rows"]
    }
    named = [row for row in ask("thresholds")["rows"] if row["name"] == "target"]
    assert {(row["benchmark"], row["entry"]): row["expected"] for row in named} == timed


def test_thresholds_may_be_chosen_and_orders_compared(results):
    one = ask("thresholds", "--thresholds", "0.5,0.7", "--benchmark", "train/a")
    assert {row["threshold"] for row in one["rows"]} == {0.5, 0.7}
    one = ask("rank-stability", "--clock", "epochs")
    own = [row for row in one["rows"] if row["threshold"] == 0.9]
    assert own
    assert all(row["tau"]["value"] in (1, None) for row in own)


def test_mlperf_refuses_until_there_are_twice_the_runs_of_the_reference(results):
    one = ask("mlperf", "--against", "sgd", "--target", "accuracy-80")
    # svrg gets there in fewer epochs than sgd does
    assert {row["verdict"].partition(":")[0] for row in one["rows"] if "p" in row} == {"fails"}
    one = ask("mlperf", "--against", "svrg", "--target", "accuracy-80")
    (verdict,) = {row["verdict"] for row in one["rows"] if row["entry"] == "sgd"}
    assert verdict == "passes: needs no fewer than the reference"
    alone = ask("mlperf", "--by", "configuration", "--against", "sgd (threads=1)")
    checked = [row for row in alone["rows"] if "epochs" in row]
    assert checked
    assert all("4 more runs of the reference" in row["verdict"] for row in checked)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("time-to-accuracy", "--clock", "epoch"), "there is no clock 'epoch'"),
        (("time-to-accuracy", "--of", "run"), "there is no thing to be timed 'run'"),
        (("time-to-accuracy", "--target", "accuracy-8"), "with the target 'accuracy-8'"),
        (("time-to-accuracy", "--benchmark", "nope"), "with the benchmark 'nope'"),
        (("score", "--clock", "train_s"), "a search has no clock 'train_s'"),
        (("factors", "--against", "sgdd"), "no entry or benchmark 'sgdd'"),
        (("scaling", "--parameter", "thread"), "has a number 'thread'"),
        (("thresholds", "--thresholds", "high"), "is no list of thresholds"),
        (("mlperf", "--against", "me"), "has no entry 'me'"),
    ],
)
def test_a_users_fault_is_one_message(results, options, message):
    found = CliRunner().invoke(app, ["analyze", *options])
    assert isinstance(found.exception, UserError)
    assert message in str(found.exception)


def test_repeats_with_one_seed_are_told_of(tmp_path):
    run = TrainingResults(tmp_path).benchmark(seeded=True)
    looks = curve((0.1, 0.95))
    run.study([run.trial(n, looks) for n in range(4)], seed=1)
    found = load_timings(run.done())
    assert (len(found.rows), found.repeats) == (1, 3)


def test_points_and_timings_agree_at_a_named_threshold(folder):
    timed = {
        (one.entry, one.run): one.upper["train_s"]
        for one in load_timings(folder, benchmark="train/a", targets=["target"]).rows
    }
    (points,) = load_points(folder, benchmark="train/a")
    when, _ = points.reaching([0.9], "train_s")
    assert sorted(timed.values()) == sorted(when[:, 0].tolist())
    at = {one.entry: one for one in times_at(points, [0.9])}
    assert all(one.named == "target" for one in at.values())


def test_orders_of_hand_made_curves(tmp_path):
    run = TrainingResults(tmp_path).benchmark(target=0.9)
    # quick at first, never there; slow at first, there at last
    run.study([curve((0.5, 0.8, 0.85, 0.85))], optimizer="hare")
    run.study([curve((0.1, 0.6, 0.8, 0.95))], optimizer="tortoise")
    (points,) = load_points(run.done())
    easy, hard = rank_stability(points, [0.8, 0.9])
    assert (easy.order, easy.never, easy.tau) == (("hare", "tortoise"), 0, -1)
    assert (hard.order, hard.never, hard.tau) == (("tortoise", "hare"), 1, 1)
    assert easy.swapped == (("hare", "tortoise"),)
    assert easy.against == 0.9
    assert easy.missing == 4
    found = rank_stability(points, [0.8, 0.9], against=0.84)
    assert [(one.threshold, one.against) for one in found] == [(0.8, 0.84), (0.9, 0.84)]


def test_a_run_without_training_says_so(tmp_path):
    run = TrainingResults(tmp_path).benchmark(declared=False)
    run.study([run.trial(0, (), objective=1.0)])
    results = run.done()
    with pytest.raises(UserError, match="was timed to a target"):
        load_timings(results)
    with pytest.raises(UserError, match="streamed a progress curve"):
        load_points(results)

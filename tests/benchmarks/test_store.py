"""How fast the store is: recording one trial, taking a large spool in, asking it questions.

Sizes come from the environment: DAYBREAK_BENCH_TRIALS (100,000 by default; a million for the
figures in the docs), DAYBREAK_BENCH_SAMPLES (samples per trial, 10 by default) and
DAYBREAK_BENCH_STUDIES (short studies of one run, 10,000 by default).
"""

from __future__ import annotations

import os
import shutil

import pytest
from synthetic_spool import make_campaign, make_spool

from daybreak.analysis import query_arrow, update
from daybreak.records import Outcome, Sample, Trial, TrialStatus
from daybreak.store import RunWriter, StudyRow, ingest, read_run
from daybreak.store.database import database_path
from daybreak.store.sealing import seal

TRIALS = int(os.environ.get("DAYBREAK_BENCH_TRIALS", "100000"))
SAMPLES = int(os.environ.get("DAYBREAK_BENCH_SAMPLES", "10"))
STUDIES = int(os.environ.get("DAYBREAK_BENCH_STUDIES", "10000"))
LINES = min(TRIALS, 20_000)

STUDY = StudyRow("r1/s1", "k1", "toy/sum", "toy", "random", "random", 1)


def small_trial(number: int, samples: int) -> Trial:
    outcome = Outcome(
        TrialStatus.OK,
        objectives={"time": 0.00123},
        low=0.0012,
        high=0.0013,
        samples=tuple(Sample("time", 0.00123 + 1e-6 * i, i) for i in range(samples)),
        phases={"build": 0.51, "verify": 0.01, "measure": 0.02},
        facts={"code": "3f2a", "warmup": 3},
    )
    return Trial(
        number,
        {"tile": 64, "order": (2, 0, 1), "unroll": 4, "threads": 2},
        outcome,
        key="0123456789abcdef0123456789abcdef",
        started_at="2026-01-01T00:00:00.000000+00:00",
        ask_s=1e-4,
        tell_s=1e-4,
        total_s=0.5,
        elapsed_s=0.5 * number,
    )


def begin(results):
    writer = RunWriter.create(results, "r1", suite_key="", row={"suite": "toys"})
    writer.benchmark({"benchmark": "toy/sum", "objectives": [{"name": "time", "unit": "s"}]})
    writer.study(STUDY)
    return writer


@pytest.fixture(scope="module")
def spool(tmp_path_factory):
    results = tmp_path_factory.mktemp("spool")
    make_spool(results, trials=TRIALS, samples=SAMPLES)
    return results


@pytest.fixture(scope="module")
def index(spool):
    update(spool)
    return spool


@pytest.mark.parametrize("samples", [1, 10, 50])
def test_recording_one_trial_durably(benchmark, tmp_path, samples):
    with begin(tmp_path) as writer:
        trial = small_trial(7, samples)
        benchmark.pedantic(
            writer.trial, args=(STUDY.study_id, trial), rounds=2000, iterations=5, warmup_rounds=10
        )


@pytest.fixture
def lines(tmp_path):
    with begin(tmp_path) as writer:
        for number in range(LINES):
            writer.trial(STUDY.study_id, small_trial(number, SAMPLES))
    return tmp_path


def test_reading_a_run_back_for_resuming(benchmark, lines):
    benchmark.extra_info["trials"] = LINES
    record = benchmark.pedantic(read_run, args=(lines, "r1"), rounds=1)
    assert len(record.studies["k1"].trials) == LINES


def test_sealing_lines(benchmark, lines):
    (path,) = (lines / "spool/r1").glob("*.jsonl")
    benchmark.extra_info["trials"] = LINES
    benchmark.pedantic(seal, args=(path,), rounds=1)


def test_taking_in_lines(benchmark, lines):
    benchmark.extra_info["trials"] = LINES
    assert benchmark.pedantic(ingest, args=(lines,), rounds=1).trials == LINES


def test_taking_in_sealed_segments(benchmark, spool, tmp_path):
    shutil.copytree(spool / "spool", tmp_path / "spool")
    benchmark.extra_info.update(trials=TRIALS, samples=TRIALS * SAMPLES)
    report = benchmark.pedantic(ingest, args=(tmp_path,), rounds=1)
    assert report.trials >= TRIALS
    benchmark.extra_info["megabytes"] = database_path(tmp_path).stat().st_size / 1e6


def test_taking_in_many_short_studies(benchmark, tmp_path):
    make_campaign(tmp_path, studies=STUDIES, trials=3)
    benchmark.extra_info.update(studies=STUDIES, trials=3 * STUDIES)
    report = benchmark.pedantic(ingest, args=(tmp_path,), rounds=1)
    assert (report.trials, report.problems) == (3 * STUDIES, [])


def test_taking_in_nothing_new(benchmark, index):
    assert benchmark(ingest, index).records == 0


@pytest.mark.parametrize(
    "view", ["best_so_far", "leaderboard", "time_to_target", "failures", "throughput", "overhead"]
)
def test_asking_a_view(benchmark, index, view):
    benchmark.extra_info.update(trials=TRIALS, samples=TRIALS * SAMPLES)
    table = benchmark.pedantic(query_arrow, args=(f"FROM {view}", index), rounds=3, warmup_rounds=1)
    assert table.num_rows > 0


def test_asking_for_variation_over_all_samples(benchmark, index):
    table = benchmark.pedantic(query_arrow, args=("FROM variation", index), rounds=1)
    assert table.num_rows > 0

"""The spool: what is recorded comes back exactly, from lines and from sealed Parquet alike."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import STUDY, begin, make_trial
from store_samples import any_trials as trials

from daybreak.errors import StoreError
from daybreak.records import Outcome, Trial, TrialStatus
from daybreak.store import RunWriter, find_runs, read_run
from daybreak.store.segments import list_segments


def exact(value: object) -> str:
    """Text that tells NaN, -0.0, 1 and 1.0 apart and holds the types of containers."""
    return repr(value)


def stored_trials(results: Path, run_id: str = "r1") -> tuple[Trial, ...]:
    return read_run(results, run_id).studies["k1"].trials


@settings(max_examples=40, deadline=None)
@given(st.lists(trials, max_size=4))
def test_trials_come_back_exactly_from_lines_and_from_parquet(tmp_path_factory, given_trials):
    results = tmp_path_factory.mktemp("results")
    with begin(results) as writer:
        for trial in given_trials:
            writer.trial(STUDY.study_id, trial)
        assert [exact(t) for t in stored_trials(results)] == [exact(t) for t in given_trials]
        writer.finish("finished")
    assert [segment.sealed for segment in list_segments(results / "spool" / "r1")] == [True]
    assert [exact(t) for t in stored_trials(results)] == [exact(t) for t in given_trials]


def test_every_part_of_a_run_comes_back(tmp_path):
    with begin(tmp_path) as writer:
        writer.machine("m1", {"cpu": "x", "cores": 2})
        writer.environment("e1", {"numpy": "2.0"})
        writer.plugin(name="toy", version="1", status="ok")
        writer.benchmark({"benchmark": "toy/sum", "objectives": [{"name": "time", "unit": "s"}]})
        writer.benchmark({"benchmark": "toy/sum", "sandbox": "bubblewrap"})
        writer.trial(STUDY.study_id, make_trial(0))
        writer.study_status(STUDY.study_id, "finished", "well done")
        writer.readings({"load": 0.5})
        for sealed in (False, True):
            if sealed:
                writer.finish("finished")
                writer.close()
            record = read_run(tmp_path, "r1")
            assert record.problems == ()
            assert record.machine == {"cpu": "x", "cores": 2}
            assert record.environment == {"numpy": "2.0"}
            assert record.plugins == ({"name": "toy", "version": "1", "status": "ok"},)
            assert record.benchmarks["toy/sum"]["sandbox"] == "bubblewrap"
            assert record.benchmarks["toy/sum"]["objectives"][0]["unit"] == "s"
            study = record.studies["k1"].row
            assert (study.status, study.message) == ("finished", "well done")
            assert study.thresholds == STUDY.thresholds
            assert study.run_id == "r1"
            assert record.info.machine_id == "m1"
            assert record.info.environment_id == "e1"
            assert record.info.status == ("finished" if sealed else "running")
            assert record.info.live is not sealed


def test_runs_are_found_newest_first_and_a_killed_one_reads_as_interrupted(tmp_path):
    assert find_runs(tmp_path / "missing") == []
    for number in (1, 2):
        RunWriter.create(
            tmp_path,
            f"run-{number}",
            suite_key="sk",
            row={"suite": "toys", "started_at": f"2026-01-0{number}T00:00:00+00:00"},
        ).close()
    (tmp_path / "spool" / "killed-at-birth").mkdir()
    runs = find_runs(tmp_path)
    assert [run.run_id for run in runs] == ["run-2", "run-1"]
    assert [run.status for run in runs] == ["interrupted", "interrupted"]


def test_a_run_goes_on_after_it_was_closed_and_after_it_was_finished(tmp_path):
    begin(tmp_path).close()
    with RunWriter.resume(tmp_path, "r1") as writer:
        writer.trial(STUDY.study_id, make_trial(0))
        writer.finish("interrupted")
    with RunWriter.resume(tmp_path, "r1") as writer:
        writer.trial(STUDY.study_id, make_trial(1))
        assert [trial.number for trial in stored_trials(tmp_path)] == [0, 1]
        writer.finish("finished")
    assert [trial.number for trial in stored_trials(tmp_path)] == [0, 1]
    assert find_runs(tmp_path)[0].status == "finished"
    assert len(list_segments(tmp_path / "spool" / "r1")) == 2


def test_large_segments_are_sealed_while_the_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("daybreak.store.writer.SEGMENT_BYTES", 2000)
    with begin(tmp_path) as writer:
        for number in range(50):
            writer.trial(STUDY.study_id, make_trial(number))
        segments = list_segments(tmp_path / "spool" / "r1")
        assert [segment.sealed for segment in segments] == [True] * (len(segments) - 1) + [False]
        assert len(segments) > 3
        assert [trial.number for trial in stored_trials(tmp_path)] == list(range(50))


def test_a_torn_last_record_is_dropped_at_every_byte(tmp_path):
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, make_trial(0))
        whole = (tmp_path / "spool/r1/segment-000001.jsonl").read_bytes()
        writer.trial(STUDY.study_id, make_trial(1, 0.25))
    path = tmp_path / "spool/r1/segment-000001.jsonl"
    longer = path.read_bytes()
    for length in range(len(whole), len(longer)):
        path.write_bytes(longer[:length])
        record = read_run(tmp_path, "r1")
        assert record.problems == ()
        assert [trial.number for trial in record.studies["k1"].trials] == [0]
    for length in range(len(whole), len(longer), 17):
        path.write_bytes(longer[:length])
        with RunWriter.resume(tmp_path, "r1") as writer:
            writer.trial(STUDY.study_id, make_trial(7))
        record = read_run(tmp_path, "r1")
        assert record.problems == ()
        assert [trial.number for trial in record.studies["k1"].trials] == [0, 7]


def test_a_damaged_line_in_the_middle_is_reported_and_the_rest_read(tmp_path):
    with begin(tmp_path) as writer:
        for number in range(3):
            writer.trial(STUDY.study_id, make_trial(number))
    path = tmp_path / "spool/r1/segment-000001.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-2] = lines[-2][:20] + b"\n"
    path.write_bytes(b"".join(lines))
    for sealed in (False, True):
        if sealed:
            with RunWriter.resume(tmp_path, "r1") as writer:
                writer.finish("finished")
        record = read_run(tmp_path, "r1")
        assert [trial.number for trial in record.studies["k1"].trials] == [0, 2]
        assert len(record.problems) == 1
        assert f":{len(lines) - 1}: " in record.problems[0]


def test_a_newer_format_is_refused_with_a_remedy(tmp_path):
    begin(tmp_path).close()
    path = tmp_path / "spool/r1/segment-000001.jsonl"
    with path.open("a") as file:
        file.write(json.dumps({"type": "trial", "schema_version": 99}) + "\n")
    with pytest.raises(StoreError, match=r"format 99.*newer[\s\S]*install a newer Daybreak"):
        read_run(tmp_path, "r1")


def test_both_forms_of_a_segment_after_a_crash_count_once(tmp_path):
    writer = begin(tmp_path)
    writer.trial(STUDY.study_id, make_trial(0))
    path = tmp_path / "spool/r1/segment-000001.jsonl"
    lines = path.read_bytes()
    writer.finish("finished")
    writer.close()
    path.write_bytes(lines)
    assert [trial.number for trial in stored_trials(tmp_path)] == [0]
    with RunWriter.resume(tmp_path, "r1") as writer:
        writer.trial(STUDY.study_id, make_trial(1))
    assert not path.exists()
    assert [trial.number for trial in stored_trials(tmp_path)] == [0, 1]


def test_a_draft_of_a_sealed_file_is_no_segment(tmp_path):
    begin(tmp_path).close()
    draft = tmp_path / "spool/r1/.sealing-1-segment-000001.parquet"
    draft.write_bytes(b"PAR1 and then the power went")
    assert read_run(tmp_path, "r1").problems == ()
    RunWriter.resume(tmp_path, "r1").close()
    assert not draft.exists()


@pytest.mark.parametrize("run_id", ["", "..", "a/b", ".hidden", "a b", "x" * 300])
def test_a_run_id_that_is_no_folder_name_is_refused(tmp_path, run_id):
    with pytest.raises(StoreError, match="no run id"):
        RunWriter.create(tmp_path, run_id, suite_key="", row={})


def test_an_existing_run_a_missing_run_and_a_number_out_of_range_are_refused(tmp_path):
    with begin(tmp_path) as writer:
        with pytest.raises(StoreError, match="exists already"):
            begin(tmp_path)
        with pytest.raises(StoreError, match="out of range"):
            writer.trial(STUDY.study_id, make_trial(2**22))
    with pytest.raises(StoreError, match="no run 'r2'"):
        RunWriter.resume(tmp_path, "r2")
    with pytest.raises(StoreError, match=r"no run 'r2'[\s\S]*did you mean: r1"):
        read_run(tmp_path, "r2")
    with pytest.raises(StoreError, match="closed"):
        writer.trial(STUDY.study_id, make_trial(0))


def test_odd_values_of_plugins_never_cost_a_trial(tmp_path):
    import numpy as np

    outcome = Outcome(
        TrialStatus.OK,
        message="lone surrogate \udc80",
        objectives={"time": np.float32(0.5)},
        facts={
            "array": np.arange(3),
            "integer": np.int64(7),
            "set": {2, 1},
            "path": Path("x"),
            ("a", 1): "tuple as key",
            "nan": math.nan,
        },
    )
    trial = Trial(0, {"x": np.int64(3)}, outcome)
    with begin(tmp_path) as writer:
        writer.trial(STUDY.study_id, trial)
        for sealed in (False, True):
            if sealed:
                writer.finish("finished")
            (back,) = stored_trials(tmp_path)
            assert back.outcome.message == "lone surrogate \ufffd"
            assert back.configuration == {"x": 3}
            assert back.outcome.objectives == {"time": 0.5}
            facts = dict(back.outcome.facts)
            assert math.isnan(facts.pop("nan"))
            assert facts == {
                "array": [0, 1, 2],
                "integer": 7,
                "set": [1, 2],
                "path": "x",
                "('a', 1)": "tuple as key",
            }

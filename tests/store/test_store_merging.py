"""Merging folders, making the index anew, writing tables out."""

from __future__ import annotations

import json
import shutil

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import STUDY, begin, make_trial, record_run

from daybreak.errors import StoreError
from daybreak.store import (
    MergeReport,
    RunWriter,
    export,
    find_runs,
    ingest,
    merge,
    read_run,
    rebuild,
)
from daybreak.store.codec import encode_line, encode_trial
from daybreak.store.database import database_path
from daybreak.store.locks import FileLock
from daybreak.store.sealing import seal as seal_file


def numbers(results, run_id="r1"):
    return [trial.number for trial in read_run(results, run_id).studies["k1"].trials]


def test_runs_of_other_machines_are_added_and_merging_twice_changes_nothing(tmp_path):
    here, there, elsewhere = (tmp_path / name for name in ("here", "there", "elsewhere"))
    record_run(here, "r1")
    record_run(there, "r2", status=None)
    record_run(elsewhere, "r3")
    record_run(elsewhere, "r4", trials=0)
    shutil.copytree(here / "spool/r1", there / "spool/r1")
    assert merge(here, [there, elsewhere]) == MergeReport(("r2", "r3", "r4"), (), ("r1",))
    assert merge(here, [there, elsewhere]) == MergeReport((), (), ("r1", "r2", "r3", "r4"))
    assert [run.run_id for run in find_runs(here)] == ["r4", "r3", "r2", "r1"]
    assert ingest(here).trials == 9
    assert sorted(path.name for path in (here / "spool").iterdir()) == ["r1", "r2", "r3", "r4"]


def test_a_run_that_went_on_elsewhere_is_brought_up_to_date(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    record_run(there, trials=2, status=None)
    merge(here, [there])
    ingest(here)
    with RunWriter.resume(there, "r1") as writer:  # still running, the last line half written
        writer.trial("r1/s1", make_trial(2))
        with (there / "spool/r1/segment-000001.jsonl").open("ab") as file:
            file.write(b'{"type":"trial","num')
        assert merge(here, [there]).extended == ("r1",)
        assert numbers(here) == [0, 1, 2]
        assert ingest(here).trials == 1
    with RunWriter.resume(there, "r1") as writer:
        writer.trial("r1/s1", make_trial(3))
        writer.finish("finished")
    assert merge(here, [there]).extended == ("r1",)
    assert numbers(here) == [0, 1, 2, 3]
    assert ingest(here).trials == 1
    assert not list((here / "spool/r1").glob("*.jsonl"))
    # an older copy takes nothing back
    assert merge(there, [here]).present == ("r1",)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 4), st.integers(0, 4), st.booleans(), st.booleans())
def test_the_longer_copy_wins_sealed_or_not(tmp_path_factory, mine, theirs, seal, seal_theirs):
    folder = tmp_path_factory.mktemp("merge")
    here, there = folder / "here", folder / "there"
    begin(here).close()
    shutil.copytree(here, there)
    for results, count, sealed in ((here, mine, seal), (there, theirs, seal_theirs)):
        path = results / "spool/r1/segment-000001.jsonl"
        with path.open("ab") as file:
            for number in range(count):
                file.write(encode_line(encode_trial(STUDY.study_id, make_trial(number))))
        if sealed:
            seal_file(path)
    report = merge(here, [there])
    assert report.extended == (("r1",) if theirs > mine else ())
    assert numbers(here) == list(range(max(mine, theirs)))


def test_different_runs_of_one_name_are_refused_before_anything_is_taken(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    record_run(here, "r1", trials=1)
    record_run(there, "r0", trials=1)
    with begin(there, "r1") as writer:
        writer.trial(STUDY.study_id, make_trial(5))
    with pytest.raises(StoreError, match=r"'r1' in .*there is not the same"):
        merge(here, [there])
    assert [run.run_id for run in find_runs(here)] == ["r1"]
    assert numbers(here) == [0]


def test_a_folder_without_results_and_a_live_run_are_refused(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    with pytest.raises(StoreError, match="no results in this folder"):
        merge(here, [there])
    record_run(here, trials=1, status=None)
    shutil.copytree(here, there)
    with RunWriter.resume(there, "r1") as writer:
        writer.trial("r1/s1", make_trial(1))
    lock = here / "spool/r1/lock"
    with FileLock(lock), pytest.raises(StoreError, match="is being written by process"):
        merge(here, [there])
    assert merge(here, [there]).extended == ("r1",)


def test_rebuilding_keeps_the_old_file_and_installs_views(tmp_path):
    record_run(tmp_path)
    path = database_path(tmp_path)
    path.write_bytes(b"nonsense")
    rebuild(tmp_path, views={"ones": "CREATE OR REPLACE VIEW ones AS SELECT 1 AS one"})
    assert path.with_name("daybreak.duckdb.old").read_bytes() == b"nonsense"
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("FROM ones").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM trials").fetchone() == (3,)
    assert not list(tmp_path.glob("*.new*"))
    with pytest.raises(StoreError, match="no results folder"):
        rebuild(tmp_path / "missing")


def test_tables_are_written_out_in_every_format(tmp_path):
    record_run(tmp_path)
    views = {"ones": "CREATE OR REPLACE VIEW ones AS SELECT 1 AS one"}
    for kind in ("parquet", "csv", "json"):
        out = tmp_path / kind
        files = export(tmp_path, out, format=kind, views=views)
        names = {file.stem for file in files}
        assert {"trials", "samples", "runs", "ones"} <= names
        assert not names & {"ingested", "installed_views", "schema_migrations"}
        assert sorted(out.iterdir()) == sorted(files)
    assert pq.read_table(tmp_path / "parquet/trials.parquet").num_rows == 3
    assert len((tmp_path / "csv/trials.csv").read_text().splitlines()) == 4
    lines = (tmp_path / "json/trials.json").read_text().splitlines()
    assert json.loads(lines[1])["configuration"] == {"x": 1}
    (only,) = export(tmp_path, tmp_path / "one", only=("trials",))
    assert only.name == "trials.parquet"


def test_a_wrong_format_or_table_names_the_nearest(tmp_path):
    record_run(tmp_path)
    with pytest.raises(StoreError, match="did you mean: parquet"):
        export(tmp_path, tmp_path / "out", format="parket")
    with pytest.raises(StoreError, match="did you mean: trials"):
        export(tmp_path, tmp_path / "out", only=("trails",))

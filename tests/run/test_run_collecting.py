"""Collections: what is imported again is known, what is new is added, what changed is mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daybreak import (
    Outcome,
    RecordedStudy,
    Sample,
    StoreError,
    Trial,
    TrialStatus,
    UserError,
    query,
)
from daybreak.plugin import Registry
from daybreak.plugin.exchange import ImportReport, ImportRequest, Remark
from daybreak.plugin.specs import ImporterSpec
from daybreak.run.collecting import collection_id
from daybreak.run.importing import collect_studies, import_file, record_studies
from daybreak.store import RunWriter, read_run, rebuild


def study(key: str, *values: float, collection: str = "shelf", **parts: Any) -> RecordedStudy:
    trials = [
        Trial(i, {"x": i}, Outcome(TrialStatus.OK, objectives={"t": v}, samples=(Sample("t", v),)))
        for i, v in enumerate(values)
    ]
    return RecordedStudy(
        run={"name": collection},
        benchmark={
            "benchmark": "shelf/books",
            "objectives": [{"name": "t", "unit": "s", "direction": "minimize"}],
        },
        study={"study_key": key, "optimizer": key, "seed": 1, **parts},
        trials=trials,
    )


def found(results: Path) -> list[tuple[object, ...]]:
    frame = query(
        "SELECT optimizer, number, t.objective FROM trials t JOIN studies s USING (study_id) "
        "ORDER BY optimizer, number",
        results,
    )
    return list(frame.itertuples(index=False, name=None))


def counts(results: Path, *studies: RecordedStudy) -> tuple[int, int, int]:
    done = collect_studies(results, iter(studies), source="here")
    return done.added, done.changed, done.known


def test_studies_are_added_changed_and_known(tmp_path: Path) -> None:
    assert counts(tmp_path, study("a", 1.0), study("b", 2.0, 3.0)) == (2, 0, 0)
    assert counts(tmp_path, study("a", 1.0), study("b", 2.0, 3.0)) == (0, 0, 2)
    assert counts(tmp_path, study("b", 2.0, 9.0, 4.0), study("c", 5.0)) == (1, 1, 0)
    expected = [("a", 0, 1.0), ("b", 0, 2.0), ("b", 1, 9.0), ("b", 2, 4.0), ("c", 0, 5.0)]
    assert found(tmp_path) == expected
    assert counts(tmp_path, study("a", 1.0, details={"author": "x"})) == (0, 1, 0)
    assert found(tmp_path) == expected
    rebuild(tmp_path)
    assert found(tmp_path) == expected
    assert read_run(tmp_path, "shelf").info.status == "finished"


def test_a_study_that_shrank_keeps_its_trials(tmp_path: Path) -> None:
    counts(tmp_path, study("a", 1.0, 2.0))
    assert counts(tmp_path, study("a", 1.0)) == (0, 0, 1)
    assert len(found(tmp_path)) == 2


def test_several_collections_at_once(tmp_path: Path) -> None:
    mixed = [study("a", 1.0), study("a", 2.0, collection="attic"), study("b", 3.0)]
    done = collect_studies(tmp_path, iter(mixed), source="here")
    assert list(done.runs) == ["shelf", "attic"]
    assert done.added == 3
    assert sorted(value for _, _, value in found(tmp_path)) == [1.0, 2.0, 3.0]


def test_a_failure_leaves_no_new_collection_and_keeps_an_old_one(tmp_path: Path) -> None:
    def failing(*studies: RecordedStudy) -> Iterator[RecordedStudy]:
        yield from studies
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        collect_studies(tmp_path, failing(study("a", 1.0)), source="here")
    assert not list((tmp_path / "spool").iterdir())
    counts(tmp_path, study("a", 1.0))
    with pytest.raises(OSError, match="gone"):
        collect_studies(tmp_path, failing(study("b", 2.0)), source="here")
    assert read_run(tmp_path, "shelf").info.status == "finished"
    assert counts(tmp_path, study("b", 2.0), study("c", 3.0)) == (1, 0, 1)


def test_what_a_killed_import_left_out_is_added(tmp_path: Path) -> None:
    writer = RunWriter.create(
        tmp_path, "shelf", suite_key="x", row={"suite": "shelf", "collection": "shelf"}
    )
    writer.close()  # killed before the first study
    assert counts(tmp_path, study("a", 1.0)) == (1, 0, 0)
    assert found(tmp_path) == [("a", 0, 1.0)]


def test_what_was_killed_before_the_first_record_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "spool" / "shelf").mkdir(parents=True)
    (tmp_path / "spool" / "shelf" / "lock").touch()
    (tmp_path / "spool" / "shelf" / "segment-000001.jsonl").write_text('{"type": "segm')
    assert counts(tmp_path, study("a", 1.0)) == (1, 0, 0)
    assert found(tmp_path) == [("a", 0, 1.0)]


def test_what_was_killed_just_before_the_end_is_finished(tmp_path: Path) -> None:
    counts(tmp_path, study("a", 1.0))
    RunWriter.resume(tmp_path, "shelf").close()
    assert read_run(tmp_path, "shelf").info.status == "interrupted"
    assert counts(tmp_path, study("a", 1.0)) == (0, 0, 1)
    assert read_run(tmp_path, "shelf").info.status == "finished"


def nameless(key: str, *values: float) -> RecordedStudy:
    return replace(study(key, *values), run={"suite": "s", "machine": {"cpu": "x"}})


def record(results: Path, *studies: RecordedStudy) -> tuple[str, bool]:
    return record_studies(results, studies, suite="s", source="here")


def test_a_run_known_by_its_content_is_recorded_once(tmp_path: Path) -> None:
    run_id, known = record(tmp_path, nameless("a", 1.0), nameless("a", 2.0, 3.0))
    assert not known
    assert record(tmp_path, nameless("a", 1.0), nameless("a", 2.0, 3.0)) == (run_id, True)
    other, known = record(tmp_path, nameless("a", 1.0))
    assert not known
    assert other != run_id
    expected = [("a", 0, 1.0), ("a", 0, 1.0), ("a", 0, 2.0), ("a", 1, 3.0)]
    assert sorted(found(tmp_path)) == expected
    row = read_run(tmp_path, run_id).info.row
    assert (row["suite"], row["imported_from"]) == ("s", "here")
    assert "collection" not in row


@pytest.mark.parametrize("kept", [1, 4, 6, 8])
def test_a_run_known_by_its_content_is_completed_after_a_kill(tmp_path: Path, kept: int) -> None:
    studies = [nameless("a", 1.0), nameless("b", 2.0, 3.0)]
    run_id, _ = record(tmp_path / "whole", *studies)
    killed = tmp_path / "killed" / "spool" / run_id
    killed.mkdir(parents=True)
    lines: list[bytes] = []

    def stop(writer: RunWriter, *_: object) -> None:
        segment = writer.folder / "segment-000001.jsonl"
        lines[:] = segment.read_bytes().splitlines(keepends=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunWriter, "finish", stop)
        record(tmp_path / "lines", *studies)
    assert len(lines) == 9
    (killed / "segment-000001.jsonl").write_bytes(b"".join(lines[:kept]) + lines[kept][:20])
    assert record(tmp_path / "killed", *studies) == (run_id, False)
    assert found(tmp_path / "killed") == found(tmp_path / "whole")
    assert record(tmp_path / "killed", *studies) == (run_id, True)
    assert read_run(tmp_path / "killed", run_id).info.status == "finished"


def test_from_another_place_the_same_studies_are_known_and_others_refused(tmp_path: Path) -> None:
    counts(tmp_path, study("a", 1.0))
    moved = collect_studies(tmp_path, iter([study("a", 1.0), study("b", 1.0)]), source="there")
    assert (moved.added, moved.known) == (1, 1)
    with pytest.raises(StoreError, match=r"was imported from here, and has another study 'a'"):
        collect_studies(tmp_path, iter([study("a", 2.0)]), source="there")
    assert found(tmp_path) == [("a", 0, 1.0), ("b", 0, 1.0)]


def test_a_run_that_is_no_collection_is_not_touched(tmp_path: Path) -> None:
    RunWriter.create(tmp_path, "shelf", suite_key="x", row={"suite": "mine"}).close()
    with pytest.raises(StoreError, match=r"no collection of imported studies[\s\S]*--name"):
        collect_studies(tmp_path, iter([study("a", 1.0)]), source="here")


def test_a_collection_that_is_being_written_is_not_touched(tmp_path: Path) -> None:
    counts(tmp_path, study("a", 1.0))
    with RunWriter.resume(tmp_path, "shelf"), pytest.raises(StoreError):
        collect_studies(tmp_path, iter([study("b", 1.0)]), source="here")


@pytest.mark.parametrize("name", ["a/b", "a b", "\u00e4", "a--b c", "..", "x" * 300])
def test_names_become_safe_ids_that_differ(name: str) -> None:
    assert collection_id(name) != name
    assert len(collection_id(name)) < 200
    assert collection_id(name) != collection_id(name + "!")
    assert collection_id("plain-1.0") == "plain-1.0"


class Streaming:
    """Gives its studies one by one, and its numbers at the end."""

    def read(self, request: ImportRequest) -> ImportReport:
        remarks: list[Remark] = []

        def studies() -> Iterator[RecordedStudy]:
            for i in range(3):
                request.progress(i / 3, f"book {i}")
                remarks.append(Remark("shelf", i, "torn: a page"))
                yield study(f"b{i}", 1.0)

        return ImportReport(
            rows=0, kept=0, studies=studies(), final=lambda: ImportReport(3, 3, remarks=remarks)
        )


def test_an_importer_may_stream_and_report_at_the_end(tmp_path: Path) -> None:
    spec = ImporterSpec(name="s", factory="test_run_collecting:Streaming", summary="x")
    (tmp_path / "x").touch()
    shown: list[tuple[float | None, str]] = []
    done = import_file(
        Registry.from_specs(spec),
        "s",
        tmp_path / "x",
        results=tmp_path / "results",
        progress=lambda fraction, what: shown.append((fraction, what)),
    )
    assert (done.report.rows, len(done.report.remarks)) == (3, 3)
    assert done.collected is not None
    assert (done.run_id, done.collected.added) == ("shelf", 3)
    assert shown == [(0.0, "book 0"), (1 / 3, "book 1"), (2 / 3, "book 2")]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("x" * 5000, "cannot be read: File name too long"),
        ("nul\0", "cannot be read: embedded null byte"),
        ("/dev/zero", "this is a device"),
        ("book/page", "no such file"),
        ("boook", "no such file"),
    ],
)
def test_paths_that_are_nothing_to_read(tmp_path: Path, path: str, words: str) -> None:
    spec = ImporterSpec(name="s", factory="test_run_collecting:Streaming", summary="x")
    (tmp_path / "book").touch()
    with pytest.raises(UserError, match=words) as caught:
        import_file(Registry.from_specs(spec), "s", tmp_path / path, results=tmp_path / "r")
    assert ("book" in str(caught.value.nearest)) == (path == "boook")

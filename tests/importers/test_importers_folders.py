"""What folders hold beside files: pipes, links that lead nowhere, names in any encoding."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from importing import remarks, rows, run_import
from test_importers_mllog import PLAIN

from daybreak_importers.findings import Findings
from daybreak_importers.folders import walk
from daybreak_importers.text import find_number, is_future, printable

ABOUT = {"author": "x", "timestamp": "2018-04-20", "costPerHour": "$1,024.48 per hour"}
CURVE = "epoch\thours\ttop1Accuracy\n1\t0.1\t50.0\n2\t0.2\t94.1\n"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a folder with one good file and all that is none, under every importer's names."""
    folder = tmp_path / "odd" / "CIFAR10" / "train"
    folder.mkdir(parents=True)
    for suffix in ("json", "tsv", "txt"):
        os.mkfifo(folder / f"pipe_result_1.{suffix}")
        (folder / f"loop_result_2.{suffix}").symlink_to(f"loop_result_2.{suffix}")
        (folder / f"lost_result_3.{suffix}").symlink_to("/nowhere/at/all")
        (folder / f"zero_result_4.{suffix}").symlink_to("/dev/zero")
        (folder / f"folder_result_5.{suffix}").mkdir()
    (folder / "up").symlink_to("..")
    return folder


def no_files(found: list[tuple[str, int | None, str]]) -> set[str]:
    return {Path(file).stem for file, _, what in found if what.startswith("no file: ")}


ODD = {"pipe_result_1", "loop_result_2", "lost_result_3", "zero_result_4"}


def test_dawnbench_passes_them_over(odd: Path, tmp_path: Path) -> None:
    (odd / "good.json").write_text(json.dumps(ABOUT))
    (odd / "good.tsv").write_text(CURVE)
    done = run_import("dawnbench", tmp_path / "odd", tmp_path / "results")
    assert no_files(remarks(done)) == ODD
    assert rows("SELECT optimizer, dollars_per_hour FROM studies", tmp_path / "results") == [
        ("good", 1024.48)
    ]


def test_mllog_passes_them_over(odd: Path, tmp_path: Path) -> None:
    (odd / "result_0.txt").write_text(PLAIN)
    done = run_import("mllog", tmp_path / "odd", tmp_path / "results")
    assert no_files(remarks(done)) == ODD
    assert rows("SELECT count(*) FROM studies", tmp_path / "results") == [(1,)]


def test_pytest_benchmark_passes_them_over(odd: Path, tmp_path: Path) -> None:
    content = {
        "machine_info": {"cpu": {}},
        "commit_info": {},
        "datetime": "2024-01-01T00:00:00",
        "benchmarks": [{"name": "t", "fullname": "t.py::t", "stats": {"median": 1.0}}],
    }
    (odd / "0001_x.json").write_text(json.dumps(content))
    done = run_import("pytest-benchmark", tmp_path / "odd", tmp_path / "results")
    assert no_files(remarks(done)) == ODD
    assert rows("SELECT count(*) FROM studies", tmp_path / "results") == [(1,)]


def test_names_in_any_encoding_are_kept_apart(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "clone" / "CIFAR10" / "train")
    os.makedirs(folder)
    for i, name in enumerate((b"a\xff", b"a\xfe", b"new\nline", "na\u00efve".encode())):
        Path(os.fsdecode(folder + b"/" + name + b".json")).write_text(json.dumps(ABOUT))
        Path(os.fsdecode(folder + b"/" + name + b".tsv")).write_text(CURVE.replace("50", f"5{i}"))
    logs = os.fsencode(tmp_path / "logs")
    os.makedirs(logs)
    Path(os.fsdecode(logs + b"/result_\xff1.txt")).write_text(PLAIN)
    results = tmp_path / "results"
    done = run_import("dawnbench", tmp_path / "clone", results)
    assert remarks(done) == []
    assert [name for (name,) in rows("SELECT optimizer FROM studies ORDER BY 1", results)] == [
        "a\\xfe",
        "a\\xff",
        "na\u00efve",
        "new\\nline",
    ]
    again = run_import("dawnbench", tmp_path / "clone", results)
    assert again.known
    run_import("mllog", tmp_path / "logs", results, name="logs")
    assert rows("SELECT study_key FROM studies WHERE run_id = 'logs'", results) == [
        ("result_\\xff1.txt",)
    ]


def test_a_folder_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "shut").mkdir()
    listed = os.scandir

    def scandir(path: str | Path) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    findings = Findings()
    assert [place.name for place, _ in walk(tmp_path, findings)] == [tmp_path.name, "open"]
    (remark,) = findings.remarks
    assert (remark.file, remark.what) == ("shut", "cannot be listed: Permission denied")


def test_files_that_cannot_be_read_are_told_and_the_rest_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "clone" / "CIFAR10" / "train"
    folder.mkdir(parents=True)
    for i, name in enumerate(("a", "b", "c")):
        (folder / f"{name}.json").write_text(json.dumps(ABOUT))
        (folder / f"{name}.tsv").write_text(CURVE.replace("50", f"5{i}"))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "result_0.txt").write_text(PLAIN)
    (logs / "result_1.txt").write_text(PLAIN.replace(": 16", ": 15"))
    opened, read = Path.open, Path.read_bytes

    def refused(path: Path) -> bool:
        return path.name in ("a.tsv", "b.json", "result_1.txt")

    def refuse(path: Path, *given: object, **more: object) -> object:
        if refused(path):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *given, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: refuse(path) if refused(path) else read(path)
    )
    results = tmp_path / "results"
    done = run_import("dawnbench", tmp_path / "clone", results)
    assert remarks(done) == [
        ("CIFAR10/train/a.tsv", None, "cannot be read: Permission denied"),
        ("CIFAR10/train/b.json", None, "cannot be read: Permission denied, the curve is kept"),
    ]
    assert rows("SELECT optimizer, dollars_per_hour FROM studies ORDER BY 1", results) == [
        ("b", None),
        ("c", 1024.48),
    ]
    done = run_import("mllog", logs, results)
    assert ("result_1.txt", None, "cannot be read: Permission denied") in remarks(done)
    assert rows("SELECT study_key FROM studies WHERE target = 'mlperf'", results) == [
        ("result_0.txt",)
    ]


def test_an_entry_of_one_file_is_not_all_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "CIFAR10" / "train"
    (folder / "deeper" / "train").mkdir(parents=True)
    for place in (folder, folder / "deeper" / "train"):
        for name in ("a", "b"):
            (place / f"{name}.json").write_text(json.dumps(ABOUT))
            (place / f"{name}.tsv").write_text(CURVE)
    (folder / "note.md").touch()
    done = run_import("dawnbench", folder / "a.tsv", tmp_path / "results")
    assert remarks(done) == []
    assert rows("SELECT study_key FROM studies", tmp_path / "results") == [("CIFAR10/train/a",)]


def test_what_is_to_come_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "clone" / "CIFAR10" / "train"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(ABOUT | {"timestamp": "2099-01-01"}))
    (folder / "a.tsv").write_text(CURVE)
    done = run_import("dawnbench", tmp_path / "clone", tmp_path / "results")
    assert remarks(done) == [
        ("CIFAR10/train/a.json", None, "date in the future: timestamp 2099-01-01")
    ]
    (tmp_path / "log.txt").write_text(PLAIN.replace(": 16", ": 40"))
    done = run_import("mllog", tmp_path / "log.txt", tmp_path / "results")
    assert ("log.txt", 5, "date in the future: the run began 2096-10-02") in remarks(done)


def test_without_any_time_the_round_is_the_dialects_first(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(PLAIN.replace("time_ms", "moment"))
    done = run_import("mllog", tmp_path / "log.txt", tmp_path / "results")
    assert rows("SELECT benchmark FROM studies", tmp_path / "results") == [("mlperf/resnet:v0.7",)]
    assert any(what.startswith("no round: ") for _, _, what in remarks(done))


def test_texts_and_numbers() -> None:
    assert printable("a\x1b[31mb\u2028") == "a\\x1b[31mb\\u2028"
    assert printable("na\u00efve \udcff") == "na\u00efve \\xff"
    assert [find_number(text) for text in ("$1,024.48/h", "1,5", "12,345,678", "1,2,3", "x")] == [
        1024.48,
        1.0,
        12345678.0,
        1.0,
        None,
    ]
    assert not is_future("2020-01-01T00:00:00+00:00")
    assert not is_future(None)

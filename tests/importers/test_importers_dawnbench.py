"""DAWNBench entries made by hand, with everything that real ones get wrong."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from importing import remarks, rows, run_import, spool

from daybreak import UserError
from daybreak_importers.dawnbench.curves import _longest_ascent, read_curve
from daybreak_importers.findings import Findings

ABOUT = {
    "version": "v1.0",
    "author": "A. Person (a.person@example.org)",
    "authorEmail": "a.person@example.org, other@example.org",
    "framework": "PyTorch 0.4",
    "codeURL": "https://example.org/code",
    "model": "ResNet 9",
    "hardware": "1 V100",
    "costPerHour": 3.06,
    "timestamp": "2018-04-20",
    "misc": {"comments": "write to third@example.org", "runs": [1, 2]},
}
CIFAR = "epoch\thours\ttop1Accuracy\n1\t0.01\t60.5\n2\t0.02\t93.99\n3\t0.03\t94.0\n4\t0.04\t93.5\n"


def entry(root: Path, name: str, tsv: str | bytes | None, about: object = None) -> Path:
    """Write an entry ``TASK/train/STEM``; `about` is JSON or text."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if about is not None:
        text = about if isinstance(about, str) else json.dumps(about)
        path.with_suffix(".json").write_text(text)
    if tsv is not None:
        path.with_suffix(".tsv").write_bytes(tsv.encode() if isinstance(tsv, str) else tsv)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    root = tmp_path / "dawn-bench-entries"
    root.mkdir()
    return root


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def curve(
    tsv: str | bytes, wanted: str | None = None
) -> tuple[list[tuple[object, ...]], list[str]]:
    """Return (epoch, hours, accuracies) of the rows, and the remarks with their lines."""
    findings = Findings()
    data = tsv.encode() if isinstance(tsv, str) else tsv
    found = read_curve(data, "f", findings, wanted)
    kinds = [f"{remark.line}: {remark.what}" for remark in findings.remarks]
    return [(row.epoch, row.hours, row.values) for row in found], kinds


class TestAnEntry:
    def test_becomes_a_study_with_its_curve(self, clone: Path, results: Path) -> None:
        entry(clone, "CIFAR10/train/person_r9", CIFAR, ABOUT)
        done = run_import("dawnbench", clone, results)
        assert done.run_id == "dawnbench-dawn-bench-entries"
        assert (done.report.rows, done.report.kept, done.report.left_out) == (4, 4, {})
        assert rows(
            "SELECT benchmark, optimizer, seed, t.status, t.objective, t.started_at::VARCHAR, "
            "s.dollars_per_hour FROM trials t JOIN studies s USING (study_id)",
            results,
        ) == [
            (
                "dawnbench/cifar10:train",
                "person_r9",
                0,
                "ok",
                0.03 * 3600,
                "2018-04-20 00:00:00",
                3.06,
            )
        ]
        assert rows(
            "SELECT metric, epoch, train_s, wall_s, value FROM events ORDER BY seq", results
        ) == [
            ("top1_accuracy", 1.0, 36.0, None, pytest.approx(0.605)),
            ("top1_accuracy", 2.0, 72.0, None, pytest.approx(0.9399)),
            ("top1_accuracy", 3.0, 108.0, None, pytest.approx(0.94)),
            ("top1_accuracy", 4.0, 144.0, None, pytest.approx(0.935)),
        ]
        # the analyses of training runs apply: an interval, in seconds and in dollars
        assert rows(
            "SELECT clock, lower, upper, falls_back FROM trial_time_to_target "
            "WHERE clock IN ('train_s', 'dollars') ORDER BY clock",
            results,
        ) == [
            ("dollars", pytest.approx(0.0612), pytest.approx(0.0918), True),
            ("train_s", 72.0, 108.0, True),
        ]

    def test_keeps_who_and_what_but_no_address(self, clone: Path, results: Path) -> None:
        entry(clone, "CIFAR10/train/person_r9", CIFAR, ABOUT)
        run_import("dawnbench", clone, results)
        ((details, configuration),) = rows(
            "SELECT s.details, t.configuration FROM trials t JOIN studies s USING (study_id)",
            results,
        )
        found = json.loads(details)
        assert found["hardware"] == "1 V100"
        assert found["framework"] == "PyTorch 0.4"
        assert found["author"] == "A. Person ((address removed))"
        assert found["more"] == {"misc": {"comments": "write to (address removed)", "runs": [1, 2]}}
        assert json.loads(configuration)["model"] == "ResNet 9"
        assert all(b"@example.org" not in data for data in spool(results).values())

    def test_that_misses_the_target_has_failed_with_its_events(
        self, clone: Path, results: Path
    ) -> None:
        entry(clone, "CIFAR10/train/slow", CIFAR.replace("94.0", "93.9"), ABOUT)
        done = run_import("dawnbench", clone, results)
        assert rows("SELECT status, failure_kind, objective, message FROM trials", results) == [
            ("failed", "not_reached", None, "top1_accuracy does not reach 0.94: 0.9399 at best")
        ]
        assert rows("SELECT count(*) FROM events", results) == [(4,)]
        assert [what for _, _, what in remarks(done)] == [
            "target not reached: top1_accuracy does not reach 0.94: 0.9399 at best"
        ]

    def test_of_imagenet_is_judged_by_top_5(self, clone: Path, results: Path) -> None:
        tsv = "epoch\thours\ttop1Accuracy\ttop5Accuracy\n1\t0.5\t70\t90.5\n2\t1.0\t75.7\t93.0\n"
        entry(clone, "ImageNet/train/r50", tsv, ABOUT)
        run_import("dawnbench", clone, results)
        assert rows("SELECT objective FROM trials", results) == [(3600.0,)]
        assert rows("SELECT count(*) FROM events WHERE metric = 'top5_accuracy'", results) == [(2,)]

    def test_of_squad_has_both_published_thresholds(self, clone: Path, results: Path) -> None:
        tsv = "epoch\thours\tf1Score\n1\t1\t0.72\n2\t2\t0.74\n3\t3\t0.76\n"
        entry(clone, "SQuAD/train/bidaf", tsv, ABOUT)
        run_import("dawnbench", clone, results)
        assert rows("SELECT objective FROM trials", results) == [(3 * 3600.0,)]
        assert rows(
            "SELECT target_name, upper FROM trial_time_to_target WHERE clock = 'train_s' ORDER BY 1",
            results,
        ) == [("f1-73", 7200.0), ("f1-75", 10800.0)]
        run_import("dawnbench", clone, results.with_name("other"), "squad_target=0.73")
        assert rows("SELECT objective FROM trials", results.with_name("other")) == [(7200.0,)]

    def test_of_an_unknown_task_is_kept_without_a_verdict(self, clone: Path, results: Path) -> None:
        entry(clone, "MNIST/train/x", CIFAR, ABOUT)
        run_import("dawnbench", clone, results)
        assert rows(
            "SELECT benchmark, t.status FROM trials t JOIN studies USING (study_id)", results
        ) == [("dawnbench/mnist:train", "failed")]
        assert rows("SELECT count(*) FROM events", results) == [(4,)]


class TestInference:
    def test_latency_is_the_objective(self, clone: Path, results: Path) -> None:
        about = {**ABOUT, "latency": 43.45, "cost": 4.27e-6, "top5Accuracy": 93.45}
        entry(clone, "ImageNet/inference/a", None, about)
        run_import("dawnbench", clone, results)
        assert rows("SELECT metric, value FROM samples ORDER BY 1", results) == [
            ("cost", 4.27e-6),
            ("latency", 43.45),
            ("top5_accuracy", pytest.approx(0.9345)),
        ]
        assert rows("SELECT objective, objective_unit FROM trials", results) == [(43.45, "ms")]

    def test_below_the_required_accuracy_is_a_wrong_result(
        self, clone: Path, results: Path
    ) -> None:
        entry(clone, "CIFAR10/inference/a", None, {"latency": 1.5, "accuracy": 93.0})
        done = run_import("dawnbench", clone, results)
        assert rows("SELECT failure_kind, objective FROM trials", results) == [
            ("wrong_result", None)
        ]
        assert any(what.startswith("below the required accuracy") for _, _, what in remarks(done))

    @pytest.mark.parametrize("latency", [None, -1, 0, "soon"])
    def test_without_a_latency_is_left_out(
        self, clone: Path, results: Path, latency: object
    ) -> None:
        entry(clone, "CIFAR10/inference/a", None, {"latency": latency, "cost": None})
        entry(clone, "CIFAR10/inference/b", None, {"latency": "2.5 ms", "cost": None})
        done = run_import("dawnbench", clone, results)
        assert done.report.left_out == {"no latency": 1}
        assert rows("SELECT value FROM samples", results) == [(2.5,)]


class TestOddFiles:
    def test_of_a_folder_are_reported_and_the_good_ones_kept(
        self, clone: Path, results: Path
    ) -> None:
        entry(clone, "CIFAR10/train/good", CIFAR, ABOUT)
        entry(clone, "CIFAR10/train/alone", CIFAR.replace("0.01", "0.011"))
        entry(clone, "CIFAR10/train/no_curve", None, ABOUT)
        entry(clone, "CIFAR10/train/empty", "", ABOUT)
        entry(clone, "CIFAR10/train/broken", CIFAR.replace("0.01", "0.012"), '{"author": "x",}')
        entry(clone, "CIFAR10/train/listed", CIFAR.replace("0.01", "0.013"), "[1]")
        entry(
            clone, "CIFAR10/train/dated", CIFAR.replace("0.01", "0.014"), {"timestamp": "2018-1-31"}
        )
        undated = {"timestamp": "soon", "costPerHour": "free"}
        entry(clone, "CIFAR10/train/undated", CIFAR.replace("0.01", "0.015"), undated)
        priced = {"costPerHour": "$0.90"}
        entry(clone, "CIFAR10/train/priced", CIFAR.replace("0.01", "0.016"), priced)
        (clone / "CIFAR10/train/README.csv").write_text("x")
        (clone / "CIFAR10/train/loop.json").symlink_to("loop.json")
        done = run_import("dawnbench", clone, results)
        assert remarks(done) == [
            (
                "CIFAR10/train/loop.json",
                None,
                "no file: a pipe, a device or a link that leads nowhere",
            ),
            ("CIFAR10/train/README.csv", None, "no part of an entry: the file is not read"),
            (
                "CIFAR10/train/alone.tsv",
                None,
                "TSV without JSON: nothing is known of author, hardware and price",
            ),
            (
                "CIFAR10/train/broken.json",
                None,
                "damaged JSON: Expecting property name enclosed in double quotes at line 1, column 16",
            ),
            ("CIFAR10/train/empty.tsv", None, "TSV without rows: no curve"),
            ("CIFAR10/train/listed.json", None, "damaged JSON: a list, not an object"),
            ("CIFAR10/train/no_curve.json", None, "JSON without TSV: no curve"),
            ("CIFAR10/train/undated.json", None, "no date: timestamp soon"),
            ("CIFAR10/train/undated.json", None, "no price: costPerHour free"),
        ]
        assert rows("SELECT optimizer, dollars_per_hour FROM studies ORDER BY 1", results) == [
            ("alone", None),
            ("broken", None),
            ("dated", None),
            ("good", 3.06),
            ("listed", None),
            ("priced", 0.9),
            ("undated", None),
        ]
        assert done.report.rows == done.report.kept + sum(done.report.left_out.values())
        # what was odd about an entry stays with its results
        assert rows(
            "SELECT details->'remarks' FROM studies WHERE optimizer = 'undated'", results
        ) == [('["no date: timestamp soon","no price: costPerHour free"]',)]

    def test_that_claim_one_curve_count_once(self, clone: Path, results: Path) -> None:
        entry(clone, "CIFAR10/train/a", CIFAR, ABOUT)
        entry(clone, "CIFAR10/train/a_log", CIFAR.replace("\n", "\r\n"), ABOUT)
        done = run_import("dawnbench", clone, results)
        assert rows("SELECT optimizer FROM studies", results) == [("a",)]
        assert done.report.left_out == {"row of another entry": 4}
        assert (done.report.rows, done.report.kept) == (8, 4)
        assert (
            "CIFAR10/train/a_log.tsv",
            2,
            "row of another entry: CIFAR10/train/a has it",
        ) in remarks(done)

    def test_that_differ_in_case_are_paired(self, clone: Path, results: Path) -> None:
        entry(clone, "CIFAR10/train/Foo", None, ABOUT)
        entry(clone, "CIFAR10/train/foo", CIFAR)
        done = run_import("dawnbench", clone, results)
        assert rows("SELECT optimizer FROM studies", results) == [("Foo",)]
        assert [what for _, _, what in remarks(done)] == [
            "name in other letters: taken for Foo.json's"
        ]

    def test_a_folder_without_entries_is_refused(self, tmp_path: Path, results: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(UserError, match=r"no DAWNBench entries[\s\S]*TASK/train"):
            run_import("dawnbench", tmp_path / "empty", results)
        assert not results.exists()

    @pytest.mark.parametrize("part", ["CIFAR10", "CIFAR10/train", "CIFAR10/train/a.json"])
    def test_a_part_of_a_clone_will_do(self, clone: Path, results: Path, part: str) -> None:
        entry(clone, "CIFAR10/train/a", CIFAR, ABOUT)
        run_import("dawnbench", clone / part, results)
        assert rows("SELECT benchmark, optimizer FROM studies", results) == [
            ("dawnbench/cifar10:train", "a")
        ]


class TestImportingAgain:
    def test_changes_nothing(self, clone: Path, results: Path) -> None:
        entry(clone, "CIFAR10/train/a", CIFAR, ABOUT)
        entry(clone, "SQuAD/inference/b", None, {"latency": 2})
        first = run_import("dawnbench", clone, results)
        before = spool(results)
        again = run_import("dawnbench", clone, results)
        assert (first.known, again.known) == (False, True)
        assert again.run_id == first.run_id
        assert spool(results) == before

    def test_adds_what_is_new_and_mends_what_changed(self, clone: Path, results: Path) -> None:
        entry(clone, "CIFAR10/train/a", CIFAR, ABOUT)
        entry(clone, "CIFAR10/train/b", CIFAR.replace("0.01", "0.011"), ABOUT)
        run_import("dawnbench", clone, results)
        ids = rows("SELECT study_id FROM studies ORDER BY optimizer", results)
        entry(clone, "CIFAR10/train/c", CIFAR.replace("0.01", "0.012"), ABOUT)
        entry(clone, "CIFAR10/train/b", CIFAR.replace("0.03", "0.035"), ABOUT)
        done = run_import("dawnbench", clone, results)
        assert done.collected is not None
        assert (done.collected.added, done.collected.changed, done.collected.known) == (1, 1, 1)
        found = rows(
            "SELECT study_id, optimizer, t.objective FROM trials t JOIN studies USING (study_id) "
            "ORDER BY optimizer",
            results,
        )
        assert [row[1:] for row in found] == [
            ("a", 108.0),
            ("b", pytest.approx(126.0)),
            ("c", 108.0),
        ]
        assert [(row[0],) for row in found[:2]] == ids
        assert rows("SELECT count(*) FROM runs", results) == [(1,)]
        assert rows("SELECT count(*) FROM events", results) == [(12,)]

    def test_from_elsewhere_under_the_same_name_is_refused_where_it_differs(
        self, clone: Path, results: Path, tmp_path: Path
    ) -> None:
        entry(clone, "CIFAR10/train/a", CIFAR, ABOUT)
        run_import("dawnbench", clone, results)
        other = tmp_path / "other" / "dawn-bench-entries"
        entry(other, "CIFAR10/train/a", CIFAR.replace("0.03", "0.035"), ABOUT)
        with pytest.raises(UserError, match=r"was imported from .*another study[\s\S]*--name"):
            run_import("dawnbench", other, results)
        done = run_import("dawnbench", other, results, name="fork")
        assert done.run_id == "fork"
        entry(other, "CIFAR10/train/a", CIFAR, ABOUT)  # a moved clone is no other one
        assert run_import("dawnbench", other, results).known


class TestCurves:
    def test_percent_and_fractions_come_out_alike(self) -> None:
        expected = [(1.0, 0.1, {"f1": 0.6}), (2.0, 0.2, {"f1": 0.75})]
        for tsv in (
            "epoch\thours\tf1Score\n1\t0.1\t0.6\n2\t0.2\t0.75\n",
            "epoch\thours\tf1Score\n1\t0.1\t60\n2\t0.2\t75\n",
            "epoch\thours\tf1Score\n1\t0.1\t60%\n2\t0.2\t75 %\n",
            "epoch,hours,f1Score\n1,0.1,60\n2,0.2,75\n",
            "epoch   hours  f1Score\n1  0.1   60\n2  0.2  75\n",
            "1\t0.1\t60\n2\t0.2\t75\n".replace("1\t", "epoch\thours\tf1Score\n1\t", 1),
        ):
            found, _ = curve(tsv)
            assert [(e, h, pytest.approx(v)) for e, h, v in expected] == found

    def test_a_stray_unit_is_read_and_remarked_upon(self) -> None:
        found, odd = curve("epoch\thours\ttop1Accuracy\n1\t1\t50\n2\t2\t80\n3\t3\t0.93\n4\t4\t94\n")
        assert [values["top1_accuracy"] for _, _, values in found] == pytest.approx(
            [0.5, 0.8, 0.93, 0.94]
        )
        assert odd == ["4: fraction among percentages: top1_accuracy 0.93 is read as 93 %"]
        found, odd = curve(
            "epoch\thours\ttop1Accuracy\n1\t1\t0.5\n2\t2\t0.8\n3\t3\t93\n4\t4\t0.94\n"
        )
        assert [values["top1_accuracy"] for _, _, values in found] == pytest.approx(
            [0.5, 0.8, 0.93, 0.94]
        )
        assert odd == ["4: percentage among fractions: top1_accuracy 93 is read as 93 %"]

    def test_the_start_of_training_is_no_fraction(self) -> None:
        tsv = (
            "epoch\thours\ttop1Accuracy\ttop5Accuracy\n1\t1\t0.1\t0.5\n2\t2\t20\t40\n3\t3\t30\t50\n"
        )
        found, odd = curve(tsv)
        assert found[0][2] == pytest.approx({"top1_accuracy": 0.001, "top5_accuracy": 0.005})
        assert odd == []

    @pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
    def test_line_ends_of_all_systems(self, end: str) -> None:
        found, odd = curve(CIFAR.replace("\n", end))
        assert [row[0] for row in found] == [1.0, 2.0, 3.0, 4.0]
        assert any("carriage returns" in what for what in odd) == (end == "\r")

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
    def test_encodings(self, encoding: str) -> None:
        tsv = CIFAR.replace("epoch", "epoch") + "# caf\u00e9\n"
        found, _ = curve(tsv.encode(encoding))
        assert [row[0] for row in found] == [1.0, 2.0, 3.0, 4.0]

    def test_epochs_from_0_count_epochs_done(self) -> None:
        found, odd = curve("epoch\thours\ttop1Accuracy\n0\t0.1\t50\n1\t0.2\t60\n2\t0.3\t70\n")
        assert [row[0] for row in found] == [1.0, 2.0, 3.0]
        assert odd == ["None: epochs from 0: shifted, so that they count epochs done"]
        # an evaluation before training is no epoch
        found, odd = curve("epoch\thours\ttop1Accuracy\n0\t0.0\t10\n1\t0.1\t60\n2\t0.2\t70\n")
        assert [row[0] for row in found] == [0.0, 1.0, 2.0]
        assert odd == []

    def test_impossible_clocks_are_taken_away_and_their_rows_kept(self) -> None:
        found, odd = curve(
            "epoch\thours\ttop1Accuracy\n1\t0.1\t50\n2\t-0.2\t60\n3\t0.05\t70\n4\t0.4\t80\n5\tx\t90\n"
        )
        assert [row[1] for row in found] == [0.1, None, None, 0.4, None]
        assert odd == [
            "6: no number: 'x' in column hours",
            "3: negative hours: -0.2, the row has no clock",
            "4: hours that go back: 0.05, the row has no clock",
        ]

    def test_rows_that_say_nothing_are_left_out_with_a_reason(self) -> None:
        findings = Findings()
        tsv = (
            "epoch\thours\ttop1Accuracy\n"
            "1\t0.1\t50\n"
            "1\t0.1\t50\n"
            "2\t0.2\n"
            "epoch\thours\ttop1Accuracy\n"
            "3\t0.3\t120\n"
            "4\t0.4\tn/a\n"
            "5\t0.5\t-3\n"
            "\n"
            "6\t0.6\t94\t\n"
        )
        found = read_curve(tsv.encode(), "f", findings)
        assert [row.epoch for row in found] == [1.0, 6.0]
        assert dict(findings.left_out) == {
            "repeated row": 1,
            "too few cells": 1,
            "header again": 1,
            "no accuracy that is possible": 2,
            "no accuracy": 1,
        }
        assert findings.rows == findings.kept + sum(findings.left_out.values()) == 8
        lines = {remark.line for remark in findings.remarks}
        assert lines == {3, 4, 5, 6, 7, 8}

    def test_columns_are_found_by_name(self) -> None:
        found, odd = curve("hours\tlr\tTop1 Accuracy\tepoch\n0.1\t3\t50\t1\n", "top1_accuracy")
        assert found == [(1.0, 0.1, {"top1_accuracy": 0.5})]
        assert odd == ["1: unknown column: 'lr' is not read"]
        found, odd = curve("epoch\ttop1Accuracy\n1\t50\n", "top1_accuracy")
        assert found == [(1.0, None, {"top1_accuracy": 0.5})]
        assert odd == ["None: no column hours: the rows have no clock"]
        _, odd = curve("epoch\thours\tloss\n1\t0.1\t2\n", "top1_accuracy")
        assert any(what.startswith("None: no column top1_accuracy") for what in odd)

    def test_columns_under_each_others_names_are_exchanged(self) -> None:
        # an earlier version of ImageNet/train/diux_resnet152_p3-tensorpack.tsv
        tsv = (
            "hours\tepoch\ttop1Accuracy\ttop5Accuracy\n"
            "1\t0.2152777777777778\t15.758000000000006\t35.72\n"
            "2\t0.39555555555555555\t29.108\t54.96\n"
            "3\t0.5752777777777778\t36.72\t63.488\n"
        )
        found, odd = curve(tsv, "top5_accuracy")
        assert [row[:2] for row in found] == [
            (1.0, 0.2152777777777778),
            (2.0, 0.39555555555555555),
            (3.0, 0.5752777777777778),
        ]
        assert odd == ["None: columns exchanged: hours count 1, 2, 3, ..., so they are the epochs"]

    @pytest.mark.parametrize(
        "tsv",
        [
            "hours\tepoch\ttop1Accuracy\n1\t1\t50\n2\t2\t60\n3\t3\t70\n",  # an epoch an hour
            "hours\tepoch\ttop1Accuracy\n1\t0.5\t50\n2\t1\t60\n4\t2\t70\n",
            "epoch\thours\ttop1Accuracy\n0.5\t1\t50\n1\t2\t60\n1.5\t3\t70\n",  # looks each hour
            "hours\tepoch\ttop1Accuracy\n1\t0.5\t50\n2\t1\t60\n",  # too little to tell
        ],
    )
    def test_columns_that_may_be_right_are_left(self, tsv: str) -> None:
        found, odd = curve(tsv)
        header = tsv.split("\n")[0].split("\t")
        first = [float(cell) for cell in tsv.split("\n")[1].split("\t")]
        assert found[0][:2] == (first[header.index("epoch")], first[header.index("hours")])
        assert odd == []

    def test_a_file_without_a_header_is_read_by_position(self) -> None:
        found, odd = curve("1\t0.1\t50\t70\n2\t0.2\t60\t80\n")
        assert found[0] == (1.0, 0.1, {"top1_accuracy": 0.5, "top5_accuracy": 0.7})
        assert odd == ["1: no header: columns taken as epoch, hours, accuracies"]

    @given(st.binary(max_size=400))
    def test_any_bytes_are_read_or_reported(self, data: bytes) -> None:
        findings = Findings()
        found = read_curve(b"epoch\thours\ttop1Accuracy\n" + data, "f", findings)
        assert findings.kept == len(found)
        assert findings.rows == findings.kept + sum(findings.left_out.values())
        for row in found:
            assert all(0 <= value <= 1 for value in row.values.values())
            assert row.hours is None or row.hours >= 0
        clocks = [row.hours for row in found if row.hours is not None]
        assert clocks == sorted(clocks)

    cell = st.one_of(
        st.floats(-5, 200).map(str), st.sampled_from(["", "x", "94", "0.94", "-1", "93%", "1e400"])
    )

    @given(st.lists(st.lists(cell, min_size=1, max_size=5).map("\t".join), max_size=12))
    def test_any_table_is_read_or_reported(self, lines: list[str]) -> None:
        findings = Findings()
        data = "\n".join(["epoch\thours\ttop1Accuracy", *lines]).encode()
        found = read_curve(data, "f", findings)
        assert findings.rows == len(found) + sum(findings.left_out.values())

    @given(st.lists(st.integers(0, 6), max_size=8))
    def test_as_few_clocks_as_possible_are_lost(self, values: list[int]) -> None:
        kept = _longest_ascent([float(v) for v in values])
        assert all(values[a] <= values[b] for a, b in pairwise(kept))
        assert kept == sorted(set(kept))
        longest = 0
        for chosen in range(1 << len(values)):  # every subsequence
            picked = [v for i, v in enumerate(values) if chosen >> i & 1]
            if picked == sorted(picked):
                longest = max(longest, len(picked))
        assert len(kept) == longest

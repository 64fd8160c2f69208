"""Folders of MLPerf logs as submitters lay them out: what becomes a study, and under which name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from importing import remarks, rows, run_import, spool
from test_importers_mllog import DATA, PLAIN, mllog

from daybreak import UserError
from daybreak.cli import main
from daybreak_importers.mllog.layout import LogFile, place_of

LATER = PLAIN.replace("16000000", "16100000")


def put(root: Path, name: str, text: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    root = tmp_path / "training_results_v1.0"
    root.mkdir()
    return root


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


class TestAClone:
    def test_becomes_a_study_for_each_run_seeds_for_repetitions(
        self, clone: Path, results: Path
    ) -> None:
        put(clone, "Dell/results/8xA100/resnet/result_0.txt", PLAIN)
        put(clone, "Dell/results/8xA100/resnet/result_1.txt", LATER)
        put(clone, "Other Inc/results/tpu/resnet/result_0.txt", LATER.replace("1610", "1611"))
        description = {
            "submitter": "Dell",
            "accelerator_model_name": "A100",
            "accelerators_per_node": 8,
            "number_of_nodes": "2",
            "framework": "MXNet",
            "contact": "someone@example.org",
        }
        put(clone, "Dell/systems/8xA100.json", json.dumps(description))
        put(clone, "Other Inc/systems/tpu.json", "{")
        put(clone, "Dell/benchmarks/resnet/log.txt", PLAIN)  # code, not a result
        put(clone, "Dell/results/8xA100/README.txt", "see above")
        done = run_import("mllog", clone, results, "dollars_per_hour=36")
        assert done.run_id == "mllog-training_results_v1.0"
        assert rows(
            "SELECT benchmark, optimizer, seed, t.objective, dollars_per_hour "
            "FROM trials t JOIN studies s USING (study_id) ORDER BY optimizer, seed",
            results,
        ) == [
            ("mlperf/resnet:v1.0", "Dell/8xA100", 0, 25.0, 36.0),
            ("mlperf/resnet:v1.0", "Dell/8xA100", 1, 25.0, 36.0),
            ("mlperf/resnet:v1.0", "Other Inc/tpu", 0, 25.0, 36.0),
        ]
        ((details,),) = rows(
            "SELECT details FROM studies WHERE optimizer = 'Dell/8xA100' AND seed = 0", results
        )
        found = json.loads(details)
        assert found["hardware"] == "2 nodes of 8 x A100"
        assert (found["framework"], found["accelerators"]) == ("MXNet", 16.0)
        assert "example.org" not in details
        assert [(file, what.partition(":")[0]) for file, _, what in remarks(done)] == [
            ("Other Inc/systems/tpu.json", "damaged description")
        ]
        assert done.report.notes == ("1 files in the folders are no logs",)
        # the leaderboard takes repetitions as repetitions
        assert rows("SELECT optimizer, studies FROM leaderboard ORDER BY 1", results) == [
            ("Dell/8xA100", 2),
            ("Other Inc/tpu", 1),
        ]

    def test_is_imported_again_without_a_change_and_grows(self, clone: Path, results: Path) -> None:
        put(clone, "Dell/results/8xA100/resnet/result_0.txt", PLAIN)
        cut = LATER[: LATER.index('"eval_accuracy", "value": 0.76')]
        log = put(clone, "Dell/results/8xA100/resnet/result_1.txt", cut)
        run_import("mllog", clone, results)
        before = spool(results)
        assert run_import("mllog", clone, results).known
        assert spool(results) == before
        log.write_text(LATER)  # the job went on
        put(clone, "Dell/results/8xA100/resnet/result_2.txt", LATER.replace("1610", "1611"))
        done = run_import("mllog", clone, results)
        assert done.collected is not None
        assert (done.collected.added, done.collected.changed, done.collected.known) == (1, 1, 1)
        assert rows(
            "SELECT seed, t.status, (SELECT count(*) FROM events e WHERE e.trial_id = t.trial_id) "
            "FROM trials t JOIN studies USING (study_id) ORDER BY seed",
            results,
        ) == [(0, "ok", 2), (1, "ok", 2), (2, "ok", 2)]

    def test_files_that_claim_one_run(self, clone: Path, results: Path) -> None:
        folder = "Dell/results/8xA100/resnet"
        put(clone, f"{folder}/result_0.txt", PLAIN)
        cut = PLAIN[: PLAIN.index('"eval_accuracy", "value": 0.76')]
        put(clone, f"{folder}/result_0_partial.txt", cut[: cut.rindex("\n") + 1])
        put(clone, f"{folder}/result_00.log", LATER)
        put(clone, f"{folder}_plain_text_duplicate/result_0.txt", PLAIN)
        done = run_import("mllog", clone, results)
        assert rows("SELECT seed FROM studies ORDER BY seed", results) == [(0,), (1,)]
        other = f"{folder}_plain_text_duplicate/result_0.txt"
        claim = "two files claim one run: "
        assert remarks(done) == [
            (f"{folder}/result_00.log", 5, claim + "number 0 is taken, so kept as 1"),
            (f"{folder}/result_0_partial.txt", 9, claim + f"{folder}/result_0.txt has all of it"),
            (other, 9, claim + f"{folder}/result_0.txt has the same"),
            (other, 13, claim + f"{folder}/result_0.txt has the same"),
        ]
        assert done.report.left_out == {"two files claim one run": 3}
        assert done.report.rows == done.report.kept + 3

    def test_what_holds_no_run_is_reported(self, clone: Path, results: Path) -> None:
        put(clone, "Dell/results/8xA100/resnet/result_0.txt", PLAIN)
        put(clone, "Dell/results/8xA100/resnet/result_1.txt", "it crashed\n")
        header = mllog((0, "submission_org", "Dell"))
        put(clone, "Dell/results/8xA100/resnet/result_2.txt", header)
        put(clone, "Dell/results/8xA100/resnet/result_3.txt.gz", b"\x1f\x8b")
        done = run_import("mllog", clone, results)
        assert remarks(done) == [
            ("Dell/results/8xA100/resnet/result_3.txt.gz", None, "compressed: not read"),
            (
                "Dell/results/8xA100/resnet/result_1.txt",
                None,
                "no training run: no line of MLPerf's",
            ),
            (
                "Dell/results/8xA100/resnet/result_2.txt",
                None,
                "no training run: no run_start, no evaluation",
            ),
        ]
        assert rows("SELECT count(*) FROM studies", results) == [(1,)]

    def test_the_open_division_is_another_benchmark(self, clone: Path, results: Path) -> None:
        opened = mllog((0, "submission_division", "open")) + PLAIN
        put(clone, "Dell/results/8xA100/resnet/result_0.txt", opened)
        run_import("mllog", clone, results)
        assert rows("SELECT benchmark FROM studies", results) == [("mlperf/resnet:v1.0-open",)]

    def test_of_v05_has_its_entry_beside_the_logs(self, tmp_path: Path, results: Path) -> None:
        root = tmp_path / "training_results_v0.5"
        folder = root / "v0.5.0/nvidia/submission/results/dgx2"
        put(folder, "ncf/result_0.txt", (DATA / "ncf_result_0.txt").read_bytes())
        shutil.copy(DATA / "entry.json", folder / "entry.json")
        run_import("mllog", root, results)
        assert rows(
            "SELECT benchmark, optimizer, details->>'hardware', details->>'framework' FROM studies",
            results,
        ) == [
            (
                "mlperf/ncf:v0.5",
                "nvidia/submission/dgx2",
                "16 x Tesla V100-SXM3-32GB",
                "MXNet NGC 18.11",
            )
        ]

    def test_another_target_goes_into_the_protocol(self, clone: Path, results: Path) -> None:
        put(clone, "Dell/results/x/resnet/result_0.txt", mllog((0, "eval_target", 0.45)) + PLAIN)
        run_import("mllog", clone, results)
        assert rows(
            "SELECT threshold, upper FROM trial_time_to_target WHERE clock = 'wall_s'", results
        ) == [(0.45, 12.0)]


class TestPlaces:
    @pytest.mark.parametrize(
        ("name", "label", "task"),
        [
            ("Dell/results/8xA100/resnet/result_0.txt", "Dell/8xA100", "resnet"),
            (
                "v0.5.0/google/cloud/g-8/results/tpu/gnmt/result_0.txt",
                "google/cloud/g-8/tpu",
                "gnmt",
            ),
            ("Alibaba/results/v100-1280/result_1.txt", "Alibaba/v100-1280", None),
            ("google_results_tpu_gnmt_result_0.txt", "google_results_tpu_gnmt", None),
            ("some/where/log.txt", "some/where", None),
            ("v1.1/Dell/results/a/b/result_0.txt", "Dell/a", "b"),
        ],
    )
    def test_tell_the_entry(self, tmp_path: Path, name: str, label: str, task: str | None) -> None:
        path = put(tmp_path, name, "")
        place = place_of(LogFile(path, name, 0), tmp_path)
        assert (place.label, place.benchmark) == (label, task)

    @pytest.mark.parametrize("part", ["Dell", "Dell/results", "Dell/results/8xA100/resnet"])
    def test_are_known_where_a_part_is_imported(self, tmp_path: Path, part: str) -> None:
        name = "Dell/results/8xA100/resnet/result_0.txt"
        path = put(tmp_path, name, "")
        root = tmp_path / part
        log = LogFile(path, path.relative_to(root).as_posix(), 0)
        place = place_of(log, root)
        assert place.label.endswith("8xA100")
        assert (place.system, place.benchmark) == ("8xA100", "resnet")

    def test_a_single_log_and_a_named_round(self, tmp_path: Path, results: Path) -> None:
        path = put(tmp_path, "mine.log", PLAIN.replace("resnet", "bert"))
        done = run_import("mllog", path, results, "round=0.7", name="mine")
        assert done.run_id == "mine"
        assert rows("SELECT benchmark, optimizer FROM studies", results) == [
            ("mlperf/bert:v0.7", "mine")
        ]

    def test_dates_tell_the_round_where_nothing_else_does(
        self, tmp_path: Path, results: Path
    ) -> None:
        put(tmp_path, "logs/a.txt", PLAIN)  # September 2020
        done = run_import("mllog", tmp_path / "logs", results)
        assert done.report.benchmarks == ("mlperf/resnet:v0.7",)
        assert done.report.notes == ("the round of 1 runs is told by their date",)

    @pytest.mark.parametrize("text", ["", "no log\n"])
    def test_nothing_to_import_is_refused(self, tmp_path: Path, results: Path, text: str) -> None:
        put(tmp_path, "logs/a.txt", text)
        with pytest.raises(UserError, match=r"no training run[\s\S]*:::MLLOG"):
            run_import("mllog", tmp_path / "logs", results)
        assert not (results / "spool").exists() or not list((results / "spool").iterdir())
        (tmp_path / "none").mkdir()
        with pytest.raises(UserError, match="there are no logs"):
            run_import("mllog", tmp_path / "none", results)


def test_the_command_says_what_was_odd(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(clone, "Dell/results/8xA100/resnet/result_0.txt", PLAIN)
    put(clone, "Dell/results/8xA100/resnet/result_1.txt", "it crashed\n")
    monkeypatch.chdir(clone.parent)
    monkeypatch.setenv("DAYBREAK_DISABLE_PLUGIN_AUTOLOAD", "0")

    def call(*words: str) -> tuple[str, str]:
        monkeypatch.setattr("sys.argv", ["daybreak", "import", "mllog", clone.name, *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        said = capsys.readouterr()
        return said.out, said.err

    _, err = call()
    assert "training_results_v1.0: 2 of 3 rows kept; left out: 1 no training run\n" in err
    assert "1 remarks (all of them: --json):\n  1 x no training run\n" in err
    assert "    Dell/results/8xA100/resnet/result_1.txt: no line of MLPerf's\n" in err
    assert "1 study added, 0 changed, 0 known before\n" in err
    out, _ = call("--json")
    report = json.loads(out)
    assert report["known"] is True
    assert report["studies"] == {"added": 0, "changed": 0, "known": 1}
    assert report["runs"] == ["mllog-training_results_v1.0"]
    assert report["remarks"] == [
        {
            "file": "Dell/results/8xA100/resnet/result_1.txt",
            "line": None,
            "what": "no training run: no line of MLPerf's",
        }
    ]

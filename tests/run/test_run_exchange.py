"""Importing other tools' files and exporting studies, with an importer and an exporter of a test."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Runner
from exchange_parts import EXPORTER, IMPORTER
from run_fakes import bowl

from daybreak import ExporterSpec, ImporterSpec, PluginError, UserError, query
from daybreak.plugin import Registry
from daybreak.run.exporting import Choice, choose_studies, export_studies
from daybreak.run.importing import Imported, import_file
from daybreak.store import read_run, rebuild

REGISTRY = Registry.from_specs(IMPORTER, EXPORTER)
LEDGER = "4 8 1.5\n1 2 5.0\n2 2 0\n16 1 2.25\n"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAYBREAK_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "winter.txt"
    path.write_text(LEDGER)
    return path


def _import(ledger: Path, *options: str, name: str | None = None, results: str = "") -> Imported:
    return import_file(
        REGISTRY,
        "ledger",
        ledger,
        name=name,
        options=options,
        results=ledger.parent / (results or "results"),
    )


class TestImport:
    def test_a_table_goes_into_the_users_data(self, ledger: Path, data: Path) -> None:
        done = _import(ledger, "unit=s", "most=3")
        assert (done.report.rows, done.report.kept) == (3, 2)
        assert done.report.left_out == {"without a time": 1, "torn": 0}
        assert done.report.notes == ("times are taken as s",)
        assert (data / "ledgers/winter.txt").read_text() == "4 8 1.5\n1 2 5.0"
        assert done.run_id is None
        assert not (ledger.parent / "results").exists()
        assert _import(ledger, name="cold").report.benchmarks == ("ledger/cold",)

    def test_studies_become_a_run_once(self, ledger: Path) -> None:
        results = ledger.parent / "results"
        done = _import(ledger, "into=results")
        assert done.run_id is not None
        assert not done.known
        again = _import(ledger, "into=results")
        assert (again.run_id, again.known) == (done.run_id, True)
        found = query(
            "SELECT suite, optimizer, seed, number, t.objective, t.objective_unit, "
            "configuration->>'a' AS a, r.status, r.started_at::VARCHAR AS began "
            "FROM trials t JOIN studies s USING (study_id) JOIN runs r USING (run_id) "
            "ORDER BY number",
            results,
        )
        assert found["objective"].tolist() == [1.5, 5.0, 2.25]
        assert found["a"].tolist() == ["4", "1", "16"]
        assert set(found["optimizer"]) == {"clerk"}
        assert set(found["seed"]) == {7}
        assert set(found["suite"]) == {"old-ledger"}
        assert set(found["status"]) == {"finished"}
        assert set(found["began"]) == {"2020-01-02 03:04:05"}
        assert set(found["objective_unit"]) == {"ms"}
        rebuild(results)
        assert query("SELECT count(*) AS n FROM trials", results)["n"][0] == 3
        assert query("SELECT best FROM best_so_far ORDER BY evaluation", results)[
            "best"
        ].tolist() == [1.5, 1.5, 1.5]

    def test_other_content_is_another_run(self, ledger: Path) -> None:
        first = _import(ledger, "into=results")
        ledger.write_text(LEDGER + "32 1 9.0\n")
        second = _import(ledger, "into=results")
        assert first.run_id != second.run_id
        assert query("SELECT count(*) AS n FROM runs", ledger.parent / "results")["n"][0] == 2

    def test_a_failure_while_recording_leaves_nothing(
        self, ledger: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from daybreak.store import RunWriter

        def full(*_: object) -> None:
            raise UserError("the disk is full")

        monkeypatch.setattr(RunWriter, "trial", full)
        with pytest.raises(UserError, match="the disk is full"):
            _import(ledger, "into=results")
        assert list((ledger.parent / "results/spool").iterdir()) == []

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ("unit=h", r"--option unit: wrong value: text 'h'[\s\S]*one of 'ms' or 's'"),
            ("unti=s", r"--option unti: unknown key 'unti'[\s\S]*did you mean: unit"),
            ("most=0", r"--option most: wrong value: the number 0[\s\S]*at least 1"),
            ("most=[", r"--option most: the value '\[' cannot be read"),
            ("most", r"--option: 'most' is no option[\s\S]*NAME=VALUE"),
            ("=3", r"'=3' is no option"),
        ],
    )
    def test_a_wrong_option_is_told(self, ledger: Path, option: str, words: str) -> None:
        with pytest.raises(UserError, match=words):
            _import(ledger, option)

    def test_an_option_given_twice_is_told(self, ledger: Path) -> None:
        with pytest.raises(UserError, match="'most' is given twice"):
            _import(ledger, "most=1", "most=2")

    def test_a_missing_file_is_told_with_the_nearest(self, ledger: Path) -> None:
        with pytest.raises(UserError, match=r"no such file[\s\S]*did you mean: winter.txt"):
            _import(ledger.with_name("wintre.txt"))

    @pytest.mark.parametrize("name", ["", "a/b", "A", "../x", "a:b", "-a"])
    def test_a_name_must_fit_a_benchmark(self, ledger: Path, name: str) -> None:
        with pytest.raises(UserError, match="no name for a benchmark"):
            _import(ledger, name=name)

    def test_an_unknown_kind_is_told_with_the_nearest(self, ledger: Path) -> None:
        with pytest.raises(UserError, match="did you mean: ledger"):
            import_file(REGISTRY, "leger", ledger)

    def test_a_fault_in_the_file_names_its_line(self, ledger: Path) -> None:
        ledger.write_text("1 2 3\n1 x 3\n")
        with pytest.raises(UserError, match=r"winter.txt:2: 'x' is no number"):
            _import(ledger)

    def test_a_broken_importer_is_the_plugins_fault(self, ledger: Path) -> None:
        with pytest.raises(PluginError, match="ZeroDivisionError: no beads"):
            _import(ledger, "into=raise")
        with pytest.raises(PluginError, match="returned dict, not an ImportReport"):
            _import(ledger, "into=nonsense")
        unknown = ImporterSpec(name="x", factory="nowhere:Nothing", summary="x")
        with pytest.raises(PluginError, match="cannot be imported"):
            import_file(Registry.from_specs(unknown), "x", ledger)


class TestExport:
    def test_it_writes_what_was_recorded(self, run: Runner, tmp_path: Path) -> None:
        run("random, descent", seeds=2, evaluations=6)
        studies = choose_studies(tmp_path / "results", Choice(optimizer="descent"))
        assert [s.study["seed"] for s in studies] == [0, 1]
        assert {s.study["optimizer"] for s in studies} == {"descent"}
        first = studies[0]
        assert first.benchmark["benchmark"] == "fake/bowl"
        assert first.benchmark["objectives"][0]["unit"] == "ms"
        assert first.run["machine"]["cpu"]
        assert first.run["environment"]
        assert [t.number for t in first.trials] == list(range(6))
        assert all(t.outcome.phases for t in first.trials)
        assert all(t.outcome.samples for t in first.trials if t.ok)
        report = export_studies(REGISTRY, "ledger", studies, tmp_path / "out.txt")
        lines = (tmp_path / "out.txt").read_text().splitlines()
        assert report.files == (tmp_path / "out.txt",)
        assert report.trials == len(lines)
        assert report.trials + report.left_out["failed"] == 12
        for line in lines:
            a, b, value = line.split()
            assert float(value) == bowl({"a": int(a), "b": int(b)})

    def test_without_out_the_file_is_named_after_the_benchmark(
        self, run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("random", evaluations=1, benchmarks="  - fake/bowl: {instance: n-8}")
        monkeypatch.chdir(tmp_path)
        studies = choose_studies(tmp_path / "results", Choice())
        assert export_studies(REGISTRY, "ledger", studies).files == (Path("fake-bowl-n-8.txt"),)

    def test_the_newest_run_that_has_any_counts(self, run: Runner, tmp_path: Path) -> None:
        first, _ = run("random, descent", evaluations=2)
        second, _ = run("random", evaluations=2, fresh=True)
        results = tmp_path / "results"

        def runs(**parts: str) -> set[str]:
            return {s.run["run_id"] for s in choose_studies(results, Choice(**parts))}

        assert runs() == {second.run_id}
        assert runs(optimizer="descent") == {first.run_id}
        assert runs(run=first.run_id) == {first.run_id}
        study = choose_studies(results, Choice(run=first.run_id))[0].study["study_id"]
        assert runs(study=study[:10]) == {first.run_id}

    def test_references_are_left_out_unless_asked_for(self, run: Runner, tmp_path: Path) -> None:
        run("random", evaluations=2)
        results = tmp_path / "results"
        assert {s.study["role"] for s in choose_studies(results, Choice())} == {"optimizer"}
        roles = {s.study["role"] for s in choose_studies(results, Choice(references=True))}
        assert roles == {"optimizer", "reference"}

    @pytest.mark.parametrize(
        ("choice", "words"),
        [
            (Choice(optimizer="randum"), r"no study of optimizer 'randum'[\s\S]*mean: random"),
            (Choice(benchmark="fake/bwol"), r"no study of benchmark[\s\S]*mean: fake/bowl"),
            (Choice(seed=5), r"no study of seed '5'[\s\S]*one of 0"),
            (Choice(study="zz"), r"there is no study 'zz'"),
            (Choice(run="fakse"), r"no run 'fakse'[\s\S]*mean: fakes"),
            (Choice(optimizer="random", seed=0, benchmark="other/*"), "no study of benchmark"),
        ],
    )
    def test_what_is_not_there_is_told(
        self, run: Runner, tmp_path: Path, choice: Choice, words: str
    ) -> None:
        run("random", evaluations=1)
        with pytest.raises(UserError, match=words):
            choose_studies(tmp_path / "results", choice)

    def test_several_benchmarks_do_not_fit_a_file(self, run: Runner, tmp_path: Path) -> None:
        two = "  - fake/bowl: {instance: one}\n  - fake/bowl: {instance: two}"
        run("random", evaluations=1, benchmarks=two)
        with pytest.raises(UserError, match=r"2 benchmarks[\s\S]*fake/bowl:one, fake/bowl:two"):
            choose_studies(tmp_path / "results", Choice())
        studies = choose_studies(tmp_path / "results", Choice(benchmark="*:two"))
        assert studies[0].benchmark["instance"] == "two"

    def test_no_results_are_told(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="no results here"):
            choose_studies(tmp_path / "nowhere", Choice())
        (tmp_path / "empty").mkdir()
        with pytest.raises(UserError, match="no runs yet"):
            choose_studies(tmp_path / "empty", Choice())

    def test_what_cannot_be_written_is_told(self, run: Runner, tmp_path: Path) -> None:
        run("random", evaluations=1)
        studies = choose_studies(tmp_path / "results", Choice())
        with pytest.raises(UserError, match="holds no such trials"):
            export_studies(REGISTRY, "ledger", studies, tmp_path / "x", options=["into=nothing"])
        with pytest.raises(UserError, match="there is no such folder"):
            export_studies(REGISTRY, "ledger", studies, tmp_path / "no" / "x")
        with pytest.raises(UserError, match="cannot be written: Is a directory"):
            export_studies(REGISTRY, "ledger", studies, tmp_path)
        broken = ExporterSpec(name="x", factory="builtins:dict", summary="x")
        with pytest.raises(PluginError, match="AttributeError"):
            export_studies(Registry.from_specs(broken), "x", studies, tmp_path / "x")


def test_what_is_exported_comes_back_by_import(ledger: Path, tmp_path: Path) -> None:
    done = _import(ledger, "into=results")
    studies = choose_studies(tmp_path / "results", Choice())
    export_studies(REGISTRY, "ledger", studies, tmp_path / "again.txt")
    back = import_file(
        REGISTRY,
        "ledger",
        tmp_path / "again.txt",
        name="winter",
        options=["into=results"],
        results=tmp_path / "other",
    )
    assert back.run_id == done.run_id  # the same content has the same id
    ours = read_run(tmp_path / "results", str(done.run_id)).studies
    theirs = read_run(tmp_path / "other", str(done.run_id)).studies
    assert [s.trials for s in ours.values()] == [s.trials for s in theirs.values()]

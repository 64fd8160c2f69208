"""What a report says of a run: numbers against hand calculation, reasons for what is left out."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")

from many_studies import searches, training

import daybreak
from daybreak.analysis.answers import Asked
from daybreak.errors import StoreError, UserError
from daybreak.records import FailureKind, Outcome, Trial, TrialStatus
from daybreak.report import sections
from daybreak.report.making import make_report
from daybreak.report.page import page
from daybreak.report.sections import CHAPTERS, Absent, Material, Nothing, Section, Topic
from daybreak.report.sections.shape import flat
from daybreak.report.watching import changes, watch_report
from daybreak.report.writing import write_report
from daybreak.store import RunWriter, StudyRow


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    return searches(tmp_path_factory.mktemp("searched"), benchmarks=2, optimizers=3, seeds=3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return training(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def reports(searched, trained):
    return {"searched": make_report(searched), "trained": make_report(trained)}


def by_name(report):
    return {section.name: section for section in report.sections}


def absent(report):
    return {one.name: one.why for part in report.parts for one in part.absent}


def frame(section):
    data = section.body.data or flat(section.body.table)
    return pd.DataFrame(data.rows, columns=data.columns)


def test_chapters_are_the_questions_and_no_section_is_lost(reports):
    names = [topic.name for chapter in CHAPTERS for topic in chapter.topics]
    assert len(names) == len(set(names))
    for report in reports.values():
        assert [part.title for part in report.parts][1:5] == [
            "How long?", "How surely?", "Why faster?", "At what cost?",
        ]  # fmt: skip
        assert sorted([*by_name(report), *absent(report)]) == sorted(names)
        assert not [why for why in absent(report).values() if "could not be made" in why]


def test_what_has_no_data_is_left_out_with_a_reason(reports):
    assert "streamed a progress curve" in absent(reports["searched"])["learning-curves"]
    assert "whole space is known" in absent(reports["searched"])["score"]
    assert "one evaluation" in absent(reports["trained"])["best-so-far"]
    text = page(reports["trained"])
    (line,) = re.findall(r"<li><b>Best so far, by evaluations[^\n]*?</li>", text)
    assert "no study has more than one evaluation" in line
    assert 'id="best-so-far"' not in text


def test_sections_of_each_kind_of_run(reports):
    assert {"leaderboard", "best-so-far", "best-by-time", "time-to-target", "survival", "scatter",
            "time", "failures", "machine", "warnings"} <= {*by_name(reports["searched"])}  # fmt: skip
    assert {"learning-curves", "time-to-target", "thresholds", "survival", "clock-profile",
            "variation", "rank-stability", "generalisation", "factors", "rates", "spending",
            "failures"} <= {*by_name(reports["trained"])}  # fmt: skip


def test_every_figure_has_words_sql_and_data(reports, searched, trained):
    folders = {"searched": searched, "trained": trained}
    for kind, report in reports.items():
        for section in report.sections:
            assert len(section.body.caption) > 50, section.name
            if section.body.svg is not None:
                assert section.body.sql, section.name
                assert len(frame(section)) > 0, section.name
            for query in filter(str.strip, section.body.sql.split(";\n")):
                # the very text that is shown answers when it is asked
                daybreak.query(query, folders[kind])


def test_best_so_far_is_the_median_of_running_minima(reports, searched):
    found = frame(by_name(reports["searched"])["best-so-far"])
    trials = daybreak.query(
        "SELECT benchmark, optimizer, seed, number, objective FROM evaluations ORDER BY number",
        searched,
    )
    for (benchmark, label), own in trials.groupby(["benchmark", "optimizer"]):
        curves = own.pivot_table(index="number", columns="seed", values="objective", dropna=False)
        bests = np.fmin.accumulate(curves.to_numpy(), axis=0)
        middle = np.median(np.where(np.isnan(bests), np.inf, bests), axis=1)
        drawn = found[(found["benchmark"] == benchmark) & (found["label"] == label)]
        assert drawn["median"].to_numpy(dtype=float) == pytest.approx(
            np.where(np.isinf(middle), np.nan, middle), nan_ok=True
        )
        assert drawn["low"].to_numpy(dtype=float)[-1] == bests[-1].min()


def test_more_is_better_is_drawn_as_it_is(tmp_path):
    trials = [[0.2, 0.5, 0.4], [0.3, 0.3, 0.9], [0.1, 0.2, 0.3]]
    rows = {"objectives": [{"name": "accuracy", "unit": "1", "direction": "maximize"}]}
    found = frame(by_name(made(tmp_path, trials, rows))["best-so-far"])
    assert found["median"].tolist() == [0.2, 0.3, 0.5]
    assert found["low"].tolist() == [0.1, 0.2, 0.3]
    assert found["high"].tolist() == [0.3, 0.5, 0.9]


def test_a_study_without_success_counts_as_worse_than_any(tmp_path):
    found = frame(by_name(made(tmp_path, [[None, None], [None, 2.0], [1.0, 1.0]]))["best-so-far"])
    median, high = (found[name].to_numpy(dtype=float) for name in ("median", "high"))
    assert np.isnan(median[0])
    assert median[1] == 2.0
    assert np.isinf(high[1])  # one of the three has nothing yet


def test_a_run_of_failures_alone_draws_no_empty_figures(tmp_path):
    report = made(tmp_path, [[None, None]] * 3)
    absent = {one.name: one.why for part in report.parts for one in part.absent}
    assert absent["best-so-far"] == absent["best-by-time"] == "no study found anything valid"
    assert "failures" in by_name(report)


def made(folder, studies, benchmark=None, asked=None):
    """A run of one optimizer `a` on one benchmark, studies as lists of objectives."""
    objectives = {"objectives": [{"name": "time", "unit": "J", "direction": "minimize"}]}
    with RunWriter.create(folder, "r", suite_key="s", row={"suite": "s"}) as run:
        run.benchmark({"benchmark": "toy/b", "target": "toy", **(benchmark or objectives)})
        for seed, values in enumerate(studies):
            run.study(StudyRow(str(seed), str(seed), "toy/b", "toy", "a", "a", seed))
            for number, value in enumerate(values):
                bad = value is None
                outcome = Outcome(
                    TrialStatus.FAILED if bad else TrialStatus.OK,
                    FailureKind.CRASH if bad else None, objectives={"x": value},
                )  # fmt: skip
                run.trial(str(seed), Trial(number, {}, outcome, elapsed_s=number + 1.0))
            run.study_status(str(seed), "finished")
        run.finish("finished")
    return make_report(folder, asked)


def test_failures_are_shares_with_wilsons_interval(tmp_path):
    found = by_name(made(tmp_path, [[None] * 3 + [1.0] * 7]))["failures"].body.table.rows[0]
    share = found["share"]
    # scipy.stats.binomtest(3, 10).proportion_ci(method="wilson")
    assert (share.value, share.low, share.high) == pytest.approx((0.3, 0.1077913, 0.6032219), 1e-6)
    assert found["trials"] == "3 of 10"


def test_learning_curves_are_medians_of_joined_points(reports, trained):
    found = frame(by_name(reports["trained"])["learning-curves"])
    points = daybreak.query(
        "SELECT trial_id, train_s, value FROM curves WHERE metric = 'accuracy' "
        "AND benchmark = 'train/task-0' AND entry = 'entry-1' ORDER BY trial_id, seq",
        trained,
    )
    drawn = found[(found["benchmark"] == "train/task-0") & (found["entry"] == "entry-1")]
    for _, row in drawn.iloc[[0, 7, 20]].iterrows():
        values = [
            np.interp(row["moment"], own["train_s"], own["value"])
            for _, own in points.groupby("trial_id")
            if own["train_s"].max() >= row["moment"]
        ]
        assert row["curves"] == len(values)
        if len(values) >= 3:
            assert row["median"] == pytest.approx(np.median(values))


def test_times_to_target_are_those_of_the_curves(reports, trained):
    found = frame(by_name(reports["trained"])["time-to-target"]).set_index(["benchmark", "entry"])
    points = daybreak.query(
        "SELECT benchmark, entry, trial_id, min(train_s) FILTER (value >= 0.9) AS reached "
        "FROM curves WHERE metric = 'accuracy' GROUP BY ALL", trained,
    )  # fmt: skip
    for key, own in points.groupby(["benchmark", "entry"]):
        times = own["reached"].fillna(np.inf)
        assert found.loc[key, "runs"] == len(own)
        assert found.loc[key, "reached"] == np.isfinite(times).sum()
        assert found.loc[key, "median"] == pytest.approx(np.median(times))


def test_warnings_that_differ_in_numbers_and_names_are_one(tmp_path):
    with RunWriter.create(tmp_path, "r", suite_key="s", row={"suite": "s"}) as run:
        for name in "xyz":
            run.benchmark({"benchmark": f"toy/{name}", "target": "toy", "notes": ["Known: 7."]})
            run.study(StudyRow(name, name, f"toy/{name}", "toy", "a", "a", 0))
            run.readings({"warning": f"toy/{name}: clock fell by 1{len(name)}.5 %"})
        run.readings({"warning": "memory is short"})
        run.finish("finished")
    section = by_name(make_report(tmp_path))["warnings"]
    rows = section.body.table.rows
    assert {(row["of"], row["like it"]) for row in rows} == {
        ("the run", 2), ("the run", None), ("toy/x", 2),
    }  # fmt: skip
    assert len(rows) == 3
    assert len(frame(section)) == 4


def test_the_benchmarks_asked_for_alone(searched):
    report = make_report(searched, Asked(benchmark="*-1"))
    assert set(frame(by_name(report)["leaderboard"])["benchmark"]) == {"toy/space-1"}
    assert set(frame(by_name(report)["failures"])["benchmark"]) == {"toy/space-1"}
    with pytest.raises(UserError, match="has no benchmark 'toy/no'") as caught:
        make_report(searched, Asked(benchmark="toy/no"))
    assert "toy/space-0" in caught.value.expected


def test_many_benchmarks_and_labels_are_cut_and_said_so(tmp_path):
    report = make_report(searches(tmp_path, benchmarks=14, optimizers=15, seeds=1, evaluations=4))
    section = by_name(report)["best-so-far"]
    assert any("12 of 14 benchmarks" in note for note in section.body.notes)
    assert any("12 of 15 labels" in note for note in section.body.notes)
    assert frame(section)["benchmark"].nunique() == 12
    text = page(report)
    assert "12 of 14 benchmarks are drawn, the first by name" in text


def test_an_unfinished_empty_run_has_a_report(tmp_path):
    with RunWriter.create(tmp_path, "r", suite_key="s", row={"suite": "s"}):
        report = make_report(tmp_path)
    assert report.live
    assert "run" in by_name(report)
    assert "nothing was evaluated" in absent(report)["leaderboard"]
    with pytest.raises(UserError, match="nothing to draw"):
        write_report(tmp_path / "figures", report)


def test_a_fault_in_one_section_never_takes_the_others(searched, monkeypatch, caplog):
    def broken(_material):
        raise ZeroDivisionError("<b>oh</b>")

    def lacking(_material):
        raise Nothing("has nothing")

    chapters = (
        replace(
            CHAPTERS[0],
            topics=(Topic("x", "X", broken), Topic("y", "Y", lacking), *CHAPTERS[0].topics),
        ),
    )
    monkeypatch.setattr("daybreak.report.making.CHAPTERS", chapters)
    report = make_report(searched)
    assert "ZeroDivisionError" in absent(report)["x"]
    assert "section 'x'" in caplog.text
    assert absent(report)["y"] == "has nothing"
    assert "leaderboard" in by_name(report)
    assert "&lt;b&gt;oh" in page(report)


def test_the_page_is_replaced_in_one_step(tmp_path, reports, monkeypatch):
    out = tmp_path / "r.html"
    out.write_text("before")
    out.chmod(0o640)
    write_report(out, reports["trained"])
    assert out.stat().st_mode & 0o777 == 0o640
    assert out.read_text().startswith("<!doctype html>")

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    out.write_text("before")
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(UserError, match="No space left"):
        write_report(out, reports["trained"])
    assert out.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["r.html"]


def test_the_same_results_give_the_same_page(trained, reports):
    assert page(make_report(trained)) == page(reports["trained"])


def refreshed(out):
    return 'http-equiv="refresh"' in out.read_text()


def test_a_watched_run_is_written_at_every_change_until_it_ends(tmp_path):
    results, out = tmp_path / "results", tmp_path / "r.html"
    told, seen = [], []
    run = None

    def next_step(_seconds):
        nonlocal run
        step = len(seen)
        seen.append(out.exists() and (refreshed(out), ", 1 evaluation," in out.read_text()))
        if step == 0:
            run = RunWriter.create(results, "r", suite_key="s", row={"suite": "s"})
            run.benchmark({"benchmark": "toy/b", "target": "toy"})
            run.study(StudyRow("0", "0", "toy/b", "toy", "a", "a", 0))
        elif step == 2:  # nothing new in between
            run.trial("0", Trial(0, {}, Outcome(TrialStatus.OK, objectives={"t": 1.0})))
        elif step == 3:
            run.study_status("0", "finished")
            run.finish("finished")
            run.close()
        assert step < 4

    report = watch_report(results, out, Asked(run="r"), told=told.append, sleep=next_step)
    assert seen == [False, (True, False), (True, False), (True, True)]
    assert not refreshed(out)
    assert not report.live
    assert [words.partition(":")[0] for words in told] == [
        "there is no such run yet", "written", "written", "written",
    ]  # fmt: skip


def test_ctrl_c_leaves_a_page_that_is_not_read_again(tmp_path, searched):
    out = tmp_path / "r.html"

    def interrupted(_seconds):
        assert refreshed(out)
        raise KeyboardInterrupt

    assert watch_report(searched, out, sleep=interrupted).summary.startswith("run many")
    assert not refreshed(out)
    with pytest.raises(UserError, match="only a page"):
        watch_report(searched, tmp_path / "folder")


def test_an_unclear_run_is_no_reason_to_wait(tmp_path):
    for run_id in ("r1", "r2"):
        with RunWriter.create(tmp_path, run_id, suite_key="s", row={"suite": "s"}) as run:
            run.finish("finished")
    with pytest.raises(StoreError, match="beginning of"):
        watch_report(tmp_path, tmp_path / "r.html", Asked(run="r"))


def test_a_reader_never_sees_half_a_page(tmp_path, reports):
    out = tmp_path / "r.html"
    write_report(out, reports["trained"])
    done, torn = threading.Event(), []

    def read():
        while not done.is_set():
            if not out.read_text("utf-8").endswith("</html>\n"):
                torn.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        write_report(out, reports["trained"])
    done.set()
    reader.join()
    assert not torn


def test_changes_are_seen_by_names_sizes_and_times(tmp_path):
    assert list(changes(tmp_path / "nothing")) == []
    with RunWriter.create(tmp_path, "r", suite_key="s", row={"suite": "s"}) as run:
        before = list(changes(tmp_path))
        assert [name for name, _, _ in before if name.endswith(".jsonl")]
        assert list(changes(tmp_path)) == before
        run.readings({"load": 1.0})
        assert list(changes(tmp_path)) != before


def test_topics_say_what_they_are(searched):
    from daybreak.analysis.answers.shape import Evidence

    with Evidence(searched, Asked()) as evidence:
        material = Material(evidence)
        topic = CHAPTERS[0].topics[0]
        assert isinstance(sections.make(topic, material), Section)
        gone = Topic("x", "X", lambda _material: (_ for _ in ()).throw(Nothing("no")))
        assert sections.make(gone, material) == Absent("x", "X", "no")
        quoted = material.written("SELECT {word} WHERE {run} AND x = {n}", word="it's", n=3)
        assert quoted == "SELECT 'it''s' WHERE run_id = 'many' AND x = 3"

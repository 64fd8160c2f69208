"""`daybreak analyze`, `compare --at`, `report` and what `show` says, as a user types them."""

from __future__ import annotations

import json
import re

import pytest
from scored_results import landscape_row, scored_study, shootout
from small_results import FAILED, Results
from typer.testing import CliRunner

from daybreak.analysis.answers import GROUPS, QUESTIONS
from daybreak.analysis.pairing import compare
from daybreak.cli.app import app
from daybreak.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shootout(
        tmp_path_factory.mktemp("shootout"), {"baco": 8, "baco-paper": 3, "random": 0.9},
        benchmarks=2, seeds=8, budget=25, size=300,
    )  # fmt: skip


@pytest.fixture
def results(folder, monkeypatch):
    monkeypatch.setenv("DAYBREAK_RESULTS", str(folder))
    monkeypatch.setenv("COLUMNS", "120")
    return folder


def call(*arguments):
    found = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found


def test_the_analyses_are_listed(results):
    rows = json.loads(call("analyze", "--json").stdout)
    assert [row["name"] for row in rows] == [*QUESTIONS, *GROUPS]


def test_every_analysis_answers_and_shootout_asks_all(results):
    asked = json.loads(call("analyze", "shootout", "--at", "10,25", "--json").stdout)
    known = [name for name, question in QUESTIONS.items() if question.group == "shootout"]
    # one objective has no front
    assert [one["name"] for one in asked] == [name for name in known if name != "hypervolume"]
    for one in asked:
        assert one["rows"], one["name"]
        assert set().union(*one["rows"]) <= set(one["columns"]), one["name"]


def test_the_sql_behind_an_answer_runs(results):
    for one in json.loads(call("analyze", "shootout", "--json").stdout):
        if one["sql"]:
            assert json.loads(call("sql", one["sql"], "--json").stdout), one["name"]


def test_the_score_of_sql_is_that_of_the_table(results):
    (one,) = json.loads(call("analyze", "score", "--at", "25", "--json").stdout)
    told = {row["optimizer"]: row["at 25"]["value"] for row in one["rows"]}
    asked = {
        r["optimizer"]: r["score"] for r in json.loads(call("sql", one["sql"], "--json").stdout)
    }
    assert told == pytest.approx(asked)
    assert list(told) == ["baco", "baco-paper", "random"]
    assert "from 2 benchmarks only" in " ".join(one["notes"])


def test_a_narrow_terminal_cuts_no_number_off(results, monkeypatch):
    wide = call("analyze", "score").stdout
    monkeypatch.setenv("COLUMNS", "30")
    narrow = call("analyze", "score").stdout
    for word in re.findall(r"-?\d+\.\d+", wide):
        assert word in narrow


def test_a_page_is_brought_up_to_date_between_its_marks(results, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\n<!-- begin: analyze score --at 25 -->\nold\n<!-- end -->\nmiddle\n"
        "<!-- begin: analyze speedup --at 20 --against random -->\n<!-- end -->\nend\n"
    )
    call("analyze", "--update", str(page))
    text = page.read_text()
    assert text.startswith("# Title\n\n<!-- begin: analyze score --at 25 -->\n\n| optimizer |")
    assert "old" not in text
    assert "<!-- end -->\nmiddle\n" in text
    assert text.endswith("<!-- end -->\nend\n")
    call("analyze", "--update", str(page))
    assert page.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analyze", "scores"], "did you mean: score"),
        (["analyze", "score", "--at", "2,x"], "numbers such as 20,60,200"),
        (["analyze", "score", "--at", "0"], "0 is no number of evaluations"),
        (["analyze", "score", "--clock", "second"], "did you mean: seconds"),
        (["analyze", "speedup", "--against", "bacco"], "did you mean: baco"),
        (["analyze", "speedup", "--at", "90"], "no study of run 'r1' has 90 evaluations"),
        (["analyze", "time-to-target", "--target", "gap-0.91"], "did you mean: gap-0.9"),
        (["analyze", "score", "--benchmark", "toy/spice-0"], "did you mean: toy/space-0"),
        (["analyze", "score", "--run", "optimizer"], "did you mean: optimizers"),
        (["analyze", "--update", "/proc/none.md"], "cannot be read"),
        (["compare", "baco", "random", "--metric", "scores"], "did you mean: score"),
        (["compare", "baco", "random", "--metric", "evaluations-to-target", "--target", "gap"],
         "no study has a target 'gap'"),
        (["compare", "baco", "random", "--metric", "evaluations-to-target", "--at", "3"],
         "leave --at out"),
    ],
)  # fmt: skip
def test_mistakes_are_explained(results, arguments, message):
    with pytest.raises(UserError, match=message):
        call(*arguments)


def test_marks_that_cannot_be_read_are_placed(results, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("one\n<!-- begin: analyze score --what 3 -->\n<!-- end -->\n")
    with pytest.raises(UserError, match=r"page\.md:2: the mark"):
        call("analyze", "--update", str(page))
    page.write_text("nothing\n")
    with pytest.raises(UserError, match="has no place for a table"):
        call("analyze", "--update", str(page))


def test_show_ends_with_the_mean_scores_where_landscapes_are_known(results):
    said = call("show")
    assert "Mean score: optimizers" in said.stdout
    assert said.stdout.index("toy/space-1") < said.stdout.index("Mean score")
    assert "daybreak analyze shootout" in said.stderr
    shown = json.loads(call("show", "--json").stdout)
    assert shown["scores"]["rows"][0]["optimizer"] == "baco"


def test_show_has_no_scores_elsewhere(tmp_path):
    run = Results(tmp_path).benchmark()
    run.study([3.0])
    run.study([2.0], optimizer="grid")
    run.done()
    shown = json.loads(call("show", "--json", "--results", str(tmp_path)).stdout)
    assert shown["scores"] is None
    assert "Mean score" not in call("show", "--results", str(tmp_path)).stdout
    with pytest.raises(UserError, match="has a known landscape"):
        call("analyze", "score", "--results", str(tmp_path))
    # what needs no landscape is answered all the same
    asked = json.loads(call("analyze", "shootout", "--json", "--results", str(tmp_path)).stdout)
    assert "ranks" in [one["name"] for one in asked]


def test_report_writes_a_page_and_figures(results, tmp_path):
    pytest.importorskip("matplotlib")
    call("report", "--out", str(tmp_path / "r.html"))
    text = (tmp_path / "r.html").read_text()
    for name in (
        "score",
        "score-by-time",
        "ranks",
        "ecdf",
        "profile",
        "suggestion-time",
        "beliefs",
    ):
        assert f'<section id="{name}">' in text
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- begin: figure score -->\n<!-- end -->\n<!-- begin: analyze ecdf -->\n<!-- end -->\n"
    )
    call("report", "--out", str(tmp_path / "figures"), "--update", str(page))
    assert "![Mean score over the budget](figures/score.svg)" in page.read_text()
    assert (tmp_path / "figures" / "score.svg").exists()
    assert "| optimizer | at 20 |" in page.read_text()
    before = page.read_text()
    call("analyze", "--update", str(page))
    assert page.read_text() == before
    with pytest.raises(UserError, match="needs its figures as files"):
        call("report", "--update", str(page))
    with pytest.raises(UserError, match="nothing is recorded of what a model believed"):
        call("report", "--study", "r1/none", "--out", str(tmp_path / "x.html"))


def test_compare_over_benchmarks_makes_two_statements(tmp_path):
    """By hand: A is twice as good as B on six benchmarks, with one pair on each but the first."""
    run = Results(tmp_path)
    for b in range(6):
        name = f"toy/{b}"
        run.benchmark(name)
        for seed in range(7 if b == 0 else 1):
            for label, best in (("a", 1.0 + b), ("b", 2.0 + 2 * b)):
                scored_study(run, [9.0 * best, best], optimizer=label, benchmark=name, seed=seed)
    run.done()
    *each, both = compare("a", "b", tmp_path)
    assert (len(each), both.comparison.pairs) == (6, 12)
    assert both.comparison.ratio == pytest.approx(2.0)
    assert both.elsewhere is not None
    assert (both.elsewhere.pairs, both.elsewhere.verdict) == (6, "a")
    assert both.elsewhere.p == pytest.approx(2 / 64)
    assert each[0].comparison.verdict == "a"
    assert each[1].comparison.verdict == "refused"
    # after the first evaluation each had nine times as much
    assert compare("a", "b", tmp_path, at=1)[-1].comparison.ratio == pytest.approx(2.0)
    lines = call("compare", "a", "b", "--results", str(tmp_path)).stdout.splitlines()
    assert lines[-2].startswith("  on these benchmarks: ratio 2")
    assert lines[-1].startswith("  on other benchmarks: ratio 2")


def test_compare_by_score_and_by_evaluations_to_a_target(tmp_path):
    run = Results(tmp_path).benchmark()
    run.writer.landscape(landscape_row("toy/b", [1.0, 2.0, 4.0, 9.0], 1))
    for seed in range(6):
        scored_study(run, [9.0, 1.0, 9.0], optimizer="a", benchmark="toy/b", seed=seed)
        scored_study(run, [9.0, FAILED, 2.0], optimizer="b", benchmark="toy/b", seed=seed)
    scored_study(run, [1.0], optimizer="a", benchmark="toy/b", seed=7, budget=3)  # too short
    scored_study(run, [1.0, 1.0, 1.0], optimizer="b", benchmark="toy/b", seed=7)
    run.done()
    (found,) = compare("a", "b", tmp_path, metric="score", at=3)
    # random search expects 1.6 after three, see test_analysis_scores
    assert found.comparison.difference == pytest.approx((1.6 - 1) / 0.6 - (1.6 - 2) / 0.6)
    assert (found.comparison.pairs, found.comparison.verdict) == (6, "a")
    (found,) = compare("a", "b", tmp_path, at=3)
    assert (found.comparison.pairs, found.comparison.ratio) == (6, pytest.approx(2.0))
    # the optimum: a at its second evaluation, b not in three; the seventh pair is one against one
    (found,) = compare("a", "b", tmp_path, metric="evaluations-to-target", target="gap-1.0")
    assert found.missing_b == 6
    assert found.comparison.ratio == pytest.approx(1.5 ** (6 / 7))

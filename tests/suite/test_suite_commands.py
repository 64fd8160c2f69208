from __future__ import annotations

import json

import pytest
from suite_fakes import fake_registry
from test_suite_messages import GOOD
from test_suite_plan import MIXED, recorded
from typer.testing import CliRunner

import daybreak.plugin
from daybreak.cli import plan, suites

runner = CliRunner()


@pytest.fixture
def app(monkeypatch, tmp_path):
    import typer

    made = typer.Typer()
    suites.register(made)
    plan.register(made)
    monkeypatch.setattr(daybreak.plugin, "load_plugins", lambda **_: fake_registry())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(GOOD.replace("- random", "- randon").replace("64", "wide"))
    (tmp_path / "worse.yaml").write_text(GOOD.replace("seeds: 3", "sedes: 3"))
    return made


def test_list_names_the_shipped_suites(app):
    found = json.loads(runner.invoke(app, ["suites", "list", "--json"]).stdout)
    assert {"quickstart", "smoke", "taco"} <= {row["suite"] for row in found}
    assert all(row["description"] for row in found)
    assert "quickstart" in runner.invoke(app, ["suites", "list"]).stdout


def test_show_prints_the_text_as_it_is(app):
    assert runner.invoke(app, ["suites", "show", "good.yaml"]).stdout == GOOD
    found = json.loads(runner.invoke(app, ["suites", "show", "good.yaml", "--json"]).stdout)
    assert found["seeds"] == [0, 1, 2]
    assert found["benchmarks"][0]["protocol"]["timeout"] == 10.0


def test_check_says_every_fault_of_every_file(app):
    result = runner.invoke(app, ["suites", "check", "good.yaml", "bad.yaml", "worse.yaml"])
    assert result.exit_code == 2
    assert result.stdout == "good.yaml: ok (6 studies)\n"
    assert [line.split(" ")[1] for line in result.stderr.splitlines() if "error" in line] == [
        "bad.yaml:4:34:",
        "bad.yaml:6:5:",
        "worse.yaml:8:1:",
    ]


def test_check_for_machines(app):
    result = runner.invoke(app, ["suites", "check", "bad.yaml", "nosuch.yaml", "--json"])
    assert result.exit_code == 2
    bad, missing = json.loads(result.stdout)
    assert [(fault["line"], fault["column"]) for fault in bad["faults"]] == [(4, 34), (6, 5)]
    assert bad["faults"][1]["nearest"] == "random"
    assert missing["faults"][0]["message"] == "no such file"


def test_check_without_looking_at_components(app):
    result = runner.invoke(app, ["suites", "check", "--syntax-only", "bad.yaml"])
    assert (result.exit_code, result.stdout) == (0, "bad.yaml: ok\n")


def test_schema_goes_to_a_file_or_to_standard_output(app, tmp_path):
    schema = json.loads(runner.invoke(app, ["suites", "schema"]).stdout)
    assert schema["title"] == "Daybreak suite"
    assert "random" in json.dumps(schema)
    assert runner.invoke(app, ["suites", "schema", "--plain", "--out", "s.json"]).exit_code == 0
    assert "numeric" not in (tmp_path / "s.json").read_text()


def test_plan_shows_studies_totals_references_and_what_is_missing(app):
    result = runner.invoke(app, ["plan", "good.yaml"])
    assert result.exit_code == 0
    assert "6 studies on 1 benchmark, 120 evaluations at most" in result.stdout
    # 20 trials and 2 references thrice, 3 phases of 10 s, 6 studies
    assert "time: at most 1 h 18 min *" in result.stdout
    assert "worst case" in result.stdout
    assert "fake/spmm:airfoil-k64: expert, default (outside the space)" in result.stdout
    assert "missing: target 'fake' needs compiler: not on PATH" in result.stderr
    assert "remedy: apt install gcc" in result.stderr


def test_plan_bounded_by_seconds(app, tmp_path):
    (tmp_path / "timed.yaml").write_text(GOOD.replace("{evaluations: 20}", "{seconds: 2min}"))
    result = runner.invoke(app, ["plan", "timed.yaml"])
    assert "time: at most 12 min, one study after another" in result.stdout
    assert "worst case" not in result.stdout


def test_plan_on_a_simulated_clock(app, tmp_path, monkeypatch):
    monkeypatch.setattr(daybreak.plugin, "load_plugins", lambda **_: recorded())
    (tmp_path / "mixed.yaml").write_text(MIXED)
    text = runner.invoke(app, ["plan", "mixed.yaml"]).stdout
    assert "time: at most 7 min *, one study after another" in text
    assert "besides, 4 studies on a simulated clock, where only optimizers take time" in text
    assert text.count(" simulated ") >= 2
    alone = runner.invoke(app, ["plan", "mixed.yaml", "--only", "table"]).stdout
    assert "time: unknown; the clock is simulated" in alone
    assert "besides" not in alone
    assert "at most 7 min" not in alone
    assert "worst case" not in alone
    found = json.loads(runner.invoke(app, ["plan", "mixed.yaml", "--json"]).stdout)
    assert (found["at_most_s"], found["simulated_studies"]) == (420, 4)
    assert {row["benchmark"]: (row["at_most_s"], row["simulated"]) for row in found["groups"]} == {
        "table/spmm": (None, True),
        "table/spmv": (None, True),
        "fake/spmm:airfoil-k64": (420, False),
    }


def test_plan_for_machines(app):
    result = runner.invoke(app, ["plan", "good.yaml", "--json", "--only", "baco"])
    found = json.loads(result.stdout)
    assert found["studies"] == 3
    (group,) = found["groups"]
    assert (group["optimizer"], group["seeds"]) == ("baco", [0, 1, 2])
    assert group["bounded_by_budget"] is False
    assert group["at_most_s"] == 3 * 3 * 10 * (20 + 3 * 2)
    assert found["missing"][0]["remedy"] == "apt install gcc"
    assert found["references"] == {"fake/spmm:airfoil-k64": ["expert", "default"]}

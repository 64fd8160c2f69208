"""`daybreak import` and `daybreak export` as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daybreak.cli import main
from daybreak.testing import write_distribution

PARTS = Path(__file__).parents[1] / "run"

PLUGIN = """
from exchange_parts import EXPORTER, IMPORTER

from daybreak import hookimpl


@hookimpl
def daybreak_register_importers():
    return [IMPORTER]


@hookimpl
def daybreak_register_exporters():
    return [EXPORTER]
"""


@pytest.fixture
def daybreak(tmp_path, monkeypatch, capsys):
    site = write_distribution(
        tmp_path / "site",
        "daybreak-ledger",
        plugins={"ledger": "ledger_plugin"},
        modules={"ledger_plugin.py": PLUGIN},
    )
    for folder in (site, PARTS):
        monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("DAYBREAK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "winter.txt").write_text("4 8 1.5\n1 2 5.0\n2 2 0\n")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["daybreak", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def test_the_suite_to_run_next_is_all_that_is_on_standard_output(daybreak, tmp_path):
    code, out, err = daybreak("import", "ledger", "winter.txt", "--name", "cold")
    assert code == 0
    assert out.startswith("suite: 1\n")
    assert "ledger/cold" in out
    assert "winter.txt: 2 of 3 rows kept; left out: 1 without a time\n" in err
    assert f"put in {tmp_path / 'data/ledgers/cold.txt'}" in err
    assert "note: times are taken as ms" in err


def test_the_suite_can_be_written_and_the_report_be_json(daybreak, tmp_path):
    code, out, _ = daybreak(
        "import", "ledger", "winter.txt", "-o", "unit=s", "--suite", "mine.yaml", "--json"
    )
    report = json.loads(out)
    assert code == 0
    assert (tmp_path / "mine.yaml").read_text() == report["suite"]
    assert report["suite_file"] == "mine.yaml"
    assert report["kept"] == 2
    assert report["left_out"] == {"without a time": 1, "torn": 0}
    assert report["benchmarks"] == ["ledger/winter"]
    assert report["run_id"] is None


def test_studies_go_into_the_results_and_out_again(daybreak, tmp_path):
    code, _, err = daybreak("import", "ledger", "winter.txt", "-o", "into=results")
    assert code == 0
    assert "recorded as run import-ledger-" in err
    _, _, again = daybreak("import", "ledger", "winter.txt", "-o", "into=results")
    assert "recorded before as run import-ledger-" in again
    code, out, _ = daybreak("export", "ledger", "--optimizer", "clerk", "--out", "o.txt", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["trials"] == 2
    assert report["files"] == ["o.txt"]
    assert (tmp_path / "o.txt").read_text() == "4 8 1.5\n1 2 5.0\n"
    code, out, err = daybreak("export", "ledger", "--seed", "7")
    assert (code, out) == (0, "")
    assert err == "2 trials of 1 study of ledger/winter written to ledger-winter.txt\n"


@pytest.mark.parametrize("command", ["import", "export"])
def test_formats_are_listed_with_their_options(daybreak, command):
    code, out, _ = daybreak(command, "--list")
    assert code == 0
    assert "clerk's ledger" in out
    code, out, _ = daybreak(command, "--list", "--json")
    row = next(row for row in json.loads(out) if row["name"] == "ledger")
    assert row["summary"].endswith("a clerk's ledger")
    code, out, _ = daybreak(command, "ledger", "--list")
    (line,) = [line for line in out.splitlines() if line.split()[:1] == ["most"]]
    assert line.split() == ["most", "1000", "rows", "to", "read"]
    code, out, _ = daybreak(command, "ledger", "--list", "--json")
    assert [row["option"] for row in json.loads(out)] == ["unit", "most", "into"]
    assert daybreak(command)[0] == 0  # without a format it lists them too


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import", "leger", "winter.txt"], "did you mean: ledger"),
        (["import", "ledger"], "no file is named"),
        (["import", "ledger", "summer.txt"], "no such file"),
        (["import", "ledger", "winter.txt", "--suite", "no/mine.yaml"], "cannot be written"),
        (["import", "ledger", "winter.txt", "-o", "unit=h"], "one of 'ms' or 's'"),
        (["export", "leger"], "did you mean: ledger"),
        (["export", "ledger"], "there are no results here"),
    ],
)
def test_faults_of_the_user_end_with_two(daybreak, words, message):
    code, out, err = daybreak(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_completion_knows_the_formats(daybreak):
    from daybreak.cli.completion import complete_exporters, complete_importers

    assert "ledger" in complete_importers("l")
    assert "ledger" in complete_exporters("")
    assert complete_importers("zz") == []


def test_plugins_show_importers_and_exporters(daybreak):
    _, out, _ = daybreak("plugins", "show", "ledger", "--json")
    kinds = {component["kind"]: component["name"] for component in json.loads(out)["components"]}
    assert kinds == {"importer": "ledger", "exporter": "ledger"}

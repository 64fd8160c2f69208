"""`daybreak space count|sample|check` on files, and on a benchmark of a target."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from typer.testing import CliRunner

from daybreak.cli.space import register
from daybreak.errors import UserError
from daybreak.space import Ordinal, Space

SPACES = Path(__file__).parent.parent / "data" / "spaces"
KMEANS = str(SPACES / "rise_kmeans_gpu.yaml")
HARRIS = str(SPACES / "rise_harris_gpu.yaml")
HUB = str(SPACES / "kernel_tuner_hub.yaml")


def call(*arguments: str) -> Any:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["space", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_count() -> None:
    result = call("count", KMEANS)
    assert result.exit_code == 0
    assert result.stdout == "3641\n"
    assert "gs0, gs1, ls0, ls1: 3,641" in result.stderr


def test_count_as_json() -> None:
    summary = json.loads(
        call("count", HUB, "--dataset", "convolution_milo_A100_T4", "--json").stdout
    )
    assert summary["feasible"] == 4362
    assert summary["size"] == 10240
    assert summary["published"]["configurations"] == 4362


def test_sample() -> None:
    lines = call("sample", KMEANS, "-n", "5", "--seed", "1", "--method", "path").stdout.splitlines()
    assert len(lines) == 5
    assert call(
        "sample", KMEANS, "-n", "5", "--seed", "1", "--method", "path"
    ).stdout.splitlines() == (lines)
    assert set(json.loads(lines[0])) == {"gs0", "gs1", "ls0", "ls1"}
    assert len(json.loads(call("sample", KMEANS, "--json", "--unique").stdout)) == 10


def test_check_a_space() -> None:
    text = call("check", HARRIS).stdout
    assert "feasible: 10,482,439" in text
    assert "reference expert: feasible" in text
    assert "reference default: not feasible\n  - `(tileX+4) % vec ==  0` does not hold" in text
    summary = json.loads(call("check", HARRIS, "--json").stdout)
    assert summary["references"]["expert"]["violations"] == []
    assert len(summary["parameters"]) == 7


def test_check_a_configuration(tmp_path: Path) -> None:
    good = {"gs0": 4, "gs1": 4, "ls0": 2, "ls1": 4}
    assert call("check", KMEANS, json.dumps(good)).stdout == "feasible\n"
    file = tmp_path / "c.json"
    file.write_text(json.dumps(good))
    assert json.loads(call("check", KMEANS, f"@{file}", "--json").stdout) == {"feasible": True}
    with pytest.raises(UserError, match=r"gs0 % ls0 == 0"):
        call("check", KMEANS, json.dumps({**good, "ls0": 8}))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", KMEANS, "{"], "not JSON"),
        (["check", KMEANS, "[1]"], "not a JSON object"),
        (["check", KMEANS, "@missing.json"], "cannot be read"),
        (["count", "missing.yaml"], "cannot be read"),
        (["count", "nonsense"], "neither a file nor a benchmark"),
        (["count", KMEANS, "--option", "a=1"], "--option is for benchmarks"),
        (["count", "fake/one", "--dataset", "x"], "--dataset is for files"),
        (["count", "fake/one", "--option", "a"], "not of the form KEY=VALUE"),
        (["count", "fake/one", "--option", "a=["], "no YAML value"),
        (["count", "fake/one", "--option", "tpo=4"], "unknown option 'tpo'"),
        (["count", "fake/two"], "has no benchmark 'two'"),
        (["sample", KMEANS, "--method", "pth"], "unknown sampling method"),
    ],
)
def test_faults(arguments: list[str], message: str, fake_target: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=message):
        call(*arguments)


@pytest.fixture
def fake_target(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A registry with one target `fake`, whose benchmark's space depends on an option."""
    seen: dict[str, Any] = {}

    def define(name: str, options: dict[str, Any]) -> Any:
        seen.update(options, name=name)
        reference = SimpleNamespace(name="expert", configuration={"a": 2}, in_space=True)
        outside = SimpleNamespace(name="plain", configuration={}, in_space=False)
        space = Space([Ordinal("a", range(1, options["top"] + 1))], ["a % 2 == 0"])
        return SimpleNamespace(space=space, references=(reference, outside), notes=("A note.",))

    class Options(BaseModel, extra="forbid"):
        top: int = 4

    component = SimpleNamespace(
        validate=lambda options, benchmark=None: Options(**options).model_dump(),
        options_schema=lambda benchmark=None: Options.model_json_schema(),
        create=lambda: SimpleNamespace(
            define=define, benchmarks=lambda: [SimpleNamespace(name="one")]
        ),
    )

    def get(kind: str, name: str) -> Any:
        assert (kind, name) == ("target", "fake")
        return component

    monkeypatch.setattr("daybreak.plugin.load_plugins", lambda: SimpleNamespace(get=get))
    return seen


def test_a_benchmark(fake_target: dict[str, Any]) -> None:
    assert call("count", "fake/one").stdout == "2\n"
    assert fake_target == {"top": 4, "name": "one"}
    assert call("count", "fake/one", "-o", "top=10").stdout == "5\n"
    summary = json.loads(call("check", "fake/one", "--json").stdout)
    assert summary["name"] == "fake/one"
    assert list(summary["references"]) == ["expert"]
    assert summary["notes"] == ["A note."]


def test_a_user_fault_ends_in_one_message_and_exit_code_2() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "daybreak", "space", "check", KMEANS, '{"gs0": 1}'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: the configuration is not in the search space")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", ["count", "sample", "check"])
def test_help_has_an_example(command: str) -> None:
    assert f"Example: daybreak space {command}" in " ".join(call(command, "--help").stdout.split())


def test_fewer_than_asked_for_is_said(fake_target: dict[str, Any]) -> None:
    result = call("sample", "fake/one", "-n", "5", "--unique")
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr == "there are only 2 feasible configurations\n"


def test_a_typo_in_a_constraint_has_its_line_and_the_column_within(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(
        "parameters:\n  - {name: tile, type: ordinal, values: [1, 2]}\n"
        "constraints:\n  - tile < 2\n  - 1 < tiel\n"
    )
    with pytest.raises(UserError) as caught:
        call("check", str(file))
    assert str(caught.value).startswith(f"{file}:5: constraint `1 < tiel`: column 5: ")
    assert caught.value.nearest == "tile"

"""`daybreak machine` as typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daybreak.cli.app import app
from daybreak.measure.roofline import Ceiling, Roofline


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["machine", *arguments])


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Measuring costs nothing and gives two ceilings; how it was asked for is kept."""
    asked: list[dict[str, Any]] = []

    def fake(results: Path, **more: Any) -> Any:
        def measure(**how: Any) -> Roofline:
            asked.append(how)
            return Roofline(
                (
                    Ceiling("memory", "bandwidth", "B/s", 2, 2e10, 1.9e10, 2.1e10, (2e10,) * 7),
                    Ceiling("gemm_f32", "compute", "flop/s", 1, 8e10, 7e10, 9e10, (8e10,) * 7),
                ),
                ("it was warm",),
            )

        return real(results, measure=measure, **more)

    from daybreak.run import rooflines

    real = rooflines.measure_machine
    monkeypatch.setattr(rooflines, "measure_machine", fake)
    return asked


def test_measuring_records_and_shows(tmp_path: Path, measured: list[dict[str, Any]]) -> None:
    results = str(tmp_path / "results")
    done = typed("measure", "--results", results, "--repeats", "7", "--triad", "numpy")
    assert done.exit_code == 0
    assert (measured[0]["repeats"], measured[0]["triad"]) == (7, "numpy")
    lines = done.stdout.splitlines()
    memory = next(line for line in lines if "memory" in line)
    assert "20 GB/s" in memory
    assert "19 to 21" in memory
    assert "80 Gflop/s" in next(line for line in lines if "gemm_f32" in line)
    assert "warning: it was warm" in done.stderr
    assert "recorded as" in done.stderr

    shown = typed("show", "--results", results, "--json")
    said = json.loads(shown.stdout)
    assert [(c["ceiling"], c["threads"], c["value"]) for c in said["ceilings"]] == [
        ("memory", 2, 2e10),
        ("gemm_f32", 1, 8e10),
    ]
    assert said["identity"]["threads"] >= 1
    assert "20 GB/s" in typed("show", "--results", results).stdout


def test_measuring_for_a_program(tmp_path: Path, measured: list[dict[str, Any]]) -> None:
    done = typed("measure", "--results", str(tmp_path / "results"), "--json")
    said = json.loads(done.stdout)
    assert [one["name"] for one in said["ceilings"]] == ["memory", "gemm_f32"]
    assert said["run_id"]


def test_a_machine_that_was_not_measured_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBREAK_POWERCAP", str(tmp_path / "nothing"))
    shown = typed("show", "--results", str(tmp_path / "none"))
    assert shown.exit_code == 0
    assert "daybreak machine measure" in shown.stderr
    assert "there is no" in shown.stdout
    said = json.loads(typed("show", "--results", str(tmp_path / "none"), "--json").stdout)
    assert said["ceilings"] == []
    assert said["energy_counters"] == []
    assert "rapl" in said["energy_counters_missing"]


def test_energy_counters_in_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from daybreak.cli.diagnosis import _energy

    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    for name, text in (
        ("name", "package-0"),
        ("energy_uj", "5000000"),
        ("max_energy_range_uj", "9"),
    ):
        (zone / name).write_text(text)
    monkeypatch.setenv("DAYBREAK_POWERCAP", str(tmp_path))
    monkeypatch.setattr("daybreak.measure.counters.has_nvidia_driver", lambda: False)
    assert [(item.name, item.met, item.detail) for item in _energy()] == [
        ("rapl:package-0", True, "5 J")
    ]
    monkeypatch.setenv("DAYBREAK_POWERCAP", str(tmp_path / "nothing"))
    (item,) = _energy()
    assert (item.met, item.needed) == (False, False)
    assert "there is no" in item.detail

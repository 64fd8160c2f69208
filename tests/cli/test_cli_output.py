"""What the command line itself says: its version, a full disk behind a redirect, Ctrl-C early."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import daybreak
from daybreak.cli import main


def call(*arguments: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daybreak", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )


def test_version() -> None:
    assert call("--version").stdout == f"daybreak {daybreak.__version__}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [("suites", "list"), ("suites", "list", "--json")])
def test_output_that_cannot_be_written_is_told_in_one_line(arguments: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        result = call(*arguments, stdout=full)
    finally:
        os.close(full)
    assert result.returncode == 2
    assert result.stderr.startswith("error: the output cannot be written: No space left")
    assert len(result.stderr.splitlines()) == 1


def test_interruption_while_commands_are_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("daybreak.cli._run", interrupted)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_public_names_only() -> None:
    assert [name for name in dir(daybreak) if not name.startswith("__")] == sorted(
        name for name in daybreak.__all__ if not name.startswith("__")
    )

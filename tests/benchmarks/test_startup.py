"""How long the command line takes to answer, beside what its libraries cost by themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import typer": ["-c", "import typer"],
    "import daybreak": ["-c", "import daybreak"],
    "daybreak --help": ["-m", "daybreak", "--help"],
    "daybreak plugins list": ["-m", "daybreak", "plugins", "list"],
}


@pytest.mark.benchmark(group="start-up")
@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_startup(benchmark: BenchmarkFixture, command: str) -> None:
    def run() -> int:
        words = [sys.executable, *COMMANDS[command]]
        return subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode

    assert benchmark.pedantic(run, rounds=10, warmup_rounds=2) == 0

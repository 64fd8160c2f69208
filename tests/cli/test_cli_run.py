"""`daybreak run` as typed: exit codes, events, interruption, and what is said at the end."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from daybreak.testing import write_distribution

FAKES = Path(__file__).parents[1] / "run"

PLUGIN = """
from run_fakes import registry

from daybreak import OptimizerSpec, UserError, hookimpl

_known = registry()


def refuses(benchmark, options):
    raise UserError(f"{benchmark.name} is too deep", expected="a plate")


def crashes(benchmark, options):
    raise ZeroDivisionError("no rank")


def _choosy(name, **spec):
    return OptimizerSpec(name=name, factory="run_fakes:Descent", summary="x", **spec)


@hookimpl
def daybreak_register_targets():
    return [c.spec for c in _known.components("target").values()]


@hookimpl
def daybreak_register_optimizers():
    names = {"random", "references"}
    return [
        *(c.spec for n, c in _known.components("optimizer").items() if n not in names),
        _choosy("choosy", accepts="fake_plugin:refuses"),
        _choosy("muddled", accepts="fake_plugin:crashes"),
        _choosy("lacking", requires=("no-such-ladle>=2",), extra="ladle"),
    ]
"""

SUITE = """\
suite: 1
name: typed
benchmarks:
  - fake/bowl: {{delay: {delay}}}
optimizers: [{optimizers}]
seeds: {seeds}
budget: {{evaluations: 6}}
targets: {{expert: 1.0}}
protocol: {{repeats: 1, warmup: 0}}
"""

Daybreak = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    site = write_distribution(
        tmp_path / "site",
        "daybreak-fakes",
        plugins={"fakes": "fake_plugin"},
        modules={"fake_plugin.py": PLUGIN},
    )
    return {**os.environ, "PYTHONPATH": f"{site}:{FAKES}", "NO_COLOR": "1"}


@pytest.fixture
def daybreak(tmp_path: Path, environment: dict[str, str]) -> Daybreak:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "daybreak", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


def _suite(tmp_path: Path, optimizers: str = "random", delay: float = 0, seeds: int = 2) -> str:
    path = tmp_path / "typed.yaml"
    path.write_text(SUITE.format(optimizers=optimizers, delay=delay, seeds=seeds))
    return path.name


def test_a_run_ends_with_the_leaderboard(daybreak: Daybreak, tmp_path: Path) -> None:
    done = daybreak("run", _suite(tmp_path, "random, descent"))
    assert done.returncode == 0, done.stderr
    assert "fake/bowl" in done.stdout
    for word in ("expert", "default", "random", "descent", "vs expert"):
        assert word in done.stdout
    asked = daybreak(
        "sql", "--format", "csv", "SELECT optimizer, studies FROM leaderboard ORDER BY optimizer"
    )
    assert daybreak("show", "--svg", "board.svg").returncode == 0
    picture = (tmp_path / "board.svg").read_text()
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert "descent" in picture
    # it shows no matter where: nothing is fetched, neither fonts nor pictures
    assert "url(http" not in picture
    rows = list(csv.reader(asked.stdout.splitlines()))
    assert rows == [["optimizer", "studies"], ["descent", "2"], ["random", "2"]]


def test_the_same_command_again_measures_nothing(daybreak: Daybreak, tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    daybreak("run", suite)
    again = daybreak("run", suite, "--json")
    events = [json.loads(line) for line in again.stdout.splitlines()]
    assert again.returncode == 0
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_finished"
    assert all(e["replayed"] for e in events if e["event"] == "trial_finished")


def test_a_failed_study_is_exit_code_1(daybreak: Daybreak, tmp_path: Path) -> None:
    done = daybreak("run", _suite(tmp_path, "raises-in-ask, random"))
    assert done.returncode == 1
    assert "daybreak-fakes" in done.stderr  # the distribution at fault
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "quickstrat"), "quickstart"),
        (("run", "typed.yaml", "--only", "nothing/*"), "nothing/*"),
        (("run", "typed.yaml", "--executor", "slurm"), "slurm"),
        (("run", "typed.yaml", "--results", "typed.yaml"), "typed.yaml"),
        (("compare", "random", "randon"), "no study"),
        (("show", "nothing"), "no runs yet"),
    ],
)
def test_a_users_fault_is_exit_code_2(
    daybreak: Daybreak, tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    _suite(tmp_path)
    (tmp_path / "results").mkdir()
    done = daybreak(*words)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("optimizer", "code", "words"),
    [
        ("choosy", 2, ["typed.yaml:5:22: ", "cannot take fake/bowl: bowl is too deep", "a plate"]),
        ("muddled", 1, ["plugin 'fakes' (from daybreak-fakes ", "ZeroDivisionError: no rank"]),
        ("lacking", 2, ["no-such-ladle>=2", "pip install 'daybreak-fakes[ladle]'"]),
    ],
)
def test_what_an_optimizer_refuses_or_lacks_is_said_before_anything_is_recorded(
    daybreak: Daybreak, tmp_path: Path, optimizer: str, code: int, words: list[str]
) -> None:
    suite = _suite(tmp_path, f"random, {optimizer}")
    done = daybreak("run", suite)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()
    assert daybreak("run", suite, "--only", "random").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on(
    daybreak: Daybreak, environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    suite = _suite(tmp_path, delay=0.2, seeds=3)
    process = subprocess.Popen(
        [sys.executable, "-m", "daybreak", "run", suite, "--json"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    before = []
    for line in process.stdout:
        before.append(json.loads(line))
        if sum(e["event"] == "trial_finished" for e in before) == 5:
            process.send_signal(number)
            break
    rest, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    before += [json.loads(line) for line in rest.splitlines()]
    assert before[-1]["status"] == "interrupted"
    reported = {(e["study_id"], e["number"]) for e in before if e["event"] == "trial_finished"}
    after = daybreak("run", suite, "--json")
    assert after.returncode == 0, after.stderr
    events = [json.loads(line) for line in after.stdout.splitlines()]
    replayed = {
        (e["study_id"], e["number"])
        for e in events
        if e["event"] == "trial_finished" and e["replayed"]
    }
    assert replayed == reported


def test_compare_refuses_to_conclude_from_too_few(daybreak: Daybreak, tmp_path: Path) -> None:
    daybreak("run", _suite(tmp_path, "random, descent"))
    done = daybreak("compare", "descent", "random")
    assert done.returncode == 0
    assert "too few" in done.stdout


@pytest.mark.parametrize(
    "starter",
    [(), ("sh", "-c", 'trap \'\' INT; exec "$0" "$@"')],
    ids=["foreground", "background job"],
)
def test_a_reader_that_goes_away_interrupts_the_run(
    daybreak: Daybreak, tmp_path: Path, environment: dict[str, str], starter: tuple[str, ...]
) -> None:
    # long enough that its reader has surely gone before it ends
    suite = _suite(tmp_path, delay=0.5, seeds=1)
    with subprocess.Popen(
        [*starter, sys.executable, "-m", "daybreak", "run", suite, "--json"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert json.loads(running.stdout.readline())["event"]
        running.stdout.close()
        said = running.stderr.read()
        assert running.wait(timeout=60) == 130
    assert "Traceback" not in said
    listed = json.loads(daybreak("runs", "list", "--json").stdout)
    assert [run["status"] for run in listed] == ["interrupted"]
    assert daybreak("run", suite).returncode == 0

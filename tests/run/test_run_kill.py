"""Kill -9 at random moments loses no trial that was reported finished.

The short form kills a dozen times; the slow form a few hundred times.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from daybreak import query
from daybreak.store import find_runs, read_run

HERE = Path(__file__).parent
TRIALS = """
    SELECT benchmark, optimizer, seed, role, number, configuration, t.status, failure_kind,
           t.objective, reference
    FROM trials t JOIN studies USING (study_id) ORDER BY ALL
"""


def _start(suite: Path, results: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HERE / "killed_run.py"), str(suite), str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )


def _reported(lines: str) -> set[tuple[str, int, str]]:
    found = set()
    for line in lines.splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue  # the line that the kill cut short was not reported
        if event["event"] == "trial_finished":
            found.add((event["study_id"], event["number"], str(event["objective"])))
    return found


def _kept(results: Path) -> set[tuple[str, int, str]]:
    return {
        (study.row.study_id, trial.number, str(trial.objective))
        for run in find_runs(results)
        for study in read_run(results, run.run_id).studies.values()
        for trial in study.trials
    }


def _killed(process: subprocess.Popen[str], rng: random.Random) -> tuple[str, bool]:
    """Kill `process` after a random number of events, or during start-up; return what it said."""
    assert process.stdout is not None
    lines: list[str] = []
    if rng.random() < 0.2:
        time.sleep(rng.uniform(0.0, 0.8))
    else:
        for _ in range(rng.randint(1, 40)):
            line = process.stdout.readline()
            if not line:
                break
            lines.append(line)
        time.sleep(rng.uniform(0.0, 0.03))  # anywhere within a trial, not only after an event
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return "".join(lines) + rest, process.returncode == -signal.SIGKILL


def _kill_until_done(suite: Path, results: Path, kills: int, seed: int) -> int:
    """Start and kill `kills` times, check after each; then let it finish. Return kills done."""
    rng = random.Random(seed)
    reported: set[tuple[str, int, str]] = set()
    done = 0
    for _ in range(kills):
        out, killed = _killed(_start(suite, results), rng)
        done += killed
        reported |= _reported(out)
        missing = reported - _kept(results)
        assert not missing, f"reported, but lost after kill {done}: {sorted(missing)[:5]}"
    last = _start(suite, results)
    out, err = last.communicate(timeout=300)
    assert last.returncode == 0, err
    assert not (reported | _reported(out)) - _kept(results)
    return done


def _check(
    write_suite: Callable[..., Path], tmp_path: Path, runs: int, kills: int, **suite: int
) -> int:
    path = write_suite("random, descent", benchmarks="  - fake/bowl: {delay: 0.005}", **suite)
    whole = tmp_path / "whole"
    _, err = (process := _start(path, whole)).communicate(timeout=600)
    assert process.returncode == 0, err
    expected = query(TRIALS, whole)
    done = 0
    for number in range(runs):
        results = tmp_path / f"killed{number}"
        done += _kill_until_done(path, results, kills, number)
        assert query(TRIALS, results).equals(expected)
    return done


def test_a_dozen_kills(write_suite: Callable[..., Path], tmp_path: Path) -> None:
    assert _check(write_suite, tmp_path, runs=3, kills=4, seeds=2, evaluations=20) >= 6


@pytest.mark.slow
def test_hundreds_of_kills(write_suite: Callable[..., Path], tmp_path: Path) -> None:
    done = _check(write_suite, tmp_path, runs=50, kills=6, seeds=2, evaluations=30)
    print(f"\n{done} kills")  # noqa: T201 - the figure in the docs
    assert done >= 200

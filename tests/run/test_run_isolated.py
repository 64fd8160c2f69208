"""Whole runs whose optimizers live in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Recorder, Runner
from isolated_registry import isolated_registry
from test_optimizer_process import gone

from daybreak import Isolation, query
from daybreak.run import run_suite

HERE = Path(__file__).parent
TRIALS = """
    SELECT benchmark, optimizer, seed, role, number, configuration, t.status, failure_kind,
           t.objective, reference
    FROM trials t JOIN studies USING (study_id) ORDER BY ALL
"""


def _proposals(results: Path, optimizer: str) -> list[dict[str, Any]]:
    rows = query(
        "SELECT s.seed, proposal FROM trials JOIN studies s USING (study_id) "
        f"WHERE optimizer = '{optimizer}' ORDER BY s.seed, number",
        results,
    )
    return [{"seed": row["seed"], **json.loads(row["proposal"])} for row in rows.to_dict("records")]


def _overlaps(intervals: list[dict[str, Any]]) -> int:
    """How many pairs of asks of different processes were under way at once."""
    return sum(
        a["pid"] < b["pid"] and a["began"] < b["ended"] and b["began"] < a["ended"]
        for a in intervals
        for b in intervals
    )


def test_the_same_trials_wherever_optimizers_live(run: Runner, tmp_path: Path) -> None:
    found = []
    for where in Isolation.INLINE, Isolation.WORKER:
        results = tmp_path / where
        summary, _ = run(
            "descent, random, talker",
            results=results,
            using=isolated_registry(where),
            seeds=2,
        )
        assert (summary.status, summary.trials) == ("finished", 48)
        found.append(query(TRIALS, results))
    assert found[0].equals(found[1])


def test_two_jobs_compute_at_once_and_change_nothing(run: Runner, tmp_path: Path) -> None:
    overlaps, found = {}, {}
    for jobs in (1, 2):
        results = tmp_path / str(jobs)
        summary, _ = run(
            "busy", results=results, using=isolated_registry(), seeds=2, jobs=jobs, evaluations=12
        )
        assert summary.status == "finished"
        asked = _proposals(results, "busy")
        assert len({one["pid"] for one in asked} - {os.getpid()}) == 2
        overlaps[jobs] = _overlaps(asked)
        found[jobs] = query(TRIALS, results)
    assert overlaps[1] == 0
    assert overlaps[2] > 0
    assert found[1].equals(found[2])


def test_a_death_ends_one_study_and_keeps_its_trials(run: Runner, tmp_path: Path) -> None:
    summary, recorder = run(
        "killed, descent, {broken: {}, as: b}",
        using=isolated_registry(),
        seeds=2,
        evaluations=6,
    )
    assert (summary.status, summary.exit_code) == ("failed", 1)
    ended = {(e["optimizer"], e["seed"]): e for e in recorder.of("study_finished")}
    for seed in (0, 1):
        killed = ended["killed", seed]
        assert (killed["status"], killed["trials"]) == ("failed", 2)
        assert killed["message"].startswith(
            "plugin 'local': optimizer 'killed' failed to ask: its process was killed by SIGKILL\n"
            "  it printed last:\n    about to die"
        )
        assert (ended["descent", seed]["status"], ended["descent", seed]["trials"]) == (
            "finished",
            6,
        )
        assert ended["b", seed]["trials"] == 0
        assert "No module named 'a_library_that_nobody_has'" in ended["b", seed]["message"]
    kept = query(
        "SELECT optimizer, count(*) n FROM trials JOIN studies USING (study_id) "
        "WHERE role = 'optimizer' GROUP BY ALL ORDER BY ALL",
        tmp_path / "results",
    )
    assert dict(kept.itertuples(index=False)) == {"descent": 12, "killed": 4}


def test_a_bill_that_is_lost_ends_one_study(
    write_suite: Callable[..., Path], tmp_path: Path
) -> None:
    suite = write_suite("billed, descent", evaluations=6)
    suite.write_text(suite.read_text().replace("evaluations: 6", "evaluations: 6, dollars: 2"))
    recorder = Recorder()
    run_suite(suite, results=tmp_path / "results", listener=recorder, registry=isolated_registry())
    ended = {e["optimizer"]: e for e in recorder.of("study_finished") if e["role"] == "optimizer"}
    assert ended["billed"]["status"] == "failed"
    lost = "failed to say what it spent: RuntimeError: the bill is lost"
    assert lost in ended["billed"]["message"]
    assert ended["descent"]["status"] == "finished"


def test_resumed_in_new_processes(run: Runner, tmp_path: Path) -> None:
    using = isolated_registry()
    run("descent, global", using=using, results=tmp_path / "a", evaluations=4)
    summary, _ = run("descent, global", using=using, results=tmp_path / "a", evaluations=10)
    assert summary.resumed
    run("descent, global", using=using, results=tmp_path / "b", evaluations=10)
    assert query(TRIALS, tmp_path / "a").equals(query(TRIALS, tmp_path / "b"))
    assert query("SELECT count(*) n FROM trials", tmp_path / "a")["n"][0] > 20


def test_candidates_get_no_descriptor_of_optimizers(run: Runner, tmp_path: Path) -> None:
    seen = []
    for where in Isolation.INLINE, Isolation.WORKER:
        results = tmp_path / where
        run(
            "descent, talker, random",
            results=results,
            using=isolated_registry(where),
            benchmarks="  - curious/bowl",
            evaluations=3,
        )
        details = query("SELECT DISTINCT detail FROM trials", results)["detail"]
        seen.append([json.loads(detail) for detail in details])
    assert seen[0] == seen[1]
    assert len(seen[0][0]) >= 3


def _start(write_suite: Callable[..., Path], tmp_path: Path, how: str, jobs: int) -> Any:
    """Start a run, in a process of its own, of an optimizer that hangs; return it and the PIDs."""
    note = tmp_path / "note"
    suite = write_suite(f"witness, {{{how}: {{}}}}", seeds=2)
    process = subprocess.Popen(
        [sys.executable, str(HERE / "isolated_run.py"), str(suite), str(tmp_path / "r"), str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE), "NOTE": str(note)},
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while (not note.exists() or not note.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    return process, _below(process.pid)


def _below(pid: int) -> set[int]:
    """All processes below `pid`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    todo = [pid]
    while todo:
        for child in children.get(todo.pop(), []):
            found.add(child)
            todo.append(child)
    return found


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("how", ["hanging", "spinning"])
def test_interrupting_a_run_whose_optimizer_hangs(
    write_suite: Callable[..., Path], tmp_path: Path, how: str, jobs: int
) -> None:
    process, below = _start(write_suite, tmp_path, how, jobs)
    assert len(below) >= 4  # host, template, two optimizers
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert json.loads(out.splitlines()[-1])["status"] == "interrupted"
    assert all(gone(pid) for pid in below)
    kept = query("SELECT DISTINCT status FROM studies WHERE role = 'optimizer'", tmp_path / "r")
    assert "interrupted" in set(kept["status"])


@pytest.mark.parametrize("how", ["hanging", "spinning"])
def test_killing_a_run_leaves_no_process(
    write_suite: Callable[..., Path], tmp_path: Path, how: str
) -> None:
    process, below = _start(write_suite, tmp_path, how, 2)
    assert len(below) >= 4
    process.kill()
    process.communicate()
    assert all(gone(pid) for pid in below)


def test_a_run_leaves_no_process(run: Runner) -> None:
    before = _below(os.getpid())
    run("descent, killed", using=isolated_registry(), evaluations=4, jobs=2, seeds=2)
    assert _below(os.getpid()) == before


def test_inline_optimizers_start_no_process(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("daybreak.run.optimizer_homes.OptimizerHomes._start", refuse)
    summary, _ = run("descent")
    assert summary.status == "finished"


def test_an_exhausted_optimizer(tmp_path: Path, write_suite: Callable[..., Path]) -> None:
    recorder = Recorder()
    run_suite(
        write_suite("empty"),
        results=tmp_path / "results",
        listener=recorder,
        registry=isolated_registry(),
    )
    (ended,) = [e for e in recorder.of("study_finished") if e["role"] == "optimizer"]
    assert (ended["status"], ended["trials"]) == ("exhausted", 4)

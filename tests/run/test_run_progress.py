"""What a person sees while a trial takes long: on a terminal, and in a log."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from daybreak import Isolation, OptimizerSpec, TargetSpec
from daybreak.plugin import Registry
from daybreak.run import JsonListener, run_suite
from daybreak.run.progress import TerminalListener

STUDY = {"study_id": "s1", "benchmark": "hpvm/edge:20x20-rtl", "optimizer": "random", "seed": 3}
OTHER = {"study_id": "s2", "benchmark": "hpvm/bfs:64-rtl", "optimizer": "baco", "seed": 0}
FINISHED = {
    "number": 0, "status": "ok", "failure_kind": None, "message": None, "objective": 2.0,
    "unit": "s", "best": 2.0, "elapsed_s": 9.0, "reference": None, "replayed": False,
}  # fmt: skip


def doing(seconds: float, text: str = "routing", **more: Any) -> dict[str, Any]:
    return {**STUDY, "phase": "build", "done": None, "text": text, "seconds": seconds, **more}


def listening(*, terminal: bool, width: int = 80) -> tuple[TerminalListener, io.StringIO]:
    out = io.StringIO()
    listener = TerminalListener(Console(file=out, force_terminal=terminal, width=width))
    listener.event(
        "run_started",
        {"run_id": "r", "suite": "hpvm", "studies": 2, "trials": 8, "resumed": 0, "results": "x"},
    )
    for study in (STUDY, OTHER):
        listener.event("study_started", {**study, "role": "optimizer", "evaluations": 4})
    return listener, out


def picture(listener: TerminalListener, width: int = 80) -> list[str]:
    """The lines of the picture as it stands."""
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(listener._picture())
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_a_long_trial_has_a_line_beneath_the_table_until_it_ends() -> None:
    listener, _ = listening(terminal=True)
    listener.event("trial_progress", doing(0.4))
    assert not any("routing" in line for line in picture(listener))
    listener.event("trial_progress", doing(67.9, done=0.7))
    table = picture(listener)
    assert "random, seed 3, trial 1: 1:07 routing 70 %" in table
    listener.event("trial_finished", {**STUDY, "role": "optimizer", **FINISHED})
    assert not any("routing" in line for line in picture(listener))
    listener.event("trial_progress", doing(2.0, text="", phase="verify"))
    assert "random, seed 3, trial 2: 0:02 verify" in picture(listener)
    listener.close()


def test_lines_of_several_benchmarks_name_them_and_are_cut_at_the_edge() -> None:
    listener, _ = listening(terminal=True, width=50)
    listener.event("trial_progress", doing(5.0, text="[b]Yosys[/b]: " + "x" * 80))
    before = picture(listener, 50)
    listener.event("trial_progress", {**doing(6.0), **OTHER})
    table = picture(listener, 50)
    assert "random, seed 3, trial 1: 0:05 [b]Yosys[/b]: xxxxx…" in before
    assert "hpvm/edge:20x20-rtl random, seed 3, trial 1: 0:05…" in table
    assert "hpvm/bfs:64-rtl baco, seed 0, trial 1: 0:06 routi…" in table
    assert all(len(line) <= 50 for line in table)
    assert len(table) == len(before) + 1
    listener.close()


def test_a_log_has_a_line_after_half_a_minute_and_then_at_twice_the_time() -> None:
    listener, out = listening(terminal=False)
    for trial in range(2):
        for tick in range(1, 1201):
            listener.event("trial_progress", doing(tick / 2, f"step {tick}"))
        finished = {**STUDY, "role": "optimizer", **FINISHED, "number": trial}
        listener.event("trial_finished", finished)
    listener.close()
    said = [line for line in out.getvalue().splitlines() if "step" in line]
    assert said == [
        f"hpvm/edge:20x20-rtl  random  seed 3: trial {trial} for {took}: step {step}"
        for trial in (1, 2)
        for took, step in (("0:30", 60), ("1:00", 120), ("2:00", 240), ("4:00", 480), ("8:00", 960))
    ]


def test_what_belongs_to_no_study_is_passed_over() -> None:
    listener, _ = listening(terminal=True)
    listener.event("trial_progress", {**doing(5.0), "study_id": "unheard of"})
    assert not any("routing" in line for line in picture(listener))
    listener.close()


@pytest.mark.parametrize("isolation", [Isolation.WORKER, Isolation.FORK])
def test_a_run_tells_what_its_trials_are_at(
    tmp_path: Path, isolation: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    registry = Registry.from_specs(
        TargetSpec(
            name="fake", factory="talking_fake:Talking", summary="Talks.", isolation=isolation
        ),
        OptimizerSpec(name="random", factory="daybreak_random.sampling:Random", summary="x"),
    )
    suite = tmp_path / "talk.yaml"
    suite.write_text(
        "suite: 1\nname: talk\nbenchmarks: [fake/talk]\noptimizers: [random]\nseeds: 1\n"
        "budget: {evaluations: 1}\nprotocol: {repeats: 1, warmup: 0}\n"
    )
    out = io.StringIO()
    summary = run_suite(
        suite, results=tmp_path / "results", listener=JsonListener(out), registry=registry
    )
    assert summary.status == "finished"
    told = [json.loads(line) for line in out.getvalue().splitlines() if "trial_progress" in line]
    spoken = next(one for one in told if one["text"] == "thinking hard")
    assert spoken["phase"] == "build"
    assert spoken["done"] == 0.5
    assert spoken["optimizer"] == "random"
    assert [one["seconds"] for one in told] == sorted(one["seconds"] for one in told)
    assert re.fullmatch(r"fake/talk(:.*)?", spoken["benchmark"])

"""Optimizers in processes of their own: the same answers, and what happens when they go astray."""

from __future__ import annotations

import math
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from isolated_fakes import Plain
from run_fakes import SPACE

from daybreak import (
    Budget,
    Explains,
    Isolation,
    Metric,
    Optimizer,
    OptimizerSpec,
    Outcome,
    PluginError,
    Problem,
    Reference,
    RequirementError,
    SpaceError,
    Spends,
    Trial,
    TrialStatus,
)
from daybreak.plugin import Component
from daybreak.run.optimizers import Optimizers
from daybreak.run.study import Cancelled
from daybreak.testing.exercises import drive, problems

PROBLEM = Problem(
    benchmark="fake/bowl",
    space=SPACE,
    objectives=(Metric("time", "ms"),),
    seed=5,
    budget=Budget(evaluations=20),
    references=(Reference("default", {"plain": 1}, in_space=False),),
)


def component(factory: str, **spec: Any) -> Component:
    module, _, name = factory.rpartition(":")
    return Component(
        OptimizerSpec(
            name=name.lower(),
            factory=f"{module or 'isolated_fakes'}:{name}",
            summary="x",
            isolation=Isolation.WORKER,
            **spec,
        ),
        plugin="fakes",
        distribution="daybreak-fakes",
        version="1.2",
    )


@pytest.fixture(scope="module")
def shared() -> Iterator[Optimizers]:
    with Optimizers() as optimizers:
        yield optimizers


Make = Callable[..., Any]


@pytest.fixture
def make(shared: Optimizers) -> Iterator[Make]:
    made: list[Optimizer] = []

    def make(factory: str, problem: Problem = PROBLEM, **options: Any) -> Any:
        made.append(shared.create(component(factory), problem, options))
        return made[-1]

    yield make
    for optimizer in made:
        shared.release(optimizer)


def trial(number: int, configuration: Any, value: float | None = 1.0, **facts: Any) -> Trial:
    status = TrialStatus.FAILED if value is None else TrialStatus.OK
    return Trial(number, configuration, Outcome(status, objectives={"time": value}, facts=facts))


def gone(pid: int, patience: float = 10.0) -> bool:
    """Whether process `pid` is gone, or dead and about to be reaped."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False


# ---- the same answers -----------------------------------------------------------------------


@pytest.mark.parametrize("case", ["permutation", "mixed", "categorical", "conditional"])
def test_the_same_configurations_as_in_this_process(make: Make, case: str) -> None:
    problem = problems(seed=3)[case]
    here = drive(Plain(problem, {}), problem, 12)
    there = drive(make("Plain", problem), problem, 12)
    for ours, theirs in zip(here, there, strict=True):
        assert ours.configuration == theirs.configuration
        assert [type(v) for v in ours.configuration.values()] == [
            type(v) for v in theirs.configuration.values()
        ]


def test_a_proxy_has_just_the_methods_that_the_optimizer_has(make: Make) -> None:
    for factory, explains, spends in (
        ("Plain", False, False),
        ("Witness", True, False),
        ("Spender", False, True),
        ("SpendsAndExplains", True, True),
    ):
        made = make(factory)
        assert (isinstance(made, Explains), isinstance(made, Spends)) == (explains, spends)


def test_what_is_told_arrives_as_it_was(make: Make) -> None:
    problem = problems()["permutation"]
    optimizer = make("Witness", problem)
    told = [
        trial(0, {"order": (2, 1, 0, 3), "threads": 4}, 2.5, size=7),
        trial(1, {"order": (2, 1, 0, 3), "threads": 5}, None),
        trial(2, {"order": (2, 1, 0, 3), "threads": 6}, math.nan),
        trial(3, {"order": (2, 1, 0, 3), "threads": 7}, -math.inf),
    ]
    optimizer.tell(told[:3])
    optimizer.tell(told[3:])
    (proposed,) = optimizer.ask(1)
    seen = optimizer.explain(proposed)
    assert seen["told"] == [repr(one) for one in told]
    assert seen["configuration"] == repr(dict(proposed))
    assert seen["space"] == repr(problem.references)


def test_facts_that_cannot_be_pickled_are_told_as_text(make: Make) -> None:
    optimizer = make("Witness")
    odd = threading.Lock()
    optimizer.tell([trial(0, {"a": 1, "b": 1}, 1.0, odd=odd, sizes={"x": (1, 2)})])
    (told,) = optimizer.explain(optimizer.ask(1)[0])["told"]
    plain = trial(0, {"a": 1, "b": 1}, 1.0, odd=str(odd), sizes={"x": [1, 2]})
    assert told == repr(plain)


def test_explanations_become_plain_json(make: Make) -> None:
    optimizer = make("SpendsAndExplains")
    optimizer.tell([trial(0, {"a": 1, "b": 1})])
    said = optimizer.explain(optimizer.ask(1)[0])
    assert math.isnan(said.pop("nan"))
    assert said == {"('a', 1)": 2.5, "many": {"3": [1, 2]}}
    assert optimizer.spent() == {"dollars": 0.5}


# ---- its process ----------------------------------------------------------------------------


def test_it_lives_in_a_process_of_its_own(make: Make) -> None:
    first, second = make("Witness"), make("Witness")
    seen = [one.explain(one.ask(1)[0]) for one in (first, second)]
    assert len({os.getpid(), *(one["pid"] for one in seen)}) == 3
    for one in seen:
        assert one["session"] == one["pid"], "Ctrl-C in the terminal would reach it"
        assert one["interrupt"] == str(signal.SIG_IGN)
        assert one["environment"]["OMP_NUM_THREADS"] == "1"
        assert one["environment"]["OPENBLAS_NUM_THREADS"] == "1"
        assert one["environment"]["MKL_NUM_THREADS"] == "1"
        assert one["threads"] == 1


def test_it_has_no_descriptor_but_its_own(make: Make) -> None:
    """Nor do later processes inherit those of earlier ones."""
    optimizers = [make("Witness") for _ in range(3)]
    for optimizer in optimizers:
        fds = dict(optimizer.explain(optimizer.ask(1)[0])["fds"])
        assert fds.pop(0) == "/dev/null"
        assert fds.pop(1) == fds.pop(2)
        (channel,) = fds.values()
        assert channel.startswith("socket:")


def test_this_process_hands_no_descriptor_on(make: Make) -> None:
    before = set(os.listdir("/proc/self/fd"))
    make("Plain")
    new = {int(fd) for fd in os.listdir("/proc/self/fd")} - {int(fd) for fd in before}
    assert len(new) >= 2
    assert not any(os.get_inheritable(fd) for fd in new if os.path.exists(f"/proc/self/fd/{fd}"))


def test_descriptors_and_processes_are_freed(shared: Optimizers) -> None:
    shared.release(shared.create(component("Plain"), PROBLEM, {}))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        made: Any = shared.create(component("Witness"), PROBLEM, {})
        pid = made.explain(made.ask(1)[0])["pid"]
        shared.release(made)
        shared.release(made)
        assert gone(pid, 1.0)
    assert len(os.listdir("/proc/self/fd")) == before


def test_temporary_files_go_with_it(shared: Optimizers) -> None:
    made: Any = shared.create(component("Litter"), PROBLEM, {})
    path = Path(made.explain(made.ask(1)[0])["path"])
    assert path.exists()
    shared.release(made)
    assert not path.parent.exists()


def test_global_generators_start_from_the_seed(make: Make) -> None:
    def drawn(seed: int) -> list[float]:
        optimizer = make("Witness", replace(PROBLEM, seed=seed))
        found: list[float] = optimizer.explain(optimizer.ask(1)[0])["random"]
        return found

    expected = [random.Random(5).random(), float(np.random.RandomState(5).random())]
    assert drawn(5) == expected
    assert drawn(5) == expected
    assert drawn(6) != expected
    before = random.getstate()
    many = [make("Global", replace(PROBLEM, seed=seed)).ask(8) for seed in (1, 1, 2)]
    assert many[0] == many[1] != many[2]
    assert random.getstate() == before


def test_hashes_of_text_are_the_same_in_every_run(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make("Witness")
    with Optimizers() as other:
        second: Any = other.create(component("Witness"), PROBLEM, {})
        hashes = [one.explain(one.ask(1)[0])["hash"] for one in (first, second)]
    assert hashes[0] == hashes[1]


def test_more_threads_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_OPTIMIZER_THREADS", "2")
    with Optimizers() as optimizers:
        made: Any = optimizers.create(component("Witness"), PROBLEM, {})
        assert made.explain(made.ask(1)[0])["environment"]["OMP_NUM_THREADS"] == "2"


# ---- going astray ---------------------------------------------------------------------------

WHO = r"plugin 'fakes' \(from daybreak-fakes 1.2\): optimizer 'odd' failed to "
ASTRAY = [
    ("raise", "ask", r"ask: ZeroDivisionError: the model has no rank\n  it printed last:\n"),
    ("raise", "tell", r"tell: ZeroDivisionError: the model has no rank\n"),
    ("raise", "explain", r"explain: ZeroDivisionError: the model has no rank\n"),
    ("memory", "ask", "ask: MemoryError"),
    ("exit", "ask", "ask: SystemExit: licence expired"),
    ("kill", "ask", "ask: its process was killed by SIGKILL\n  it printed last:\n    about to die"),
    ("kill", "tell", "tell: its process was killed by SIGKILL\n"),
    ("kill", "create", "be created: its process was killed by SIGKILL\n"),
    ("quit", "ask", "ask: its process ended with exit status 7\n  it printed last:\n    quitting"),
    ("segfault", "ask", r"ask: its process was killed by SIGSEGV\n(.*\n)*.*in _segfault"),
    ("close_channel", "ask", "ask: it closed its channel to Daybreak"),
    ("close_channel", "tell", "tell: it closed its channel to Daybreak"),
    ("garbage", "ask", r"ask: it sent garbage to Daybreak \("),
    ("garbage", "tell", r"tell: it sent garbage to Daybreak \("),
    ("forge", "ask", r"ask: it sent garbage to Daybreak \(an answer to a question"),
    ("nonsense", "ask", "ask: TypeError: 'int' object is not iterable"),
    ("nonsense", "explain", "explain: it answered 7"),
    ("keep_channel_open", "ask", "ask: its process ended with exit status 9"),
]


def _provoke(optimizer: Any) -> None:
    for number in range(5):
        (proposed,) = optimizer.ask(1)
        optimizer.explain(proposed)
        optimizer.tell([trial(number, proposed)])


@pytest.mark.parametrize(("how", "when", "message"), ASTRAY, ids=lambda v: str(v)[:16])
def test_going_astray_names_who_and_why(
    make: Make, tmp_path: Path, how: str, when: str, message: str
) -> None:
    note = tmp_path / "note"
    other = make("Plain")
    with pytest.raises(PluginError, match=WHO + message):
        _provoke(make("Odd", how=how, when=when, note=str(note)))
    assert len(other.ask(1)) == 1, "another optimizer suffers"
    if note.exists():
        assert gone(int(note.read_text()))


def test_a_users_fault_stays_one(make: Make) -> None:
    with pytest.raises(SpaceError) as caught:
        make("Odd", how="user", when="create")
    assert str(caught.value) == "suite.yaml:3: the prior names 'c'\n  did you mean: b"


def test_what_is_left_to_the_study_to_refuse(make: Make) -> None:
    for how, expected in (
        ("outside", {"a": 32, "b": 32}),
        ("list_of_text", {"a": "x", "b": None}),
    ):
        optimizer = make("Odd", how=how)
        optimizer.ask(1)
        optimizer.ask(1)
        (proposed,) = optimizer.ask(1)
        assert proposed == expected
        assert proposed not in PROBLEM.space


@pytest.mark.parametrize("how", ["text", "raise"])
def test_spending_that_makes_no_sense(make: Make, how: str) -> None:
    with pytest.raises(PluginError, match="failed to say what it spent: "):
        make("Spender", how=how).spent()


@pytest.mark.parametrize("megabytes", [32, pytest.param(1024, marks=pytest.mark.slow)])
def test_output_is_kept_from_the_terminal_and_bounded(
    make: Make, capfd: pytest.CaptureFixture[str], megabytes: int
) -> None:
    optimizer = make("Odd", how="flood", megabytes=megabytes)
    for _ in range(3):
        assert len(optimizer.ask(1)) == 1
    assert capfd.readouterr() == ("", "")
    link = optimizer._resident._link
    assert link._output.total >= megabytes * 1_000_000
    assert len(link._output.tail) <= 64 * 1024
    lines = link.last_lines.split("\n")
    assert lines[-1] == "flooded"
    assert all(len(line) <= 300 and line.isprintable() for line in lines)


def test_a_thread_that_prints_without_end_does_not_stop_it(make: Make) -> None:
    optimizer = make("Odd", how="thread")
    for number in range(30):
        (proposed,) = optimizer.ask(1)
        optimizer.tell([trial(number, proposed)])


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with Optimizers() as optimizers:
        made: Any = optimizers.create(
            component("Odd"), PROBLEM, {"how": "children", "note": str(note)}
        )
        with pytest.raises(PluginError, match="exit status 0"):
            _provoke(made)
        near, away = (int(line) for line in note.read_text().split())
        assert gone(near), "of its group"
    assert gone(away), "ran away: at the latest with the run"


def test_a_time_limit(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_OPTIMIZER_TIMEOUT", "0.3")
    note = tmp_path / "note"
    with pytest.raises(PluginError, match=r"ask: it took longer than 0\.3 s"):
        _provoke(make("Odd", how="spin", note=str(note)))
    assert gone(int(note.read_text()))


# ---- interrupted ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["hang", "spin"])
@pytest.mark.parametrize("when", ["create", "ask", "tell"])
def test_cancel_wakes_who_waits(tmp_path: Path, how: str, when: str) -> None:
    note = tmp_path / "note"
    with Optimizers() as optimizers:

        def cancel() -> None:
            while not note.exists() or not note.read_text():
                time.sleep(0.01)
            optimizers.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(Cancelled):
            _provoke(
                optimizers.create(
                    component("Odd"), PROBLEM, {"how": how, "when": when, "note": str(note)}
                )
            )
        canceller.join()
        assert gone(int(note.read_text()))
        with pytest.raises(Cancelled):
            optimizers.create(component("Plain"), PROBLEM, {})


# ---- imports --------------------------------------------------------------------------------


def test_a_missing_library_is_told_as_without_a_process(shared: Optimizers) -> None:
    missing = component("isolated_broken_import:Never", requires=("a-library-that-nobody-has",))
    messages = []
    for isolation in Isolation.INLINE, Isolation.WORKER:
        with pytest.raises(RequirementError) as caught:
            shared.create(missing, PROBLEM, {}, isolation=isolation)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "a-library-that-nobody-has" in messages[0]


def test_an_import_that_fails_otherwise(shared: Optimizers) -> None:
    with pytest.raises(PluginError, match="ModuleNotFoundError: No module named 'a_library"):
        shared.create(component("isolated_broken_import:Never"), PROBLEM, {})


def test_an_import_that_ends_the_interpreter(shared: Optimizers, make: Make) -> None:
    with pytest.raises(PluginError, match="exit status 5\n  it printed last:\n    no licence"):
        shared.create(component("isolated_deadly_import:Never"), PROBLEM, {})
    assert len(make("Plain").ask(1)) == 1


def test_a_module_that_starts_threads_is_not_forked(make: Make) -> None:
    pids, parents = set(), set()
    for _ in range(2):
        optimizer = make("isolated_threaded_import:Threaded")
        seen = optimizer.explain(optimizer.ask(1)[0])
        assert seen["threads"] == 2
        pids.add(seen["pid"])
        parents.add(seen["parent"])
    plain = make("Witness")
    template = plain.explain(plain.ask(1)[0])["parent"]
    assert len(pids) == 2
    assert len(parents) == 1
    assert template not in parents


def test_what_is_imported_late_is_imported_once() -> None:
    with Optimizers() as optimizers:
        made: list[Any] = []
        seen = []
        for _ in range(3):
            made.append(optimizers.create(component("Late"), PROBLEM, {}))
            seen.append(made[-1].explain(made[-1].ask(1)[0]))
        assert [one["before"]["wave"] for one in seen] == [False, True, True]
        assert [one["before"]["colorsys"] for one in seen] == [False, True, True]
        assert seen[0]["parent"] != seen[1]["parent"] == seen[2]["parent"]
        assert [len(one.ask(2)) for one in made] == [2, 2, 2], "the first one suffers"


@pytest.mark.parametrize("factory", ["LateThreads", "LateDeath"])
def test_late_imports_that_do_harm_are_left_to_each(factory: str) -> None:
    """One starts threads, the other ends an interpreter that imports it beforehand."""
    with Optimizers() as optimizers:
        made: list[Any] = [optimizers.create(component(factory), PROBLEM, {}) for _ in range(3)]
        seen = [one.explain(one.ask(1)[0]) for one in made]
        assert len({one["parent"] for one in seen}) == 1
        assert not any(one["before"][made_late(factory)] for one in seen)


def made_late(factory: str) -> str:
    return {"LateThreads": "isolated_threaded_import", "LateDeath": "isolated_jealous_import"}[
        factory
    ]


def test_a_host_that_dies_is_started_again() -> None:
    with Optimizers() as optimizers:
        first: Any = optimizers.create(component("Witness"), PROBLEM, {})
        pid = first.explain(first.ask(1)[0])["pid"]
        host = optimizers._homes._host
        assert host is not None
        os.kill(host.pid, signal.SIGKILL)
        assert gone(pid), "it outlives the host"
        second = optimizers.create(component("Plain"), PROBLEM, {})
        assert len(second.ask(2)) == 2


def test_a_home_that_dies_is_opened_again(shared: Optimizers) -> None:
    first: Any = shared.create(component("Witness"), PROBLEM, {})
    seen = first.explain(first.ask(1)[0])
    os.kill(seen["parent"], signal.SIGKILL)
    assert gone(seen["parent"])
    assert gone(seen["pid"]), "it outlives its parent"
    with pytest.raises(PluginError, match="failed to ask: its process is gone"):
        first.ask(1)
    shared.release(first)
    second: Any = shared.create(component("Witness"), PROBLEM, {})
    assert second.explain(second.ask(1)[0])["parent"] != seen["parent"]
    shared.release(second)

"""Opening, cancelling, closing, and what surrounds the trials of well-behaved sessions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from measure_support import MIB, TIME, open_nasty, processes_with, wait_until

import daybreak.measure.sandbox as sandbox_module
from daybreak.errors import PluginError, RequirementError, UserError
from daybreak.measure import flush_caches
from daybreak.measure.caches import last_level_cache_bytes
from daybreak.measure.folders import ScratchFolder, sweep_scratch
from daybreak.measure.sandbox import Sandbox, choose_sandbox, worker_environment
from daybreak.records import (
    Direction,
    FailureKind,
    Limits,
    MeasurementProtocol,
    Metric,
    TrialStatus,
)

ISOLATIONS = ["inline", "worker", "fork"]


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """Marks the processes that this test starts."""
    value = uuid.uuid4().hex
    monkeypatch.setenv("DAYBREAK_TEST_MARK", value)
    return value


def gone(mark: str) -> bool:
    return wait_until(lambda: not processes_with("DAYBREAK_TEST_MARK", mark))


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_trial_has_the_same_outcome_everywhere(isolation: str) -> None:
    with open_nasty(isolation, options={"floors": {"time": 0.5}}) as bench:
        assert bench.opened.identity == {"data": "fixed"}
        assert bench.opened.floors == {"time": 0.5}
        assert bench.opened.seconds > 0
        outcome = bench.measure({"order": (1, 0), "values": (2.0, 2.0, 3.0)})
        assert outcome.status is TrialStatus.OK
        assert outcome.objectives == {"time": 2.0}
        assert (outcome.low, outcome.high) == (2.0, 3.0)
        assert [(s.metric, s.value, s.i) for s in outcome.samples] == [
            ("time", 2.0, 0),
            ("time", 2.0, 1),
            ("time", 3.0, 2),
        ]
        assert outcome.phases.keys() == {"build", "verify", "measure"}
        assert all(seconds >= 0 for seconds in outcome.phases.values())
        assert outcome.facts["sandbox"] == bench.opened.sandbox
        assert outcome.facts["stop"] == "natural"
        too_fast = bench.measure({"values": (0.4,)})
        assert too_fast.failure_kind is FailureKind.WRONG_RESULT
        assert "better than the hardware can be" in (too_fast.message or "")
        assert too_fast.samples[0].value == 0.4


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_ceiling_is_the_floor_of_what_is_maximized(isolation: str) -> None:
    speed = Metric("time", "GB/s", Direction.MAXIMIZE)
    with open_nasty(isolation, options={"floors": {"time": 10.0}}, objectives=(speed,)) as bench:
        assert bench.measure({"values": (9.0,)}).status is TrialStatus.OK
        assert bench.measure({"values": (11.0,)}).failure_kind is FailureKind.WRONG_RESULT


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_hopeless_trial_is_stopped_with_what_was_seen(isolation: str) -> None:
    protocol = MeasurementProtocol(warmup=0)
    with open_nasty(isolation, protocol=protocol) as bench:
        outcome = bench.measure({"values": (50.0, 50.0)}, best=1.0)
        assert outcome.status is TrialStatus.STOPPED
        assert outcome.objectives == {"time": 50.0}
        assert len(outcome.samples) == 1


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"open": "need"}, RequirementError, "no such compiler"),
        ({"open": "user_error"}, UserError, "matrix: bad option"),
        ({"open": "raise"}, PluginError, "ZeroDivisionError"),
        ({"raise_in_open": True}, PluginError, "cannot open"),
        ({"floors": {"time": float("nan")}}, PluginError, "finite"),
    ],
)
def test_a_session_that_cannot_be_opened_is_refused_at_once(
    isolation: str, options: dict[str, object], error: type[Exception], words: str, mark: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        open_nasty(isolation, options=options)
    if error is RequirementError:
        assert "remedy: install it" in str(caught.value)
    assert gone(mark)


@pytest.mark.parametrize("isolation", ["worker", "fork"])
@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        ("abort", PluginError, "SIGABRT"),
        ("exit", PluginError, "exited with status 0"),
        ("flood", PluginError, "printed more than"),
        ("rubbish", PluginError, "corrupted the channel"),
        ("hog", RequirementError, "more memory"),
    ],
)
def test_a_session_that_dies_in_opening_is_refused(
    isolation: str, act: str, error: type[Exception], words: str, mark: str
) -> None:
    with pytest.raises(error, match=words):
        open_nasty(isolation, options={"open": act})
    assert gone(mark)


def test_slow_opening_has_its_own_limit(mark: str) -> None:
    with open_nasty("worker", options={"open": "slow", "seconds": 0.6}, timeout_s=0.3) as bench:
        assert bench.opened.seconds >= 0.6
        assert bench.measure({}).status is TrialStatus.OK
    with pytest.raises(PluginError, match=r"longer than 0\.3 s"):
        open_nasty("worker", options={"open": "slow", "seconds": 9}, open_timeout_s=0.3)
    assert gone(mark)


def test_an_unknown_factory_is_refused() -> None:
    from daybreak.measure import open_bench
    from daybreak.plugin.specs import Isolation

    for isolation in Isolation:
        with pytest.raises(PluginError, match="no_such_module"):
            open_bench(
                factory="no_such_module:Target",
                name="x",
                options={},
                protocol=MeasurementProtocol(),
                limits=Limits(),
                isolation=isolation,
                objectives=(TIME,),
            )


@pytest.mark.parametrize("isolation", ["worker", "fork"])
@pytest.mark.parametrize("sandbox", ["auto", "limits"])
def test_cancel_ends_the_trial_and_the_bench_goes_on(
    isolation: str, sandbox: str, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBREAK_SANDBOX", sandbox)
    with open_nasty(isolation, timeout_s=60.0) as bench:
        bench.cancel()
        assert bench.measure({}).status is TrialStatus.OK, "nothing was there to cancel"
        timer = threading.Timer(0.3, bench.cancel)
        timer.start()
        began = time.monotonic()
        outcome = bench.measure({"act": "hang", "phase": "verify"})
        assert time.monotonic() - began < 30.0
        assert outcome.failure_kind is FailureKind.CANCELLED
        timer.join()
        assert bench.measure({}).status is TrialStatus.OK
    assert gone(mark)


def test_cancel_ends_a_reopening() -> None:
    with open_nasty("worker", options={"open": "slow", "seconds": 0.5}) as bench:
        assert bench.measure({"act": "abort", "phase": "build"}).failure_kind is FailureKind.CRASH
        timer = threading.Timer(0.2, bench.cancel)
        timer.start()
        outcome = bench.measure({})
        timer.join()
        assert outcome.failure_kind is FailureKind.CANCELLED
        assert bench.measure({}).status is TrialStatus.OK


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_closing_from_another_thread_ends_the_trial(isolation: str, mark: str) -> None:
    bench = open_nasty(isolation, timeout_s=60.0)
    threading.Timer(0.3, bench.close).start()
    outcome = bench.measure({"act": "hang", "phase": "build"})
    assert outcome.failure_kind is FailureKind.CANCELLED
    with pytest.raises(ValueError, match="closed"):
        bench.measure({})
    bench.close()
    assert gone(mark)


@pytest.mark.parametrize("isolation", ["inline", "worker", "fork"])
def test_closing_leaves_the_session(isolation: str, tmp_path: Path) -> None:
    told = tmp_path / "closed"
    # Under bubblewrap only the scratch folder can be written, so that limits alone show it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYBREAK_SANDBOX", "limits")
        bench = open_nasty(isolation, options={"closed": str(told)})
    bench.close()
    bench.close()
    assert told.read_text() == "closed"


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_the_scratch_folder_is_removed(
    isolation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_nasty(isolation) as bench:
        assert list(tmp_path.glob("daybreak-bench-*/worker-1"))
        outcome = bench.measure({"act": "hide_files", "phase": "build"})
        assert outcome.status is TrialStatus.OK, outcome.message
    assert not list(tmp_path.iterdir())


def test_the_scratch_of_the_dead_is_swept_and_of_the_living_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living, dead, young = ScratchFolder(), ScratchFolder(), ScratchFolder()
    hidden = dead.path / "worker-1" / "hidden"
    hidden.mkdir(parents=True)
    (hidden / "file").write_text("x")
    hidden.chmod(0)
    os.close(dead._lock)  # type: ignore[arg-type]
    os.close(young._lock)  # type: ignore[arg-type]
    foreign = tmp_path / "daybreak-bench-without-lock"
    foreign.mkdir()
    for folder in (living.path, dead.path, foreign):
        os.utime(folder, (1.0, 1.0))
    assert sweep_scratch() == 1
    assert not dead.path.exists()
    assert living.path.exists()
    assert young.path.exists()
    assert foreign.exists()
    living.remove()
    living.remove()
    assert not living.path.exists()


def test_a_changed_identity_is_refused_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("first")
    with open_nasty("worker", options={"data": str(data)}) as bench:
        assert bench.opened.identity == {"data": "first"}
        assert bench.measure({"act": "abort", "phase": "build"}).failure_kind is FailureKind.CRASH
        data.write_text("second")
        with pytest.raises(PluginError, match=r"identity .* changed .*: data"):
            bench.measure({})


@pytest.mark.parametrize("isolation", ["inline", "worker", "fork"])
def test_a_lost_session_is_not_used_again(isolation: str) -> None:
    counting = {"artifact": "counting"}
    with open_nasty(isolation) as bench:
        assert bench.measure(counting).facts["trials"] == 1
        lost = bench.measure({"act": "lose", "phase": "measure"})
        assert lost.failure_kind is FailureKind.CRASH
        assert lost.message == "the device is gone"
        assert lost.facts["session_lost"] is True
        after = bench.measure(counting)
        assert after.status is TrialStatus.OK
        assert after.facts["trials"] == 1
        assert ("reopened_s" in after.facts) is (isolation != "inline")
        # a failure of another kind costs no new session
        refused = bench.measure({"act": "refuse", "phase": "build"})
        assert "session_lost" not in refused.facts
        again = bench.measure(counting)
        assert again.facts["trials"] == (1 if isolation == "fork" else 3)
        assert "reopened_s" not in again.facts


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_ctrl_c_in_the_terminal_does_not_reach_the_worker(isolation: str) -> None:
    with open_nasty(isolation) as bench:
        before = bench.measure({}).facts
        worker = bench._worker._process.pid  # type: ignore[attr-defined]
        assert os.getsid(worker) != os.getsid(0)
        assert os.getpgid(worker) != os.getpgid(0)
        assert "reopened_s" not in before


def test_an_interrupt_while_measuring_kills_the_worker(mark: str) -> None:
    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        with open_nasty("fork", timeout_s=60.0) as bench:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(KeyboardInterrupt):
                bench.measure({"act": "hang", "phase": "build"})
            assert gone(mark)
            assert bench.measure({}).status is TrialStatus.OK
    finally:
        signal.signal(signal.SIGALRM, previous)


ORPHAN = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from measure_support import open_nasty
if __name__ == "__main__":
    bench = open_nasty(sys.argv[2], timeout_s=600.0)
    print("ready", flush=True)
    bench.measure({"act": "hang", "phase": "build"})
"""


@pytest.mark.parametrize("isolation", ["worker", "fork"])
@pytest.mark.parametrize("sandbox", list(Sandbox))
def test_workers_die_with_daybreak(
    isolation: str, sandbox: Sandbox, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBREAK_SANDBOX", sandbox.value)
    try:
        choose_sandbox()
    except RequirementError as error:
        pytest.skip(str(error))
    command = [sys.executable, "-c", ORPHAN, str(Path(__file__).parent), isolation]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        process.kill()
    assert gone(mark)


def test_two_benches_measure_at_once() -> None:
    with open_nasty("fork") as one, open_nasty("worker") as two:
        results: list[str] = []

        def work(measure: Callable[..., object]) -> None:
            results.extend(measure({}).status for _ in range(5))  # type: ignore[attr-defined]

        threads = [threading.Thread(target=work, args=(bench.measure,)) for bench in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == ["ok"] * 10


def test_the_environment_is_an_allow_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("WANTED", "y")
    monkeypatch.setenv("DAYBREAK_KEEP_ENV", "WANTED, OTHER")
    environment = worker_environment(tmp_path, "m")
    assert "OMP_NUM_THREADS" not in environment
    assert "SECRET_TOKEN" not in environment
    assert environment["WANTED"] == "y"
    assert environment["HOME"] == environment["TMPDIR"] == str(tmp_path)
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert str(Path(__file__).parent) in environment["PYTHONPATH"].split(os.pathsep)
    with open_nasty("fork") as bench:
        seen = bench.measure({"act": "tell_environment", "phase": "build"}).detail or ""
        assert "SECRET_TOKEN" not in seen
        assert "WANTED=y" in seen


def test_the_environment_that_a_session_sets_reaches_the_kernel() -> None:
    with open_nasty("fork") as bench:
        outcome = bench.measure({"act": "set_threads", "phase": "build"})
        assert "OMP_NUM_THREADS=3" in (outcome.detail or "")
        again = bench.measure({"act": "tell_environment", "phase": "build"})
        assert "OMP_NUM_THREADS" not in (again.detail or ""), "the next trial starts afresh"


def test_threads_at_the_fork_are_told() -> None:
    with open_nasty("fork", options={"open": "thread"}) as bench:
        outcome = bench.measure({})
        assert outcome.status is TrialStatus.OK
        assert outcome.facts["threads_at_fork"] == 2
    with open_nasty("fork") as bench:
        assert "threads_at_fork" not in bench.measure({}).facts


def test_a_forked_daybreak_opens_benches_of_its_own() -> None:
    with open_nasty("worker"):
        pass
    pid = os.fork()
    if pid == 0:
        try:
            with open_nasty("worker") as bench:
                os._exit(0 if bench.measure({}).status is TrialStatus.OK else 1)
        finally:
            os._exit(2)
    assert wait_until(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), 30.0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_an_unknown_sandbox_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_SANDBOX", "bublewrap")
    with pytest.raises(UserError, match="did you mean: bubblewrap"):
        choose_sandbox()


def test_a_missing_sandbox_is_a_missing_requirement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sandbox_module._works.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    try:
        assert choose_sandbox() is Sandbox.LIMITS
        monkeypatch.setenv("DAYBREAK_SANDBOX", "bubblewrap")
        with pytest.raises(RequirementError, match="bwrap"):
            choose_sandbox()
    finally:
        sandbox_module._works.cache_clear()


def test_a_sandbox_that_does_not_work_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("bwrap", "setpriv"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho not permitted >&2\nexit 1\n")
        program.chmod(0o755)
    sandbox_module._works.cache_clear()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    try:
        assert choose_sandbox() is Sandbox.LIMITS
        monkeypatch.setenv("DAYBREAK_SANDBOX", "bubblewrap")
        with pytest.raises(RequirementError, match="not permitted"):
            choose_sandbox()
    finally:
        sandbox_module._works.cache_clear()


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_workers_are_bound_to_the_chosen_processors(
    isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu = min(os.sched_getaffinity(0))
    monkeypatch.setenv("DAYBREAK_CPUS", str(cpu))
    with open_nasty(isolation) as bench:
        assert bench.opened.cpus == (cpu,)
        outcome = bench.measure({"act": "tell_cpus", "phase": "build"})
        assert f"cpus={[cpu]}" in (outcome.detail or "")
        assert outcome.facts["cpus"] == [cpu]


@pytest.mark.parametrize("text", ["x", "0-", "9999", "-1", "3-1"])
def test_impossible_processors_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_CPUS", text)
    with pytest.raises(UserError, match="DAYBREAK_CPUS"):
        open_nasty("fork")


def test_a_gpu_target_has_no_bound_on_addresses_unless_asked() -> None:
    from daybreak.measure.limits import address_space, default_memory_bytes

    assert address_space(Limits(), ("gpu",)) is None
    assert address_space(Limits(), ("cpu",)) == default_memory_bytes()
    assert address_space(Limits(memory_bytes=7), ("gpu",)) == 7
    with open_nasty("fork", devices=("gpu",), limits=Limits()) as bench:
        assert bench.measure({}).status is TrialStatus.OK


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_a_target_may_reserve_addresses_but_not_use_the_memory(isolation: str) -> None:
    reserve = {"act": "reserve_addresses", "phase": "build"}
    hog = {"act": "hog", "phase": "build"}
    with open_nasty(isolation) as bench:
        assert bench.measure(reserve).failure_kind is not None
    with open_nasty(isolation, reserves=True) as bench:
        assert bench.measure(reserve).status is TrialStatus.OK
        assert bench.measure(hog).failure_kind is FailureKind.MEMORY


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_artifacts_may_carry_facts_and_phases(isolation: str) -> None:
    with open_nasty(isolation) as bench:
        outcome = bench.measure({"artifact": "carrying"})
        assert outcome.facts["code"] == "abc"
        assert outcome.facts["seen"] == "while verifying"
        assert outcome.phases["build.compile"] == 0.25
        bad = bench.measure({"artifact": "unspeakable"})
        if isolation != "inline":
            assert bad.failure_kind is FailureKind.INTERNAL
            assert "JSON" in (bad.message or "")


def test_inline_lateness_is_a_timeout() -> None:
    with open_nasty("inline", timeout_s=0.02) as bench:
        outcome = bench.measure({"act": "dawdle", "phase": "build"})
        assert outcome.failure_kind is FailureKind.TIMEOUT
        assert "build" in (outcome.message or "")


def test_an_inline_trial_passes_ctrl_c_on() -> None:
    with open_nasty("inline") as bench, pytest.raises(KeyboardInterrupt):
        bench.measure({"act": "interrupt", "phase": "verify"})


def test_a_large_program_goes_through() -> None:
    text = "x" * (3 * MIB)
    with open_nasty("fork") as bench:
        outcome = bench.measure({"program": text, "act": "tell_program", "phase": "build"})
        assert outcome.status is TrialStatus.OK


def test_caches_are_flushed_by_a_buffer_beyond_the_last_level() -> None:
    written = flush_caches()
    assert written > (last_level_cache_bytes() or 0)
    assert flush_caches() == written


@pytest.mark.parametrize("sandbox", list(Sandbox))
def test_a_worker_writes_to_its_targets_caches_and_nowhere_else(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DAYBREAK_SANDBOX", sandbox.value)
    try:
        choose_sandbox()
    except RequirementError as error:
        pytest.skip(str(error))
    kept = tmp_path / "cache" / "daybreak" / "nasty" / "kept"
    with open_nasty("worker", caches=("nasty",)) as bench:
        assert bench.measure({"act": "write_cache", "phase": "build"}).status is TrialStatus.OK
        home = bench.measure({"act": "write_home", "phase": "build"})
    assert kept.read_text() == "by the candidate"
    if sandbox is Sandbox.BUBBLEWRAP:
        assert "Read-only" in (home.message or "")
        kept.unlink()
        with open_nasty("worker") as bench:
            outcome = bench.measure({"act": "write_cache", "phase": "build"})
        assert "Read-only" in (outcome.message or "")
        assert not kept.exists()


def test_a_cache_that_cannot_be_made_is_said_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file stands in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(RequirementError, match="XDG_CACHE_HOME"):
        open_nasty("worker", caches=("nasty",))

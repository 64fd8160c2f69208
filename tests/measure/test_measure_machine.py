"""Identity stays, readings vary, and what the system does not say is None."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from daybreak.measure import environment, hardware, noise, readings, system
from daybreak.measure.machine import (
    environment_lock,
    machine_identity,
    machine_readings,
    noise_warnings,
)


def in_another_process(expression: str, **environ: str) -> object:
    code = f"import json; from daybreak.measure.machine import *; print(json.dumps({expression}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "random", **environ},
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_identity_is_the_same_in_every_process() -> None:
    name, identity = machine_identity()
    assert re.fullmatch(r"[0-9a-f]{16}", name)
    for seed in ("1", "2"):
        assert in_another_process("machine_identity()", PYTHONHASHSEED=seed) == [name, identity]


def test_identity_holds_the_hardware_and_nothing_that_varies() -> None:
    _, identity = machine_identity()
    assert identity["architecture"] == platform.machine()
    assert identity["threads"] == os.cpu_count()
    assert identity["sockets"] is None or 1 <= identity["sockets"] <= identity["cores"]
    assert identity["memory_gib"] >= 1
    assert all(size > 0 for size in identity["caches"].values())
    assert platform.node() not in json.dumps(identity).split('"')
    identity["cpu"] = "changed by the caller"
    assert machine_identity()[1]["cpu"] != "changed by the caller"


def test_identity_does_not_depend_on_affinity() -> None:
    name, _ = machine_identity()
    one = min(os.sched_getaffinity(0))
    expression = f"(__import__('os').sched_setaffinity(0, [{one}]), machine_identity())[1]"
    found = in_another_process(expression)
    assert isinstance(found, list)
    assert found[0] == name


def test_the_lock_names_every_installed_distribution() -> None:
    name, lock = environment_lock()
    assert re.fullmatch(r"[0-9a-f]{16}", name)
    assert lock["distributions"]["pytest"] == importlib.metadata.version("pytest")
    assert lock["distributions"]["daybreak"] == importlib.metadata.version("daybreak")
    assert lock["python"].endswith(platform.python_version())
    assert lock["kernel"] == platform.release()
    for version in lock["compilers"].values():
        assert re.search(r"\d+\.\d+", version)
    assert in_another_process("environment_lock()") == [name, lock]


def test_a_new_compiler_is_another_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before, _ = environment_lock()
    program = tmp_path / "cc"
    program.write_text("#!/bin/sh\necho cc 99.1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    environment._lock.cache_clear()
    try:
        after, lock = environment_lock()
        assert lock["compilers"]["cc"] == "cc 99.1"
        assert after != before
    finally:
        environment._lock.cache_clear()


def test_gpus_are_what_the_driver_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559'\n")
    program.chmod(0o755)
    before, _ = machine_identity()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    hardware._identity.cache_clear()
    try:
        after, identity = machine_identity()
        assert identity["gpus"] == [{"name": "NVIDIA H100 80GB HBM3", "memory_mib": "81559"}]
        assert after != before
        program.write_text("#!/bin/sh\necho 'Failed to initialize NVML'\nexit 18\n")
        hardware._identity.cache_clear()
        assert machine_identity()[0] == before
    finally:
        hardware._identity.cache_clear()


def test_readings_are_json_and_plausible() -> None:
    found = machine_readings()
    assert json.loads(json.dumps(found)) == found
    assert datetime.fromisoformat(found["taken_at"]).utcoffset() is not None
    assert found["load_1m"] >= 0
    assert found["cpus_allowed"] == len(os.sched_getaffinity(0))
    assert found["memory_available_bytes"] > 0
    assert found["uptime_s"] > 0
    assert machine_readings(gpus=False)["gpus"] is None


def test_what_cannot_be_read_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(readings, "_CPUS", tmp_path)
    monkeypatch.setattr(readings, "read_text", lambda path: None)
    monkeypatch.setattr(readings, "read_number", lambda path: None)
    found = machine_readings()
    for name in (
        "uptime_s",
        "cpu_mhz",
        "governors",
        "turbo",
        "smt",
        "temperature_c",
        "memory_available_bytes",
        "swap_used_bytes",
        "cpu_quota",
    ):
        assert found[name] is None, name


def test_programs_that_hang_or_fail_give_no_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert system.ask_program("no-such-program-anywhere") is None
    assert system.ask_program("false") is None
    assert system.ask_program("sleep", "5", timeout=0.1) is None
    broken = tmp_path / "broken"
    broken.write_text("no program")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system.ask_program("broken") is None


def test_a_governor_that_saves_power_is_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "governors", lambda: ["powersave"])
    monkeypatch.setattr(noise, "turbo", lambda: True)
    steal = iter([1.0, 2.0])
    monkeypatch.setattr(noise, "steal_seconds", lambda: next(steal))
    found = noise_warnings(interval=0.01)
    assert any("powersave" in warning and "remedy" in warning for warning in found)
    assert any("turbo" in warning for warning in found)
    assert any("hypervisor" in warning for warning in found)


def test_another_busy_process_is_noise_but_our_own_children_are_not() -> None:
    parent = os.getpid()
    before = {
        1: (0, "init", 0.0),
        50: (1, "shell", 0.0),
        parent: (50, "daybreak", 0.0),
        parent + 1: (parent, "worker", 0.0),
        parent + 2: (parent + 1, "kernel", 0.0),
        60: (1, "miner", 5.0),
        61: (1, "idle", 5.0),
    }
    after = {pid: (up, name, seconds + 1.0) for pid, (up, name, seconds) in before.items()}
    after[61] = before[61]
    after[70] = (1, "newcomer", 9.0)
    assert noise._busy(before, after, 1.0) == [("miner", 1.0)]


def test_the_process_table_is_read() -> None:
    table = noise._cpu_times()
    assert table[os.getpid()][0] == os.getppid()
    assert table[os.getpid()][2] > 0

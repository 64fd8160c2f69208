"""Drivers and compilers that are missing, crash, hang or vanish: what a run makes of them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from rise_faults import Script, build_driver, program, run, trials

from daybreak import RequirementError
from daybreak_rise.options import options_of
from daybreak_rise.runtime import ccompiler, probe
from daybreak_rise.runtime.opencl import _told
from daybreak_rise.target import RiseTarget

SCAL = "scal: {n: 4096}"
PRODUCT = "mm-cpu: {{n: 16, compiler: '{}'}}"


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder: what is known of the real drivers stays out of this."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def faults(vendors: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The unreliable driver is the only one; this file says what is wrong with it."""
    file = tmp_path / "faults"
    monkeypatch.setenv("OCL_ICD_VENDORS", f"{vendors}{os.sep}")
    monkeypatch.setenv("DAYBREAK_FAULTS", str(file))
    return file


# ---- nothing to run on


def test_without_a_platform_a_run_ends_with_the_command_that_brings_one(
    cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "vendors").mkdir()
    (tmp_path / "bad.yaml").write_text(
        "suite: 1\nname: bad\nbenchmarks:\n  - rise/scal: {n: 4096, runtime: opencl}\n"
        "optimizers: [random]\nbudget: {evaluations: 1}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "daybreak", "run", "bad.yaml"],
        cwd=tmp_path,
        env={**os.environ, "OCL_ICD_VENDORS": f"{tmp_path / 'vendors'}{os.sep}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "no OpenCL driver was found" in done.stderr
    assert "sudo apt install pocl-opencl-icd" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("/nonexistent/libgone.so\n", "no OpenCL driver was found"),
        ("{text}\n", "no OpenCL driver was found"),
        # some loaders do not survive this
        ("\x00\x01\n", "no OpenCL driver was found|ended the process that asked it"),
    ],
)
def test_a_driver_that_cannot_be_loaded_is_none(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    vendors = tmp_path / "vendors"
    vendors.mkdir()
    (tmp_path / "text.so").write_text("no library\n")
    (vendors / "bad.icd").write_text(content.replace("{text}", str(tmp_path / "text.so")))
    monkeypatch.setenv("OCL_ICD_VENDORS", f"{vendors}{os.sep}")
    with pytest.raises(RequirementError, match=said) as caught:
        probe.ask_devices()
    assert "apt install" in (caught.value.remedy or "")


def test_without_pyopencl_the_command_that_brings_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "pyopencl" else real(name)
    )
    with pytest.raises(RequirementError, match="PyOpenCL is not installed") as caught:
        run(tmp_path, "scal: {n: 4096, runtime: opencl}")
    assert caught.value.remedy == "pip install 'daybreak[rise]'"
    assert next(one.name for one in RiseTarget().check() if not one.met) == "OpenCL"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("platforms abort 0", "ended the process that asked it"),
        ("platforms hang 0", "an OpenCL driver hangs"),
        ("platforms -6 0", "no OpenCL driver was found"),
        ("devices -1 0", "no OpenCL platform has a device"),
        ("devices segv 0", "ended the process that asked it"),
    ],
)
def test_a_driver_that_names_no_device_is_asked_once(
    faults: Path, monkeypatch: pytest.MonkeyPatch, fault: str, said: str
) -> None:
    asked = []

    def ask(seconds: float) -> tuple[object, ...]:
        asked.append(seconds)
        return real(seconds)

    real = probe.ask_devices
    monkeypatch.setattr(probe, "ask_devices", partial(ask, 3.0 if "hang" in fault else 60.0))
    faults.write_text(fault)
    probe._found.cache_clear()
    try:
        for _ in range(2):
            with pytest.raises(RequirementError, match=said) as caught:
                probe.known_devices()
            assert caught.value.remedy
        assert len(asked) == 1
    finally:
        probe._found.cache_clear()


def test_sizes_beyond_the_memory_are_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1 << 18}
    monkeypatch.setattr(os, "sysconf", lambda name: pages[name])
    target = RiseTarget()
    for n, fits in ((1024, True), (32768, False)):
        options = options_of("mm-cpu")(n=n).model_dump()
        needs = {one.name: one for one in target.demands(target.define("mm-cpu", options))}
        assert ("memory" not in needs) is fits
        assert needs["C compiler"].met
    # three matrices of floats, six times over
    assert "take about 72 GiB" in needs["memory"].detail
    assert "this machine has 1.0" in needs["memory"].detail


# ---- a driver that gets into trouble in the middle of a study

CASES = [
    # the fault of a trial, its kind, what is said of it, whether the worker goes on
    ("", None, "", True),
    ("build abort 0", "crash", "SIGABRT in build", False),
    ("build exit 0", "crash", "exited with status 7 in the middle of build", False),
    ("build -5 0", "resource", "the OpenCL compiler: out of resources", False),
    ("log bytes 0", "build", "kernel.cl:3:1: error: \ufffd\ufffd\ufffd is no UTF-8", True),
    ("log huge 0", "build", "kernel.cl:3:1: error:", True),
    ("buffer -61 0", "memory", "buffer too large", True),
    ("buffer -4 1", "memory", "memory object allocation failure", True),
    ("launch -54 0", "resource", "invalid work-group size", True),
    ("launch segv 2", "crash", "SIGSEGV in measure", False),
    ("launch -2 1", "crash", "DEVICE_NOT_AVAILABLE", False),
    ("launch -5 2", "resource", "out of resources", False),
    ("finish -36 3", "crash", "INVALID_COMMAND_QUEUE", False),
    ("", None, "", True),
]


def test_the_study_goes_on_whatever_the_driver_does(faults: Path, tmp_path: Path) -> None:
    script = Script(faults, [fault for fault, *_ in CASES])
    summary = run(tmp_path, SCAL, evaluations=len(CASES), listener=script)
    assert summary.exit_code == 0
    assert (summary.trials, summary.failures) == (len(CASES), len(CASES) - 2)
    kept = trials(tmp_path)
    assert [one["number"] for one in kept] == list(range(len(CASES)))
    fresh = False
    for (fault, kind, said, goes_on), trial in zip(CASES, kept, strict=True):
        assert trial["failure_kind"] == kind, (fault, trial)
        assert said in (trial["message"] or ""), (fault, trial)
        assert len(trial["detail"] or "") < 70_000
        facts = json.loads(trial["facts"])
        assert ("reopened_s" in facts) is fresh, fault
        fresh = not goes_on
        crashed = "SIG" in said or "exited" in said
        assert ("session_lost" in facts) is (fresh and not crashed), fault


@pytest.mark.slow
def test_a_driver_that_hangs_costs_a_trial_and_its_worker(faults: Path, tmp_path: Path) -> None:
    cases = [("build hang 0", "build took"), ("launch hang 2", "measure took"), ("", "")]
    script = Script(faults, [fault for fault, _ in cases])
    assert run(tmp_path, SCAL, evaluations=3, timeout=15, listener=script).exit_code == 0
    kept = trials(tmp_path)
    assert [one["failure_kind"] for one in kept] == ["timeout", "timeout", None]
    assert [said in (one["message"] or "") for (_, said), one in zip(cases, kept, strict=True)]
    assert "reopened_s" in json.loads(kept[2]["facts"])


def test_a_device_that_vanishes_ends_the_study_and_loses_nothing(
    faults: Path, tmp_path: Path
) -> None:
    gone = "launch -2 0\ndevices -1 0"
    script = Script(faults, ["", gone, gone])
    summary = run(tmp_path, SCAL, evaluations=4, listener=script)
    # the trial that lost the device is recorded, and no other is tried without one
    assert summary.exit_code == 2
    assert [one["failure_kind"] for one in trials(tmp_path)] == [None, "crash"]
    before = trials(tmp_path)
    # as long as it is away the same command says so, and records nothing
    (tmp_path / "cache" / "daybreak").rename(tmp_path / "cache" / "elsewhere")
    with pytest.raises(RequirementError, match="no OpenCL platform has a device"):
        run(tmp_path, SCAL, evaluations=4)
    # it is back: the same command goes on
    faults.write_text("")
    summary = run(tmp_path, SCAL, evaluations=4, listener=Script(faults, []))
    assert summary.resumed
    assert summary.exit_code == 0
    after = trials(tmp_path)
    assert [one["failure_kind"] for one in after] == [None, "crash", None, None]
    assert after[:2] == before


def test_the_answer_about_devices_holds_for_an_hour(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []
    monkeypatch.setattr(probe, "ask_devices", lambda: asked.append(1) or ())
    monkeypatch.setenv("OCL_ICD_VENDORS", str(tmp_path))
    try:
        for age, times in ((0, 1), (1800, 1), (7200, 2)):
            for kept in cache.rglob("devices-*.json"):
                moment = kept.stat().st_mtime - age
                os.utime(kept, (moment, moment))
            probe._found.cache_clear()
            assert probe.known_devices() == ()
            assert len(asked) == times
    finally:
        probe._found.cache_clear()


def test_a_log_without_end_or_lines_is_read_quickly() -> None:
    for text in ("x" * (1 << 24), "/" * (1 << 20), "/a" * (1 << 20), "\n" * (1 << 22)):
        told = _told(f"/tmp/pocl/tempfile.cl:1: error: no\n{text}")
        assert told.startswith("kernel.cl:1: error: no\n")
        assert len(told) < 1 << 19


# ---- C compilers

VERSION = 'if [ "$1" = --version ]; then echo "cc (made up) 1.0"; exit 0; fi\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "echo \"cc1: error: unrecognized command line option '-std=gnu11'\" >&2; exit 1",
            "unrecognized command line option '-std=gnu11'",
        ),
        ("kill -9 $$", "it ended with status -9"),
        ("exit 0", "made no library"),
        (
            'for last; do [ "$previous" = -o ] && echo junk > "$last"; previous=$last; done',
            "no library of ours",
        ),
    ],
)
def test_a_compiler_that_never_will_do_is_a_requirement(
    tmp_path: Path, text: str, said: str
) -> None:
    wrapper = program(tmp_path / "bin", "cc", VERSION + text)
    found = ccompiler.find_compiler(wrapper)
    with pytest.raises(RequirementError) as caught:
        found.try_out(("-O1",), tmp_path)
    assert said in caught.value.message
    assert "cc (made up) 1.0" in caught.value.message
    assert "apt install gcc" in (caught.value.remedy or "")


def test_a_run_with_such_a_compiler_ends_before_a_trial(tmp_path: Path) -> None:
    wrapper = program(tmp_path / "bin", "cc", VERSION + "exit 1")
    summary = run(tmp_path, PRODUCT.format(wrapper))
    assert summary.exit_code == 2
    assert trials(tmp_path) == []
    with pytest.raises(RequirementError, match="no C compiler: 'no-such-cc' was not found"):
        run(tmp_path, PRODUCT.format("no-such-cc"))


@pytest.mark.parametrize("asked", ["'gcc", "/", "  ", "false"])
def test_what_is_no_compiler_is_not_found(
    asked: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CC", asked)
    monkeypatch.delenv("DAYBREAK_CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path) if not asked.strip() else os.environ["PATH"])
    ccompiler.find_compiler.cache_clear()
    try:
        with pytest.raises(RequirementError, match="no C compiler"):
            ccompiler.find_compiler()
    finally:
        ccompiler.find_compiler.cache_clear()


@pytest.mark.slow
def test_a_compiler_that_fails_at_times_costs_those_trials(tmp_path: Path) -> None:
    # it works for what tries it out, and of kernels for those that have vectors
    wrapper = program(
        tmp_path / "bin",
        "cc",
        VERSION + 'for word; do case "$word" in *kernel.c)\n'
        '  grep -q mm_cpu "$word" && ! grep -q vector_size "$word" && kill -SEGV $$;; esac; done\n'
        'exec gcc "$@"',
    )
    assert run(tmp_path, PRODUCT.format(wrapper), evaluations=6).exit_code in (0, 1)
    kinds = [one["failure_kind"] for one in trials(tmp_path)]
    assert len(kinds) == 6
    assert set(kinds) <= {None, "build"}


@pytest.mark.slow
def test_a_compiler_that_hangs_costs_a_trial_and_its_worker(tmp_path: Path) -> None:
    wrapper = program(
        tmp_path / "bin",
        "cc",
        VERSION + 'for word; do case "$word" in *kernel.c)\n'
        '  grep -q mm_cpu "$word" && sleep 600;; esac; done\nexec gcc "$@"',
    )
    assert run(tmp_path, PRODUCT.format(wrapper), evaluations=1, timeout=5).exit_code == 1
    (only,) = trials(tmp_path)
    assert only["failure_kind"] == "timeout"
    assert "build took longer than 5 s" in only["message"]

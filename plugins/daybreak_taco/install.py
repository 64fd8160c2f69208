"""Builds the `taco` compiler once per user from its pinned source distribution.

The distribution's own wheel build also compiles TACO's test suite, which current compilers reject;
here cmake builds only the command line. Everything happens in a folder beside the final one, which
is renamed into place when the result has passed a test, so that a half-finished installation is
never found.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from daybreak import RequirementError
from daybreak_taco import pip
from daybreak_taco.ccompiler import INSTALL_COMPILER
from daybreak_taco.process import ProgramError, run_logged
from daybreak_taco.schedule import Schedule
from daybreak_taco.toolchain import VERSION, cache_folder, installed, probe

__all__ = ["ARCHIVE", "SHA256", "Progress", "build_tools", "setup"]

#: called with the fraction done, or None, and what is going on
Progress = Callable[[float | None, str], None]

#: the source distribution on the package index
DISTRIBUTION = "tensora-taco"
#: its file name
ARCHIVE = f"tensora_taco-{VERSION}.tar.gz"
#: its SHA-256
SHA256 = "b61fea33cb2468d78d7600f3232ff96847e170af679fd9375e29d9630c4ea5ae"

#: -O1 builds in two thirds of the time of -O3 and emits kernels just as fast (12 ms each)
_OPTIMISE = "-O1"
_PERCENT = re.compile(r"^\[ *(\d+)%\]")
_INSTALL_CMAKE = (
    "Debian, Ubuntu: sudo apt install cmake; Fedora: sudo dnf install cmake; "
    "macOS: brew install cmake; anywhere: pip install cmake"
)


def build_tools() -> dict[str, str]:
    """Return the programs that the build needs: cmake, a C and a C++ compiler, a build tool.

    Raises:
        RequirementError: one is missing.
    """
    found: dict[str, str] = {}
    wanted = {
        "cmake": (("cmake",), _INSTALL_CMAKE),
        "C++ compiler": (tuple(filter(None, (os.environ.get("CXX"), "c++", "g++", "clang++"))), ""),
        "C compiler": (tuple(filter(None, (os.environ.get("CC"), "cc", "gcc", "clang"))), ""),
        "build tool": (("make", "ninja"), ""),
    }
    for what, (names, remedy) in wanted.items():
        path = next((hit for hit in map(shutil.which, names) if hit), None)
        if path is None:
            raise RequirementError(
                f"building TACO needs a {what}; none of {', '.join(names)} is on PATH",
                remedy=remedy or INSTALL_COMPILER,
            )
        found[what] = path
    return found


def setup(progress: Progress, *, force: bool = False) -> str:
    """Build and install TACO for this user, and return a line that says where it is.

    Args:
        progress: called with the fraction done (or None) and what is going on.
        force: build it again even if it is there.

    Raises:
        RequirementError: a tool is missing, the sources cannot be had, or the build fails.
    """
    target = installed().parent.parent
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target.parent / f"{VERSION}.lock", progress):
        probe.cache_clear()
        if not force and probe(installed()) is not None:
            return f"TACO {VERSION} is installed: {installed()}"
        tools = build_tools()
        for leftover in target.parent.glob(f"{VERSION}.build-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f"{VERSION}.build-", dir=target.parent))
        log = target.parent / f"{VERSION}.log"
        log.write_text("", encoding="utf-8")
        began = time.monotonic()
        try:
            archive = _sources(progress, scratch, log)
            _build(progress, archive, scratch, log, tools)
            _replace(scratch / "stage", target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        probe.cache_clear()
        log.unlink(missing_ok=True)
        progress(1.0, "done")
        return f"TACO {VERSION} built in {time.monotonic() - began:.0f} s: {installed()}"


@contextlib.contextmanager
def _alone(lock: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock file; wait for another setup of this user to finish."""
    with lock.open("a+") as handle:
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    progress(None, "waiting for another setup of TACO to finish")
                    told = True
                time.sleep(0.5)
        yield


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sources(progress: Progress, scratch: Path, log: Path) -> Path:
    """Return the checked archive, from the user's cache or through pip."""
    kept = cache_folder() / "download" / ARCHIVE
    if kept.exists() and _sha256(kept) == SHA256:
        return kept
    progress(0.0, f"downloading {DISTRIBUTION} {VERSION}")
    try:
        archive = pip.download(DISTRIBUTION, VERSION, SHA256, ARCHIVE, scratch, log)
    except ProgramError as error:
        mismatch = "DO NOT MATCH THE HASHES" in error.tail
        raise RequirementError(
            f"the source distribution {DISTRIBUTION} {VERSION} "
            + ("has another checksum than the pinned one" if mismatch else "could not be had")
            + f"; the end of the log ({log}):\n{error.tail}",
            expected=f"sha256 {SHA256}",
            remedy=f"with a network, run it again; without one, put {ARCHIVE} into {kept.parent}",
        ) from None
    found = _sha256(archive)
    if found != SHA256:
        raise RequirementError(
            f"{archive.name} has the checksum {found}",
            expected=f"sha256 {SHA256}",
            remedy="someone has changed the archive or the download: do not use it",
        )
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_name(kept.name + ".partial")
    shutil.copyfile(archive, partial)
    partial.replace(kept)
    return kept


def _build(
    progress: Progress, archive: Path, scratch: Path, log: Path, tools: dict[str, str]
) -> None:
    progress(0.02, "unpacking")
    with tarfile.open(archive) as packed:
        packed.extractall(scratch / "source", filter="data")
    source = scratch / "source" / ARCHIVE.removesuffix(".tar.gz") / "src" / "taco"
    build, stage = scratch / "build", scratch / "stage"
    progress(0.03, "configuring")
    cmake = tools["cmake"]
    configure = [
        cmake, "-S", str(source), "-B", str(build),
        "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_FLAGS_RELEASE={_OPTIMISE}",
        "-DOPENMP=ON", "-DCMAKE_POLICY_VERSION_MINIMUM=3.5",
        "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON", "-DCMAKE_INSTALL_RPATH=$ORIGIN/../lib;@loader_path/../lib",
    ]  # fmt: skip
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    compile_ = [cmake, "--build", str(build), "--target", "taco-tool", "--parallel", str(cores)]

    def follow(line: str) -> None:
        found = _PERCENT.match(line)
        if found:
            progress(0.05 + 0.9 * int(found.group(1)) / 100, "compiling TACO")

    try:
        run_logged(configure, log)
        run_logged(compile_, log, follow)
    except ProgramError as error:
        raise RequirementError(
            f"building TACO failed; the end of the log ({log}):\n{error.tail}",
            remedy="mend what the compiler complains about, or name a working taco in DAYBREAK_TACO",
        ) from None
    progress(0.97, "testing")
    for folder, pattern in (("bin", "taco"), ("lib", "libtaco.*")):
        (stage / folder).mkdir(parents=True)
        for made in (build / folder).glob(pattern):
            shutil.copy2(made, stage / folder / made.name)
    shutil.copy2(source / "LICENSE", stage / "LICENSE")
    about = {"distribution": DISTRIBUTION, "version": VERSION, "sha256": SHA256, "flags": _OPTIMISE}
    (stage / "build.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    _try(stage / "bin" / "taco", scratch)


def _try(taco: Path, scratch: Path) -> None:
    """Let the fresh compiler write one kernel."""
    from daybreak import BuildFailed
    from daybreak_taco.emit import emit

    try:
        emit(
            str(taco),
            "a(i)=B(i,j)*c(j)",
            {"a": "d", "B": "ds", "c": "d"},
            {"i": 10, "j": 10},
            Schedule(("split(i,i0,i1,4)", "parallelize(i0,CPUThread,NoRaces)"), threads=1),
            scratch,
        )
    except (BuildFailed, OSError) as error:
        raise RequirementError(f"the freshly built TACO does not work: {error}") from None


def _replace(stage: Path, target: Path) -> None:
    """Put the finished folder in its place in one step; an old one is moved out of the way."""
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    stage.rename(target)
    shutil.rmtree(old, ignore_errors=True)

"""A target whose sessions misbehave in every way that candidates do; its options say how."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from daybreak.errors import (
    BuildFailed,
    RequirementError,
    ResourceExceeded,
    TrialFailed,
    UserError,
)
from daybreak.plugin.contracts import Verdict
from daybreak.records import Event, Sample

C_SOURCE = r"""
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/wait.h>
void segfault(void) { *(volatile int *)8 = 1; }
void overwrite(void) { char *p = malloc(16); memset(p, 65, 1 << 20); free(p); free(malloc(1 << 20)); }
void corrupt_heap(void) {
    char *p[64];
    for (int i = 0; i < 64; i++) p[i] = malloc(40);
    for (int i = 0; i < 64; i++) memset(p[i] - 32, 255, 120);
    for (int i = 0; i < 64; i++) free(p[i]);
}
int divide(int a, int b) { return a / b; }
void fill_file(const char *path) {
    FILE *f = fopen(path, "w");
    static char block[1 << 16];
    for (int i = 0; i < 4096; i++) fwrite(block, 1, sizeof block, f);
    fclose(f);
}
void starve(void) { for (;;) { char *p = malloc(1 << 26); if (!p) abort(); memset(p, 1, 1 << 12); } }
"""


def compile_library(folder: Path) -> Path:
    """Compile the C part; the test does it once, and names it in the environment."""
    binary = folder / "nasty.so"
    source = folder / "nasty.c"
    source.write_text(C_SOURCE)
    subprocess.run(
        ["cc", "-w", "-O0", "-shared", "-fPIC", "-o", str(binary), str(source)], check=True
    )
    return binary


def library() -> ctypes.CDLL:
    return ctypes.CDLL(os.environ["DAYBREAK_NASTY_LIBRARY"])


def hang() -> None:
    while True:
        time.sleep(0.05)


def spin() -> None:
    while True:
        pass


def hog() -> None:
    held = []
    while True:
        held.append(bytearray(16 << 20))


def reserve_addresses() -> None:
    """Reserve more addresses than the limit, as WebAssembly's run times do, and use none."""
    import mmap

    with contextlib.closing(mmap.mmap(-1, 16 << 30, mmap.MAP_PRIVATE, mmap.PROT_READ)):
        pass


def print_gigabytes() -> None:
    block = b"x" * (1 << 20)
    for _ in range(4096):
        os.write(1, block)


def print_some() -> None:
    sys.stdout.write("said on stdout\n")
    os.write(2, b"said on stderr\n")
    raise ValueError("after printing")


def huge_file() -> None:
    with open("huge", "wb") as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))


def rubbish() -> None:
    for fd in range(3, 64):
        try:
            os.set_blocking(fd, False)
            os.write(fd, os.urandom(4096))
        except OSError:
            pass


def forge() -> None:
    """Write a well-formed frame of the wrong shape to every descriptor."""
    import struct

    body = b'{"id": 1, "outcome": {"status": "ok"}}'
    for fd in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(fd, struct.pack(">4sI", b"DBK1", len(body)) + body)


def close_all() -> None:
    os.closerange(0, 256)


def close_and_hang() -> None:
    os.closerange(0, 256)
    hang()


def children() -> None:
    """Leave a few processes behind, in sessions and groups of their own."""
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.closerange(0, 256)
                while True:
                    time.sleep(0.05)
            os._exit(0)


def hop() -> None:
    """Leave a process that lives on in its children only, for ten seconds at most."""
    until = time.monotonic() + 10.0
    if os.fork() == 0:
        while time.monotonic() < until:
            if os.fork() != 0:
                os._exit(0)
            os.setsid()
        os._exit(0)


def daemon_with_pipes() -> None:
    """Leave a process that holds every descriptor open."""
    if os.fork() == 0:
        os.setsid()
        while True:
            time.sleep(0.05)


def bad_alloc() -> None:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def kill_parent() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.5)


def network() -> None:
    """Send a datagram to nobody (the discard port of a documentation address)."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.connect(("192.0.2.1", 9))


def write_home() -> None:
    (Path(__file__).parent / "written-by-candidate").write_text("")


def write_cache() -> None:
    from daybreak import cache_folder

    (cache_folder("nasty") / "kept").write_text("by the candidate")


def hide_files() -> None:
    """Leave a folder that its owner cannot enter."""
    folder = Path("hidden")
    folder.mkdir()
    (folder / "file").write_text("x")
    folder.chmod(0)


def tell_environment() -> None:
    raise BuildFailed("told", detail="\n".join(f"{k}={v}" for k, v in os.environ.items()))


def set_threads() -> None:
    os.environ["OMP_NUM_THREADS"] = "3"
    raise BuildFailed("told", detail=subprocess.check_output(["env"], text=True))


def tell_cpus() -> None:
    raise BuildFailed("told", detail=f"cpus={sorted(os.sched_getaffinity(0))}")


def interrupt() -> None:
    raise KeyboardInterrupt


def need() -> None:
    raise RequirementError("no such compiler", remedy="install it")


def refuse() -> None:
    raise BuildFailed("the compiler refused", detail="error: 42")


def lose() -> None:
    raise TrialFailed("the device is gone", kind="crash", session_lost=True)


def overflow() -> None:
    raise ResourceExceeded("too many blocks", numbers={"blocks": 3.0})


def recurse() -> None:
    recurse()


ACTS: dict[str, Callable[[], object]] = {
    "hang": hang,
    "spin": spin,
    "segfault": lambda: library().segfault(),
    "overwrite": lambda: library().overwrite(),
    "corrupt_heap": lambda: library().corrupt_heap(),
    "divide": lambda: library().divide(1, 0),
    "starve": lambda: library().starve(),
    "c_file": lambda: library().fill_file(b"huge"),
    "abort": os.abort,
    "exit": lambda: os._exit(0),
    "sys_exit": lambda: sys.exit(3),
    "hog": hog,
    "flood": print_gigabytes,
    "print": print_some,
    "huge_file": huge_file,
    "rubbish": rubbish,
    "forge": forge,
    "close_all": close_all,
    "close_and_hang": close_and_hang,
    "children": children,
    "hop": hop,
    "daemon": daemon_with_pipes,
    "bad_alloc": bad_alloc,
    "kill_parent": kill_parent,
    "kill_self": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "network": network,
    "write_home": write_home,
    "write_cache": write_cache,
    "hide_files": hide_files,
    "tell_environment": tell_environment,
    "set_threads": set_threads,
    "tell_cpus": tell_cpus,
    "reserve_addresses": reserve_addresses,
    "tell_program": lambda: None,
    "interrupt": interrupt,
    "dawdle": lambda: time.sleep(0.05),
    "need": need,
    "refuse": refuse,
    "lose": lose,
    "overflow": overflow,
    "recurse": recurse,
    "raise": lambda: 1 / 0,
    "interrupt_self": lambda: os.kill(os.getpid(), signal.SIGINT),
    "nothing": lambda: None,
}


class Artifact(dict[str, Any]):
    """An empty configuration that carries facts and phases."""

    def __init__(
        self, facts: Mapping[Any, Any] | None = None, phases: Mapping[str, float] | None = None
    ) -> None:
        super().__init__()
        self.facts = dict(facts or {})
        self.phases = dict(phases or {})


class Session:
    """Does act `configuration["act"]` in phase `configuration["phase"]`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        data = options.get("data")
        self.identity = {"data": Path(data).read_text() if data else "fixed"}
        self.floors = dict(options.get("floors", {}))
        self.trials = 0

    def __enter__(self) -> Session:
        act = self.options.get("open")
        if act == "slow":
            time.sleep(self.options["seconds"])
        elif act == "thread":
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        elif act == "user_error":
            raise UserError("bad option", field="matrix", expected="a path")
        elif act:
            ACTS[act]()
        return self

    def __exit__(self, *_: object) -> None:
        mark = self.options.get("closed")
        if mark:
            Path(mark).write_text("closed")

    def _act(self, configuration: Mapping[str, Any], phase: str) -> None:
        if configuration.get("phase") == phase:
            ACTS[str(configuration["act"])]()

    def build(self, configuration: Mapping[str, Any]) -> Any:
        self.trials += 1
        self._act(configuration, "build")
        kind = configuration.get("artifact")
        if kind == "carrying":
            return Artifact(facts={"code": "abc"}, phases={"compile": 0.25})
        if kind == "counting":
            return Artifact(facts={"trials": self.trials})
        if kind == "unspeakable":
            return Artifact(facts={(1, 2): "no JSON key"})
        return configuration

    def verify(self, artifact: Mapping[str, Any]) -> Verdict:
        self._act(artifact, "verify")
        if isinstance(artifact, Artifact):
            artifact.facts["seen"] = "while verifying"
        if artifact.get("wrong"):
            return Verdict(correct=False, error=13.0, tolerance=1e-10)
        return Verdict(correct=True, error=1e-14, tolerance=1e-10)

    def measure(self, artifact: Mapping[str, Any], protocol: object) -> Iterator[Sample | Event]:
        for value in artifact.get("values", ()):
            yield Sample("time", float(value))
        if "values" in artifact:
            return
        self._act(artifact, "measure")
        yield Event("loss", 0.5, step=1)
        yield Sample("pid", os.getpid())
        yield Sample("trials", self.trials)
        yield Sample("time", 1.0)
        if artifact.get("after"):
            time.sleep(0.6)
            yield Event("loss", 0.25, step=2)
            ACTS[str(artifact["after"])]()


class Target:
    """The target: one benchmark."""

    def benchmarks(self) -> list[Any]:
        return [self.define("nasty", {})]

    def define(self, name: str, options: Mapping[str, Any]) -> Any:
        return SimpleNamespace(name=name, options=dict(options))

    def check(self) -> list[Any]:
        return []

    def open(self, benchmark: Any) -> Session:
        if benchmark.options.get("raise_in_open"):
            raise RuntimeError("cannot open")
        return Session(benchmark.options)

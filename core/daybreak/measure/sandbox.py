"""What surrounds a worker: bubblewrap, namespaces of its own, or resource limits alone.

=============  ====================================================================================
`bubblewrap`   read-only file system but for the worker's scratch folder and its target's caches;
               no network; its own processes, so that nothing can outlive it and it can signal
               nobody else
`namespaces`   no network and its own processes (`unshare` of util-linux); the file system is open
`limits`       resource limits, a process group and a cleared environment only
=============  ====================================================================================

`DAYBREAK_SANDBOX` (`auto`, `bubblewrap`, `namespaces`, `limits`) overrides the choice. Whatever is
chosen is tried once per process before it is used, and is named in every outcome.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from daybreak.errors import RequirementError, UserError, nearest

__all__ = ["MARK", "Sandbox", "choose_sandbox", "worker_environment", "wrap"]

#: The environment variable that marks every process of one worker.
MARK = "DAYBREAK_WORKER"

_CHOICE = "DAYBREAK_SANDBOX"
_KEPT = (
    *("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CC", "CXX"),
    *("CUDA_VISIBLE_DEVICES", "CUDA_HOME", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    *("OCL_ICD_VENDORS", "OCL_ICD_FILENAMES", "POCL_DEVICES"),
)
#: Names of further variables to keep, separated by commas.
_KEEP = "DAYBREAK_KEEP_ENV"
_SINGLE_THREADED = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
_PROBE_SECONDS = 20.0


class Sandbox(StrEnum):
    """What surrounds a worker, strongest first."""

    BUBBLEWRAP = "bubblewrap"
    NAMESPACES = "namespaces"
    LIMITS = "limits"


def choose_sandbox(devices: tuple[str, ...] = ()) -> Sandbox:
    """Return the strongest sandbox that works here, or the one that `DAYBREAK_SANDBOX` names.

    Raises:
        UserError: `DAYBREAK_SANDBOX` holds an unknown word.
        RequirementError: it names a sandbox that does not work on this machine.
    """
    wanted = os.environ.get(_CHOICE, "auto").strip().lower() or "auto"
    words = ["auto", *Sandbox]
    if wanted not in words:
        raise UserError(
            f"{_CHOICE} is '{wanted}'",
            expected="one of " + ", ".join(words),
            nearest=nearest(wanted, words),
        )
    if wanted == "auto":
        return next(sandbox for sandbox in Sandbox if _works(sandbox, "gpu" in devices) is None)
    sandbox = Sandbox(wanted)
    reason = _works(sandbox, "gpu" in devices)
    if reason is not None:
        raise RequirementError(
            f"{_CHOICE} asks for '{sandbox}', which does not work here: {reason}",
            remedy=f"install bubblewrap (program bwrap), or set {_CHOICE}=auto",
        )
    return sandbox


def wrap(
    sandbox: Sandbox,
    command: list[str],
    scratch: Path | None,
    *,
    gpu: bool,
    caches: Sequence[Path] = (),
) -> list[str]:
    """Return `command` as it is started inside `sandbox`, with `scratch` and `caches` writable."""
    if sandbox is Sandbox.BUBBLEWRAP:
        # No tmpfs over /tmp: the project, its interpreter or the scratch folder may lie below it.
        # It is read-only like everything else, and TMPDIR points into the scratch folder.
        return [
            "bwrap",
            *("--ro-bind", "/", "/"),
            *(("--dev-bind", "/dev", "/dev") if gpu else ("--dev", "/dev")),
            *("--proc", "/proc"),
            *(("--bind", str(scratch), str(scratch)) if scratch else ()),
            *(word for cache in caches for word in ("--bind", str(cache), str(cache))),
            "--unshare-all",
            "--die-with-parent",
            *("--", *command),
        ]
    if sandbox is Sandbox.NAMESPACES:
        return [
            *("setpriv", "--pdeathsig", "KILL", "--"),
            "unshare",
            *("--map-current-user", "--net", "--ipc", "--pid", "--mount-proc"),
            *("--fork", "--kill-child=KILL"),
            *("--", *command),
        ]
    return command


def worker_environment(scratch: Path, mark: str) -> dict[str, str]:
    """Return the environment of a worker: an allow-list, no more.

    Kept are PATH, the locale, LD_LIBRARY_PATH, CC, CXX, what names GPUs, DAYBREAK_*, and what
    `DAYBREAK_KEEP_ENV` lists (names separated by commas). HOME and TMPDIR
    are the scratch folder, XDG_CACHE_HOME is the user's own (toolchains lie there), PYTHONPATH
    holds what this process can import beyond its installed packages. BLAS libraries get one thread:
    a worker that has started threads cannot fork safely. OMP_* is not set: sessions set it.
    """
    kept = {*_KEPT, *(name.strip() for name in os.environ.get(_KEEP, "").split(","))}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in kept or (name.startswith("DAYBREAK_") and name != MARK)
    }
    environment.update(dict.fromkeys(_SINGLE_THREADED, "1"))
    environment.update(
        HOME=str(scratch),
        TMPDIR=str(scratch),
        XDG_CACHE_HOME=os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        PYTHONPATH=os.pathsep.join(_import_path()),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONFAULTHANDLER="1",
    )
    environment[MARK] = mark
    return environment


def _import_path() -> list[str]:
    """Return the entries of `sys.path` that a bare interpreter of this environment lacks."""
    paths = sysconfig.get_paths()
    native = {os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib", "purelib")}
    native |= {os.path.realpath(paths["platlib"])}
    native |= {os.path.realpath(os.path.join(paths["platstdlib"], "lib-dynload"))}
    found: dict[str, None] = {}
    for entry in sys.path:
        path = os.path.abspath(entry or os.getcwd())
        if os.path.exists(path) and os.path.realpath(path) not in native:
            found[path] = None
    return list(found)


@lru_cache(maxsize=8)
def _works(sandbox: Sandbox, gpu: bool) -> str | None:
    """Try `sandbox` once: None if it works, else why it does not."""
    if sandbox is Sandbox.LIMITS:
        return None
    command = wrap(sandbox, ["true"], None, gpu=gpu)
    program = shutil.which(command[0])
    if program is None:
        return f"the program '{command[0]}' is not on PATH"
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        return said or f"exit status {done.returncode}"
    return None

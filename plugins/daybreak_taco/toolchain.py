"""Finds the `taco` compiler: where the user says, on PATH, or where the setup put it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from daybreak import RequirementError

__all__ = [
    "ENVIRONMENT",
    "SETUP",
    "VERSION",
    "Taco",
    "cache_folder",
    "find_taco",
    "installed",
    "probe",
]

#: environment variable that names the `taco` program
ENVIRONMENT = "DAYBREAK_TACO"
#: version of the source distribution that the setup builds
VERSION = "0.1.2"
#: the command that installs TACO
SETUP = "daybreak targets setup taco"


@dataclass(frozen=True)
class Taco:
    """A usable `taco` program.

    Attributes:
        path: the executable.
        version: what it calls itself, e.g. ``TACO version: 0.1``.
        build: hash of the executable and of the library beside it (16 hex digits).
        found: how it was found, for people.
    """

    path: Path
    version: str
    build: str
    found: str


def cache_folder() -> Path:
    """Return the folder of this user in which the setup keeps TACO and fetched data."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("daybreak")) / "taco"


def installed() -> Path:
    """Return where the setup puts the executable."""
    return cache_folder() / VERSION / "bin" / "taco"


@lru_cache(maxsize=16)
def probe(path: Path) -> str | None:
    """Return what the program at `path` calls itself if it is TACO's command line, else None."""
    try:
        done = subprocess.run(
            [str(path), "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    first = done.stdout.partition("\n")[0].strip()
    return first if done.returncode == 0 and first.startswith("TACO version:") else None


def _describe(path: Path, found: str) -> Taco | None:
    version = probe(path)
    if version is None:
        return None
    digest = hashlib.sha256(path.read_bytes())
    for library in sorted((path.resolve().parent.parent / "lib").glob("libtaco.*")):
        digest.update(library.read_bytes())
    return Taco(path, version, digest.hexdigest()[:16], found)


def find_taco(named: str | None = None) -> Taco:
    """Return the first usable `taco`: `named`, $DAYBREAK_TACO, PATH, then the user's cache.

    A program of that name on PATH which is another tool is passed over; one that the user named
    and that does not work is an error.

    Raises:
        RequirementError: none is found, or the named one is not TACO.
    """
    for asked, source in ((named, "the option 'taco'"), (os.environ.get(ENVIRONMENT), ENVIRONMENT)):
        if not asked:
            continue
        resolved = shutil.which(os.path.expanduser(asked))
        made = _describe(Path(resolved), source) if resolved else None
        if made is None:
            raise RequirementError(
                f"{source} names '{asked}', which is not a working TACO command line",
                expected="a program whose `-version` prints 'TACO version: ...'",
                remedy=f"name another one, or unset it and run `{SETUP}`",
            )
        return made
    on_path = shutil.which("taco")
    if on_path is not None:
        made = _describe(Path(on_path), "PATH")
        if made is not None:
            return made
    made = _describe(installed(), "the user's cache")
    if made is not None:
        return made
    other = f" ('{on_path}' is another tool of that name)" if on_path else ""
    raise RequirementError(
        f"the TACO compiler is not installed{other}",
        expected=f"`taco` in ${ENVIRONMENT}, on PATH, or in {installed().parent}",
        remedy=f"run `{SETUP}` (builds it once, one to two minutes)",
    )

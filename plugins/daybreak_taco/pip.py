"""Downloads one pinned source distribution with pip as the client.

pip is the ordinary client of the package index: it honours the user's mirrors, proxies and
certificates. The interpreter that runs Daybreak may have no pip (uv makes such environments), so
others are tried: a pip on PATH, uv's own runner, and last a throw-away environment.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from daybreak_taco.process import ProgramError, run_logged

__all__ = ["download"]


def _clients(scratch: Path, log: Path) -> Iterator[list[str]]:
    """Yield commands that are pip, the best first."""
    if importlib.util.find_spec("pip") is not None:
        yield [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        found = shutil.which(name)
        if found is not None:
            yield [found]
            break
    uv = shutil.which("uv")
    if uv is not None:
        yield [uv, "tool", "run", "pip"]
    environment = scratch / "pip-environment"
    run_logged([sys.executable, "-m", "venv", str(environment)], log)
    yield [str(environment / "bin" / "python"), "-m", "pip"]


def download(
    distribution: str, version: str, sha256: str, archive: str, scratch: Path, log: Path
) -> Path:
    """Return the downloaded source archive, which pip has checked against `sha256`.

    pip runs the distribution's build backend for its metadata, so the backend's own requirements
    come along as wheels (a few seconds); the package itself is not built.

    Raises:
        ProgramError: no client could download it; the tail is that of the last one tried.
    """
    folder = scratch / "download"
    folder.mkdir(exist_ok=True)
    pinned = scratch / "requirements.txt"
    pinned.write_text(f"{distribution}=={version} --hash=sha256:{sha256}\n", encoding="utf-8")
    failure: ProgramError | None = None
    try:
        for client in _clients(scratch, log):
            command = [
                *client, "download", "--no-deps", "--no-binary", distribution, "--require-hashes",
                "--disable-pip-version-check", "--no-input", "--progress-bar", "off",
                "--dest", str(folder), "--requirement", str(pinned),
            ]  # fmt: skip
            try:
                run_logged(command, log)
            except ProgramError as error:
                failure = error
                if "DO NOT MATCH THE HASHES" in error.tail:
                    break
                continue
            if (folder / archive).exists():
                return folder / archive
    except ProgramError as error:
        failure = failure or error
    raise failure or ProgramError(["pip"], 1, f"pip saved no {archive}")

"""Fetching a data set into the user's cache: resumed where it was cut, refused where it is another.

A file arrives as ``NAME.partial`` and gets its name when its SHA-256 is the pinned one, so that a
half-fetched or wrong file is never taken for data.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from daybreak import RequirementError, UserError
from daybreak_train.data.catalogue import DATA_SETS, DataFile, DataSet
from daybreak_train.data.places import cache_folder, find

__all__ = ["Progress", "fetch", "setup"]

#: called with the fraction done, or None, and what is going on
Progress = Callable[[float | None, str], None]

_BLOCK = 1 << 18
_SECONDS = 60.0
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416


def fetch(
    data: DataSet, progress: Progress, *, server: str | None = None, force: bool = False
) -> Path:
    """Fetch the files of `data` into the cache, and return their folder.

    What is there already, with the right checksum, is not fetched again. A transfer that was cut
    goes on where it ended. Two at once: the second waits for the first.

    Args:
        data: the data set.
        progress: called with the fraction done (or None) and what is going on.
        server: another server (URL of the folder) with the same files.
        force: fetch again what is there.

    Raises:
        UserError: `data` is not fetched but comes with a package.
        RequirementError: it cannot be fetched, or is not what is expected.
    """
    base = server or data.server
    if base is None:
        package = data.package[0] if data.package else data.name
        raise UserError(
            f"{data.name} needs no fetching: it comes with {package}",
            remedy=f"pip install 'daybreak[{data.extra}]'" if data.extra else None,
        )
    folder = cache_folder() / data.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequirementError(
            f"cannot be made: {error.strerror}", file=folder,
            remedy="set XDG_CACHE_HOME to a folder that you may write to",
        ) from None  # fmt: skip
    total = sum(file.size for file in data.files)
    with _alone(folder / "lock", data, progress):
        before = 0
        for file in data.files:
            path = folder / file.name
            if force or _sha256(path) != file.sha256:
                url = f"{base.rstrip('/')}/{file.name}"
                _fetch_file(url, file, path, _share(progress, before, total, file.name))
            before += file.size
    progress(1.0, "done")
    return folder


def setup(progress: Progress, *, force: bool = False) -> str:
    """Fetch every data set that is fetched at all and not on this machine; `force`: all of them.

    Returns a line that says where they are.

    Raises:
        RequirementError: one cannot be fetched, or is not what is expected.
    """
    said = []
    for data in DATA_SETS.values():
        if data.server is None:
            continue
        try:
            place = fetch(data, progress, force=True) if force else find(data)
        except RequirementError:
            if force:
                raise
            place = fetch(data, progress)
        said.append(f"{data.name}: {place}")
    return "; ".join(said)


def _share(progress: Progress, before: int, total: int, name: str) -> Callable[[int], None]:
    return lambda done: progress(min(1.0, (before + done) / total), f"fetching {name}")


def _fetch_file(url: str, file: DataFile, path: Path, tell: Callable[[int], None]) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        resumed = _download(url, file, partial, tell)
        found = _sha256(partial)
        if found != file.sha256 and resumed:
            # the beginning was of another version: once more, from the start
            partial.unlink()
            _download(url, file, partial, tell)
            found = _sha256(partial)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise RequirementError(
            f"{url} could not be fetched: {_reason(error)}",
            remedy="try again: what has arrived is kept, and the transfer goes on from there; "
            f"without a network, put {file.name} at {path}",
        ) from None
    if found != file.sha256:
        size = partial.stat().st_size
        partial.unlink()
        raise RequirementError(
            f"{url} is not the file that was published: {size} bytes, sha256 {found}",
            expected=f"{file.size} bytes, sha256 {file.sha256}",
            remedy="name another server that has it (--server URL), or put the right file at "
            f"{path}",
        )
    partial.replace(path)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was cut"
    return str(error) or type(error).__name__


def _download(url: str, file: DataFile, partial: Path, tell: Callable[[int], None]) -> bool:
    """Fetch `url` into `partial`, going on where that ends; returns whether it went on.

    Raises:
        OSError: no answer, or the connection was cut; `partial` keeps what has arrived.
        ValueError: `url` is none.
    """
    have = partial.stat().st_size if partial.exists() else 0
    if have >= file.size:
        # whole, or of something larger: its checksum decides, and another file starts anew
        if _sha256(partial) == file.sha256:
            return True
        have = 0
    request = urllib.request.Request(url, headers={"User-Agent": "daybreak"})  # noqa: S310
    if request.type not in ("http", "https"):
        raise ValueError("its address must begin with http:// or https://")
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if not (have and error.code == _RANGE_NOT_SATISFIABLE):
            raise
        partial.unlink()
        return _download(url, file, partial, tell)
    with answer:
        start = _start(answer) if answer.status == _PARTIAL_CONTENT else 0
        resumed = bool(have) and start == have
        if answer.status == _PARTIAL_CONTENT and not resumed:
            raise OSError(f"the server sent another part than was asked for (from byte {start})")
        done = have if resumed else 0
        expected = answer.headers.get("Content-Length")
        whole = done + int(expected) if expected and expected.isdigit() else None
        with partial.open("ab" if resumed else "wb") as out:
            # nobody fills the disk through us: what is longer than the file is not the file
            while done <= file.size and (block := answer.read(_BLOCK)):
                out.write(block)
                done += len(block)
                tell(done)
    if whole is not None and done < min(whole, file.size + 1):
        raise OSError(f"the connection was cut after {done} of {whole} bytes")
    return resumed


def _start(answer: http.client.HTTPResponse) -> int:
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    return int(found.group(1)) if found else -1


def _sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None if it is not there."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


@contextlib.contextmanager
def _alone(lock: Path, data: DataSet, progress: Progress) -> Iterator[None]:
    """Hold the lock file; wait for another fetch of this user to finish."""
    with lock.open("a+") as handle:
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    progress(None, f"waiting for another fetch of {data.name} to finish")
                    told = True
                time.sleep(0.2)
        yield

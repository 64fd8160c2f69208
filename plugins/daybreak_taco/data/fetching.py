"""Matrices of the SuiteSparse collection and tensors of FROSTT, in a cache of this user.

Nothing is fetched during a run: `python -m daybreak_taco.data fetch suitesparse:cage12` does it
beforehand. The checksum of what was fetched first is kept, and a later fetch must give the same.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from daybreak import RequirementError, UserError, nearest
from daybreak_taco.toolchain import cache_folder

__all__ = ["FROSTT", "SUITESPARSE", "cached", "data_folder", "fetch", "place", "url_of"]

#: matrices of the published experiments and the group that each stands in
SUITESPARSE = {
    "ACTIVSg10K": "TAMU_SmartGridCenter",
    "Goodwin_040": "Goodwin",
    "amazon0312": "SNAP",
    "cage12": "vanHeukelum",
    "email-Enron": "SNAP",
    "filter3D": "Oberwolfach",
    "laminar_duct3D": "Raju",
    "scircuit": "Hamm",
}
#: tensors of the published experiments and the path of each on FROSTT's server
FROSTT = {
    "chicago": "chicago-crime/comm/chicago-crime-comm.tns.gz",
    "nips": "nips/nips.tns.gz",
    "uber": "uber-pickups/uber.tns.gz",
}

_SERVERS = {
    "suitesparse": "https://sparse.tamu.edu/MM",
    "frostt": "https://s3.us-east-2.amazonaws.com/frostt/frostt_data",
}
_BLOCK = 1 << 20
_SECONDS = 60.0


def data_folder() -> Path:
    """Return the folder of this user that holds fetched data."""
    return cache_folder() / "data"


def place(collection: str, name: str) -> Path:
    """Return where the matrix or tensor is kept: ``NAME.mtx.gz`` or ``NAME.tns.gz``."""
    suffix = ".mtx.gz" if collection == "suitesparse" else ".tns.gz"
    return data_folder() / collection / (name.rpartition("/")[2] + suffix)


def cached(collection: str, name: str) -> Path:
    """Return the file of a matrix or tensor in the cache; an unpacked one is taken, too.

    Raises:
        RequirementError: it has not been fetched.
    """
    path = place(collection, name)
    for candidate in (path, path.with_suffix("")):
        if candidate.exists():
            return candidate
    raise RequirementError(
        f"'{collection}:{name}' is not in the cache",
        expected=f"the file {path}",
        remedy=f"with a network: python -m daybreak_taco.data fetch {collection}:{name}; without "
        f"one, copy the file there (or {path.with_suffix('').name}, unpacked)",
    )


def url_of(collection: str, name: str, server: str | None = None) -> str:
    """Return where the collection offers `name`: one of the published ones, or GROUP/NAME.

    Raises:
        UserError: the group is not known.
    """
    base = (server or _SERVERS[collection]).rstrip("/")
    if collection == "suitesparse":
        group = name.partition("/")[0] if "/" in name else SUITESPARSE.get(name)
        if group is None:
            raise UserError(
                f"the group of SuiteSparse matrix '{name}' is not known",
                expected=f"suitesparse:GROUP/{name}, or one of " + ", ".join(SUITESPARSE),
                nearest=nearest(name, SUITESPARSE),
            )
        return f"{base}/{group}/{name.rpartition('/')[2]}.tar.gz"
    path = FROSTT.get(name)
    if path is None:
        raise UserError(
            f"where FROSTT keeps '{name}' is not known",
            expected="one of "
            + ", ".join(FROSTT)
            + f"; or put the file at {place(collection, name)}",
            nearest=nearest(name, FROSTT),
        )
    return f"{base}/{path}"


def fetch(
    collection: str,
    name: str,
    progress: Callable[[float | None, str], None],
    *,
    server: str | None = None,
) -> Path:
    """Fetch a matrix or tensor into the cache, and return its file.

    Args:
        collection: `suitesparse` or `frostt`.
        name: the matrix or tensor.
        progress: called with the fraction done (or None) and what is going on.
        server: another server with the same paths, e.g. a mirror.

    Raises:
        UserError: nobody knows where it is.
        RequirementError: it cannot be fetched, or is not what was fetched before.
    """
    url, path = url_of(collection, name, server), place(collection, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=path.name + ".", suffix=".partial", dir=path.parent)
    os.close(handle)
    packed = Path(partial)
    try:
        digest = _download(url, packed, progress)
        _same_as_before(path, digest)
        if collection == "suitesparse":
            progress(None, "unpacking")
            _extract(packed, path)
        else:
            packed.replace(path)
        _remember(path, digest, url)
    except (OSError, urllib.error.URLError, tarfile.TarError, EOFError) as error:
        raise RequirementError(
            f"{url} could not be fetched: {error}",
            remedy=f"try again with a network, or put the file at {path}",
        ) from None
    finally:
        packed.unlink(missing_ok=True)
    return path


def _download(url: str, into: Path, progress: Callable[[float | None, str], None]) -> str:
    digest, done = hashlib.sha256(), 0
    request = urllib.request.Request(url, headers={"User-Agent": "daybreak"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer, into.open("wb") as out:  # noqa: S310
        total = int(answer.headers.get("Content-Length") or 0)
        while block := answer.read(_BLOCK):
            out.write(block)
            digest.update(block)
            done += len(block)
            progress(done / total if total else None, f"fetching {url}")
    if total and done != total:
        raise OSError(f"the connection ended after {done} of {total} bytes")
    return digest.hexdigest()


def _extract(packed: Path, path: Path) -> None:
    """Take the matrix out of the collection's archive and keep it compressed."""
    wanted = path.name.removesuffix(".gz")
    made = path.with_name(path.name + ".new")
    with tarfile.open(packed) as archive:
        member = next((m for m in archive if m.isfile() and Path(m.name).name == wanted), None)
        content = None if member is None else archive.extractfile(member)
        if content is None:
            raise OSError(f"the archive holds no {wanted}")
        with content, gzip.open(made, "wb", compresslevel=4) as out:
            shutil.copyfileobj(content, out, _BLOCK)
    made.replace(path)


def _record() -> Path:
    return data_folder() / "checksums.json"


def _known() -> dict[str, dict[str, str]]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(_record().read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _same_as_before(path: Path, digest: str) -> None:
    before = _known().get(path.name, {}).get("sha256")
    if before is not None and before != digest:
        raise RequirementError(
            f"{path.name} is not what was fetched the first time: sha256 {digest}",
            expected=f"sha256 {before}",
            remedy=f"if the change is intended, remove its entry from {_record()}",
        )


def _remember(path: Path, digest: str, url: str) -> None:
    known = _known() | {path.name: {"sha256": digest, "url": url}}
    text = json.dumps(known, indent=2, sort_keys=True) + "\n"
    partial = _record().with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(_record())

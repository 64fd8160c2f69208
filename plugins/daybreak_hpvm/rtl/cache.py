"""Results that are dear to make, kept by what they were made of."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["FORMAT", "Cache", "digest"]

#: part of every key: raised when what is kept changes its meaning
FORMAT = 1


def digest(*parts: object) -> str:
    """Return a hash (32 hex digits) of `parts`, by their JSON text."""
    text = json.dumps([FORMAT, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Cache:
    """A folder of small JSON objects and of files, each named by a hash.

    Entries appear whole or not at all. One that is damaged is as good as none, and is made again. A
    folder that cannot be written to costs time only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return what was put under `key`; None if there is nothing, or not what was put."""
        try:
            entry = json.loads(self._path(kind, key, ".json").read_text(encoding="utf-8"))
            value = entry["value"]
            if isinstance(value, dict) and entry["check"] == digest(kind, key, value):
                return value
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def put(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Keep `value`, a JSON object."""
        entry = {"check": digest(kind, key, dict(value)), "value": dict(value)}
        self._write(self._path(kind, key, ".json"), json.dumps(entry, sort_keys=True).encode())

    def file(self, kind: str, key: str) -> Path | None:
        """Return a copy-free path of the file kept under `key`; None if it is not whole."""
        path = self._path(kind, key, ".bin")
        known = self.get(kind, key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if known is None or known.get("sha256") != hashlib.sha256(content).hexdigest():
            return None
        return path

    def put_file(self, kind: str, key: str, source: Path) -> Path:
        """Keep the file `source`; return where it lies, `source` itself if it cannot be kept."""
        content = source.read_bytes()
        path = self._path(kind, key, ".bin")
        if not self._write(path, content, mode=0o755):
            return source
        self.put(kind, key, {"sha256": hashlib.sha256(content).hexdigest()})
        return path

    def _path(self, kind: str, key: str, suffix: str) -> Path:
        return self.folder / kind / key[:2] / f"{key}{suffix}"

    def _write(self, path: Path, content: bytes, *, mode: int = 0o644) -> bool:
        made: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.chmod(made, mode)
            os.replace(made, path)
        except OSError:
            if made is not None:
                with contextlib.suppress(OSError):
                    os.unlink(made)
            return False
        return True

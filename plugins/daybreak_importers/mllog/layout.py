"""Where submitters put their logs, and what the folders say about them.

v0.5: ``v0.5.0/ORG/SUBMISSION/results/SYSTEM/BENCHMARK/result_N.txt``, with ``entry.json`` beside
the benchmarks; since v0.6 ``ORG/results/SYSTEM/BENCHMARK/result_N.txt`` (or without BENCHMARK), and
``ORG/systems/SYSTEM.json``. Logs lie about in other ways too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from daybreak_importers.findings import Findings
from daybreak_importers.folders import NO_FILE, regular_size, relative, walk
from daybreak_importers.mllog.quality import is_name
from daybreak_importers.text import printable

__all__ = ["LogFile", "Place", "find_logs", "place_of"]

_ROUND = re.compile(r"(?:^|[_-])v(\d+\.\d+)(?:\.\d+)?(?:$|[_-])", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(?!.*\d)")
_RUN_NUMBER = re.compile(r"result[_-]?(?:run)?[_-]?(\d{1,6})(?!\d)", re.IGNORECASE)
_RESULT = re.compile(r"[_-]?result[_-]?\d+$")
_COMPRESSED = frozenset({".gz", ".zip", ".tgz", ".bz2", ".xz", ".tar", ".7z", ".zst"})
_OTHER = frozenset(
    [
        ".json",
        ".md",
        ".py",
        ".sh",
        ".yaml",
        ".yml",
        ".csv",
        ".tsv",
        ".png",
        ".jpg",
        ".jpeg",
        ".svg",
        ".pdf",
        ".html",
        ".htm",
        ".xlsx",
        ".docx",
        ".pyc",
        ".h",
        ".c",
        ".cc",
        ".cpp",
        ".cu",
        ".cuh",
        ".go",
        ".rs",
        ".js",
        ".ipynb",
        ".pb",
        ".npy",
        ".npz",
        ".pt",
        ".pth",
        ".bin",
        ".ckpt",
        ".rst",
        ".toml",
        ".cfg",
        ".ini",
        ".whl",
        ".so",
        ".patch",
        ".diff",
        ".sub",
        ".sbatch",
        ".gitignore",
        ".gitkeep",
        ".dockerfile",
    ]
)


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that may hold logs: path, path relative to what is imported, size in bytes."""

    path: Path
    name: str
    size: int

    @property
    def number(self) -> int | None:
        """N of ``result_N.txt``, whatever follows it."""
        match = _RUN_NUMBER.search(self.path.stem) or _NUMBER.search(self.path.stem)
        return int(match[1]) if match and len(match[1]) <= 6 else None

    @property
    def claims_result(self) -> bool:
        """Whether the file is called like a result."""
        return "result" in self.path.stem.lower()


@dataclass(frozen=True, slots=True)
class Place:
    """What a log's folders say: label of the entry, organisation, system, benchmark, round."""

    label: str
    organisation: str | None = None
    system: str | None = None
    benchmark: str | None = None
    round: float | None = None


def find_logs(root: Path, findings: Findings) -> tuple[list[LogFile], list[str]]:
    """Return the files below `root` that may be logs, folder by folder, and the compressed ones.

    In a tree with folders named ``results`` only what is in them counts: a clone holds far more
    code than logs.
    """
    if not root.is_dir():
        return [LogFile(root, printable(root.name), regular_size(root) or 0)], []
    logs: list[LogFile] = []
    packed: list[str] = []
    for place, files in walk(root, findings):
        for name, size in sorted(files, key=lambda file: _in_order(file[0])):
            suffix = os.path.splitext(name)[1].lower()
            if suffix in _OTHER:
                continue
            path = place / name
            shown = relative(path, root)
            if suffix in _COMPRESSED:
                packed.append(shown)
            else:
                logs.append(LogFile(path, shown, -1 if size is None else size))
    inside = [log for log in logs if "results" in PurePosixPath(log.name).parts[:-1]]
    if inside or "results" in root.resolve().parts[-4:]:
        logs = inside or logs
        packed = [name for name in packed if not inside or "/results/" in f"/{name}"]
    for log in logs:
        if log.size < 0:
            findings.remark(log.name, NO_FILE)
    return [log for log in logs if log.size >= 0], packed


def _in_order(name: str) -> tuple[str, int, str]:
    match = _NUMBER.search(os.path.splitext(name)[0])
    if match is None or len(match[1]) > 18:
        return name, -1, name
    return name[: match.start()], int(match[1]), name


def place_of(log: LogFile, root: Path) -> Place:
    """Return what the path of a log says about it."""
    above = root.resolve().parts if root.is_dir() else root.resolve().parent.parts
    relative = PurePosixPath(log.name).parts[:-1]
    folders: Sequence[str] = relative
    if "results" not in relative and "results" in above[-4:]:
        # a part of a clone is imported: the organisation is the folder above `results`
        first = len(above) - above[::-1].index("results") - 1
        folders = (*above[max(0, first - 1) :], *relative)
    round_ = next(
        (float(match[1]) for part in (*above, *relative)[::-1] if (match := _ROUND.search(part))),
        None,
    )
    if "results" not in folders:
        label = "/".join(relative) or _RESULT.sub("", log.path.stem) or log.path.stem
        named = relative[-1] if relative and is_name(relative[-1]) else None
        return Place(label, benchmark=named, round=round_)
    at = len(folders) - 1 - list(folders)[::-1].index("results")
    before = [part for part in folders[:at] if not _ROUND.search(part)]
    after = list(folders[at + 1 :])
    # logs may lie deeper: results/SYSTEM/BENCHMARK/raw_logs
    deep = next((i for i in range(len(after) - 1, -1, -1) if is_name(after[i])), None)
    benchmark = None if deep is None else after[deep]
    if deep is not None:
        del after[deep:]
    elif len(after) > 1:
        benchmark = after.pop()
    system = "/".join(after) or None
    label = "/".join([*before, *after]) or "results"
    return Place(label, before[0] if before else None, system, benchmark, round_)

"""Finds the entries in a folder: pairs of a JSON and a TSV file below ``TASK/train``, JSON files
below ``TASK/inference``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daybreak_importers.findings import Findings
from daybreak_importers.folders import NO_FILE, regular_size, relative, walk
from daybreak_importers.text import (
    as_text,
    decode,
    find_number,
    is_future,
    load_json,
    printable,
    read_bytes,
    scrub,
    utc,
)

__all__ = ["MOST_BYTES", "About", "Entry", "find_entries", "read_about"]

#: A larger file is no entry's.
MOST_BYTES = 64 << 20
_KINDS = frozenset({"train", "inference"})
_HIDDEN = frozenset({"authoremail", "email", "contact"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its task's folder, `train` or `inference`, its stem, and its files if they are
    there; `name` is the path that it is known by.
    """

    task: str
    kind: str
    stem: str
    json: Path | None = None
    tsv: Path | None = None

    @property
    def name(self) -> str:
        """The entry's name within a repository."""
        return printable(f"{self.task}/{self.kind}/{self.stem}")


@dataclass(frozen=True, slots=True)
class About:
    """What the JSON file says.

    `raw` holds its values by key in lower case, `details` what is stored of it, without addresses.
    """

    raw: dict[str, Any]
    details: dict[str, Any]
    submitted: str | None = None
    dollars_per_hour: float | None = None


def find_entries(root: Path, findings: Findings) -> list[Entry]:
    """Return the entries below `root` (a repository, a task, a folder of entries, or a file of one).

    Files in such folders that belong to no entry are remarked upon.
    """
    places: Iterable[tuple[Path, list[tuple[str, int | None]]]] = walk(root, findings)
    if not root.is_dir():
        beside = sorted(path for path in root.parent.iterdir() if path.stem == root.stem)
        places = [(root.parent, [(path.name, regular_size(path)) for path in beside])]
    entries = []
    for place, files in places:
        folder = place.resolve()
        if folder.name.lower() not in _KINDS:
            continue
        for name, size in files:
            if size is None:
                findings.remark(relative(place / name, root), NO_FILE)
        names = [name for name, size in files if size is not None]
        entries += _pair(place, names, folder.parent.name, folder.name.lower(), findings, root)
    return entries


def _pair(
    place: Path, names: list[str], task: str, kind: str, findings: Findings, root: Path
) -> list[Entry]:
    jsons: dict[str, Path] = {}
    tsvs: dict[str, Path] = {}
    for name in names:
        path = place / name
        stem, suffix = os.path.splitext(name)
        shelf = {".json": jsons, ".tsv": tsvs}.get(suffix.lower())
        if shelf is None or (kind == "inference" and shelf is tsvs):
            findings.remark(relative(path, root), "no part of an entry: the file is not read")
        elif stem in shelf:
            findings.leave_out(
                relative(path, root), "two files claim one entry", f"{shelf[stem].name} is read"
            )
        else:
            shelf[stem] = path
    loose = {stem.lower(): stem for stem in tsvs if stem not in jsons}
    entries = []
    for stem, path in jsons.items():
        tsv = tsvs.get(stem)
        if tsv is None and stem.lower() in loose:
            tsv = tsvs[loose.pop(stem.lower())]
            findings.remark(relative(tsv, root), f"name in other letters: taken for {path.name}'s")
        entries.append(Entry(task, kind, stem, path, tsv))
    entries += [Entry(task, kind, stem, None, tsvs[stem]) for stem in loose.values()]
    return sorted(entries, key=lambda entry: entry.stem)


def read_about(path: Path, file: str, findings: Findings) -> About | None:
    """Return what a JSON file says; None if it cannot be used, which is remarked upon.

    Raises:
        UserError: the file cannot be read.
    """
    text, remark = decode(read_bytes(path, MOST_BYTES))
    if remark:
        findings.remark(file, remark)
    try:
        content = load_json(text)
    except ValueError as error:
        findings.remark(file, f"damaged JSON: {error}")
        return None
    if not isinstance(content, dict):
        findings.remark(file, f"damaged JSON: a {type(content).__name__}, not an object")
        return None
    raw = {key.lower(): value for key, value in content.items()}
    submitted = utc(raw.get("timestamp"))
    if submitted is None and raw.get("timestamp") is not None:
        findings.remark(file, f"no date: timestamp {as_text(raw['timestamp'])}")
    if is_future(submitted):
        findings.remark(file, f"date in the future: timestamp {as_text(raw['timestamp'])}")
    details: dict[str, Any] = {
        name: value
        for name, key in (
            ("author", "author"),
            ("framework", "framework"),
            ("model", "model"),
            ("hardware", "hardware"),
            ("code", "codeurl"),
            ("commit", "commithash"),
            ("log", "logfilename"),
            ("version", "version"),
            ("submitted", "timestamp"),
        )
        if (value := as_text(raw.get(key))) is not None
    }
    known = {"author", "framework", "model", "hardware", "codeurl", "commithash", "logfilename"}
    known |= {"version", "timestamp", "costperhour", *_HIDDEN}
    rest = {key: scrub(value) for key, value in content.items() if key.lower() not in known}
    if rest:
        details["more"] = rest
    return About(raw, details, submitted, _price(raw.get("costperhour"), file, findings))


def _price(given: Any, file: str, findings: Findings) -> float | None:
    if given is None or given == "":
        return None
    price = find_number(given)
    if price is None or price <= 0:
        findings.remark(file, f"no price: costPerHour {as_text(given)}")
        return None
    return price

"""The recorded benchmarks that are known by name: those shipped, and those the user imported.

A description is YAML or JSON: `summary`, `file` (beside it), `source`, `reading` (how to read the
file, as options of `replay/table`), `space` or `constraints`, `missing`, `references`
(configurations), `values` (references of which only a value is known), `notes`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from daybreak import UserError, data_folder

__all__ = [
    "DESCRIPTION",
    "RESERVED",
    "Description",
    "check_name",
    "descriptions",
    "imported_folder",
    "read_imported",
    "table_name",
    "write_description",
]

#: Not to be taken by an imported table.
RESERVED = "table"

_SHIPPED = Path(__file__).parent / "tables"
#: Name of the file that describes an imported table, in the folder of its name.
DESCRIPTION = "description.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True, slots=True)
class Description:
    """How a benchmark is made of a file.

    Attributes:
        name: the benchmark's.
        path: the file with the measurements.
        place: the description's own file, for messages.
        kept: whether `path` is a table that Daybreak wrote (Parquet), else the original file.
        others: see the module.
    """

    name: str
    path: Path
    place: Path
    kept: bool = False
    summary: str = ""
    source: str = ""
    reading: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, Any] | None = None
    constraints: tuple[str, ...] = ()
    missing: str | None = None
    references: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()


def imported_folder(name: str = "") -> Path:
    """Return the folder of imported tables, or of the one called `name`; it need not exist."""
    folder = data_folder() / "replay"
    return folder / name if name else folder


def table_name(text: str) -> str:
    """Return a benchmark's name made of a file's: lower case, letters, digits and hyphens."""
    stem = text.lower()
    for suffix in (".gz", ".json", ".csv", ".tsv", ".parquet", ".pq", ".duckdb"):
        stem = stem.removesuffix(suffix)
    stem = re.sub(r"[_-]t4$", "", stem)
    return re.sub(r"[^a-z0-9.]+", "-", stem).strip("-.") or "imported"


def check_name(name: str) -> None:
    """Do nothing if `name` can be an imported benchmark's.

    Raises:
        UserError: it cannot, or a shipped one has it.
    """
    if not _NAME.match(name):
        raise UserError(
            f"'{name}' cannot name a benchmark",
            field="--name",
            expected="letters, digits, '-', '_' and '.', beginning with a letter or digit",
        )
    if name == RESERVED or name in _shipped():
        raise UserError(
            f"the name '{name}' is taken by a benchmark that comes with Daybreak",
            field="--name",
            remedy="give it another with --name",
        )


def descriptions() -> dict[str, Description]:
    """Return every known table by name, shipped ones first; reads no measurements.

    An imported table whose description is damaged is left out.
    """
    found = dict(_shipped())
    folder = imported_folder()
    if folder.is_dir():
        for place in sorted(folder.glob(f"*/{DESCRIPTION}")):
            name = place.parent.name
            if name in found or not _NAME.match(name):
                continue
            try:
                found[name] = read_imported(place)
            except UserError:
                continue
    return found


def read_imported(place: Path) -> Description:
    """Read the description of an imported table.

    Raises:
        UserError: it is damaged.
    """
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        return _description(place.parent.name, place, content, kept=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"this description of an imported table is damaged: {error}",
            file=place,
            remedy=f"import the table again, or remove {place.parent}",
        ) from error


@cache
def _shipped() -> dict[str, Description]:
    import yaml

    return {
        place.stem: _description(
            place.stem, place, yaml.safe_load(place.read_text(encoding="utf-8")), kept=False
        )
        for place in sorted(_SHIPPED.glob("*.yaml"))
    }


def _description(name: str, place: Path, content: Mapping[str, Any], *, kept: bool) -> Description:
    return Description(
        name=name,
        path=place.parent / str(content["file"]),
        place=place,
        kept=kept,
        summary=str(content.get("summary", "")),
        source=str(content.get("source", "")),
        reading=dict(content.get("reading") or {}),
        space=content.get("space"),
        constraints=tuple(content.get("constraints") or ()),
        missing=content.get("missing"),
        references=dict(content.get("references") or {}),
        values=dict(content.get("values") or {}),
        notes=tuple(map(str, content.get("notes") or ())),
        objectives=tuple(content.get("objectives") or ()),
    )


def write_description(place: Path, content: Mapping[str, Any]) -> None:
    """Write the description of an imported table to `place`."""
    place.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

"""Runs importers on hand-made folders and looks at what is in the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from daybreak import query
from daybreak.plugin import Registry
from daybreak.run.importing import Imported, import_file
from daybreak_importers.plugin import daybreak_register_importers

REGISTRY = Registry.from_specs(*daybreak_register_importers())


def run_import(kind: str, path: Path | str, results: Path, *options: str, **given: Any) -> Imported:
    return import_file(REGISTRY, kind, path, options=options, results=results, **given)


def rows(sql: str, results: Path) -> list[tuple[Any, ...]]:
    """Return the rows of a query, with None for what is missing."""
    frame = query(sql, results).astype(object)
    frame = frame.where(frame.notna(), None)
    return [tuple(row) for row in frame.itertuples(index=False)]


def remarks(done: Imported) -> list[tuple[str, int | None, str]]:
    return [(remark.file, remark.line, remark.what) for remark in done.report.remarks]


def spool(results: Path) -> dict[str, bytes]:
    """Return every file of the spool: to see that nothing has changed."""
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted((results / "spool").rglob("*"))
        if path.is_file() and path.name != "lock"
    }

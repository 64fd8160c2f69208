"""The store: an append-only spool that is the truth, and a DuckDB index made from it.

`RunWriter` writes a run, `find_runs` and `read_run` read it back; `ingest` brings the index up to
date, `rebuild` makes it anew, `merge` takes runs from other folders, `export` writes tables out.
"""

from __future__ import annotations

from daybreak.store.ingestion import IngestReport, ingest
from daybreak.store.merging import MergeReport, merge
from daybreak.store.reader import find_runs, read_run
from daybreak.store.rebuilding import export, rebuild
from daybreak.store.rows import RunInfo, RunRecord, StudyRecord, StudyRow
from daybreak.store.writer import RunWriter

__all__ = [
    "IngestReport",
    "MergeReport",
    "RunInfo",
    "RunRecord",
    "RunWriter",
    "StudyRecord",
    "StudyRow",
    "export",
    "find_runs",
    "ingest",
    "merge",
    "read_run",
    "rebuild",
]

"""Questions to the results: SQL over tables and views, and comparisons.

`query` and `query_arrow` answer in one call; `tables` lists what can be asked, `view_sql` shows the
SQL behind a view, `update` brings the index file up to date for other DuckDB clients. `compare`
says whether one optimizer beats another, `answer` which to trust (`daybreak.analysis.answers`).
`load_curves` and `load_hits` give the studies of a run as arrays, for the statistics in `scores`,
`ranking`, `hits` and `speedup`.
"""

from __future__ import annotations

from daybreak.analysis.answers import Asked, answer
from daybreak.analysis.curves import load_curves
from daybreak.analysis.hits import load_hits
from daybreak.analysis.pairing import compare
from daybreak.analysis.queries import ResultsWarning, query, query_arrow, tables, update
from daybreak.analysis.views import view_sql

__all__ = [
    "Asked",
    "ResultsWarning",
    "answer",
    "compare",
    "load_curves",
    "load_hits",
    "query",
    "query_arrow",
    "tables",
    "update",
    "view_sql",
]

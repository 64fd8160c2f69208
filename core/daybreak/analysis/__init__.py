"""Questions to the results: SQL over tables and views, and comparisons.

`query` and `query_arrow` answer in one call; `tables` lists what can be asked, `view_sql` shows the
SQL behind a view, `update` brings the index file up to date for other DuckDB clients.
"""

from __future__ import annotations

from daybreak.analysis.queries import ResultsWarning, query, query_arrow, tables, update
from daybreak.analysis.views import view_sql

__all__ = ["ResultsWarning", "query", "query_arrow", "tables", "update", "view_sql"]

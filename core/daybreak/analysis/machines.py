"""Measured ceilings of machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from daybreak.analysis.queries import open_index

__all__ = ["CeilingRow", "newest_ceilings"]


@dataclass(frozen=True, slots=True)
class CeilingRow:
    """A ceiling as the results hold it; see the table `ceilings`."""

    device: str
    ceiling: str
    kind: str
    threads: int
    value: float
    low: float | None
    high: float | None
    unit: str
    repeats: int
    measured_at: datetime | None
    run_id: str


def newest_ceilings(results: Path, machine_id: str) -> list[CeilingRow]:
    """Return the ceilings that were last measured on a machine; bandwidths first.

    Raises:
        StoreError: there is no results folder, or it is damaged.
    """
    with open_index(Path(results)) as index:
        rows = index.execute(
            """
            SELECT device, ceiling, kind, threads, value, low, high, unit, repeats, measured_at,
                   run_id
            FROM ceilings
            WHERE machine_id = ?
            QUALIFY row_number() OVER (PARTITION BY device, ceiling, threads
                                       ORDER BY measured_at DESC NULLS LAST, run_id DESC) = 1
            ORDER BY device, kind, ceiling, threads
            """,
            [machine_id],
        ).fetchall()
    return [CeilingRow(*row) for row in rows]

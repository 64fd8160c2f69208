"""The books of a run: what is recorded, counted and told to listeners, in one place.

Every method that writes is called under one lock, because blocks may run in several threads.
"""

from __future__ import annotations

__all__ = ["Books"]

_INGEST_EVERY_S = 10.0


class Books:
    """Records a run through a `RunWriter`, counts, and tells listeners and plugins' observers."""

    # filled in once the store's interface stands

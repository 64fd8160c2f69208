"""Where a user's own data is kept, and what can be made again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "data_folder"]


def cache_folder(name: str) -> Path:
    """Return the user's folder for what `name` made and can make again; nothing is created.

    A worker in a sandbox may write there if its target's spec lists `name` under `caches`.
    """
    from platformdirs import user_cache_path

    return user_cache_path("daybreak", appauthor=False) / name


def data_folder() -> Path:
    """Return the folder of the user's data: ``$DAYBREAK_DATA``, else the platform's own place.

    What is there was imported by the user and is never deleted by Daybreak. Nothing is created.
    """
    named = os.environ.get("DAYBREAK_DATA")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("daybreak", appauthor=False)

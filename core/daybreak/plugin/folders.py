"""Where a user's own data is kept."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["data_folder"]


def data_folder() -> Path:
    """Return the folder of the user's data: ``$DAYBREAK_DATA``, else the platform's own place.

    What is there was imported by the user and is never deleted by Daybreak. Nothing is created.
    """
    named = os.environ.get("DAYBREAK_DATA")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("daybreak", appauthor=False)

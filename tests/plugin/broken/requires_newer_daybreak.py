"""Its distribution requires a later Daybreak, so it must not even be imported."""

from __future__ import annotations

DAYBREAK_API = "1.0"

raise RuntimeError("must not be imported")

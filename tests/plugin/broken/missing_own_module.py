"""Its entry point names a module that is not there (the test writes it so)."""

from __future__ import annotations

DAYBREAK_API = "1.0"

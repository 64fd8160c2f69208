"""Raises while it is imported."""

from __future__ import annotations

DAYBREAK_API = "1.0"

raise RuntimeError("the abacus is broken")

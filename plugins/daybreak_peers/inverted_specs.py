"""Specs of the libraries that call back for a value: they run in a thread of their own."""

from __future__ import annotations

from daybreak import OptimizerSpec

__all__ = ["specs"]


def specs() -> list[OptimizerSpec]:
    """Return the specs."""
    return []

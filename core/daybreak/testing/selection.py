"""Which plugins ``pytest --daybreak-plugin`` named."""

from __future__ import annotations

__all__ = ["plugins"]

#: set by the pytest plugin before anything is collected
plugins: tuple[str, ...] = ()

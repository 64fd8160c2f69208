"""Reports: tables and pictures made from query results."""

from __future__ import annotations

__all__: list[str] = []

"""HPVM on FPGAs: dataflow programs, their transformations, and hardware made from them."""

from __future__ import annotations

__all__: list[str] = []

"""Daybreak: a benchmarking harness where any optimizer meets any target."""

from __future__ import annotations

__version__ = "0.1.0"

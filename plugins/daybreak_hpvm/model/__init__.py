"""The fidelity `model`: cycles, resources and clock of a design, worked out without building it."""

from __future__ import annotations

__all__: list[str] = []

"""Sessions of the fidelity `rtl` that tests open."""

from __future__ import annotations

from typing import Any

from daybreak_hpvm import building, options
from daybreak_hpvm.target import HpvmTarget

__all__ = ["session"]


def session(**more: Any) -> building.RtlSession:
    """Return one of a small `bfs`, not yet entered; `more` are options."""
    chosen = options.BfsOptions(
        fidelity="rtl", vertices=8, levels=2, device="ecp5-25k", **more
    ).model_dump()
    made = HpvmTarget().open(HpvmTarget().define("bfs", chosen))
    assert isinstance(made, building.RtlSession)
    return made

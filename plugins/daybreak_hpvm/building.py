"""The fidelity `rtl`: placeholder until the flow is there."""

from __future__ import annotations

from collections.abc import Iterable

from daybreak import Requirement

__all__ = ["requirements"]


def requirements(family: str) -> Iterable[Requirement]:
    """Return what building needs."""
    from daybreak_hpvm.rtl.tools import requirements as tools

    del family
    return tools()

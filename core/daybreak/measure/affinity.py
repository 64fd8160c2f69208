"""Binding workers to processors.

Nothing is bound unless the user asks for it: a scheduler that may move a kernel's threads does
better than a fixed choice that happens to share a core with somebody else. `DAYBREAK_CPUS` (for
example ``2-5,8``) binds every worker and its trials, for machines that keep processors free.
"""

from __future__ import annotations

import os
import re

from daybreak.errors import UserError

__all__ = ["chosen_cpus"]

_VARIABLE = "DAYBREAK_CPUS"
_LIST = re.compile(r"\d{1,6}(-\d{1,6})?(\s*,\s*\d{1,6}(-\d{1,6})?)*")


def chosen_cpus() -> tuple[int, ...]:
    """Return the processors that `DAYBREAK_CPUS` names, in order; empty when it is not set.

    Raises:
        UserError: it is no list of processor numbers, or this process may not use one of them.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    if not text:
        return ()
    cpus: set[int] = set()
    if _LIST.fullmatch(text):
        for part in text.split(","):
            first, _, last = part.partition("-")
            cpus.update(range(int(first), int(last or first) + 1))
    allowed = os.sched_getaffinity(0)
    if not cpus or not cpus <= allowed:
        raise UserError(
            f"{_VARIABLE} is '{text}'",
            expected=f"processors out of {sorted(allowed)}, like 0,2-3",
        )
    return tuple(sorted(cpus))

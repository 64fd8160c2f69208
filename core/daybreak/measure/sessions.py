"""Opening a target's session: the same steps in Daybreak's own process and in a worker."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.plugin.specs import load_object

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Session

__all__ = ["OpenedSession", "open_session"]


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """An entered session, what it says of itself, and how to leave it."""

    session: Session
    identity: dict[str, str]
    floors: dict[str, float]
    stack: ExitStack

    def close(self) -> None:
        """Leave the session; a second call does nothing."""
        self.stack.close()


def open_session(factory: str, name: str, options: Mapping[str, Any]) -> OpenedSession:
    """Make the target, define its benchmark `name` with `options`, open and enter the session.

    Raises:
        Exception: whatever the target raises; TypeError when its session breaks the contract.
    """
    target = load_object(factory)()
    benchmark = target.define(name, options)
    stack = ExitStack()
    session = stack.enter_context(target.open(benchmark))
    try:
        identity = {str(key): str(value) for key, value in session.identity.items()}
        floors = {str(key): float(value) for key, value in session.floors.items()}
        if not all(math.isfinite(floor) for floor in floors.values()):
            raise TypeError(f"the session's floors must be finite numbers, not {floors}")
    except BaseException:
        stack.close()
        raise
    return OpenedSession(session, identity, floors, stack)

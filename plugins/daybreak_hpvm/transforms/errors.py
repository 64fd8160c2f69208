"""What is raised where a transformation would change what a program computes."""

from __future__ import annotations

from daybreak import UserError

__all__ = ["IllegalTransformationError", "UnknownDirectiveError"]


class IllegalTransformationError(UserError):
    """A transformation cannot be applied here; `message` says why, `field` where."""


class UnknownDirectiveError(UserError):
    """A configuration names a node, loop, array or transformation that the program lacks."""

"""What a person who writes an expression or a strategy may get wrong."""

from __future__ import annotations

from daybreak import UserError

__all__ = ["RewriteError", "RiseTypeError"]


class RiseTypeError(UserError):
    """An expression whose types or sizes do not fit together."""


class RewriteError(UserError):
    """A strategy that had to succeed failed; the message says at which rule and why."""

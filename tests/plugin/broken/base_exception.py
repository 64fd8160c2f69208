"""Raises something that `except Exception` does not catch."""

from __future__ import annotations

DAYBREAK_API = "1.0"


class Abort(BaseException):
    pass


raise Abort("not an Exception")

"""What a pattern's translation is given: arguments not translated yet, views, functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from daybreak_rise.codegen.views import View
from daybreak_rise.expr import Expr

__all__ = ["Argument", "Closure", "Environment", "Thunk"]

Environment: TypeAlias = "Mapping[str, View | Closure]"


class Thunk:
    """An argument that is not translated yet."""

    __slots__ = ("environment", "expression")

    def __init__(self, expression: Expr, environment: Environment) -> None:
        self.expression = expression
        self.environment = environment


class Closure:
    """A function with what it was given so far."""

    __slots__ = ("arguments", "environment", "head")

    def __init__(
        self, head: Expr, environment: Environment, arguments: tuple[Argument, ...]
    ) -> None:
        self.head = head
        self.environment = environment
        self.arguments = arguments


Argument: TypeAlias = "Thunk | View | Closure"

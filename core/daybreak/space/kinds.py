"""Checks a parsed constraint against the parameters it names, before any value is seen.

Finds unknown names, arithmetic on texts, comparisons of unlike things, texts that a categorical
parameter cannot take, and positions that a permutation does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from daybreak.errors import SpaceError, nearest
from daybreak.space.expression import (
    Arithmetic,
    Call,
    Compare,
    Constant,
    Item,
    Logic,
    Member,
    Name,
    Negative,
    Node,
    Not,
    Position,
    names_in,
)
from daybreak.space.parameters import Categorical, Parameter, Permutation, Program

__all__ = ["check_constraint"]

_NUMERIC = frozenset({"number", "truth value"})


def check_constraint(
    node: Node, text: str, parameters: Mapping[str, Parameter], *, clipped: bool = False
) -> None:
    """Check the tree `node` of constraint `text`.

    With `clipped`, a constraint may name a value that its parameter does not have (any more).

    Raises:
        SpaceError: the constraint makes no sense for `parameters`; `column` says where.
    """
    checker = _Checker(text, parameters, clipped)
    checker.names(node)
    kind = checker.kind(node)
    if kind not in _NUMERIC:
        checker.fail(node.column, f"a {kind} is neither true nor false", "a comparison")


class _Checker:
    def __init__(self, text: str, parameters: Mapping[str, Parameter], clipped: bool) -> None:
        self._text = text
        self._clipped = clipped
        self._parameters = parameters

    def fail(
        self, column: int, message: str, expected: str | None = None, close: str | None = None
    ) -> NoReturn:
        raise SpaceError(
            f"constraint `{self._text}`: column {column}: {message}",
            column=column,
            expected=expected,
            nearest=close,
        )

    def names(self, node: Node) -> None:
        for name, column in names_in(node):
            parameter = self._parameters.get(name)
            if parameter is None:
                known = list(self._parameters)
                shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
                self.fail(
                    column,
                    f"there is no parameter '{name}'",
                    f"one of {shown}",
                    nearest(name, known),
                )
            if isinstance(parameter, Program):
                self.fail(column, f"'{name}' is a program, which cannot be constrained")

    def kind(self, node: Node) -> str:
        """Return `number`, `truth value`, `text`, `order` or `mixed value`."""
        match node:
            case Constant(value):
                return _kind_of(value)
            case Name(name):
                return _kind_of_parameter(self._parameters[name])
            case Negative(operand, column):
                self._numeric(operand, column, "-")
                return "number"
            case Arithmetic(op, left, right, column):
                self._numeric(left, column, op)
                self._numeric(right, column, op)
                return "number"
            case Call(function, arguments, column):
                for argument in arguments:
                    self._numeric(argument, column, function)
                return "number"
            case Not(operand, column):
                self._numeric(operand, column, "not")
            case Logic(op, operands):
                for operand in operands:
                    self._numeric(operand, operand.column, op)
            case Compare(operands, ops, column):
                for i, op in enumerate(ops):
                    self._comparable(operands[i], operands[i + 1], op, column)
            case Member(item, choices, _, column):
                for choice in choices:
                    self._comparable(item, choice, "==", column)
            case Position(permutation, element, column):
                self._place(permutation, element, column, "element")
                return "number"
            case Item(permutation, position, column):
                self._place(permutation, position, column, "position")
                return "number"
        return "truth value"

    def _numeric(self, node: Node, column: int, op: str) -> None:
        kind = self.kind(node)
        if kind not in _NUMERIC:
            self.fail(column, f"'{op}' takes numbers, not a{'n' * (kind[0] in 'o')} {kind}")

    def _comparable(self, left: Node, right: Node, op: str, column: int) -> None:
        kinds = (self.kind(left), self.kind(right))
        if op in ("==", "!="):
            alike = kinds[0] == kinds[1] or _NUMERIC.issuperset(kinds)
            if not alike and ("mixed value" not in kinds or "order" in kinds):
                self.fail(column, f"'{op}' compares a {kinds[0]} with a {kinds[1]}: never equal")
            self._possible(left, right)
            self._possible(right, left)
        elif not _NUMERIC.issuperset(kinds):
            self.fail(column, f"'{op}' takes numbers, not a {kinds[0]} and a {kinds[1]}")

    def _possible(self, name: Node, value: Node) -> None:
        """Check that a parameter can take the text or order that it is compared with."""
        if self._clipped or not isinstance(name, Name) or not isinstance(value, Constant):
            return
        parameter = self._parameters[name.name]
        checked = isinstance(value.value, str) and isinstance(parameter, Categorical)
        if (checked or isinstance(parameter, Permutation)) and not parameter.contains(value.value):
            try:
                parameter.normalise(value.value)
            except SpaceError as error:
                self.fail(
                    value.column,
                    f"'{name.name}' never is {value.value!r}",
                    error.expected,
                    error.nearest,
                )

    def _place(self, permutation: str, index: Node, column: int, what: str) -> None:
        parameter = self._parameters[permutation]
        if not isinstance(parameter, Permutation):
            use = f"pos({permutation}, ...)" if what == "element" else f"{permutation}[...]"
            self.fail(column, f"{use} needs a permutation; '{permutation}' is {parameter.type}")
        self._numeric(index, column, "pos" if what == "element" else "[]")
        if isinstance(index, Constant) and index.value not in range(parameter.length):
            self.fail(
                index.column,
                f"'{permutation}' has no {what} {index.value!r}",
                f"0..{parameter.length - 1}",
            )


def _kind_of(value: object) -> str:
    match value:
        case bool():
            return "truth value"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return "order"


def _kind_of_parameter(parameter: Parameter) -> str:
    if isinstance(parameter, Permutation):
        return "order"
    if isinstance(parameter, Categorical):
        kinds = {_kind_of(value) for value in parameter.values}
        return kinds.pop() if len(kinds) == 1 else "mixed value"
    return "number"

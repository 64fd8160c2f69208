"""A known constraint: its text, its tree, and both ways of evaluating it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from daybreak.space.expression import Compare, Constant, Logic, Name, Node, names_in, write
from daybreak.space.parser import parse
from daybreak.space.scalar import compile_scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from daybreak.space.parameters import Parameter

__all__ = ["Constraint", "activity_constraint", "parse_constraint"]


class Constraint:
    """A parsed expression over parameters that must hold for a configuration to be feasible.

    Attributes:
        text: as the user wrote it.
        tree: as it was parsed.
        names: the parameters in it, each once, in order of appearance.
        subject: for a constraint that Daybreak derived from a parameter's `when`, that
            parameter; None for the user's own constraints.
    """

    def __init__(self, text: str, tree: Node, *, subject: str | None = None) -> None:
        self.text = text
        self.tree = tree
        self.names: tuple[str, ...] = tuple(dict.fromkeys(name for name, _ in names_in(tree)))
        self.subject = subject

    @cached_property
    def test(self) -> Callable[[Mapping[str, Any]], bool]:
        """The compiled scalar evaluator: normalised configuration -> bool."""
        return compile_scalar(self.tree)

    def holds(self, configuration: Mapping[str, Any]) -> bool:
        """Say whether the constraint holds; an undefined value (e.g. `x % 0`) does not."""
        return self.test(configuration)

    def holds_for(self, columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.bool_]:
        """Say it for `rows` candidates at once; see `daybreak.space.vector.holds`."""
        from daybreak.space.vector import holds

        return holds(self.tree, columns, rows)

    def check(self, parameters: Mapping[str, Parameter], *, clipped: bool = False) -> None:
        """Check that the constraint makes sense for `parameters`.

        Args:
            parameters: by name.
            clipped: the constraint may name values that its parameter does not have (any more).

        Raises:
            SpaceError: it does not; `column` says where in the text.
        """
        from daybreak.space.kinds import check_constraint

        check_constraint(self.tree, self.text, parameters, clipped=clipped)

    def describe(self) -> str | dict[str, Any]:
        """Return the JSON value that a space's description holds for this constraint."""
        return self.text

    def canonical(self) -> str:
        """Return the constraint written in one way, whatever its spacing and parentheses."""
        return write(self.tree)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Constraint({self.text!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Constraint):
            return NotImplemented
        return self.tree == other.tree and self.subject == other.subject

    def __hash__(self) -> int:
        return hash((self.tree, self.subject))

    def __reduce__(self) -> tuple[Any, ...]:
        # the compiled evaluator cannot be pickled; it is made again when needed
        return _rebuild, (self.text, self.tree, self.subject)


def _rebuild(text: str, tree: Node, subject: str | None) -> Constraint:
    return Constraint(text, tree, subject=subject)


def parse_constraint(text: str) -> Constraint:
    """Parse `text`.

    Names are checked when the constraint joins a `Space`.

    Raises:
        SpaceError: a syntax error, with its column.
    """
    return Constraint(text.strip() if isinstance(text, str) else text, parse(text))


def activity_constraint(parameter: Parameter) -> Constraint:
    """Return `when or parameter == rest`: an inactive parameter stands at its resting value."""
    condition = parse(parameter.when or "True")
    resting = Compare((Name(parameter.name), Constant(parameter.rest)), ("==",))
    text = f"{parameter.name} is {parameter.rest!r} unless {parameter.when}"
    return Constraint(text, Logic("or", (condition, resting)), subject=parameter.name)

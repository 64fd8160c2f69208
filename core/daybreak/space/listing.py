"""Makes a space of listed configurations: parameters from the values that occur."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybreak.errors import SpaceError
from daybreak.space.parameters import Categorical, Ordinal, Parameter, Permutation
from daybreak.space.rows import Rows

if TYPE_CHECKING:
    from daybreak.space.space import Space

__all__ = ["parameter_of", "space_of_rows"]


def space_of_rows(
    kind: type[Space],
    rows: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]],
    parameters: Iterable[Parameter],
    name: str,
    more: Mapping[str, Any],
) -> Space:
    """See `Space.from_rows`."""
    columns = _columns(rows)
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [one for one in known if one not in columns]
    if unknown:
        raise SpaceError(
            f"the rows have no column for the parameter '{unknown[0]}'",
            expected="a column each of " + ", ".join(known),
        )
    listed = Rows(columns)
    made = [
        known.get(column) or parameter_of(column, domain)
        for column, domain in zip(listed.names, listed.domains, strict=True)
    ]
    given = dict(more)
    constraints = [*given.pop("constraints", ()), listed]
    return kind(made, constraints, name, **given)


def parameter_of(name: str, values: Sequence[Any]) -> Parameter:
    """Return the parameter that takes just `values`, which are distinct."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return Ordinal(name, tuple(values))
    if all(isinstance(v, tuple) for v in values):
        return Permutation(name, len(values[0]))
    return Categorical(name, tuple(values))


def _columns(rows: Any) -> dict[str, list[Any]]:
    if isinstance(rows, Mapping):
        return {str(name): list(column) for name, column in rows.items()}
    listed = list(rows)
    if not listed:
        raise SpaceError("no rows are listed", expected="at least one feasible configuration")
    names = list(listed[0])
    for number, row in enumerate(listed):
        if row.keys() != listed[0].keys():
            raise SpaceError(
                f"row {number} has values for {', '.join(row)}", expected=", ".join(names)
            )
    return {str(name): [row[name] for row in listed] for name in names}

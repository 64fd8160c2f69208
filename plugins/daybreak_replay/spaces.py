"""The search space of a table: declared, recorded, or just its rows; and what the table lacks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak import (
    Categorical,
    Ordinal,
    Parameter,
    Permutation,
    Rows,
    Space,
    SpaceError,
    UserError,
)
from daybreak_replay.recording import show
from daybreak_replay.table import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Coverage", "cover", "parameter_for", "space_of_table"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a table and a space fit together.

    Attributes:
        space: the space, narrowed to the rows if the suite says so.
        rows: the table's rows that are feasible in it.
        missing: number of feasible configurations that the table lacks; None: too many to count.
        notes: sentences for whoever uses the benchmark.
    """

    space: Space
    rows: NDArray[np.intp]
    missing: int | None
    notes: tuple[str, ...] = ()


def parameter_for(name: str, values: Iterable[Any]) -> Parameter:
    """Return the parameter of listed values: ordinal for numbers, else categorical.

    Numbers that each are the same multiple of the one before are put on a log scale: whoever chose
    1, 2, 4, 8 thinks in factors.
    """
    listed = list(dict.fromkeys((type(v) is bool, v) for v in values))
    plain = [value for _, value in listed]
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in plain):
        return Ordinal(name, tuple(plain), log=_geometric(sorted(plain)))
    if all(isinstance(v, tuple) for v in plain):
        return Permutation(name, len(plain[0]))
    return Categorical(name, tuple(sorted(plain, key=lambda v: (type(v).__name__, v))))


def _geometric(numbers: Sequence[float]) -> bool:
    if len(numbers) < 3 or numbers[0] <= 0:
        return False
    try:
        ratios = [b / a for a, b in itertools.pairwise(numbers)]
    except OverflowError:  # whole numbers so far apart that their ratio has no float
        return False
    return all(math.isclose(ratio, ratios[0], rel_tol=1e-9) for ratio in ratios)


def space_of_table(table: Table, name: str, constraints: Sequence[str] = ()) -> Space:
    """Return the space that the table itself speaks of.

    The one that was recorded with it; else parameters of the declared values (or of those that
    occur), with `constraints` if there are any, else with the rows as what is feasible.

    Raises:
        SpaceError: a constraint makes no sense for the parameters.
    """
    if table.space is not None:
        space = Space.from_dict(table.space)
        if not constraints:
            return space
        return Space(space.parameters, [*space.constraints, *constraints], name, clipped=True)
    return space_of_rows(table, name, table.declared, constraints)


def space_of_rows(
    table: Table,
    name: str,
    declared: Mapping[str, Sequence[Any]],
    constraints: Sequence[str] = (),
) -> Space:
    """Return the space of declared values that holds just the rows, or what `constraints` leave.

    Raises:
        SpaceError: a constraint makes no sense for the parameters, or the file's values make no
            parameters.
    """
    try:
        parameters = [
            parameter_for(
                one,
                [tuple(v) if isinstance(v, list) else v for v in declared.get(one, column.domain)],
            )
            for one, column in table.parameters.items()
        ]
        whole = Space(parameters, name=name)
        if not constraints and whole.size != len(table):
            columns = {one: column.values() for one, column in table.parameters.items()}
            return Space(parameters, [Rows(columns)], name)
    except SpaceError as error:
        error.file = error.file or table.file
        raise
    # without constraints every combination was measured: nothing to be listed
    return Space(parameters, constraints, name) if constraints else whole


def cover(table: Table, space: Space, missing: str, *, file: str) -> Coverage:
    """Return how `table` covers `space`.

    Args:
        table: the recorded measurements.
        space: the declared space.
        missing: `refuse`, `failed` or `exclude`.
        file: for messages.

    Raises:
        UserError: the space has other parameters than the table; a row holds a value that its
            parameter does not have; no row is feasible; or configurations are missing and are to
            be refused.
    """
    import numpy as np

    _check_names(table, space, file)
    feasible = _feasible(table, space, file)
    rows = np.flatnonzero(feasible)
    notes = []
    if len(rows) < len(table):
        notes.append(
            f"{len(table) - len(rows)} rows of the table are not feasible in this space and are "
            "left out."
        )
    if not len(rows):
        raise UserError("no row of the table is feasible in this space", file=file)
    if missing == "exclude":
        columns = {
            name: [column.domain[code] for code in column.codes[rows].tolist()]
            for name, column in table.parameters.items()
        }
        count = _count(space)
        if count is None or count > len(rows):
            listed = Rows({one.name: columns[one.name] for one in space.parameters})
            space = Space(
                space.parameters, [*space.constraints, listed], space.name, clipped=True,
                references=space.references, published=space.published, notes=space.notes,
            )  # fmt: skip
            lacking = "an unknown number of" if count is None else f"{count - len(rows):,}"
            notes.append(
                f"The space is narrowed to the {len(rows):,} configurations of the table; "
                f"{lacking} feasible ones were not measured."
            )
        return Coverage(space, rows, 0, tuple(notes))
    count = _count(space)
    unmeasured = None if count is None else count - len(rows)
    if unmeasured == 0:
        return Coverage(space, rows, 0, tuple(notes))
    if missing == "refuse":
        raise _incomplete(table, space, count, len(rows), file)
    notes.append(
        f"The table is partial: it has {len(rows):,} of "
        + ("innumerable" if count is None else f"{count:,}")
        + " feasible configurations; trials of the others fail as 'missing'."
    )
    return Coverage(space, rows, unmeasured, tuple(notes))


def _count(space: Space) -> int | None:
    try:
        return space.count()
    except SpaceError:
        return None


def _check_names(table: Table, space: Space, file: str) -> None:
    if set(space.names) == set(table.parameters):
        return
    extra = [name for name in table.parameters if name not in space.names]
    lacking = [name for name in space.names if name not in table.parameters]
    what = (
        f"has the parameter '{extra[0]}', which the space does not have"
        if extra
        else f"lacks the parameter '{lacking[0]}' of the space"
    )
    raise UserError(
        f"the table {what}",
        file=file,
        expected=", ".join(space.names),
        remedy="name the columns as the space names its parameters, or use another space",
    )


def _feasible(table: Table, space: Space, file: str) -> NDArray[np.bool_]:
    """Say for every row whether it is feasible; a value outside its parameter is an error."""
    import numpy as np

    values: dict[str, list[Any]] = {}
    for name, column in table.parameters.items():
        parameter = space[name]
        domain = []
        for code, value in enumerate(column.domain):
            try:
                domain.append(parameter.normalise(value))
            except SpaceError as error:
                row = int(np.flatnonzero(column.codes == code)[0])
                raise UserError(
                    f"{table.unit} {table.places[row]}: {name} = {value!r} is outside the space",
                    file=file,
                    field=name,
                    expected=error.expected,
                    nearest=error.nearest,
                    remedy="mend the space, or leave it out to use the rows as the space",
                ) from error
        values[name] = [domain[code] for code in column.codes.tolist()]
    names = list(values)
    feasible = np.empty(len(table), dtype=np.bool_)
    space.parts  # noqa: B018 - builds the trees, which answer faster than the constraints
    for row, chosen in enumerate(zip(*values.values(), strict=True)):
        feasible[row] = space.feasible(dict(zip(names, chosen, strict=True)))
    return feasible


def _incomplete(
    table: Table, space: Space, count: int | None, present: int, file: str
) -> UserError:
    example = ""
    if count is not None:
        names = list(table.parameters)
        for configuration in space.grid():
            key = tuple(configuration[name] for name in names)
            if key not in table.index:
                example = f", for one {show(configuration)}"
                if key in table.outside:
                    example += " (recorded as violating a constraint)"
                break
        lacking = f"{count - present:,} of {count:,}"
    else:
        lacking = "innumerable"
    return UserError(
        f"the table lacks {lacking} feasible configurations{example}",
        file=file,
        field="missing",
        expected="a measurement of every feasible configuration",
        remedy="choose `missing: failed` (such trials fail as 'missing') or `missing: exclude` "
        "(the space is narrowed to the table)",
    )

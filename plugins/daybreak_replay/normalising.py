"""Makes the values of each parameter of one sort, so that a search space can hold them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from daybreak_replay.recording import Recording, Row, refusal

__all__ = ["normalise"]


def normalise(
    rows: Sequence[Row], recording: Recording, notes: list[str]
) -> Mapping[str, Sequence[Any]]:
    """Write each parameter's values in one way, in `rows` and in the declared ones it returns.

    Whole floats become whole numbers where all are whole (2048.0); truth values become numbers
    where there are numbers too; lists become orders (tuples) where all of them are orders of one
    length, and texts where they are not. `notes` gets a sentence for what may surprise.

    Raises:
        UserError: a value is nothing that a parameter can have.
    """
    for row in rows:
        for name, value in row.configuration.items():
            good = isinstance(value, str | bool | int | tuple | list) or (
                isinstance(value, float) and math.isfinite(value)
            )
            if not good:
                raise refusal(
                    recording,
                    row,
                    f"the parameter '{name}' is {value!r}",
                    expected="a number, text, truth value or order",
                )
    declared = dict(recording.declared)
    for name in recording.parameters:
        values = [*(row.configuration[name] for row in rows), *declared.get(name, ())]
        change = _change(name, values, notes)
        if change is None:
            continue
        for row in rows:
            row.configuration[name] = change(row.configuration[name])
        if name in declared:
            declared[name] = [change(value) for value in declared[name]]
    return declared


def _change(name: str, values: Sequence[Any], notes: list[str]) -> Callable[[Any], Any] | None:
    """Return what is to be done with each of `values`; None: nothing."""
    kinds = set(map(type, values))
    if kinds & {list, tuple, dict}:
        lists = [value for value in values if isinstance(value, list | tuple)]
        if len(lists) == len(values) and _orders(lists):
            return tuple
        notes.append(f"'{name}' holds lists that are no orders of one length: taken as texts.")
        return _text
    change = None
    if bool in kinds and kinds & {int, float}:
        notes.append(
            f"'{name}' holds truth values and numbers: true and false are taken as 1 and 0."
        )
        kinds = (kinds - {bool}) | {int}
        change = _number
    if float in kinds and kinds <= {int, float}:
        return int if all(isinstance(v, int) or v.is_integer() for v in values) else _float
    return change


def _orders(lists: Sequence[Sequence[Any]]) -> bool:
    wanted = list(range(len(lists[0])))
    return all(set(map(type, one)) == {int} and sorted(one) == wanted for one in map(list, lists))


def _text(value: Any) -> Any:
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple | dict) else value
    )


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _float(value: Any) -> Any:
    try:
        return float(value)
    except OverflowError:
        return value  # the space refuses it by name

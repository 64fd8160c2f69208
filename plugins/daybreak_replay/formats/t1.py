"""Reads the search space out of a T1 file, the auto-tuning community's description of a problem.

`ConfigurationSpace` holds `TuningParameters` (`Name`, `Type`, `Values` as text) and `Conditions`
(`Expression`, in Python's or C's syntax). Both are parsed, never run.

Source: github.com/odgaard/TuningSchema, `TuningSchema.json`; Kernel Tuner 1.5.0 `tune_kernel_T1`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from daybreak import Space, SpaceError, UserError, parse_constraint
from daybreak_replay.formats.conditions import translate
from daybreak_replay.formats.json_items import read_text
from daybreak_replay.formats.values import values_of
from daybreak_replay.naming import parameter_names
from daybreak_replay.spaces import parameter_for

__all__ = ["read_t1"]


def read_t1(path: Path, constants: Mapping[str, float] | None = None) -> Space:
    """Return the space that a T1 file describes.

    Args:
        path: the file.
        constants: numbers that conditions call by name.

    Raises:
        UserError: not such a file, values or a condition that cannot be parsed.
    """
    text, _ = read_text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"this is not JSON: {error.msg}", file=path, line=error.lineno, column=error.colno
        ) from error
    described = content.get("ConfigurationSpace") if isinstance(content, Mapping) else None
    if not isinstance(described, Mapping) or not isinstance(
        described.get("TuningParameters"), list
    ):
        raise UserError(
            "this is no T1 file",
            file=path,
            field="ConfigurationSpace.TuningParameters",
            expected="a list of parameters with Name, Type and Values",
        )
    listed = described["TuningParameters"]
    named = [str(one["Name"]) for one in listed if isinstance(one, Mapping) and "Name" in one]
    called = parameter_names(named)
    parameters = []
    for i, one in enumerate(listed):
        field = f"ConfigurationSpace.TuningParameters[{i}]"
        if not isinstance(one, Mapping) or "Name" not in one or "Values" not in one:
            raise UserError("a parameter needs Name and Values", file=path, field=field)
        try:
            values = values_of(one["Values"], str(one.get("Type", "")))
            parameters.append(parameter_for(called[str(one["Name"])], values))
        except (ValueError, SpaceError) as error:
            raise UserError(
                f"the values of '{one['Name']}' are not understood: {error}",
                file=path,
                field=f"{field}.Values",
                expected="a list such as [1, 2, 4], range(1, 9) or [16 * i for i in range(1, 17)]",
            ) from error
    conditions = described.get("Conditions") or []
    names = [parameter.name for parameter in parameters]
    constraints = []
    for i, one in enumerate(conditions):
        expression = one.get("Expression") if isinstance(one, Mapping) else one
        field = f"ConfigurationSpace.Conditions[{i}]"
        try:
            constraint = parse_constraint(translate(str(expression), names, constants or {}))
            constraint.check({parameter.name: parameter for parameter in parameters})
        except (ValueError, SpaceError) as error:
            reason = error.message if isinstance(error, UserError) else str(error)
            raise UserError(
                f"the condition `{expression}` is not understood: {reason}",
                file=path,
                field=f"{field}.Expression",
                expected=getattr(error, "expected", None)
                or "arithmetic, comparisons, and, or, not, in, min, max, abs over parameters",
                nearest=getattr(error, "nearest", None),
                remedy="to take the rows of the table as the space instead: leave out the "
                "option `space`",
            ) from error
        constraints.append(constraint)
    name = str((content.get("KernelSpecification") or {}).get("KernelName") or path.stem)
    return Space(parameters, constraints, name)

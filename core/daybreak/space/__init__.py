"""Search spaces: typed parameters with known constraints.

Nothing heavy is imported here: NumPy and YAML are imported by the functions that use them.
"""

from __future__ import annotations

from daybreak.space.constraint import Constraint, parse_constraint
from daybreak.space.files import load_space
from daybreak.space.parameters import (
    Categorical,
    Integer,
    Ordinal,
    Parameter,
    Permutation,
    Program,
    Real,
)
from daybreak.space.rows import Rows
from daybreak.space.space import Space

__all__ = [
    "Categorical",
    "Constraint",
    "Integer",
    "Ordinal",
    "Parameter",
    "Permutation",
    "Program",
    "Real",
    "Rows",
    "Space",
    "load_space",
    "parse_constraint",
]

"""Matrices and tensors: from files, from a local cache, from pyamg, or generated."""

from __future__ import annotations

from daybreak_taco.data.loading import Coordinates, load_matrix, load_tensor, operand
from daybreak_taco.data.source import Source, parse_source, short_name

__all__ = [
    "Coordinates",
    "Source",
    "load_matrix",
    "load_tensor",
    "operand",
    "parse_source",
    "short_name",
]

"""What both products of matrices compute."""

from __future__ import annotations

from daybreak_rise.dsl import add, fst, map_, reduce_, snd, transpose, zip_
from daybreak_rise.expr import Expr

__all__ = ["product"]


def product(a: Expr, b: Expr) -> Expr:
    """Return the sums of products of the rows of `a` with the columns of `b`."""
    made: Expr = a | map_(
        lambda row: (
            b
            | transpose
            | map_(
                lambda column: (
                    zip_(row, column) | map_(lambda two: fst(two) * snd(two)) | reduce_(add, 0.0)
                )
            )
        )
    )
    return made

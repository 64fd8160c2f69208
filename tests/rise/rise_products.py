"""Matrix products to rewrite."""

from __future__ import annotations

from daybreak_rise.dsl import add, fst, fun, map_, reduce_, snd, transpose, zip_
from daybreak_rise.expr import Expr, Lambda
from daybreak_rise.types import array, f32


def product(n: int, m: int, k: int, *, transposed: bool = True) -> Lambda:
    """n x k by k x m; the first matrix is stored transposed, as the published kernel reads it."""

    def sums(rows: Expr, b: Expr) -> Expr:
        made: Expr = rows | map_(
            lambda row: (
                b
                | transpose
                | map_(
                    lambda col: zip_(row, col) | map_(lambda p: fst(p) * snd(p)) | reduce_(add, 0.0)
                )
            )
        )
        return made

    if transposed:
        return fun(array(k, n, f32), array(k, m, f32), lambda a, b: sums(a | transpose, b))
    return fun(array(n, k, f32), array(k, m, f32), lambda a, b: sums(a, b))

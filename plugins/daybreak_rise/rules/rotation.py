"""Rules on windows that move on through registers, instead of being read anew.

`*f` is map(f), `>>` does one after the other. From Hagedorn et al., CGO 2018 (section 5.2), and
Shine's rules `rotateValues` and `slideSeqFusion`.
"""

from __future__ import annotations

from daybreak_rise.dsl import rotate_values
from daybreak_rise.elevate.strategy import rule
from daybreak_rise.expr import Expr
from daybreak_rise.rules.forms import as_map, beta, called, lam
from daybreak_rise.types import ArrayType

__all__ = ["map_into_rotate_values", "slide_to_rotate_values"]


def _rotating(e: Expr) -> Expr | str | None:
    found = called(e, "slide")
    if found is None or len(found[1]) != 1:
        return None
    k, step = found[0].statics
    if step != 1:
        return f"windows that move on by {step} are not kept: only by 1"
    made: Expr = rotate_values(k)(lambda v: v, found[1][0])  # type: ignore[arg-type]
    return made


# slide(k, 1) -> rotateValues(k)(x. x)
slide_to_rotate_values = rule(
    "slide_to_rotate_values", _rotating, needs="a slide", heads=("slide",)
)


def _fused(e: Expr) -> Expr | None:
    found = called(e, "rotateValues")
    if found is None or len(found[1]) != 2:
        return None
    (after, array), (k,) = found[1], found[0].statics
    form = as_map(array)
    if form is None:
        return None
    inner = form.array.type
    assert isinstance(inner, ArrayType)  # noqa: S101  (what is mapped over)
    both = lam(inner.element, lambda v: beta(after, beta(form.function, v)))
    made: Expr = rotate_values(k)(both, form.array)  # type: ignore[arg-type]
    return made


# *g >> rotateValues(k)(f) -> rotateValues(k)(g >> f): g is done once for each element, not k times
map_into_rotate_values = rule(
    "map_into_rotate_values",
    _fused,
    needs="rotateValues of a map",
    heads=("rotateValues",),
)

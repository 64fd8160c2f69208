"""Rules on windows: neighbourhoods that overlap, read tile by tile.

`*f` is map(f), `>>` does one after the other, `J` joins. From Hagedorn et al., CGO 2018
(section 4).
"""

from __future__ import annotations

from daybreak_rise.dsl import join, map_, slide
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import Expr
from daybreak_rise.nat import Size, divide_exactly
from daybreak_rise.rules.forms import called, does_not_divide
from daybreak_rise.types import ArrayType

__all__ = ["overlapped_tiling", "slide_after"]


def overlapped_tiling(k: Size) -> Strategy:
    """`slide(n, s) -> slide(u, k) >> *slide(n, s) >> J` with u = k + n - s: tiles of k/s windows.

    Neighbouring tiles share n - s elements (CGO 2018, section 4.1). Needs: s divides k, and k
    divides the number of windows times s.
    """

    def run(e: Expr) -> Expr | str | None:
        found = called(e, "slide")
        if found is None or len(found[1]) != 1:
            return None
        n, s = found[0].statics
        assert not isinstance(n, str)  # noqa: S101  (a size)
        assert not isinstance(s, str)  # noqa: S101  (a size)
        if divide_exactly(k, s) is None:
            return f"tiles of {k} elements are no whole number of steps of {s}"
        assert isinstance(e.type, ArrayType)  # noqa: S101  (what slide gives)
        reason = does_not_divide(k, e.type.size * s)
        if reason is not None:
            return reason
        made: Expr = found[1][0] | slide(k + n - s, k) | map_(slide(n, s)) | join
        return made

    return rule(f"overlapped_tiling({k})", run, needs="a slide")


def _slide_after(e: Expr) -> Expr | None:
    return e | slide(1, 1) | join if isinstance(e.type, ArrayType) else None


# x -> x | slide(1, 1) | J
slide_after = rule("slide_after", _slide_after, needs="an array")

"""Rules on windows: neighbourhoods that overlap, read tile by tile.

`*f` is map(f), `>>` does one after the other, `J` joins. From Hagedorn et al., CGO 2018
(section 4).
"""

from __future__ import annotations

from daybreak_rise.dsl import drop, join, map_, slide, take
from daybreak_rise.elevate.strategy import Strategy, rule
from daybreak_rise.expr import Expr, Primitive
from daybreak_rise.nat import Size, divide_exactly
from daybreak_rise.rules.forms import called, does_not_divide, moved
from daybreak_rise.types import ArrayType

__all__ = [
    "overlapped_tiling",
    "part_before_slide",
    "slide_after",
    "slide_before_slide",
    "slide_before_split",
]


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


_SLIDE, _SPLIT, _PARTS = frozenset({"slide"}), frozenset({"split"}), frozenset({"take", "drop"})


def _window(slides: Primitive) -> tuple[Size, Size]:
    """Return a window's elements and the step to the next one."""
    n, s = slides.statics
    assert not isinstance(n, str)  # noqa: S101  (sizes)
    assert not isinstance(s, str)  # noqa: S101
    return n, s


def _after(e: Expr, names: frozenset[str]) -> tuple[Primitive, tuple[Size, Size], Expr] | None:
    """Return (movement, window, x) where `e` is movement(slide(x)) and of these names."""
    outer = moved(e, names)
    inner = None if outer is None else moved(outer[1], _SLIDE)
    if outer is None or inner is None:
        return None
    return outer[0], _window(inner[0]), inner[1]


def _slide_before_split(e: Expr) -> Expr | None:
    found = _after(e, _SPLIT)
    if found is None:
        return None
    cut, (n, s), x = found
    (k,) = cut.statics
    assert not isinstance(k, str)  # noqa: S101  (a size)
    made: Expr = x | slide(k * s + n - s, k * s) | map_(slide(n, s))
    return made


# slide(n, s) >> S(k) -> slide(k*s + n - s, k*s) >> *slide(n, s): a block of windows from a tile
slide_before_split = rule("slide_before_split", _slide_before_split, needs="split of slide")


def _slide_before_slide(e: Expr) -> Expr | None:
    found = _after(e, _SLIDE)
    if found is None:
        return None
    outer, (n, s), x = found
    m, t = _window(outer)
    made: Expr = x | slide(m * s + n - s, t * s) | map_(slide(n, s))
    return made


# slide(n, s) >> slide(m, t) -> slide(m*s + n - s, t*s) >> *slide(n, s): windows of windows
slide_before_slide = rule("slide_before_slide", _slide_before_slide, needs="slide of slide")


def _part_before_slide(e: Expr) -> Expr | None:
    found = _after(e, _PARTS)
    if found is None:
        return None
    part, (n, s), x = found
    (k,) = part.statics
    assert not isinstance(k, str)  # noqa: S101  (a size)
    made: Expr = x | (take(k * s + n - s) if part.name == "take" else drop(k * s)) | slide(n, s)
    return made


# slide(n, s) >> take(k) -> take(k*s + n - s) >> slide(n, s); drop(k) -> drop(k*s)
part_before_slide = rule(
    "part_before_slide", _part_before_slide, needs="take or drop of slide", heads=_PARTS
)

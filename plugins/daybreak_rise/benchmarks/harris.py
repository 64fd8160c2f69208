"""Harris corner detection: grey, Sobel, products, sums and the corner response, tile by tile."""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from daybreak import BuildFailed, Configuration, Parameter
from daybreak_rise.benchmarks.answers import Expected, rounding
from daybreak_rise.benchmarks.base import (
    Sizes,
    Work,
    Workload,
    group_constraints,
    ordinal,
    powers,
)
from daybreak_rise.dsl import (
    as_scalar,
    as_vector,
    concat,
    drop,
    fst,
    fun,
    idx,
    join,
    let,
    literal,
    map_,
    map_local,
    map_work_group,
    pair,
    slide,
    slide_2d,
    snd,
    take,
    to_local,
    to_private,
    transpose,
    vector_from_scalar,
)
from daybreak_rise.expr import Expr
from daybreak_rise.runtime.limits import PUBLISHED, DeviceLimits
from daybreak_rise.types import IndexType, array, f32

__all__ = ["Harris"]

_GREY = (0.299, 0.587, 0.114)
_KAPPA = 0.04
_SOBEL_X = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
_SOBEL_Y = ((-1, -2, -1), (0, 0, 0), (1, 2, 1))
_TWELFTH = 1.0 / 12.0


class Harris(Workload):
    """How much of a corner every pixel of an image is."""

    name = "harris"
    summary = "Harris corner detection: five stages on an image of three colours"
    published: ClassVar[Sizes] = {"height": 1024, "width": 1024}
    rehearsal: ClassVar[Sizes] = {"height": 24, "width": 36}
    notes = (
        "the result has four columns fewer than the input; in the published benchmark they are "
        "there, but hold nothing",
        "tiles of 1022 or 1024 columns satisfy the known constraints and do not fit the image of "
        "1024, as published: a hidden constraint",
        "tiles that do not divide the image leave smaller ones at its end; published is that the "
        "last ones overlap",
    )
    reference_notes: ClassVar[dict[str, str]] = {
        "default": "as published it breaks the known constraint (tileX + 4) % vec == 0: its tiles "
        "of one pixel are computed without vectors",
    }

    def parameters(self, sizes: Sizes) -> list[Parameter]:
        """Return the seven parameters; tiles have one pixel or an even number."""
        launch = powers(1, 1024)
        return [
            ordinal("ls1", launch),
            ordinal("gs0", launch),
            ordinal("vec", (2, 4)),
            ordinal("gs1", launch),
            ordinal("tileX", (1, *range(2, sizes["width"] + 1, 2))),
            ordinal("ls0", launch),
            ordinal("tileY", (1, *range(2, sizes["height"] + 1, 2))),
        ]

    def constraints(self, sizes: Sizes, limits: DeviceLimits) -> list[str]:
        """Return the published constraints, and one on local memory where there is less of it."""
        found = [
            "gs0 % ls0 == 0",
            "gs1 % ls1 == 0",
            "(tileX+4) % vec ==  0",
            "tileX * tileY <= 1024",
            f"((ls0*ls1)) <= ({limits.work_group})",
            *group_constraints(limits, 2),
        ]
        if limits.local_bytes < PUBLISHED.local_bytes:
            found.append(
                f"4 * ((tileX+4) * (tileY+4) + 2 * (tileX+2) * (tileY+2)) <= {limits.local_bytes}"
            )
        return found

    def configurations(self, sizes: Sizes) -> dict[str, Configuration]:
        """Return the published ones, with tiles no larger than the result."""
        wide = min(64, (sizes["width"] - 4) // 4 * 4)
        return {
            "default": {
                "ls0": 1, "ls1": 1, "gs0": 1, "gs1": 1, "tileX": 1, "tileY": 1, "vec": 4,
            },
            "expert": {
                "ls0": 8, "ls1": 32, "gs0": 128, "gs1": 1024,
                "tileX": wide, "tileY": min(16, sizes["height"] // 2 * 2), "vec": 4,
            },
        }  # fmt: skip

    def program(self, sizes: Sizes) -> Expr:
        """Return the stages over the whole image."""
        h, w = sizes["height"], sizes["width"]

        def corners(image: Expr) -> Expr:
            grey = image | transpose | map_(transpose) | map_(map_(_grey))
            slopes = grey | slide_2d(3) | map_(map_(lambda near: _slopes(_scalars(near))))
            found: Expr = slopes | slide_2d(3) | map_(map_(lambda near: _corner(_pairs(near))))
            return found

        return fun(array(3, h + 4, w, f32), corners)

    def lower(self, sizes: Sizes, configuration: Configuration) -> Expr:
        """Return a group for each tile; grey values and slopes stand in local memory."""
        h, w = sizes["height"], sizes["width"] - 4
        across, down, vec = (int(configuration[name]) for name in ("tileX", "tileY", "vec"))  # type: ignore[arg-type]
        if across > w or down > h:
            raise BuildFailed(f"a tile of {across} x {down} does not fit a result of {w} x {h}")
        if (across + 4) % vec:
            vec = 1  # for the published default, which stands outside the space

        def strips(image: Expr, tile: int) -> Expr:
            """Return the result of an image whose rows are cut into strips of `tile`."""
            found: Expr = (
                image
                | slide(tile + 4, tile)
                | map_work_group(1)(
                    lambda strip: (
                        _in_parts(
                            strip | transpose,
                            w,
                            across,
                            lambda part, wide: (
                                part
                                | slide(wide + 4, wide)
                                | map_work_group(0)(lambda one: _tile(one | transpose, wide, vec))
                                | map_(transpose)
                                | join
                            ),
                        )
                        | transpose
                    )
                )
                | join
            )
            return found

        return fun(
            array(3, h + 4, w + 4, f32),
            # rows.columns.colours
            lambda image: _in_parts(image | transpose | map_(transpose), h, down, strips),
        )

    def draw(self, sizes: Sizes, rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], ...]:
        """Return an image: colours, rows, columns; values from 0 to 1."""
        return (rng.random((3, sizes["height"] + 4, sizes["width"]), dtype=np.float32),)

    def expected(
        self,
        sizes: Sizes,
        configuration: Configuration,
        inputs: Sequence[np.ndarray[Any, Any]],
    ) -> Expected:
        """Return the response, and the magnitudes of its terms."""
        (image,) = inputs
        colours = image.astype(np.float64)
        grey = sum(weight * colour for weight, colour in zip(_GREY, colours, strict=True))
        x, y = (_convolve(grey, weights) * _TWELFTH for weights in (_SOBEL_X, _SOBEL_Y))
        ones = ((1,) * 3,) * 3
        xx, xy, yy = (_convolve(one, ones) for one in (x * x, x * y, y * y))
        values = xx * yy - xy * xy - _KAPPA * (xx + yy) ** 2
        # the slopes are differences of grey values up to 1: their error is relative to these, at
        # most 8/12, and is doubled by each of two multiplications
        slope = 8 * _TWELFTH
        scale = (xx + yy + 2 * slope**2) ** 2
        return Expected(values, scale, rounding(32))

    def work(self, sizes: Sizes) -> Work:
        """Return the operations of the five stages; three colours read and a result written."""
        h, w = sizes["height"], sizes["width"] - 4
        # 5 for grey; 2 x 11 for slopes; 3 products; 3 x 8 additions; 7 for the response
        flops = 5 * (h + 4) * (w + 4) + 25 * (h + 2) * (w + 2) + 31 * h * w
        return Work(float(flops), 4.0 * (3 * (h + 4) * (w + 4) + h * w))

    def unbuildable(self, sizes: Sizes) -> Configuration:
        """Return tiles wider than the image."""
        return {**self.configurations(sizes)["expert"], "tileX": sizes["width"]}


def _in_parts(whole: Expr, length: int, tile: int, part: Callable[[Expr, int], Expr]) -> Expr:
    """Return `part` of the full tiles and of one smaller tile at the end, one after the other.

    `whole` has length + 4 elements: each tile needs four more than it gives.
    """
    full = length // tile * tile
    if full == length:
        return part(whole, tile)
    left = length - full
    found: Expr = concat(part(whole | take(full + 4), tile), part(whole | drop(full), left))
    return found


def _tile(image: Expr, columns: int, vec: int) -> Expr:
    """Return the response of a tile of `columns`; `image` has four more, and four more rows."""
    if vec == 1 or columns % vec:
        wide = image | map_local(1)(map_local(0)(_grey))
    else:
        wide = (
            image
            | map_(transpose)  # rows.3.columns
            | map_local(1)(
                map_(as_vector(vec))
                >> transpose  # (columns/v).3.<v>
                >> map_local(0)(lambda colours: _weighted(colours, _GREY, vec))
                >> as_scalar
            )
        )
    found: Expr = let(
        to_local(wide),
        lambda grey: let(
            to_local(
                grey
                | slide_2d(3)
                | map_local(1)(map_local(0)(lambda near: _slopes(_scalars(near))))
            ),
            lambda slopes: (
                slopes
                | slide_2d(3)
                | map_local(1)(map_local(0)(lambda near: _corner(_pairs(near))))
            ),
        ),
    )
    return found


def _at(values: Expr, *places: int) -> Expr:
    for place in places:
        values = idx(literal(place, IndexType(values.type.size)), values)  # type: ignore[attr-defined]
    return values


def _grey(colours: Expr) -> Expr:
    return _weighted(colours, _GREY, 1)


def _weighted(values: Expr, weights: Sequence[float], vec: int) -> Expr:
    found = None
    for place, weight in enumerate(weights):
        factor = literal(weight, f32)
        term = _at(values, place) * (factor if vec == 1 else vector_from_scalar(vec)(factor))
        found = term if found is None else found + term
    assert found is not None  # noqa: S101  (there are weights)
    return found


def _scalars(near: Expr) -> Callable[[int, int], Expr]:
    return lambda row, column: _at(near, row, column)


def _pairs(near: Expr) -> Callable[[int, int], Expr]:
    return lambda row, column: _at(near, row, column)


def _slopes(at: Callable[[int, int], Expr]) -> Expr:
    """Return the pair of slopes across and down of a neighbourhood of grey values."""
    across = (at(0, 2) - at(0, 0)) + (at(2, 2) - at(2, 0)) + (at(1, 2) - at(1, 0)) * 2.0
    down = (at(2, 0) - at(0, 0)) + (at(2, 2) - at(0, 2)) + (at(2, 1) - at(0, 1)) * 2.0
    found: Expr = pair(across * literal(_TWELFTH, f32), down * literal(_TWELFTH, f32))
    return found


def _corner(at: Callable[[int, int], Expr]) -> Expr:
    """Return the response of a neighbourhood of pairs of slopes."""
    places = [(row, column) for row in range(3) for column in range(3)]

    def summed(term: Callable[[Expr], Expr]) -> Expr:
        found = term(at(*places[0]))
        for place in places[1:]:
            found = found + term(at(*place))
        kept: Expr = to_private(found)
        return kept

    def response(xx: Expr, xy: Expr, yy: Expr) -> Expr:
        trace = xx + yy
        return (xx * yy - xy * xy) - trace * trace * literal(_KAPPA, f32)

    found: Expr = let(
        summed(lambda p: fst(p) * fst(p)),
        lambda xx: let(
            summed(lambda p: fst(p) * snd(p)),
            lambda xy: let(summed(lambda p: snd(p) * snd(p)), lambda yy: response(xx, xy, yy)),
        ),
    )
    return found


def _convolve(
    image: np.ndarray[Any, Any], weights: Sequence[Sequence[float]]
) -> np.ndarray[Any, Any]:
    rows, columns = image.shape[0] - 2, image.shape[1] - 2
    found = np.zeros((rows, columns))
    for row, line in enumerate(weights):
        for column, weight in enumerate(line):
            if weight:
                found += weight * image[row : row + rows, column : column + columns]
    return found

"""Harris corner detection: grey, Sobel across and down, products, sums, the corner response.

The stages are those of Halide's and Shine's benchmark (Koehler and Steuwer, CGO 2021, section 2).
"""

# ruff: noqa: ARG002 - a benchmark need not use all that its methods are given

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from daybreak import Configuration, Parameter
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
    add,
    fst,
    fun,
    join,
    let,
    literal,
    map_,
    reduce_,
    slide_2d,
    snd,
    transpose,
    zip_,
)
from daybreak_rise.elevate.strategy import Strategy
from daybreak_rise.expr import Expr
from daybreak_rise.runtime.limits import PUBLISHED, DeviceLimits
from daybreak_rise.strategies.windows import tiled_windows
from daybreak_rise.types import array, f32

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
        """Return the five stages, each over the whole image."""
        h, w = sizes["height"], sizes["width"]

        def stages(image: Expr) -> Expr:
            grey = image | transpose | map_(transpose) | map_(map_(lambda c: _dot(_GREY, c)))
            found: Expr = let(
                grey,
                lambda g: let(_zip_2d(_sobel(_SOBEL_X, g), _sobel(_SOBEL_Y, g)), _corners),
            )
            return found

        return fun(array(3, h + 4, w, f32), stages)

    def strategy(self, sizes: Sizes, configuration: Configuration) -> Strategy:
        """Return a work-group for a tile; grey values and slopes stand in local memory."""
        across, down, vec = (int(configuration[name]) for name in ("tileX", "tileY", "vec"))  # type: ignore[arg-type]
        if (across + 4) % vec:
            vec = 1  # for the published default, which stands outside the space
        # a work-item that goes through a row alone has a loop of scalars, which compilers turn
        # into vectors as wide as the device's
        wide = vec if int(configuration["ls0"]) > 1 else 1  # type: ignore[arg-type]
        return tiled_windows(down, across, widths=(vec, wide, wide))

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


def _dot(weights: Sequence[float], values: Expr) -> Expr:
    found: Expr = (
        zip_(literal(tuple(weights), f32), values)
        | map_(lambda p: fst(p) * snd(p))
        | reduce_(add, 0.0)
    )
    return found


def _windows(image: Expr, function: Callable[[Expr], Expr]) -> Expr:
    """Return `function` of the nine values of every neighbourhood."""
    found: Expr = image | slide_2d(3) | map_(map_(lambda near: function(near | join)))
    return found


def _sobel(weights: Sequence[Sequence[int]], grey: Expr) -> Expr:
    flat = [float(one) for row in weights for one in row]
    return _windows(grey, lambda near: _dot(flat, near) * literal(_TWELFTH, f32))


def _zip_2d(left: Expr, right: Expr) -> Expr:
    found: Expr = zip_(left, right) | map_(lambda rows: zip_(fst(rows), snd(rows)))
    return found


def _corners(slopes: Expr) -> Expr:
    """Return products of slopes, their sums over neighbourhoods, and the response to the sums."""
    products = (
        slopes | map_(map_(lambda p: fst(p) * fst(p))),
        slopes | map_(map_(lambda p: fst(p) * snd(p))),
        slopes | map_(map_(lambda p: snd(p) * snd(p))),
    )
    xx, xy, yy = (_windows(one, reduce_(add, 0.0)) for one in products)
    found: Expr = _zip_2d(xx, _zip_2d(xy, yy)) | map_(map_(_response))
    return found


def _response(sums: Expr) -> Expr:
    def response(xx: Expr, xy: Expr, yy: Expr) -> Expr:
        trace = xx + yy
        return (xx * yy - xy * xy) - trace * trace * literal(_KAPPA, f32)

    found: Expr = let(
        fst(sums),
        lambda xx: let(
            fst(snd(sums)), lambda xy: let(snd(snd(sums)), lambda yy: response(xx, xy, yy))
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

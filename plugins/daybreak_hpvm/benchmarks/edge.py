"""Edge detection: the pipeline of HPVM's test program, with its published parameters.

Six nodes: Gaussian smoothing (GS, 7 x 7), a Laplacian estimate by morphology (LE: dilation plus
erosion minus twice the pixel, 3 x 3), zero crossings of it (CZC), the gradient's magnitude (CG,
Sobel), its maximum (CMG), and zero crossings kept only where the gradient is strong (RZC). Images
are clamped at their borders. Integers throughout; the magnitude is |gx| + |gy|.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from random import Random
from typing import Any

from daybreak import Space
from daybreak_hpvm.benchmarks.parts import clamped, factors, flags
from daybreak_hpvm.benchmarks.sizes import Size
from daybreak_hpvm.ir.build import ProgramBuilder
from daybreak_hpvm.ir.expr import absolute, ne, select
from daybreak_hpvm.ir.program import Program
from daybreak_hpvm.ir.types import s, u

__all__ = [
    "EXPERT",
    "NAME",
    "NOTES",
    "SIZES",
    "SUMMARY",
    "draw",
    "gaussian_weights",
    "program",
    "solve",
    "space",
]

NAME = "edge"
SUMMARY = "edge detection: smoothing, Laplacian, zero crossings, gradient, selection"
SIZES = (
    Size("height", 20, 4, 512, "rows of the image"),
    Size("width", 20, 4, 512, "columns of the image"),
)
NOTES = (
    "names and values of the parameters are those of HPVM2FPGA's published example space; what "
    "they stand for is read off the names",
    "a zero crossing counts as an edge where the gradient exceeds 26/256 of the largest one",
    "GS_c_c_LF, CG_c_c_LF and RZC_c_c_LF change something only where a node is fused with others",
)
EXPERT = {
    "GS_c_c_UnrollL2": 7,
    "GS_c_c_Gs_BuffIn": 1,
    "LE_c_c_UnrollL3": 3,
    "LE_c_c_UnrollL5": 3,
    "LE_c_c_LF": 1,
    "CZC_c_c_UnrollL3": 3,
    "CZC_c_c_UnrollL5": 3,
    "CZC_c_c_LF": 1,
    "CG_c_c_UnrollL3": 3,
    "TLP": 1,
}
#: Fraction of the largest gradient, in 1/256.
THETA = 26
_OUTER = (1, 2, 4, 5, 8, 10)


def space() -> Space:
    """Return the 40 parameters of the published example."""
    unrolled = {"CG_c_c": 4, "CZC_c_c": 6, "GS_c_c": 4, "LE_c_c": 6, "RZC_c_c": 2, "CMG_c": 1}
    values = {
        f"{node}_UnrollL{level}": _OUTER if level < 2 else (1, 7 if node == "GS_c_c" else 3)
        for node, levels in unrolled.items()
        for level in range(levels)
    }
    switches = [f"{node}_LF" for node in unrolled if node != "CMG_c"]
    switches += [
        "CG_c_c_Nd_F_CMG_c",
        "CG_c_c_Sx_BuffIn",
        "CG_c_c_Sy_BuffIn",
        "CMG_c_Nd_F_RZC_c_c",
        "CZC_c_c_B_BuffIn",
        "CZC_c_c_Nd_F_RZC_c_c",
        "GS_c_c_Gs_BuffIn",
        "GS_c_c_Nd_F_CG_c_c",
        "GS_c_c_Nd_F_LE_c_c",
        "LE_c_c_B_BuffIn",
        "LE_c_c_Nd_F_CZC_c_c",
        "TLP",
    ]
    parameters = sorted([*factors(values), *flags(switches)], key=lambda p: p.name)
    return Space(parameters, name="hpvm/edge")


def program(sizes: Mapping[str, int]) -> Program:
    """Return the pipeline for images of `height` x `width` bytes."""
    shape = height, width = sizes["height"], sizes["width"]
    p = ProgramBuilder("edge")
    image = p.input("Im", u(8), shape)
    gauss = p.input("Gs", u(8), (7, 7))
    element = p.input("B", u(1), (3, 3))
    sobel_x, sobel_y = p.input("Sx", s(4), (3, 3)), p.input("Sy", s(4), (3, 3))
    smooth = p.array("S", u(8), shape)
    laplacian = p.array("L", s(10), shape)
    crossing = p.array("Z", u(1), shape)
    gradient = p.array("G", u(12), shape)
    largest = p.array("maxG", u(12), (1,))
    edges = p.output("E", u(8), shape)

    with p.node("GS_c_c") as n, n.loop("GS_y", height) as y, n.loop("GS_x", width) as x:
        total = n.scalar("GS_sum", u(22), 0)
        with n.loop("GS_i", 7) as i, n.loop("GS_j", 7) as j:
            pixel = image[clamped(y + i - 3, height), clamped(x + j - 3, width)]
            n.reduce(total, "add", pixel * gauss[i, j])
        smooth[y, x] = total >> 8
    with p.node("LE_c_c") as n, n.loop("LE_y", height) as y, n.loop("LE_x", width) as x:
        most, least = n.scalar("LE_max", u(8), 0), n.scalar("LE_min", u(8), 255)
        with n.loop("LE_i", 3) as i, n.loop("LE_j", 3) as j:
            pixel = smooth[clamped(y + i - 1, height), clamped(x + j - 1, width)]
            n.reduce(most, "max", select(element[i, j], pixel, 0))
        with n.loop("LE_k", 3) as i, n.loop("LE_l", 3) as j:
            pixel = smooth[clamped(y + i - 1, height), clamped(x + j - 1, width)]
            n.reduce(least, "min", select(element[i, j], pixel, 255))
        laplacian[y, x] = most + least - (smooth[y, x] << 1)
    with p.node("CG_c_c") as n, n.loop("CG_y", height) as y, n.loop("CG_x", width) as x:
        gx, gy = n.scalar("CG_gx", s(16), 0), n.scalar("CG_gy", s(16), 0)
        with n.loop("CG_i", 3) as i, n.loop("CG_j", 3) as j:
            pixel = smooth[clamped(y + i - 1, height), clamped(x + j - 1, width)]
            n.reduce(gx, "add", pixel * sobel_x[i, j])
            n.reduce(gy, "add", pixel * sobel_y[i, j])
        gradient[y, x] = absolute(gx) + absolute(gy)
    with p.node("CZC_c_c") as n, n.loop("CZC_y", height) as y, n.loop("CZC_x", width) as x:
        most, least = n.scalar("CZC_max", u(1), 0), n.scalar("CZC_min", u(1), 1)
        with n.loop("CZC_i", 3) as i, n.loop("CZC_j", 3) as j:
            value = laplacian[clamped(y + i - 1, height), clamped(x + j - 1, width)]
            n.reduce(most, "max", select(element[i, j], value > 0, 0))
        with n.loop("CZC_k", 3) as i, n.loop("CZC_l", 3) as j:
            value = laplacian[clamped(y + i - 1, height), clamped(x + j - 1, width)]
            n.reduce(least, "min", select(element[i, j], value > 0, 1))
        crossing[y, x] = ne(most, least)
    with p.node("CMG_c") as n:
        found = n.scalar("CMG_max", u(12), 0)
        with n.loop("CMG_y", height) as y, n.loop("CMG_x", width) as x:
            n.reduce(found, "max", gradient[y, x])
        largest[0] = found
    with p.node("RZC_c_c") as n, n.loop("RZC_y", height) as y, n.loop("RZC_x", width) as x:
        strong = (gradient[y, x] << 8) > largest[0] * THETA
        edges[y, x] = select(crossing[y, x] & strong, 255, 0)
    return p.build()


def gaussian_weights(sigma: float = 1.4) -> list[list[int]]:
    """Return 7 x 7 weights that add up to 256."""
    plain = [[exp(-(i * i + j * j) / (2 * sigma**2)) for j in range(-3, 4)] for i in range(-3, 4)]
    total = sum(map(sum, plain))
    weights = [[round(256 * w / total) for w in row] for row in plain]
    weights[3][3] += 256 - sum(map(sum, weights))
    return weights


def draw(sizes: Mapping[str, int], random: Random) -> dict[str, Any]:
    """Return an image of rectangles with noise, and the usual masks."""
    height, width = sizes["height"], sizes["width"]
    image = [[random.randrange(40) for _ in range(width)] for _ in range(height)]
    for _ in range(3):
        top, left = random.randrange(height), random.randrange(width)
        level = random.randrange(60, 200)
        for y in range(top, min(height, top + height // 2)):
            for x in range(left, min(width, left + width // 2)):
                image[y][x] = min(255, level + random.randrange(16))
    return {
        "Im": image,
        "Gs": gaussian_weights(),
        "B": [[1] * 3 for _ in range(3)],
        "Sx": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        "Sy": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    }


def solve(sizes: Mapping[str, int], inputs: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return the edges by whole-image arithmetic on shifted copies of a padded image."""
    import numpy as np

    height, width = sizes["height"], sizes["width"]

    def windows(picture: Any, radius: int) -> Any:
        padded = np.pad(picture, radius, mode="edge")
        return np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1,) * 2)

    image = np.array(inputs["Im"], dtype=np.int64).reshape(height, width)
    gauss = np.array(inputs["Gs"], dtype=np.int64).reshape(7, 7)
    element = np.array(inputs["B"], dtype=bool).reshape(3, 3)
    smooth = (np.einsum("yxij,ij->yx", windows(image, 3), gauss) >> 8) & 0xFF
    around = windows(smooth, 1)
    most = np.where(element, around, 0).max(axis=(2, 3))
    least = np.where(element, around, 255).min(axis=(2, 3))
    positive = windows((most + least - 2 * smooth) > 0, 1)
    crossing = (positive & element).any(axis=(2, 3)) != (positive | ~element).all(axis=(2, 3))
    masks = (np.array(inputs[name], dtype=np.int64).reshape(3, 3) for name in ("Sx", "Sy"))
    gradient = sum(np.abs(np.einsum("yxij,ij->yx", around, mask)) for mask in masks) & 0xFFF
    edges = crossing & (gradient * 256 > gradient.max() * THETA)
    return {"E": [int(v) for v in np.where(edges, 255, 0).ravel()]}

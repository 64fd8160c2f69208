"""The generators by name, with their arguments; the code that generates is imported on use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MATRICES", "TENSORS", "Argument", "Generator"]


@dataclass(frozen=True)
class Argument:
    """One argument of a generator.

    Attributes:
        letter: stands for it in labels.
        default: its value when it is not given.
        low, high: the range of a number.
        fraction: whether it may be no whole number.
        dims: for sizes like ``1000x500x20``, the allowed numbers of modes.
    """

    letter: str
    default: Any
    low: float = 1
    high: float = 2**31 - 1
    fraction: bool = False
    dims: tuple[int, ...] = ()


@dataclass(frozen=True)
class Generator:
    """A generator: what it makes, its arguments, and what they must satisfy together."""

    summary: str
    arguments: Mapping[str, Argument]
    check: Callable[[Mapping[str, Any]], str] = lambda _: ""


_SEED = Argument("s", 1, 0, 2**32 - 1)
_ROWS = Argument("n", 10000)
_SKEW = Argument("p", 2, 1, 8)


def _room(nnz: int, cells: int) -> str:
    return f"nnz={nnz} is more than half of the {cells} places" if 2 * nnz > cells else ""


def _square(arguments: Mapping[str, Any]) -> str:
    return _room(arguments["nnz"], arguments["rows"] ** 2)


def _rectangle(arguments: Mapping[str, Any]) -> str:
    return _room(arguments["nnz"], arguments["rows"] * arguments["columns"])


def _volume(arguments: Mapping[str, Any]) -> str:
    return _room(arguments["nnz"], math.prod(arguments["dims"]))


def _stencil(arguments: Mapping[str, Any]) -> str:
    if arguments["points"] not in (5, 7, 9, 27):
        return f"points={arguments['points']} is none of 5, 9 (two dimensions), 7, 27 (three)"
    dimensions = 2 if arguments["points"] in (5, 9) else 3
    if arguments["side"] ** dimensions > 2**31 - 1:
        return f"side={arguments['side']} gives too many rows"
    return ""


def _blocks(arguments: Mapping[str, Any]) -> str:
    side = arguments["rows"] // arguments["block"]
    if side * arguments["block"] != arguments["rows"]:
        return f"rows={arguments['rows']} is no multiple of block={arguments['block']}"
    if arguments["blocks"] > side * side:
        return f"blocks={arguments['blocks']} do not fit into {side} x {side} blocks"
    return ""


def _tensor_blocks(arguments: Mapping[str, Any]) -> str:
    block, dims = arguments["block"], arguments["dims"]
    if any(size % block for size in dims):
        return f"every size must be a multiple of block={block}"
    places = math.prod(size // block for size in dims)
    if arguments["blocks"] > places:
        return f"blocks={arguments['blocks']} do not fit into {places} places"
    return ""


#: generators of matrices
MATRICES: dict[str, Generator] = {
    "banded": Generator(
        "a full band of `width` diagonals on each side of the main one",
        {"rows": _ROWS, "width": Argument("w", 16, 0), "seed": _SEED},
    ),
    "stencil": Generator(
        "a discretised Laplacian on a grid of `side` points per dimension: 5 or 9 points in two "
        "dimensions, 7 or 27 in three",
        {"points": Argument("p", 5), "side": Argument("n", 100, 2)},
        _stencil,
    ),
    "fem": Generator(
        "a finite-element mesh: the Delaunay triangulation of random points in the unit square",
        {"rows": Argument("n", 10000, 4, 10**7), "seed": _SEED},
    ),
    "power-law": Generator(
        "a graph in which few rows and columns hold most entries; `skew` 1 is uniform",
        {"rows": _ROWS, "nnz": Argument("z", 100000), "skew": _SKEW, "seed": _SEED},
        _square,
    ),
    "block-sparse": Generator(
        "`blocks` full square blocks of size `block` at random places",
        {
            "rows": Argument("n", 8192),
            "block": Argument("b", 16),
            "blocks": Argument("z", 1024),
            "seed": _SEED,
        },
        _blocks,
    ),
    "uniform": Generator(
        "entries at places drawn uniformly",
        {
            "rows": _ROWS,
            "columns": Argument("m", 10000),
            "nnz": Argument("z", 100000),
            "seed": _SEED,
        },
        _rectangle,
    ),
}

#: generators of tensors
TENSORS: dict[str, Generator] = {
    "skewed": Generator(
        "entries whose coordinates follow a power law in every mode; `skew` 1 is uniform",
        {
            "dims": Argument("d", (500, 500, 500), dims=(3, 4)),
            "nnz": Argument("z", 100000),
            "skew": _SKEW,
            "seed": _SEED,
        },
        _volume,
    ),
    "blocks": Generator(
        "`blocks` full cubes of side `block` at random places",
        {
            "dims": Argument("d", (512, 512, 512), dims=(3, 4)),
            "block": Argument("b", 4),
            "blocks": Argument("z", 1000),
            "seed": _SEED,
        },
        _tensor_blocks,
    ),
    "uniform": Generator(
        "entries at places drawn uniformly",
        {
            "dims": Argument("d", (500, 500, 500), dims=(3, 4)),
            "nnz": Argument("z", 100000),
            "seed": _SEED,
        },
        _volume,
    ),
}

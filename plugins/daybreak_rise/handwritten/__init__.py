"""Kernels written by hand, to compare generated ones with: matrix multiplication in OpenCL C.

`naive(n, m, k)` and `tiled(n, m, k, tiling)` return what `codegen.generate` returns kernels as, so
that any runtime runs them like generated ones. Inputs and output are those of the benchmark
`mm-gpu`: A transposed (k x n), B (k x m), C (n x m).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from daybreak import BuildFailed
from daybreak_rise.codegen import Argument, Kernel

__all__ = ["TILINGS", "Tiling", "naive", "source", "tiled"]


@dataclass(frozen=True, slots=True)
class Tiling:
    """Sizes of `mm_tiled.cl`: a group's tile of results, how deep, a work-item's block."""

    tile_n: int = 64
    tile_m: int = 64
    tile_k: int = 16
    block_n: int = 4
    block_m: int = 4


#: what people who write such kernels by hand commonly try; the last ones leave a group a single
#: work-item, which suits CPUs
TILINGS = (
    Tiling(),
    Tiling(64, 64, 16, 8, 4),
    Tiling(64, 128, 16, 8, 8),
    Tiling(128, 128, 16, 8, 8),
    Tiling(128, 128, 8, 8, 8),
    Tiling(32, 64, 32, 4, 8),
    Tiling(32, 32, 32, 4, 4),
    Tiling(4, 32, 64, 4, 32),
    Tiling(8, 32, 64, 8, 32),
    Tiling(8, 16, 64, 8, 16),
    Tiling(16, 16, 64, 16, 16),
)


def source(name: str) -> str:
    """Return the text of `mm_naive` or `mm_tiled`."""
    return resources.files(__name__).joinpath(f"{name}.cl").read_text(encoding="utf-8")


def naive(n: int, m: int, k: int, group: tuple[int, int] = (16, 16)) -> Kernel:
    """Return the kernel with a result for each work-item.

    Raises:
        BuildFailed: groups do not divide the results.
    """
    if m % group[0] or n % group[1]:
        raise BuildFailed(f"groups of {group[0]} x {group[1]} do not divide {m} x {n} results")
    return _kernel("mm_naive", {"N": n, "M": m, "K": k}, (m, n, 1), (*group, 1), 0, 1)


def tiled(n: int, m: int, k: int, tiling: Tiling = TILINGS[0]) -> Kernel:
    """Return the kernel with tiles in local memory and blocks in registers.

    Raises:
        BuildFailed: the tiles do not divide the matrices, or the blocks the tiles.
    """
    t = tiling
    tiles = ((n, t.tile_n), (m, t.tile_m), (k, t.tile_k))
    parts = (*tiles, (t.tile_n, t.block_n), (t.tile_m, t.block_m), (t.block_n, 4), (t.block_m, 4))
    for whole, part in parts:
        if whole % part:
            raise BuildFailed(f"{part} does not divide {whole} in {t}")
    sizes = {
        "N": n, "M": m, "K": k, "TILE_N": t.tile_n, "TILE_M": t.tile_m, "TILE_K": t.tile_k,
        "BLOCK_N": t.block_n, "BLOCK_M": t.block_m,
    }  # fmt: skip
    local = (t.tile_m // t.block_m, t.tile_n // t.block_n, 1)
    everything = (m // t.block_m, n // t.block_n, 1)
    shared = 4 * t.tile_k * (t.tile_n + t.tile_m)
    return _kernel("mm_tiled", sizes, everything, local, shared, t.block_n * t.block_m)


def _kernel(
    name: str,
    macros: dict[str, int],
    global_size: tuple[int, int, int],
    local_size: tuple[int, int, int],
    local_bytes: int,
    registers: int,
) -> Kernel:
    n, m, k = macros["N"], macros["M"], macros["K"]
    defined = "".join(f"#define {word} {value}\n" for word, value in macros.items())
    arguments = (
        Argument("at", "input", "f32", (k, n), parameter=0),
        Argument("b", "input", "f32", (k, m), parameter=1),
        Argument("c", "output", "f32", (n, m)),
    )
    text = defined + source(name)
    barriers = 2 if local_bytes else 0
    return Kernel(
        text, name, arguments, global_size, local_size, local_bytes, registers, 0, barriers
    )

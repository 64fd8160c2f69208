"""Small kernels to calibrate on: of comparisons and selections, of which `audio` and `preeuler` have few.

They are no benchmarks, and nothing is reported of them: constants are fitted to what they are built
into, so that the benchmarks `bfs` and `edge` need not be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from daybreak import Reference, Space
from daybreak_hpvm.benchmarks.kind import Definition
from daybreak_hpvm.benchmarks.parts import factors, flags
from daybreak_hpvm.ir import Program
from daybreak_hpvm.ir.build import ProgramBuilder
from daybreak_hpvm.ir.expr import Expr, absolute, maximum, minimum, select
from daybreak_hpvm.ir.types import s, u
from daybreak_hpvm.transforms import directives

__all__ = ["KERNELS", "define"]

#: exchanges that leave the middle one of nine values at place 4 (Paeth, Graphics Gems, 1990; as in
#: Devillard, "Fast median search", 1998)
_EXCHANGES = (
    (1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3),
    (5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2),
)  # fmt: skip


def _median() -> Program:
    """Return the median of windows of nine along a signal."""
    p = ProgramBuilder("median")
    x, y = p.input("x", u(16), (72,)), p.output("y", u(16), (64,))
    with p.node("MD") as n, n.loop("MD_i", 64) as i:
        window: list[Expr] = [x[i + k] for k in range(9)]
        for low, high in _EXCHANGES:
            a, b = window[low], window[high]
            window[low], window[high] = minimum(a, b), maximum(a, b)
        y[i] = window[4]
    return p.build()


def _shrink() -> Program:
    """Return a signal clipped to moving bounds, then soft-thresholded; and its largest sizes."""
    p = ProgramBuilder("shrink")
    x, bounds = p.input("x", s(24), (64,)), p.input("bounds", s(24), (64,))
    between, y = p.array("between", s(24), (64,)), p.output("y", s(24), (64,))
    peaks = p.output("peaks", u(24), (8,))
    with p.node("CL") as n, n.loop("CL_i", 64) as i:
        limit = absolute(bounds[i])
        between[i] = minimum(maximum(x[i], -limit), limit)
    with p.node("SH") as n, n.loop("SH_i", 64) as i:
        value = n.scalar("SH_x", s(24), between[i])
        over = n.scalar("SH_o", s(25), absolute(value) - 1000)
        y[i] = select(over > 0, select(value < 0, -over, over), 0)
    with p.node("PK") as n, n.loop("PK_i", 8) as i:
        peak = n.scalar("PK_p", u(24), 0)
        with n.loop("PK_j", 8) as j:
            n.reduce(peak, "max", absolute(x[8 * i + j]))
        peaks[i] = peak
    return p.build()


def _closest() -> Program:
    """Return, for every point, the number and distance of the closest of 16 centres (city block)."""
    p = ProgramBuilder("closest")
    at, centre = p.input("at", s(16), (32, 2)), p.input("centre", s(16), (16, 2))
    which, distance = p.output("which", u(4), (32,)), p.output("distance", u(18), (32,))
    with p.node("CS") as n, n.loop("CS_i", 32) as i:
        best = n.scalar("CS_b", u(18), (1 << 18) - 1)
        number = n.scalar("CS_n", u(4), 0)
        with n.loop("CS_k", 16) as k:
            gap = n.scalar(
                "CS_d",
                u(18),
                absolute(at[i, 0] - centre[k, 0]) + absolute(at[i, 1] - centre[k, 1]),
            )
            closer = n.scalar("CS_c", u(1), gap < best)
            n.set(best, minimum(gap, best))
            n.set(number, select(closer, k, number))
        which[i], distance[i] = number, best
    return p.build()


#: programs by name
KERNELS: Mapping[str, Callable[[], Program]] = MappingProxyType(
    {"median": _median, "shrink": _shrink, "closest": _closest}
)


def define(name: str) -> Definition:
    """Return kernel `name` with a space of all that can be applied to it.

    Raises:
        KeyError: there is none of that name.
    """
    program = KERNELS[name]()
    known = directives(program)
    unrolled = [one for one, what in known.items() if what.kind == "unroll"]
    switches = [one for one, what in known.items() if what.kind != "unroll"]
    parameters = [*factors(dict.fromkeys(unrolled, (1, 2, 4, 8))), *flags(switches)]
    plain = {one.name: one.values[0] for one in parameters}
    return Definition(
        name=name,
        program=program,
        space=Space(parameters, name=f"hpvm/{name}"),
        references=(Reference("default", plain),),
    )

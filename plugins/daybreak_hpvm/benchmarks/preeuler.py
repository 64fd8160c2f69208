"""One step of an Euler solver on an unstructured grid, after Rodinia's "pre-Euler" CFD code.

For every cell: the step factor (SF), the flux contributions (FC: "pre" because they are worked out
once a cell, not once a neighbour), the flux over its four faces (FX) and the time step (TS).
(Corrigan, Camelli, Loehner, Wallin, AIAA 2009-4001; the last of the Runge-Kutta stages.) A face
leads to another cell, to a wall or to the far field.

Fixed point: 12 fraction bits, 18-bit words, to which operands of products are cut, so that a product is
one multiplier of the device. Quotients and square roots come from digit-by-digit
loops, whose unrolling is a parameter. The sum of flow speed and speed of sound is worked out once a
cell, in SF; lengths of the faces' normals are inputs. The five conserved variables are density,
momentum (3) and energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt, sqrt
from random import Random
from typing import Any

from daybreak import Space
from daybreak_hpvm.benchmarks.parts import digit_divide, digit_sqrt, factors, flags
from daybreak_hpvm.benchmarks.sizes import Size
from daybreak_hpvm.ir.build import ArrayHandle, NodeBuilder, ProgramBuilder
from daybreak_hpvm.ir.expr import Expr, Index, cast, eq, maximum, minimum, ne, select
from daybreak_hpvm.ir.program import Program
from daybreak_hpvm.ir.types import fitting, s, u

__all__ = [
    "EXPERT",
    "FRACTION",
    "NAME",
    "NOTES",
    "SIZES",
    "SUMMARY",
    "draw",
    "program",
    "solve",
    "space",
]

NAME = "preeuler"
SUMMARY = "one step of an Euler solver on an unstructured grid, in fixed point"
SIZES = (Size("cells", 40, 4, 4096, "cells of the grid"),)
NOTES = (
    "7 parameters, 15,000 configurations, as published for HPVM2FPGA's PreEuler; names and ranges "
    "are ours",
    "fixed point with 12 fraction bits in 18-bit words in place of single precision",
    "multipliers run out first: what does not fit lacks those",
)
EXPERT = {"FC_UnrollL1": 3, "FX_UnrollL2": 4, "TLP": 1}
#: Fraction bits of all quantities.
FRACTION = 12
_WORD = s(18)
#: 0.4 and 1.4 (ratio of specific heats, less one), 0.2 / 2 (half the smoothing coefficient).
_GAMMA_1, _GAMMA, _SMOOTH = 1638, 5734, 410
_BITS = 15
#: Smallest divisor: quotients have 15 bits.
_LEAST = 1 << 10


def space() -> Space:
    """Return 5^4 x 4 x 3 x 2 configurations."""
    unrolled = factors(
        {
            **{f"{node}_UnrollL0": (1, 2, 4, 5, 10) for node in ("SF", "FC", "FX", "TS")},
            "FC_UnrollL1": (1, 3, 5, 15),
            "FX_UnrollL2": (1, 2, 4),
        }
    )
    return Space([*unrolled, *flags(["TLP"])], name="hpvm/preeuler")


def _state(
    n: NodeBuilder, node: str, state: ArrayHandle, i: Index
) -> tuple[Expr, list[Expr], list[Expr], Expr, Expr]:
    """Write 1/density, momenta, velocities, twice the kinetic energy and pressure of cell `i`."""
    inverse = digit_divide(
        n, f"{node}_inv", 2 * FRACTION, maximum(minimum(state[i, 0], (1 << 17) - 1), _LEAST), _BITS
    )
    momenta: list[Expr] = [n.scalar(f"{node}_m{d}", _WORD, state[i, d + 1]) for d in range(3)]
    velocities: list[Expr] = [
        n.scalar(f"{node}_v{d}", _WORD, (m * inverse) >> FRACTION) for d, m in enumerate(momenta)
    ]
    power = velocities[0] * momenta[0]
    for v, m in zip(velocities[1:], momenta[1:], strict=True):
        power = power + v * m
    inner = cast(state[i, 4] - (power >> (FRACTION + 1)), _WORD)
    pressure = n.scalar(f"{node}_p", _WORD, maximum((inner * _GAMMA_1) >> FRACTION, 0))
    return inverse, momenta, velocities, power, pressure


def program(sizes: Mapping[str, int]) -> Program:
    """Return one step over all cells."""
    cells = sizes["cells"]
    p = ProgramBuilder("preeuler")
    state = p.input("state", _WORD, (cells, 5))
    area = p.input("area", u(17), (cells,))
    neighbour = p.input("neighbour", fitting(0, cells - 1), (cells, 4))
    #: 0: another cell, 1: a wall, 2: the far field
    kind = p.input("kind", u(2), (cells, 4))
    normal = p.input("normal", _WORD, (cells, 4, 3))
    length = p.input("length", u(13), (cells, 4))
    far = p.input("far", _WORD, (5, 3))
    step = p.array("step", u(15), (cells,))
    wave = p.array("wave", u(16), (cells,))
    pressure = p.array("pressure", _WORD, (cells,))
    flow = p.array("flow", _WORD, (cells, 5, 3))
    flux = p.array("flux", _WORD, (cells, 5))
    after = p.output("after", _WORD, (cells, 5))

    with p.node("SF") as n, n.loop("SF_i", cells) as i:
        inverse, _, _, power, force = _state(n, "SF", state, i)
        moving = cast(power >> FRACTION, u(18))
        speed2 = n.scalar("SF_vv", u(18), (moving * inverse) >> FRACTION)
        speed = digit_sqrt(n, "SF_speed", speed2 << FRACTION, _BITS)
        ratio = (cast((force * _GAMMA) >> FRACTION, u(18)) * inverse) >> FRACTION
        sound = digit_sqrt(n, "SF_sound", cast(ratio << FRACTION, u(30)), _BITS)
        side = digit_sqrt(n, "SF_side", area[i] << FRACTION, _BITS)
        both = n.scalar("SF_wave", u(16), speed + sound)
        wave[i] = both
        divisor = minimum(maximum((side * both) >> FRACTION, _LEAST), (1 << 17) - 1)
        step[i] = digit_divide(n, "SF_step", 2 * FRACTION - 1, divisor, _BITS)
    with p.node("FC") as n, n.loop("FC_i", cells) as i:
        _, momenta, velocities, _, force = _state(n, "FC", state, i)
        pressure[i] = force
        enthalpy = n.scalar("FC_h", _WORD, state[i, 4] + force)
        for axis, velocity in enumerate(velocities):
            flow[i, 0, axis] = momenta[axis]
            for row in range(3):
                # as in Rodinia, the flow of momentum is symmetric: six products, not nine
                moved = (velocities[min(row, axis)] * momenta[max(row, axis)]) >> FRACTION
                flow[i, row + 1, axis] = moved + force if row == axis else moved
            flow[i, 4, axis] = (velocity * enthalpy) >> FRACTION
    with p.node("FX") as n, n.loop("FX_i", cells) as i, n.loop("FX_v", 5) as v:
        total = n.scalar("FX_sum", s(36), 0)
        with n.loop("FX_j", 4) as j:
            other = minimum(neighbour[i, j], cells - 1)
            inner, wall = eq(kind[i, j], 0), eq(kind[i, j], 1)
            rough = ((wave[i] + wave[other]) * length[i, j]) >> FRACTION
            drag = cast((rough * _SMOOTH) >> FRACTION, u(15)) * cast(
                state[other, v] - state[i, v], _WORD
            )
            n.reduce(total, "add", select(inner, drag, 0))
            push = normal[i, j, minimum(maximum(v - 1, 0), 2)] * pressure[i]
            n.reduce(total, "add", select(wall & (v >= 1) & (v <= 3), push, 0))
            with n.loop("FX_d", 3) as d:
                beyond = select(inner, flow[other, v, d], far[v, d])
                share = (normal[i, j, d] * cast(flow[i, v, d] + beyond, _WORD)) >> 1
                n.reduce(total, "add", select(ne(kind[i, j], 1), share, 0))
        flux[i, v] = total >> FRACTION
    with p.node("TS") as n, n.loop("TS_i", cells) as i, n.loop("TS_v", 5) as v:
        after[i, v] = state[i, v] + ((step[i] * flux[i, v]) >> FRACTION)
    return p.build()


def draw(sizes: Mapping[str, int], random: Random) -> dict[str, Any]:
    """Return cells near the far field's state (density 1.4, Mach 1.2) joined at random."""
    cells, one = sizes["cells"], 1 << FRACTION

    def fixed(value: float) -> int:
        return round(value * one)

    state, area, neighbour, kind, normal, length = [], [], [], [], [], []
    for cell in range(cells):
        density = random.uniform(1.2, 1.6)
        velocity = [1.2 + random.uniform(-0.2, 0.2), *(random.uniform(-0.3, 0.3) for _ in "yz")]
        energy = random.uniform(0.8, 1.2) / 0.4 + density * sum(x * x for x in velocity) / 2
        state.append([fixed(x) for x in (density, *(density * x for x in velocity), energy)])
        area.append(fixed(random.uniform(0.5, 2.0)))
        kind.append([random.choice((0, 0, 0, 0, 0, 0, 1, 2)) for _ in range(4)])
        neighbour.append([cell if k else random.randrange(cells) for k in kind[-1]])
        faces = [[random.uniform(-0.2, 0.2) for _ in range(3)] for _ in range(4)]
        normal.append([[fixed(x) for x in face] for face in faces])
        length.append([fixed(sqrt(sum(x * x for x in face))) for face in faces])
    return {
        "state": state,
        "area": area,
        "neighbour": neighbour,
        "kind": kind,
        "normal": normal,
        "length": length,
        "far": [[fixed(x) for x in row] for row in _far_field()],
    }


def _far_field() -> list[list[float]]:
    """Return the flow of each variable through each direction: density 1.4, pressure 1, Mach 1.2."""
    density, speed, force = 1.4, 1.2, 1.0
    energy = force / 0.4 + density * speed**2 / 2
    return [
        [density * speed, 0.0, 0.0],
        [density * speed**2 + force, 0.0, 0.0],
        [0.0, force, 0.0],
        [0.0, 0.0, force],
        [speed * (energy + force), 0.0, 0.0],
    ]


def solve(sizes: Mapping[str, int], inputs: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return the new state, cell by cell and face by face, with Python's own division and roots."""
    one = 1 << FRACTION

    def word(value: int) -> int:
        return _WORD.wrap(value)

    flows, forces, waves, steps = [], [], [], []
    for cell in range(sizes["cells"]):
        density, *momenta, energy = inputs["state"][cell]
        inverse = one * one // max(density, _LEAST)
        velocities = [word(m * inverse // one) for m in momenta]
        power = sum(x * m for x, m in zip(velocities, momenta, strict=True))
        speed2 = power // one * inverse // one
        force = word(max(word(energy - power // (2 * one)) * _GAMMA_1 // one, 0))
        sound = isqrt(force * _GAMMA // one * inverse // one * one)
        wave = isqrt(speed2 * one) + sound
        divisor = max(isqrt(inputs["area"][cell] * one) * wave // one, _LEAST)
        waves.append(wave)
        steps.append(one * one // 2 // divisor)
        forces.append(force)
        enthalpy = word(energy + force)
        rows = [momenta]
        for v in range(3):
            row = [velocities[min(v, d)] * momenta[max(v, d)] // one for d in range(3)]
            row[v] += force
            rows.append([word(x) for x in row])
        rows.append([word(x * enthalpy // one) for x in velocities])
        flows.append(rows)
    after: list[int] = []
    for cell in range(sizes["cells"]):
        for v in range(5):
            total = 0
            for face in range(4):
                what = inputs["kind"][cell][face]
                across = inputs["normal"][cell][face]
                if what == 1:
                    total += across[v - 1] * forces[cell] if 1 <= v <= 3 else 0
                    continue
                other = inputs["neighbour"][cell][face]
                beyond = inputs["far"][v] if what else flows[other][v]
                if what == 0:
                    rough = (waves[cell] + waves[other]) * inputs["length"][cell][face] // one
                    gap = word(inputs["state"][other][v] - inputs["state"][cell][v])
                    total += rough * _SMOOTH // one * gap
                for x, mine, theirs in zip(across, flows[cell][v], beyond, strict=True):
                    total += x * word(mine + theirs) // 2
            change = steps[cell] * word(total // one) // one
            after.append(word(inputs["state"][cell][v] + change))
    return {"after": after}

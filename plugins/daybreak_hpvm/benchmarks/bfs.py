"""Breadth-first search, level by level, after Rodinia's two kernels.

For every level, the first loop nest finds the vertices that are reached next, the second one takes
them into the frontier and notes their distance. The graph is a table of at most `degree`
predecessors for each vertex (rows that are shorter repeat the vertex itself), so that every vertex
looks at its own row ("bottom-up", Beamer, Asanovic, Patterson, SC 2012) and no two vertices write
the same element. There is no early end: all `levels` are run, so the time does not depend on data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from random import Random
from typing import Any

from daybreak import Space
from daybreak_hpvm.benchmarks.parts import factors, flags
from daybreak_hpvm.benchmarks.sizes import Size
from daybreak_hpvm.ir.build import ProgramBuilder
from daybreak_hpvm.ir.expr import cast, eq, minimum, select
from daybreak_hpvm.ir.program import Program
from daybreak_hpvm.ir.types import fitting, u

__all__ = [
    "EXPERT",
    "NAME",
    "NOTES",
    "SIZES",
    "SUMMARY",
    "UNREACHED",
    "draw",
    "program",
    "solve",
    "space",
]

NAME = "bfs"
SUMMARY = "breadth-first search of a graph with bounded in-degree"
SIZES = (
    Size("vertices", 64, 4, 4096, "vertices of the graph"),
    Size("degree", 4, 1, 64, "most predecessors of a vertex"),
    Size("levels", 8, 1, 254, "levels that are searched"),
)
NOTES = (
    "4 parameters, 256 configurations, as published for HPVM2FPGA's BFS; names and ranges are ours",
    "fixed trip counts: all levels are run, whatever the graph",
)
EXPERT = {"BFS_UnrollL3": 4, "BFS_UnrollL4": 4, "BFS_adj_BuffIn": 1}
#: Distance of a vertex that was not reached.
UNREACHED = 255


def space() -> Space:
    """Return 8 x 4 x 4 x 2 configurations: vertices, predecessors, update; buffering of the graph."""
    unrolled = factors(
        {
            "BFS_UnrollL2": range(1, 9),
            "BFS_UnrollL3": (1, 2, 3, 4),
            "BFS_UnrollL4": (1, 2, 4, 8),
        }
    )
    return Space([*unrolled, *flags(["BFS_adj_BuffIn"])], name="hpvm/bfs")


def program(sizes: Mapping[str, int]) -> Program:
    """Return the search from the one vertex in `source`."""
    vertices, degree, levels = sizes["vertices"], sizes["degree"], sizes["levels"]
    number = fitting(0, vertices - 1)
    p = ProgramBuilder("bfs")
    before = p.input("adj", number, (vertices, degree))
    source = p.input("source", number, (1,))
    distance = p.output("cost", u(8), (vertices,))
    with p.node("BFS") as n:
        frontier = n.local("frontier", u(1), (vertices,))
        reached = n.local("reached", u(1), (vertices,))
        cost = n.local("kept", u(8), (vertices,))
        with n.loop("a", vertices) as v:
            here = eq(v, source[0])
            frontier[v] = here
            cost[v] = select(here, 0, UNREACHED)
        with n.loop("level", levels) as level:
            with n.loop("v", vertices) as v:
                found = n.scalar("found", u(1), 0)
                with n.loop("e", degree) as e:
                    neighbour = minimum(before[v, e], vertices - 1)
                    n.reduce(found, "or", frontier[neighbour])
                reached[v] = found & eq(cost[v], UNREACHED)
            with n.loop("w", vertices) as v:
                new = n.scalar("new", u(1), reached[v])
                frontier[v] = new
                cost[v] = select(new, cast(level + 1, u(8)), cost[v])
        with n.loop("z", vertices) as v:
            distance[v] = cost[v]
    return p.build()


def draw(sizes: Mapping[str, int], random: Random) -> dict[str, Any]:
    """Return a random graph whose edges mostly lead a short way, and a source."""
    vertices, degree = sizes["vertices"], sizes["degree"]
    rows: list[list[int]] = []
    for vertex in range(vertices):
        row = [
            (vertex - random.randrange(1, 2 + vertices // 8)) % vertices
            if random.randrange(8)
            else random.randrange(vertices)
            for _ in range(random.randrange(1, degree + 1))
        ]
        rows.append(row + [vertex] * (degree - len(row)))
    return {"adj": rows, "source": [random.randrange(vertices)]}


def solve(sizes: Mapping[str, int], inputs: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return the distances by a search along outgoing edges with a queue."""
    after: dict[int, list[int]] = {}
    for vertex, row in enumerate(inputs["adj"]):
        for other in row:
            after.setdefault(int(other), []).append(vertex)
    start = int(inputs["source"][0])
    cost = {start: 0}
    queue = deque([start])
    while queue:
        vertex = queue.popleft()
        if cost[vertex] == sizes["levels"]:
            continue
        for other in after.get(vertex, ()):
            if other not in cost:
                cost[other] = cost[vertex] + 1
                queue.append(other)
    return {"cost": [cost.get(v, UNREACHED) for v in range(sizes["vertices"])]}

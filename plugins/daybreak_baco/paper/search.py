"""Maximises the acquisition: random candidates, the best of them refined by hill climbing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from daybreak_baco.paper.neighbours import Neighbourhood

__all__ = ["Found", "maximise"]

_Floats = NDArray[np.float64]
_Configuration: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The configuration of the largest acquisition found; `climbed`: hill climbing moved it."""

    configuration: _Configuration
    value: float
    climbed: bool


def maximise(
    acquisition: Callable[[Sequence[_Configuration]], _Floats],
    candidates: Sequence[_Configuration],
    values: _Floats,
    climbs: int,
    neighbourhood: Neighbourhood,
) -> Found:
    """Climb from the best candidates to local maxima and return the largest of these.

    All climbs take a step at a time together, so that the acquisition is computed for many
    configurations at once; that changes nothing for neighbourhoods without chance.

    Args:
        acquisition: of a list of configurations.
        candidates: where to begin; at least one.
        values: the candidates' acquisition.
        climbs: from how many of the candidates to climb; 0: take the best candidate.
        neighbourhood: gives the neighbours of a configuration.
    """
    order = np.argsort(-values, kind="stable")
    if climbs == 0:
        best = int(order[0])
        return Found(candidates[best], float(values[best]), climbed=False)
    starts = order[:climbs].tolist()
    tops = [Found(candidates[i], float(values[i]), climbed=False) for i in starts]
    climbing = list(range(len(tops)))
    while climbing:
        around = [neighbourhood.of(tops[i].configuration) for i in climbing]
        scores = acquisition([one for some in around for one in some])
        still, first = [], 0
        for i, some in zip(climbing, around, strict=True):
            mine = scores[first : first + len(some)]
            first += len(some)
            if len(some) == 0:
                continue
            best = int(np.argmax(mine))
            if mine[best] > tops[i].value:
                tops[i] = Found(some[best], float(mine[best]), climbed=True)
                still.append(i)
        climbing = still
    return max(tops, key=lambda top: top.value)

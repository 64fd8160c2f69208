"""Runs HyperMapper in a process of its own, which may be another environment's interpreter.

Started as a script with the scenario's path and a seed; imports nothing of Daybreak. Writes a JSON
value per line: an object with a value per input to be evaluated; an object with `error` and
`message` when HyperMapper failed; null when it has ended. Reads a line per evaluation: a number, or
null for a configuration that failed or breaks a constraint.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

__all__ = ["OBJECTIVE", "VALID", "Evaluator", "main"]

#: names of the outputs in the scenario
OBJECTIVE = "cost"
VALID = "valid"


class Evaluator:
    """HyperMapper's black box: asks for one configuration after another.

    HyperMapper's regression takes in failed configurations too, so that they need a value: the
    worst cost so far, 0 before there is one.

    Args:
        write: takes a JSON value.
        read: returns the next line; empty when nobody will answer any more.
        feasibility: whether the answers say which configurations are feasible.
    """

    def __init__(
        self, write: Callable[[Any], None], read: Callable[[], str], *, feasibility: bool
    ) -> None:
        self._write = write
        self._read = read
        self._feasibility = feasibility
        self._worst: float | None = None

    def __call__(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """Evaluate one configuration, or several given as lists of values."""
        several = any(isinstance(value, list) for value in point.values())
        rows = (
            [dict(zip(point, row, strict=True)) for row in zip(*point.values(), strict=True)]
            if several
            else [point]
        )
        costs = [self._ask(row) for row in rows]
        known = [cost for cost in costs if cost is not None]
        if known:
            self._worst = max(known) if self._worst is None else max(self._worst, *known)
        stand_in = 0.0 if self._worst is None else self._worst
        answer: dict[str, Any] = {
            OBJECTIVE: [stand_in if cost is None else cost for cost in costs],
            VALID: [cost is not None for cost in costs],
        }
        if not self._feasibility:
            del answer[VALID]
        return answer if several else {name: values[0] for name, values in answer.items()}

    def _ask(self, row: Mapping[str, Any]) -> float | None:
        self._write({name: _plain(value) for name, value in row.items()})
        line = self._read()
        if not line:
            # whoever asked has gone; nothing here is worth saving
            os._exit(0)
        cost = json.loads(line)
        return None if cost is None else float(cost)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def main(scenario: str, seed: int) -> None:
    """Run HyperMapper on the scenario; talk over standard input and output."""
    with open(scenario, encoding="utf-8") as file:
        feasibility = "feasible_output" in json.load(file)
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # HyperMapper prints what it does
    os.dup2(nowhere, 1)

    def write(value: Any) -> None:
        _send(channel, value)

    try:
        import numpy as np

        random.seed(seed)
        np.random.seed(seed % 2**32)
        from hypermapper import optimizer

        random.seed(seed)
        np.random.seed(seed % 2**32)
        optimizer.optimize(scenario, Evaluator(write, sys.stdin.readline, feasibility=feasibility))
    except (Exception, SystemExit) as error:
        write({"error": type(error).__name__, "message": str(error)})
    else:
        write(None)


def _send(channel: TextIO, value: Any) -> None:
    channel.write(json.dumps(value) + "\n")
    channel.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

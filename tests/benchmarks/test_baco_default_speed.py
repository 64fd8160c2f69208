"""What a proposal of `baco`'s default preset takes on published spaces."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from daybreak import Budget, FailureKind, Metric, Outcome, Problem, Space, Trial, TrialStatus
from daybreak_baco.factory import create
from daybreak_baco.options import BacoOptions

THREADS = [2**i for i in range(11)]
GROUPS = ["gs0 % ls0 == 0", "gs1 % ls1 == 0", "ls0 * ls1 <= 1024"]


def _space(name: str, values: dict[str, Any], constraints: list[str], order: int = 0) -> Space:
    parameters = [
        {"name": n, "type": "ordinal", "values": list(v), "log": min(v) > 0}
        for n, v in values.items()
    ]
    if order:
        parameters.append({"name": "permutation", "type": "permutation", "length": order})
    return Space.from_dict({"name": name, "parameters": parameters, "constraints": constraints})


def _spaces() -> dict[str, Space]:
    """RISE's matrix product (155 million feasible) and Harris, TACO's SpMM, as published."""
    local = dict.fromkeys(("ls0", "ls1", "gs0", "gs1"), THREADS)
    wide = dict.fromkeys(("v3", "v5", "v6", "v7"), THREADS[2:])
    tiles = [1, *range(2, 1025, 2)]
    return {
        "mm_gpu": _space(
            "mm_gpu",
            {**wide, "v4": THREADS, "v8": THREADS, **local},
            [
                "v7 % v3 == 0",
                "v5 % v4 == 0",
                "v5 * v8 % v6 == 0",
                "49152 - v5 * v7 * 4 - v5 * 1 * 4 - 4 * v7 * 1 >= 0",
                "49152 - v5 * v7 * 4 - v5 * v8 * 4 - 4 * v7 * v8 >= 0",
                *GROUPS,
            ],
        ),
        "harris": _space(
            "harris",
            {"tileX": tiles, "tileY": tiles, "vec": [2, 4], **local},
            ["(tileX + 4) % vec == 0", "tileX * tileY <= 1024", *GROUPS],
        ),
        "spmm": _space(
            "spmm",
            {
                "chunk_size": THREADS[1:10],
                "unroll_factor": THREADS[1:10],
                "omp_chunk_size": THREADS[:9],
                "omp_num_threads": THREADS[:6],
                "omp_scheduling_type": [0, 1],
            },
            [
                *(
                    f"pos(permutation, {a}) < pos(permutation, {b})"
                    for a, b in itertools.product((0, 1), (2, 3))
                ),
                "pos(permutation, 3) < pos(permutation, 2) "
                "or pos(permutation, 3) < pos(permutation, 4)",
                "unroll_factor < chunk_size",
            ],
            order=5,
        ),
    }


@pytest.mark.parametrize("observed", [20, 60, 200])
@pytest.mark.parametrize("name", ["mm_gpu", "harris", "spmm"])
def test_proposal(benchmark: Any, name: str, observed: int) -> None:
    space = _spaces()[name]
    options = BacoOptions.model_validate({"design": 1}).model_dump(mode="json")
    problem = Problem(f"x/{name}", space, (Metric("time", "ms"),), 0, Budget(evaluations=300))
    optimizer = create(problem, options)
    rng = np.random.default_rng(0)
    told = itertools.count()
    weights = rng.standard_normal(len(space.names))

    def trial(configuration: Any) -> Trial:
        """Take a time that depends on every parameter; every tenth fails."""
        row = [
            float(np.sum(np.multiply(v, range(1, 1 + np.size(v))))) for v in configuration.values()
        ]
        value = float(np.exp(0.1 * weights @ np.log1p(row) + 0.03 * rng.standard_normal()))
        number = next(told)
        if number % 10 == 9:
            return Trial(number, configuration, Outcome(TrialStatus.FAILED, FailureKind.CRASH))
        return Trial(number, configuration, Outcome(TrialStatus.OK, objectives={"time": value}))

    optimizer.ask(1)
    optimizer.tell([trial(c) for c in space.sample(observed, rng, unique=True)])

    def propose() -> Any:
        (proposed,) = optimizer.ask(1)
        optimizer.tell([trial(proposed)])
        return proposed

    assert benchmark.pedantic(propose, rounds=10, warmup_rounds=2) in space

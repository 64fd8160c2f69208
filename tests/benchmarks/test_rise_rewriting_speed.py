"""How long rewriting takes: whole strategies, from the program to the lowered expression.

Run: ``pytest tests/benchmarks/test_rise_rewriting_speed.py --benchmark-only --override-ini
addopts= -p no:cacheprovider``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from daybreak_rise.dsl import add, fst, fun, map_, reduce_, snd, transpose, zip_
from daybreak_rise.elevate.strategy import Failure, Strategy
from daybreak_rise.elevate.trace import trace
from daybreak_rise.expr import Expr
from daybreak_rise.infer import check
from daybreak_rise.strategies.products import blocked_product, tiled_product
from daybreak_rise.types import array, f32

N = 1024
STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "tiled": lambda: tiled_product(4, 8, 64, 128, 128, 16),
    "blocked": lambda: blocked_product(8, 128, 128, (0, 1, 4, 2, 5, 3), 8),
}


def program() -> Expr:
    matrix = array(N, N, f32)
    return fun(
        matrix,
        matrix,
        lambda a, b: (
            a
            | transpose
            | map_(
                lambda row: (
                    b
                    | transpose
                    | map_(
                        lambda col: (
                            zip_(row, col) | map_(lambda p: fst(p) * snd(p)) | reduce_(add, 0.0)
                        )
                    )
                )
            )
        ),
    )


@pytest.mark.parametrize("name", STRATEGIES)
def test_rewriting_a_configuration(benchmark: Any, name: str) -> None:
    # the program is made anew, as for every trial: nothing of it is known to be normal yet
    found = benchmark(lambda: STRATEGIES[name]()(program()))
    assert not isinstance(found, Failure), found
    assert check(found)


@pytest.mark.parametrize("name", STRATEGIES)
def test_tracing_a_configuration(benchmark: Any, name: str) -> None:
    told = benchmark(lambda: trace(STRATEGIES[name](), program()))
    assert len(told) > 30


def test_writing_the_program(benchmark: Any) -> None:
    assert check(benchmark(program))


def test_checking_a_lowered_expression(benchmark: Any) -> None:
    found = STRATEGIES["tiled"]().rewrite(program())
    assert benchmark(check, found)

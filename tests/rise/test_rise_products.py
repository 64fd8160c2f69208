"""The published strategies derive the tiled matrix products, for every size that divides."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from rise_products import product

from daybreak_rise.elevate.strategy import Failure
from daybreak_rise.elevate.trace import trace
from daybreak_rise.errors import RewriteError
from daybreak_rise.expr import Expr, Primitive, canonical, nodes
from daybreak_rise.infer import check
from daybreak_rise.interpret import interpret
from daybreak_rise.strategies.products import blocked_product, nested_product, tiled_product

LEGAL = [
    (0, 1, 2, 4, 5, 3),
    (4, 0, 1, 2, 5, 3),
    (0, 1, 4, 2, 5, 3),
    (0, 4, 1, 2, 5, 3),
    (4, 0, 1, 5, 2, 3),
    (0, 4, 1, 5, 2, 3),
    (0, 1, 4, 5, 2, 3),
]


def matrices(*shapes: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(-4, 5, shape).astype("f4") for shape in shapes]


def names(e: Expr) -> list[str]:
    return [one.name for one in nodes(e) if isinstance(one, Primitive)]


@pytest.mark.parametrize(
    "v", [(4, 8, 16, 32, 32, 8), (2, 1, 4, 4, 4, 1), (8, 4, 16, 16, 8, 32), (1, 2, 2, 8, 4, 8)]
)
def test_tiled_product(v: tuple[int, int, int, int, int, int]) -> None:
    n, m, k = 16, 32, 32
    program = product(n, m, k)
    found = tiled_product(*v)(program)
    assert not isinstance(found, Failure), found
    assert check(found) is program.type
    at, b = matrices((k, n), (k, m))
    np.testing.assert_array_equal(interpret(found, at, b), at.T @ b)
    used = names(found)
    for name in ("mapWorkGroup", "mapLocal", "mapSeq", "toMem", "reduceSeq"):
        assert name in used
    assert "reduce" not in used
    assert [one.statics for one in nodes(found) if getattr(one, "name", "") == "mapWorkGroup"] == [
        (1,),
        (0,),
    ] or used.count("mapWorkGroup") == 2


def test_sizes_that_do_not_divide_fail_with_the_reason() -> None:
    found = tiled_product(4, 8, 24, 32, 32, 8)(product(32, 32, 32))
    assert isinstance(found, Failure)
    assert "24 does not divide 32" in found.reason
    with pytest.raises(RewriteError, match="24 does not divide 32"):
        tiled_product(4, 8, 24, 32, 32, 8).rewrite(product(32, 32, 32))
    found = tiled_product(3, 8, 16, 32, 32, 8)(product(32, 32, 32))
    assert isinstance(found, Failure)
    assert "3 does not divide" in found.reason


@pytest.mark.parametrize("order", LEGAL, ids=lambda o: "".join(map(str, o)))
def test_blocked_product_in_every_published_order(order: tuple[int, ...]) -> None:
    program = product(16, 16, 8, transposed=False)
    found = blocked_product(8, 4, 2, order, 4).rewrite(program)
    assert check(found) is program.type
    a, b = matrices((16, 8), (8, 16))
    np.testing.assert_array_equal(interpret(found, a, b), a @ b)
    assert "asVector" in names(found)


def test_exactly_the_published_orders_are_legal() -> None:
    legal = set()
    for order in permutations(range(6)):
        try:
            blocked_product(8, 4, 2, order, 4)
        except RewriteError:
            continue
        if order[-1] == 3:
            legal.add(order)
    assert set(LEGAL) <= legal
    with pytest.raises(RewriteError, match="no permutation"):
        blocked_product(8, 4, 2, (0, 1, 2, 3, 4, 4), 4)


def test_every_step_keeps_type_and_value() -> None:
    program = product(8, 8, 8)
    told = trace(tiled_product(2, 2, 4, 8, 8, 4), program)
    at, b = matrices((8, 8), (8, 8))
    assert len(told) > 50
    for step in told:
        assert check(step.whole) is program.type, step.rule
        np.testing.assert_array_equal(interpret(step.whole, at, b), at.T @ b, step.rule)
    assert told.steps[-1].whole == told.result


def test_a_strategy_is_deterministic_up_to_names() -> None:
    program = product(8, 8, 8)
    strategy = nested_product(4, 4, 2, 2, 4)
    assert canonical(strategy.rewrite(program)) == canonical(strategy.rewrite(program))
    again = canonical(strategy.rewrite(product(8, 8, 8)))
    assert canonical(strategy.rewrite(program)) == again

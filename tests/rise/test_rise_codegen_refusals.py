"""What cannot be generated is refused with a reason that a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from daybreak import BuildFailed, ResourceExceeded
from daybreak_rise.codegen import fit, generate
from daybreak_rise.dsl import (
    as_scalar,
    as_vector,
    fst,
    fun,
    join,
    map_global,
    map_local,
    map_seq,
    map_work_group,
    reduce_seq,
    snd,
    split,
    to_global,
    to_local,
    to_private,
    transpose,
    zip_,
)
from daybreak_rise.dsl import generate as generated
from daybreak_rise.expr import Expr, Identifier
from daybreak_rise.nat import nat
from daybreak_rise.types import array, f32


def on(*sizes: Any) -> Callable[[Callable[[Expr], Expr]], Expr]:
    return lambda body: fun(array(*sizes, f32), body)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (
            on(4, 4)(lambda x: x | map_global(0)(map_global(0)(lambda v: v))),
            r"mapGlobal\(0\) stands inside mapGlobal\(0\)",
        ),
        (
            on(4, 4)(lambda x: x | map_local(0)(map_work_group(0)(lambda v: v))),
            r"mapWorkGroup\(0\) stands inside mapLocal\(0\)",
        ),
        (
            on(8)(lambda x: x | map_global(0)(lambda v: v) | map_global(0)(lambda v: v)),
            r"mapGlobal\(0\) has a result that is read but was never written: put toMem around",
        ),
        (
            on(2, 8)(
                lambda x: (
                    x
                    | map_work_group(0)(
                        lambda r: (
                            r
                            | map_local(0)(lambda v: v)
                            | to_private
                            | split(2)
                            | transpose
                            | join
                            | map_local(0)(lambda v: v)
                        )
                    )
                )
            ),
            "private memory .* is written by one work-item and read by another",
        ),
        (
            on(4, 8)(
                lambda x: (
                    x
                    | reduce_seq()(
                        lambda s, row: (
                            zip_(s, row | map_global(0)(lambda v: v) | to_global)
                            | map_seq(lambda p: fst(p) + snd(p))
                        ),
                        generated(8)(lambda _i: 0.0),
                    )
                )
            ),
            "work-groups would have to wait for each other",
        ),
        (on(nat("n"))(lambda x: x | map_seq(lambda v: v)), "the size n is not known"),
        (
            on(9)(lambda x: x | as_vector(3) | map_seq(lambda v: v + v) | as_scalar),
            "OpenCL C has no vectors of 3 f32, only of 2, 4, 8, 16",
        ),
        (
            on(4)(lambda x: x | map_seq(lambda v: v + Identifier("lost", f32))),
            "free identifiers: lost",
        ),
    ],
    ids=[
        "level-in-itself",
        "group-in-item",
        "unwritten",
        "private-of-others",
        "groups-in-a-loop",
        "symbol",
        "vector",
        "free",
    ],
)
def test_a_program_that_cannot_run_is_refused(expression: Expr, reason: str) -> None:
    with pytest.raises(BuildFailed, match=reason):
        generate(expression, local_size=(2, 2), global_size=(8, 8))


@pytest.mark.parametrize(
    ("local", "global_", "reason"),
    [
        (3, 8, r"groups of \(3, 1, 1\) work-items do not divide \(8, 1, 1\)"),
        ((1, 1, 1, 1), (1, 1, 1, 1), "up to three dimensions"),
        (0, 4, "at least 1 each"),
    ],
)
def test_work_items_that_make_no_sense_are_refused(local: Any, global_: Any, reason: str) -> None:
    with pytest.raises(BuildFailed, match=reason):
        generate(
            on(8)(lambda x: x | map_global(0)(lambda v: v)), local_size=local, global_size=global_
        )


def test_what_a_device_has_too_little_of_is_named_with_numbers() -> None:
    e = on(2, 1024)(
        lambda x: (
            x
            | map_work_group(0)(
                lambda r: r | map_local(0)(lambda v: v) | to_local | map_local(0)(lambda v: v)
            )
        )
    )
    program = generate(e, local_size=64, global_size=128)
    fit(program, local_bytes=4096, work_items=64)
    with pytest.raises(ResourceExceeded, match="4096 bytes of local memory") as raised:
        fit(program, local_bytes=4095, work_items=64)
    assert raised.value.numbers == {"local_bytes": 4096, "local_bytes_limit": 4095}
    with pytest.raises(ResourceExceeded, match="groups of 64 work-items"):
        fit(program, local_bytes=4096, work_items=32)

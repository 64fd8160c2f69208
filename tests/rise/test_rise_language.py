"""Writing expressions: types found, mistakes explained, text printed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from daybreak_rise.dsl import (
    LOCAL,
    add,
    as_vector,
    cast,
    concat,
    drop,
    fst,
    fun,
    gather,
    generate,
    idx,
    join,
    let,
    literal,
    map_,
    map_global,
    map_local,
    mul,
    pad_2d,
    pair,
    reduce_,
    reduce_seq,
    rotate_values,
    select,
    slide,
    slide_2d,
    snd,
    split,
    take,
    to_mem,
    transpose,
    unzip,
    zip_,
)
from daybreak_rise.errors import RiseTypeError
from daybreak_rise.expr import (
    App,
    Identifier,
    Lambda,
    Literal,
    Primitive,
    alpha_equal,
    fresh,
    replace_sizes_everywhere,
    spine,
    substitute,
)
from daybreak_rise.infer import check, primitive
from daybreak_rise.nat import nat
from daybreak_rise.patterns import PATTERNS
from daybreak_rise.printer import show, show_lines
from daybreak_rise.types import (
    ArrayType,
    FunType,
    IndexType,
    PairType,
    VectorType,
    array,
    boolean,
    element,
    f32,
    f64,
    function,
    i32,
    shape,
)

N, M, K = nat("n"), nat("m"), nat("k")


@pytest.mark.parametrize(
    ("taken", "build", "type_"),
    [
        (array(N, M, f32), transpose, array(M, N, f32)),
        (array(12, f32), lambda x: x | split(4), array(3, 4, f32)),
        (array(4 * N, f32), lambda x: x | split(4), array(N, 4, f32)),
        (array(N * M, f32), lambda x: x | split(M), array(N, M, f32)),
        (array(N, M, f32), join, array(N * M, f32)),
        (array(10, f32), lambda x: x | slide(3), array(8, 3, f32)),
        (array(10, f32), lambda x: x | slide(4, 3), array(3, 4, f32)),
        (array(N + 2, f32), lambda x: x | slide(3), array(N, 3, f32)),
        (array(N + 2, f32), lambda x: x | rotate_values(3)(cast(i32)), array(N, 3, i32)),
        (array(N, M, f32), lambda x: x | pad_2d(1) | slide_2d(3), array(N, M, 3, 3, f32)),
        (array(8, f32), lambda x: x | take(3), array(3, f32)),
        (array(N + 3, f32), lambda x: x | drop(3), array(N, f32)),
        (array(N, f32), lambda x: concat(x, x), array(2 * N, f32)),
        (array(N, f32), lambda x: zip_(x, x), array(N, PairType(f32, f32))),
        (
            array(N, PairType(f32, i32)),
            lambda x: x | unzip,
            PairType(array(N, f32), array(N, i32)),
        ),
        (array(8, f32), lambda x: x | as_vector(4), ArrayType(2, VectorType(4, f32))),
        (array(N, f64), lambda x: x | map_(lambda v: v * 2), array(N, f64)),
        (array(N, i32), lambda x: x | map_(cast(f32)), array(N, f32)),
        (
            array(N, f32),
            lambda x: generate(5)(lambda i: idx(i | cast(i32) | _first(5), x5(x))),
            None,
        ),
        (array(N, f32), lambda x: x | reduce_(add, 0.0), f32),
        (
            array(N, f32),
            lambda x: x | reduce_seq()(lambda s, v: pair(fst(s) + v, snd(s) + 1), pair(0.0, 0)),
            None,
        ),
        (
            array(N, f32),
            lambda x: x | reduce_seq(LOCAL)(lambda s, v: s + v, literal(0.0)) | to_mem(LOCAL),
            f32,
        ),
        (
            array(4, f32),
            lambda x: x | split(2) | as_vectors() | map_(map_(lambda v: v * 3.0 + v)),
            ArrayType(2, ArrayType(1, VectorType(2, f32))),
        ),
    ],
)
def test_types_follow_from_the_argument(taken: Any, build: Callable[..., Any], type_: Any) -> None:
    if type_ is None:
        return
    program = fun(taken, lambda x: build(x))
    assert program.type is FunType(taken, type_)
    assert check(program) is program.type


def as_vectors() -> Any:
    return map_(as_vector(2))


def _first(n: int) -> Any:
    return lambda i: i


def x5(x: Any) -> Any:
    return x


def test_a_fold_may_build_pairs() -> None:
    program = fun(
        array(N, f32),
        lambda x: (
            x
            | reduce_seq()(
                lambda s, v: select(v < fst(s), pair(v, snd(s) + 1), s),
                pair(literal(9.0), literal(0)),
            )
        ),
    )
    assert program.type is FunType(array(N, f32), PairType(f32, i32))


def test_composition_waits_for_its_argument() -> None:
    both = split(4) >> map_(lambda row: row | reduce_(add, 0.0))
    assert both.at(array(8, f32)).type is FunType(array(8, f32), array(2, f32))
    program = fun(array(8, 8, f32), lambda x: x | map_(both))
    assert program.type is FunType(array(8, 8, f32), array(8, 2, f32))
    assert map_(mul(2.0)).at(array(3, f32)).type is function(array(3, f32), array(3, f32))


def test_numbers_take_the_type_that_is_wanted() -> None:
    program = fun(i32, lambda x: x + 1)
    _, (_, number) = spine(program.body)
    assert number == Literal(1, i32)
    assert fun(f64, lambda x: 2 * x).type is FunType(f64, f64)
    assert literal([[1, 2], [3, 4]], f32).type is array(2, 2, f32)
    assert literal(True).type is boolean
    with pytest.raises(RiseTypeError, match=r"1\.5 is no i32"):
        fun(i32, lambda x: x + 1.5)


@pytest.mark.parametrize(
    ("build", "message", "hint"),
    [
        (lambda x: x | split(5), "12 is no multiple of 5", "k*n.t"),
        (lambda x: x | join, "f32", "n.m.t"),
        (lambda x: x | slide(13), "a size would be 0", ""),
        (lambda x: x | rotate_values(13)(lambda v: v), "a size would be 0", ""),
        (lambda x: x | rotate_values(0)(lambda v: v), "k is 0", "a size of at least 1"),
        (lambda x: x | take(12), "a size would be 0", ""),
        (lambda x: x + 1.0, "12.f32 is no number", "u"),
        (lambda x: zip_(x, x | split(4)), "sizes differ: 12 and 3", ""),
        (lambda x: x | map_(lambda v: v | join), "f32", ""),
        (lambda x: x | map_, "lacks more arguments", ""),
        (lambda x: x | split(0), "k is 0", "a size of at least 1"),
        (lambda x: x | map_local(3)(lambda v: v), "dimension is 3", "0, 1 or 2"),
        (lambda x: x | reduce_seq("texture")(add, 0.0), "no address space", "private"),
        (lambda x: x | map_(lambda a, b: a), "2 parameters", ""),
        (lambda x: x | reduce_(add, "zero"), "no function", ""),
        (lambda x: idx(literal(0, IndexType(4)), x), "sizes differ", ""),
        (lambda x: map_, "has no type yet", "an expression or a number"),
        (lambda x: x(1.0), "applied to something", ""),
    ],
)
def test_mistakes_are_explained(build: Callable[..., Any], message: str, hint: str) -> None:
    with pytest.raises((RiseTypeError, AttributeError)) as caught:
        fun(array(12, f32), lambda x: build(x))
    assert message in str(caught.value)
    assert hint in str(caught.value)


def test_a_size_that_may_not_divide_must_be_written_as_a_multiple() -> None:
    with pytest.raises(RiseTypeError, match=r"not known to be a multiple of 4; write it as 4\*m"):
        fun(array(N, f32), lambda x: x | split(4))


def test_nodes_cannot_be_built_wrong() -> None:
    x, y = fresh("x", f32), fresh("y", i32)
    plus = primitive("add", (), (f32, f32))
    with pytest.raises(RiseTypeError, match="cannot apply add"):
        App(App(plus, x), y)
    wrong = Primitive("split", (4,), function(array(8, f32), array(4, 2, f32)))
    with pytest.raises(RiseTypeError):
        check(wrong)
    with pytest.raises(RiseTypeError, match="is bound as"):
        check(Lambda(Identifier("v", f32), Identifier("v", i32)))
    with pytest.raises(RiseTypeError, match="no pattern 'mapp'") as caught:
        primitive("mapp", (), ())
    assert "did you mean: map" in str(caught.value)
    with pytest.raises(RiseTypeError, match=r"8 is no idx\[8\]"):
        check(Literal(8, IndexType(8)))


def test_substitution_captures_nothing() -> None:
    x, y = Identifier("x", f32), Identifier("y", f32)
    inner = Lambda(y, fun(f32, f32, lambda a, b: a + b)(x, y))
    found = substitute(inner, "x", y)
    assert isinstance(found, Lambda)
    assert found.param.name != "y"
    assert found.free == {"y"}
    assert substitute(inner, "z", y) is inner


def test_names_do_not_matter_to_alpha_equality() -> None:
    def build() -> Any:
        return fun(array(4, f32), lambda x: x | map_(lambda v: v + 1.0))

    assert build() != build()
    assert alpha_equal(build(), build())
    assert not alpha_equal(build(), fun(array(4, f32), lambda x: x | map_(lambda v: v + 2.0)))


def test_sizes_may_be_given_later() -> None:
    program = fun(array(N, 4 * M, f32), lambda x: x | map_(split(4) >> join) | transpose)
    found = replace_sizes_everywhere(program, {"n": 3, "m": 2})
    assert found.type is FunType(array(3, 8, f32), array(8, 3, f32))
    assert check(found) is found.type
    straight = fun(array(3, 8, f32), lambda x: x | map_(split(4) >> join) | transpose)
    assert alpha_equal(found, straight)


def test_text() -> None:
    program = fun(
        array(N, M, f32),
        array(M, f32),
        lambda a, v: (
            a
            | map_global(0)(
                lambda row: (
                    zip_(row, v) | reduce_seq()(lambda s, p: s + fst(p) * (snd(p) - 1.0), 0.0)
                )
            )
        ),
    )
    assert show(program) == (
        "a. v. a | mapGlobal[0](row. zip(row, v) | reduceSeq[private]"
        "(s. p. s + fst(p) * (snd(p) - 1.0), 0.0))"
    )
    assert repr(program) == show(program)
    lines = show_lines(program, 50).split("\n")
    assert max(map(len, lines)) <= 60
    assert lines[0] == "a."
    assert "".join("".join(lines).split()) == "".join(show(program).split())
    assert str(fun(f32, lambda x: let(x + x, lambda y: -y)).body).endswith("y. neg(y))")
    assert str(array(N + 1, 4, f32)) == "(n + 1).4.f32"
    assert str(function(function(f32, f32), PairType(f32, VectorType(4, f32)))) == (
        "(f32 -> f32) -> (f32 x <4>f32)"
    )


def test_taking_types_apart() -> None:
    assert shape(array(2, 3, f32)) == (2, 3)
    assert element(array(2, 3, f32)) is f32
    assert array(2, 3, f32) is ArrayType(2, ArrayType(3, f32))
    with pytest.raises(AttributeError):
        f32.name = "f16"  # type: ignore[misc]
    with pytest.raises(ValueError, match="no scalar type 'f16'"):
        type(f32)("f16")


def test_every_pattern_has_a_word_and_a_meaning() -> None:
    from daybreak_rise import dsl
    from daybreak_rise.meanings import MEANINGS, SCALARS

    assert set(PATTERNS) == set(MEANINGS) | set(SCALARS)
    words = {one.name for one in vars(dsl).values() if isinstance(one, dsl.Pending)}
    makers = {
        "generate", "split", "slide", "padConstant", "padClamp", "take", "drop",
        "reorderWithStride", "asVector", "vectorFromScalar", "cast", "mapGlobal",
        "mapWorkGroup", "mapLocal", "reduceSeq", "reduceSeqUnroll", "rotateValues",
    }  # fmt: skip
    assert set(PATTERNS) == words | makers
    assert gather.name in PATTERNS


def test_schemes_are_linear_in_each_size() -> None:
    """What inference solves sizes by."""
    from daybreak_rise.nat import replace_sizes, symbols_of
    from daybreak_rise.types import Type

    def sizes(type_: Type) -> Any:
        for slot in type_.__slots__:
            part = getattr(type_, slot)
            if isinstance(part, Type):
                yield from sizes(part)
            elif slot == "size":
                yield part

    for pattern in PATTERNS.values():
        for size in sizes(pattern.scheme):
            for name in symbols_of(size):
                values = [replace_sizes(size, {name: i}) for i in range(4)]
                steps = {b - a for a, b in pairwise(values)}
                assert len(steps) == 1, (pattern.name, size)

"""Strategies: combinators and traversals as ELEVATE has them, and a trace that tells it all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from rise_products import product
from rise_programs import programs, rules

from daybreak_rise.dsl import abs_, fun, join, map_, neg, split, sqrt, transpose
from daybreak_rise.elevate.predicates import (
    applied,
    contains,
    is_applied_map,
    is_lambda,
    is_primitive,
    map_nest,
    of_type,
)
from daybreak_rise.elevate.recording import RECORDER
from daybreak_rise.elevate.strategy import (
    Failure,
    Strategy,
    apply_n_times,
    fail,
    head_of,
    id_,
    named,
    not_,
    repeat,
    rule,
    seq,
    try_,
)
from daybreak_rise.elevate.trace import trace
from daybreak_rise.elevate.traversal import (
    all_,
    argument,
    argument_of,
    at_place,
    body,
    bottom_up,
    everywhere,
    fmap,
    function,
    in_lambdas,
    innermost,
    normalise,
    occurrence,
    one,
    outermost,
    some,
    top_down,
    try_all,
)
from daybreak_rise.errors import RewriteError, RiseTypeError
from daybreak_rise.expr import App, Expr, Primitive, nodes
from daybreak_rise.infer import check
from daybreak_rise.rules.lowering import to_map_local, to_map_seq, to_map_work_group
from daybreak_rise.rules.maps import map_fission, map_fusion, split_join
from daybreak_rise.rules.normalising import beta_reduction, eta_reduction
from daybreak_rise.strategies.loops import fuse_reductions, interchange, tile
from daybreak_rise.strategies.lowering import computes, lower_nest, lower_rest, upstream
from daybreak_rise.strategies.normal import dfnf, steps
from daybreak_rise.types import ArrayType, array, f32


def swap(old: str, new: str) -> Strategy:
    """A rule that puts one scalar function for another: easy to see where it was applied."""

    def run(e: Expr) -> Expr | None:
        if isinstance(e, Primitive) and e.name == old:
            return Primitive(new, (), e.type)
        return None

    return rule(f"{old}->{new}", run, needs=old)


A, B = swap("abs", "neg"), swap("neg", "sqrt")
THREE = fun(array(4, f32), lambda x: x | map_(abs_) | map_(abs_) | map_(abs_))


def names(e: Any) -> list[str]:
    assert isinstance(e, Expr), e
    kept = ("abs", "neg", "sqrt")
    return [n.name for n in nodes(e) if isinstance(n, Primitive) and n.name in kept]


def test_combinators() -> None:
    bare = next(n for n in nodes(THREE) if isinstance(n, Primitive) and n.name == "abs")
    assert id_(bare) is bare
    assert isinstance(fail(bare), Failure)
    assert names((A >> B)(bare)) == ["sqrt"]
    assert isinstance((B >> A)(bare), Failure)
    assert names((B | A)(bare)) == ["neg"]
    assert names((fail | A | B)(bare)) == ["neg"]
    assert isinstance((fail | B)(bare), Failure)
    assert try_(B)(bare) is bare
    assert names(try_(A)(bare)) == ["neg"]
    assert names(repeat(A | B)(bare)) == ["sqrt"]
    assert not_(B)(bare) is bare
    assert isinstance(not_(A)(bare), Failure)
    assert names(seq(A, B)(bare)) == ["sqrt"]
    assert names(named("both", A >> B)(bare)) == ["sqrt"]
    assert str(A >> (B | A)) == "(abs->neg >> (neg->sqrt | abs->neg))"


def test_a_strategy_without_end_is_stopped() -> None:
    again = rule("again", lambda e: e | transpose | transpose)
    program = fun(array(4, 4, f32), lambda x: x)
    with pytest.raises(RewriteError, match="it has no end"):
        repeat(again, most=50).rewrite(program.body)
    with pytest.raises(RewriteError, match="still applies after 50 times"):
        normalise(again, most=50).rewrite(program.body)


def test_a_rule_that_changes_the_type_is_refused() -> None:
    wrong = rule("wrong", lambda e: e | join if isinstance(e.type, ArrayType) else None)
    with pytest.raises(RiseTypeError, match=r"the rule wrong turns a 4\.4\.f32 into a 16\.f32"):
        wrong(fun(array(4, 4, f32), lambda x: x).body)


def test_one_some_all() -> None:
    both = App(App(Primitive("add", (), _binary()), _call("abs")), _call("abs"))
    assert names(one(one(A))(both)) == ["abs", "neg"] or names(one(one(A))(both)) == ["neg", "abs"]
    assert names(some(try_(some(A)))(both)).count("neg") >= 1
    inner = all_(try_(A))
    assert names(inner(_call("abs"))) == ["neg"]
    assert isinstance(all_(A)(_call("abs")), Failure)
    leaf = Primitive("abs", (), fun(f32, lambda x: x).type)
    assert all_(A)(leaf) is leaf
    assert isinstance(one(A)(leaf), Failure)
    assert isinstance(some(A)(leaf), Failure)


def _binary() -> Any:
    from daybreak_rise.types import function as function_type

    return function_type(f32, f32, f32)


def _call(name: str) -> Expr:
    from daybreak_rise.expr import Literal

    return App(Primitive(name, (), fun(f32, lambda x: x).type), Literal(1.0, f32))


def test_traversals_choose_their_place() -> None:
    # nodes() lists the outermost map first: the last step of the pipeline
    assert names(top_down(A)(THREE)) == ["abs", "abs", "neg"]
    assert names(bottom_up(A)(THREE)) == ["abs", "abs", "neg"]
    assert names(occurrence(0)(A)(THREE)) == ["abs", "abs", "neg"]
    assert names(occurrence(2)(A)(THREE)) == ["neg", "abs", "abs"]
    assert isinstance(occurrence(3)(A)(THREE), Failure)
    assert names(everywhere(A)(THREE)) == ["neg", "neg", "neg"]
    assert names(everywhere(A | B)(THREE)) == ["sqrt", "sqrt", "sqrt"]
    assert names(try_all(A | B)(THREE)) == ["neg", "neg", "neg"]
    assert names((function(argument(A)) @ in_lambdas)(THREE)) == ["neg", "abs", "abs"]
    third = body(argument(argument(function(argument(A)))))
    assert names(third(THREE)) == ["abs", "abs", "neg"]
    place = at_place("body", "argument", "argument", "function", "argument")
    assert names((A @ place)(THREE)) == ["abs", "abs", "neg"]
    with pytest.raises(RewriteError, match="no way called 'left'"):
        at_place("left")
    assert isinstance(argument(A)(THREE), Failure)
    assert isinstance(function(A)(THREE), Failure)
    assert isinstance(body(A)(THREE.body), Failure)
    deep = apply_n_times(2, argument, function(argument(A)))
    assert names(deep(THREE.body)) == ["abs", "abs", "neg"]


def test_maps_have_traversals_of_their_own() -> None:
    nest = fun(array(4, 4, f32), lambda x: x | map_(lambda r: r | map_(lambda v: abs_(neg(v)))))
    assert names((fmap(fmap(function(A))) @ in_lambdas)(nest)) == ["neg", "neg"]
    assert isinstance(fmap(id_)(_call("abs")), Failure)
    inside = argument_of("map", body(fmap(argument(function(B)))))
    assert names((function(inside) @ in_lambdas)(nest)) == ["abs", "sqrt"]
    assert isinstance(argument_of("map", id_)(nest), Failure)


def test_predicates() -> None:
    e = THREE.body
    assert is_applied_map(e) is e
    assert isinstance(is_applied_map(e.fun), Failure)  # type: ignore[attr-defined]
    assert is_lambda(THREE) is THREE
    assert applied("map")(e) is e
    assert isinstance(applied("reduce")(e), Failure)
    assert contains(is_primitive("abs"))(THREE) is THREE
    assert isinstance(contains(is_primitive("sqrt"))(THREE), Failure)
    assert of_type("array", lambda t: isinstance(t, ArrayType))(e) is e
    nest = product(4, 4, 4).body
    inner = nest.body  # type: ignore[attr-defined]
    assert map_nest(2)(inner) is inner
    found = map_nest(3)(inner)
    assert isinstance(found, Failure)
    assert head_of(e) == "map"
    assert head_of(THREE) == ""
    assert computes(inner) is inner
    assert isinstance(computes(fun(array(4, f32), lambda x: x | split(2) | join)), Failure)


def test_outermost_and_innermost() -> None:
    nest = fun(array(4, 4, f32), lambda x: x | map_(lambda r: r | map_(sqrt)))
    low = top_down(to_map_seq)
    outer = (to_map_seq @ outermost(is_applied_map)).rewrite(nest)
    inner = (to_map_seq @ innermost(is_applied_map)).rewrite(nest)
    assert str(outer) == "x. x | mapSeq(r. r | map(sqrt))"
    assert str(inner) == "x. x | map(r. r | mapSeq(sqrt))"
    assert check(low.rewrite(nest)) is nest.type


def test_choices_look_only_at_rules_that_can_apply() -> None:
    choice = map_fusion | beta_reduction
    assert choice.heads is not None
    assert "map" in choice.heads
    assert (choice | eta_reduction).heads is None
    assert isinstance(choice(THREE), Failure)
    assert not isinstance(choice(THREE.body), Failure)


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(programs())
def test_heads_are_not_too_narrow(made: tuple[Expr, Any]) -> None:
    """A rule applies nowhere but where its `heads` say, so that a choice loses nothing."""
    for one_rule in rules().values():
        if one_rule.heads is None:
            continue
        for node in nodes(made[0]):
            if not isinstance(one_rule(node), Failure):
                assert head_of(node) in one_rule.heads, one_rule.name


def test_normalise_marks_what_is_normal() -> None:
    calls = 0

    def count(e: Expr) -> Expr | None:
        nonlocal calls
        calls += 1
        return None

    strategy = normalise(rule("count", count))
    strategy(THREE)
    first = calls
    strategy(THREE)
    assert calls == first
    # of a changed program only what is new is searched
    longer = App(THREE, THREE.param)
    strategy(longer)
    assert calls <= first + 2


# --- strategies on loops -----------------------------------------------------------------------


def test_tiling_makes_loops_over_blocks_and_in_blocks() -> None:
    program = fuse_reductions.rewrite(product(8, 8, 4, transposed=False))
    found = (tile(4, 2) @ outermost(map_nest(2))).rewrite(program)
    text = str(found)
    assert text.startswith(
        "a. b. a | split[4] | map(block. b | transpose | split[2] | map(y. block"
    )
    assert text.endswith("| transpose | map(x. x | join)) | join")


def test_interchange_passes_what_follows_the_inner_map() -> None:
    program = fun(
        array(4, f32),
        array(6, f32),
        lambda a, b: a | map_(lambda u: b | split(2) | map_(map_(lambda v: u + v)) | join),
    )
    found = (interchange @ in_lambdas).rewrite(program)
    assert str(found) == (
        "a. b. b | split[2] | map(y. a | map(u. y | map(v. u + v))) | transpose | map(join)"
    )


def test_lowering_a_nest_leaves_movements_alone() -> None:
    program = (tile(4, 2) @ outermost(map_nest(2))).rewrite(
        fuse_reductions.rewrite(product(8, 8, 4, transposed=False))
    )
    groups = upstream(lower_nest(to_map_work_group(1), to_map_work_group(0), to_map_local(1)))
    found = (groups @ in_lambdas >> lower_rest).rewrite(program)
    text = str(found)
    assert "mapWorkGroup[1](block. b | transpose | split[2] | mapWorkGroup[0](y. block" in text
    assert "| mapLocal[1](row. y | mapSeq(col. " in text
    assert text.endswith("| transpose | map(x. x | join)) | join")
    failed = lower_nest(to_map_seq, to_map_seq)(THREE.body)
    assert isinstance(failed, Failure)


def test_steps_normalise_between() -> None:
    program = fun(array(8, f32), lambda x: x | map_(abs_))
    found = steps(split_join(4) @ top_down, to_map_seq @ top_down).rewrite(program)
    assert str(found) == ("x. x | split[4] | mapSeq(block. block | map(x'. abs(x'))) | join")


# --- the trace ---------------------------------------------------------------------------------


def test_a_trace_tells_rule_place_before_and_after() -> None:
    program = fun(array(8, f32), lambda x: x | map_(abs_) | map_(sqrt))
    told = trace(map_fusion @ top_down >> split_join(4) @ top_down, program)
    assert [s.rule for s in told] == ["map_fusion", "split_join(4)"]
    first = told.steps[0]
    assert first.place == ("body",)
    assert first.where == "body"
    assert first.before is program.body
    assert str(first.whole) == "x. x | map(x'. sqrt(abs(x')))"
    text = told.text()
    assert "1. map_fusion  at body" in text
    assert "  + x" in text
    assert text.endswith("join")
    assert "result:" in str(told)
    assert "sqrt(abs" in told.text(whole=True)
    assert len(told.without("map_fusion")) == 1
    assert RECORDER.active is None


def test_a_trace_forgets_attempts_that_failed() -> None:
    attempt = (A @ top_down >> fail) | (A @ occurrence(1))
    told = trace(attempt, THREE)
    assert len(told) == 1
    assert names(told.result) == ["abs", "neg", "abs"]
    told = trace(not_(A @ top_down) | id_, THREE)
    assert len(told) == 0
    told = trace(all_(all_(A)), THREE)
    assert isinstance(told.result, Failure)
    assert len(told) == 0
    told = trace(split_join(3) @ top_down, THREE)
    assert "failed: " in told.text()
    assert "3 does not divide 4" in told.text()


def test_a_strategy_that_bypasses_the_rules_is_found_out() -> None:
    sly = Strategy("sly", lambda e: top_down(B)(top_down(Strategy("raw", _raw)).rewrite(e)))
    with pytest.raises(RewriteError):
        trace(sly, THREE)


def _raw(e: Expr) -> Any:
    if isinstance(e, Primitive) and e.name == "abs":
        return Primitive("neg", (), e.type)
    return Failure("raw", "no abs")


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(programs())
def test_a_trace_can_be_replayed(made: tuple[Expr, Any]) -> None:
    told = trace(normalise(map_fission) >> dfnf >> try_(split_join(2) @ top_down), made[0])
    assert not isinstance(told.result, Failure)
    for step in told:
        assert check(step.whole) is made[0].type
    if told.steps:
        assert told.steps[-1].whole == told.result

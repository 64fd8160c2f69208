"""Every rule keeps the value of random programs, wherever it applies."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from rise_programs import everywhere, programs, rules, same_value

from daybreak_rise.elevate.traversal import try_all
from daybreak_rise.expr import Expr, alpha_equal, canonical
from daybreak_rise.infer import check
from daybreak_rise.strategies.normal import cnf, dfnf, rnf, simplify

# programs are small from the start, and making one smaller would take minutes
SLOW = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


@SLOW
@given(programs())
def test_every_rule_keeps_value_and_type_wherever_it_applies(
    made: tuple[Expr, tuple[Any, ...]],
) -> None:
    program, arguments = made
    check(program)
    for rule in rules().values():
        for found in everywhere(rule, program):
            assert check(found) is program.type, rule.name
            same_value(program, found, arguments)


@SLOW
@given(programs())
def test_rules_apply_as_well_after_a_normal_form(made: tuple[Expr, tuple[Any, ...]]) -> None:
    program, arguments = made
    for form in (dfnf, simplify, rnf, cnf):
        normal = form.rewrite(program)
        assert check(normal) is program.type
        same_value(program, normal, arguments)
        assert alpha_equal(form.rewrite(normal), normal), form.name
    normal = rnf.rewrite(program)
    for rule in rules().values():
        for found in everywhere(rule, normal, most=2):
            assert check(found) is program.type, rule.name
            same_value(normal, found, arguments)


@SLOW
@given(programs())
def test_a_rule_applied_at_every_node_keeps_the_value(made: tuple[Expr, tuple[Any, ...]]) -> None:
    program, arguments = made
    for rule in rules().values():
        found = try_all(rule).rewrite(program)
        assert check(found) is program.type, rule.name
        same_value(program, found, arguments)


@SLOW
@given(programs())
def test_canonical_names_change_nothing_but_names(made: tuple[Expr, tuple[Any, ...]]) -> None:
    program, arguments = made
    named = canonical(program)
    assert alpha_equal(named, program)
    assert named == canonical(named)
    assert check(named) is program.type
    same_value(program, named, arguments)

"""Whatever is done to a suite, it loads and plans, or ends in a `SuiteError` with a line."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from suite_fakes import fake_registry

from daybreak.errors import SuiteError
from daybreak.suite import parse_suite, plan_suite

TEXT = """\
suite: 1
name: mine
description: words
x-anchor: {timeout: 3s}
requires_plugins: [pydantic]
defaults:
  fake/sp*: {columns: 32}
  baco: {preset: paper}
benchmarks:
  - fake/spmm: {matrix: airfoil, sizes: [3, 4]}
    each: {columns: [16, 32], mode: [fast, exact]}
    budget: {seconds: 3min}
    targets: {fast: {metric: time, value: 3.5, unit: us}, expert: null}
    protocol: {warmup: 3, repeats: 7, hopeless: never}
    limits: {memory: 2GiB}
    as: named
  - fake/spmv
  - fake/bound: {largest: 8}
optimizers:
  - random
  - baco: {prior: {near: expert, strength: 2.0}}
    as: mine
    batch: 4
    only: [fake/spmm, fake/bound]
seeds: [1, 2, 3]
budget: {evaluations: 20, seconds: 1h, dollars: 2.5, tokens: 1000}
targets: {expert: [1.0, 1.1], other: {relative_to: default, value: 2.0}}
protocol:
  repeats: {min: 5, max: 50, ci: 0.02}
  warmup: auto
  timeout: 10s
  hopeless: 3
  flush_cache: true
  interleave: 4
limits: {memory: 4GiB, output: 1MiB, file: 1GB}
batch: 2
"""
REGISTRY = fake_registry()


def steps(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every key and item."""
    found = []
    if isinstance(value, dict):
        pairs = list(value.items())
    else:
        pairs = list(enumerate(value)) if isinstance(value, list) else []
    for key, child in pairs:
        found += [(*path, key), *steps(child, (*path, key))]
    return found


SUITE = yaml.safe_load(TEXT)
PATHS = steps(SUITE)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["1s", "-1s", "4GiB", "auto", "fake/spmm", "baco", "1e400", "*", "[", "/", ":"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    """Return the suite with one to three keys or items deleted, renamed, retyped or doubled."""
    suite = copy.deepcopy(SUITE)
    for _ in range(draw(st.integers(1, 3))):
        paths = steps(suite)
        if not paths:
            break
        *way, last = draw(st.sampled_from(paths))
        parent = suite
        for step in way:
            parent = parent[step]
        action = draw(st.sampled_from(["delete", "rename", "retype", "wrap", "move"]))
        if action == "delete":
            del parent[last]
        elif action == "retype":
            parent[last] = draw(values)
        elif action == "wrap":
            parent[last] = draw(st.sampled_from([[parent[last]], {"a": parent[last]}]))
        elif action == "rename" and isinstance(parent, dict):
            parent[draw(st.text(max_size=8) | st.sampled_from([*suite, str(last)[:-1]]))] = (
                parent.pop(last)
            )
        else:
            other = draw(st.sampled_from(paths))
            found = SUITE
            try:
                for step in other:
                    found = found[step]
            except (KeyError, IndexError, TypeError):
                continue
            parent[last] = copy.deepcopy(found)
    return suite


def loads_or_says_where(text: str) -> None:
    try:
        suite = parse_suite(text, path=Path("s.yaml"))
        plan = plan_suite(suite, REGISTRY)
    except SuiteError as error:
        for fault in getattr(error, "faults", (error,)):
            assert fault.file == "s.yaml"
            assert fault.line is not None
            assert fault.column is not None
            assert 1 <= fault.line <= text.count("\n") + 1
            assert fault.message
    else:
        assert plan.studies


def test_the_suite_that_is_changed_is_good():
    assert len(plan_suite(parse_suite(TEXT), REGISTRY).studies) == 3 * (2 * 5 + 1)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutants())
def test_a_changed_suite_loads_or_says_where(suite):
    loads_or_says_where(yaml.safe_dump(suite, sort_keys=False, allow_unicode=True))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_text_loads_or_says_where(data):
    start = data.draw(st.integers(0, len(TEXT)))
    end = data.draw(st.integers(start, min(len(TEXT), start + 12)))
    loads_or_says_where(TEXT[:start] + data.draw(st.text(max_size=6)) + TEXT[end:])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_every_value_may_be_of_every_type(path):
    for value in (None, True, -1, 1e308, "x", [], {}, [[]], {"a": 1}):
        suite = copy.deepcopy(SUITE)
        parent = suite
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = value
        loads_or_says_where(yaml.safe_dump(suite, sort_keys=False))

from __future__ import annotations

from daybreak.suite import load_suite, parse_suite

MATRIX = """\
suite: 1
name: large
benchmarks:
  - fake/one: {}
    each: {a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], b: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}
optimizers: [random]
budget: {evaluations: 5}
"""


def test_load_the_quickstart(benchmark):
    assert benchmark(load_suite, "quickstart").name == "quickstart"


def test_expand_a_matrix_of_a_hundred(benchmark):
    assert len(benchmark(parse_suite, MATRIX).benchmarks) == 100

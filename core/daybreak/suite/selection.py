"""Patterns that pick studies: ``--only`` on the command line and ``only:`` in a suite.

A pattern is a shell glob over a benchmark, over an optimizer, or over both joined by ``+``. A
benchmark may be written without its instance, or as its target alone.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

__all__ = ["matches_benchmark", "matches_study"]


def matches_benchmark(pattern: str, benchmark: str) -> bool:
    """Return whether `pattern` picks the benchmark ``target/name[:instance]``."""
    target, _, _ = benchmark.partition("/")
    name, _, _ = benchmark.partition(":")
    return any(_fits(pattern, text) for text in (benchmark, name, target))


def matches_study(pattern: str, benchmark: str, optimizer: str, component: str) -> bool:
    """Return whether `pattern` picks this benchmark under the optimizer labelled `optimizer`.

    `component` is the name under which the optimizer is registered; it may be used for the label.
    """
    if matches_benchmark(pattern, benchmark) or _matches_optimizer(pattern, optimizer, component):
        return True
    left, plus, right = pattern.rpartition("+")
    return bool(plus) and (
        matches_benchmark(left.strip(), benchmark)
        and _matches_optimizer(right.strip(), optimizer, component)
    )


def _matches_optimizer(pattern: str, label: str, component: str) -> bool:
    return _fits(pattern, label) or _fits(pattern, component)


def _fits(pattern: str, text: str) -> bool:
    return pattern == text or fnmatchcase(text, pattern)

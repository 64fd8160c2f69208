"""The expected best of random search, against enumeration, exact fractions and simulation."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybreak.measure.expectation import expected_best


def enumerated(values: list[float], failures: int, n: int, maximize: bool) -> float:
    """The mean over all samples of `n` that hold a success."""
    everything: list[float | None] = [*values, *[None] * failures]
    bests = []
    for sample in itertools.combinations(range(len(everything)), n):
        found = [everything[i] for i in sample if everything[i] is not None]
        if found:
            bests.append(max(found) if maximize else min(found))
    return sum(map(Fraction, bests), Fraction(0)) / len(bests)


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(
        st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: round(v, 3)), min_size=1, max_size=6
    ),
    failures=st.integers(0, 4),
    maximize=st.booleans(),
)
def test_it_is_the_mean_over_all_samples(
    values: list[float], failures: int, maximize: bool
) -> None:
    total = len(values) + failures
    found = expected_best(values, failures, total, maximize=maximize)
    exact = [float(enumerated(values, failures, n, maximize)) for n in range(1, total + 1)]
    assert found == pytest.approx(exact, rel=1e-12, abs=1e-9)


def exact(values: list[int], failures: int, n: int) -> Fraction:
    """The formula with binomial coefficients, in exact fractions."""
    total = len(values) + failures
    weights = [Fraction(comb(total - i, n - 1)) for i in range(1, len(values) + 1)]
    ranked = sorted(values)
    return sum((w * v for w, v in zip(weights, ranked, strict=True)), Fraction(0)) / sum(weights)


@pytest.mark.parametrize("failures", [0, 7, 5000])
@pytest.mark.parametrize("n", [1, 2, 20, 100, 299, 300])
def test_it_agrees_with_exact_fractions(failures: int, n: int) -> None:
    values = [int(v) for v in np.random.default_rng(3).integers(1, 10**9, 300)]
    found = expected_best(values, failures, [n])[0]
    assert found == pytest.approx(float(exact(values, failures, n)), rel=1e-13)


def test_nearly_everything_fails() -> None:
    """One success in ten million, or two: no difference of nearly equal numbers is taken."""
    assert expected_best([5.0], 10**7 - 1, [1, 1000, 10**7]).tolist() == [5.0, 5.0, 5.0]
    # of two, the better one is the best unless only the worse one is drawn:
    # E = 1 + P(only the worse | one of them) = 1 + (N - n) / (2 N - n - 1)
    total = 10**7
    for n in (1, 2, 1000, total // 2, total - 1, total):
        expected = 1.0 + float(Fraction(total - n, 2 * total - n - 1))
        assert expected_best([2.0, 1.0], total - 2, [n])[0] == pytest.approx(expected, rel=1e-14)


def test_ranks_of_ten_million() -> None:
    """The values 1 .. N without failures: E = (N + 1) / (n + 1), a textbook result."""
    total = 10**7
    values = np.arange(1.0, total + 1)
    counts = [1, 10, 1000, 10**5, total // 2, total - 1, total]
    found = expected_best(values, 0, counts)
    assert found == pytest.approx([(total + 1) / (n + 1) for n in counts], rel=1e-9)


def test_it_agrees_with_a_large_simulation() -> None:
    rng = np.random.default_rng(11)
    values = np.exp(rng.normal(size=60))
    failures, n, repeats = 140, 5, 200_000
    everything = np.concatenate([values, np.full(failures, np.inf)])
    draws = rng.random((repeats, everything.size)).argpartition(n, axis=1)[:, :n]
    bests = everything[draws].min(axis=1)
    bests = bests[np.isfinite(bests)]
    error = bests.std() / np.sqrt(bests.size)
    assert abs(expected_best(values, failures, [n])[0] - bests.mean()) < 5 * error


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=50),
    failures=st.integers(0, 50),
)
def test_it_lies_between_best_and_worst_and_never_gets_worse(
    values: list[float], failures: int
) -> None:
    found = expected_best(values, failures, len(values) + failures)
    assert found[-1] == min(values)
    assert np.all(found >= min(values))
    assert np.all(found <= max(values) * (1 + 1e-12))
    assert np.all(np.diff(found) <= 1e-12 * found[:-1])


def test_equal_values_are_expected_exactly() -> None:
    assert set(expected_best([0.1] * 1000, 3, 1000)) == {0.1}


@pytest.mark.parametrize(
    ("values", "failures", "evaluations", "words"),
    [
        ([], 3, 1, "no configuration succeeds"),
        ([1.0, float("nan")], 0, 1, "not finite"),
        ([1.0, float("inf")], 0, 1, "not finite"),
        ([1.0, float("-inf")], 0, 1, "not finite"),
        ([1.0], 1, 3, "from 1 to 2"),
        ([1.0], 1, [0], "from 1 to 2"),
        ([1.0], -1, 1, "cannot fail"),
    ],
)
def test_nonsense_is_refused(
    values: list[float], failures: int, evaluations: int | list[int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        expected_best(values, failures, evaluations)

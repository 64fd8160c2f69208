"""Comparing with the reference."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak import UserError
from daybreak_taco.problem import Expected, check_positions


def whole(values: list[float], terms: int = 10) -> Expected:
    array = np.array(values)
    return Expected(array, np.abs(array), None, terms)


def test_rounding_passes_and_more_does_not() -> None:
    expected = whole([1.0, -2.0, 0.0])
    assert expected.compare(np.array([1.0 + 5e-11, -2.0, 0.0])).correct
    verdict = expected.compare(np.array([1.0, -2.0 + 1e-9, 0.0]))
    assert not verdict.correct
    assert "1 of 3 elements are wrong; element 1" in verdict.message
    assert verdict.tolerance == 1e-10


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e-300])
def test_nothing_hides_in_an_element_that_must_be_zero(bad: float) -> None:
    verdict = whole([1.0, 0.0]).compare(np.array([1.0, bad]))
    assert not verdict.correct


def test_cancellation_is_judged_by_the_size_of_the_terms() -> None:
    expected = Expected(np.array([1e-9]), np.array([1e6]), None, 100)
    assert expected.compare(np.array([1.1e-9])).correct
    assert not expected.compare(np.array([1e-3])).correct


def test_tolerance_grows_with_very_long_sums() -> None:
    assert whole([1.0], terms=10**7).tolerance == pytest.approx(2e7 * 2.22e-16, rel=0.01)


def test_elements_off_the_pattern_must_be_zero() -> None:
    expected = Expected(np.array([3.0]), np.array([3.0]), np.array([1]), 1)
    assert expected.compare(np.array([0.0, 3.0, 0.0])).correct
    for bad in (1e-300, float("nan")):
        verdict = expected.compare(np.array([0.0, 3.0, bad]))
        assert not verdict.correct
        assert "must be zero" in verdict.message


def test_arrays_beyond_32_bits_are_refused() -> None:
    check_positions((2**31 - 1,), "x")
    with pytest.raises(UserError, match="the result would have"):
        check_positions((65536, 32768), "the result")

"""The A/A test: one configuration entered as two optimizers must not be called different.

Every benchmark is one comparison of its own, at level 5 %. The number of false alarms among N is
binomial with p <= 0.05 if the verdicts are honest.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from conftest import Runner

from daybreak.analysis.pairing import ALL, compare

LEVEL = 0.05


def _false_alarms(run: Runner, tmp_path: Path, comparisons: int, seeds: int, option: str) -> int:
    benchmarks = "\n".join(
        f"  - fake/bowl: {{instance: i{i}, {option}}}" for i in range(comparisons)
    )
    run(
        "{fixed: {}, as: left}, {fixed: {}, as: right}",
        benchmarks=benchmarks,
        seeds=seeds,
        evaluations=3,
        interleave=0,
    )
    found = compare("left", "right", tmp_path / "results", level=LEVEL)
    verdicts = [one.comparison.verdict for one in found if one.benchmark != ALL]
    assert len(verdicts) == comparisons
    assert "refused" not in verdicts
    return sum(verdict != "undecided" for verdict in verdicts)


def _bound(n: int) -> float:
    """Four standard deviations above the expectation: an honest test exceeds it once in 30,000."""
    return LEVEL * n + 4 * math.sqrt(n * LEVEL * (1 - LEVEL))


def test_no_false_alarms_beyond_the_level_on_a_drifting_machine(
    run: Runner, tmp_path: Path
) -> None:
    alarms = _false_alarms(run, tmp_path, 100, 8, "noise: 0.05")
    assert alarms <= _bound(100)


def test_a_real_difference_is_seen_through_the_same_noise(run: Runner, tmp_path: Path) -> None:
    """The A/A test would also pass if nothing were ever called different; so here is an A/B."""
    run(
        "fixed, worse",
        benchmarks="  - fake/bowl: {noise: 0.05}",
        seeds=12,
        evaluations=3,
        interleave=0,
    )
    (one,) = compare("fixed", "worse", tmp_path / "results", level=LEVEL)
    assert one.comparison.verdict == "a"


@pytest.mark.slow
def test_false_alarms_on_this_machines_own_noise(run: Runner, tmp_path: Path) -> None:
    comparisons = 1000
    alarms = _false_alarms(run, tmp_path, comparisons, 8, "spin: 20000")
    print(f"\n{alarms} false alarms in {comparisons} comparisons at level {LEVEL:g}")  # noqa: T201
    assert alarms <= _bound(comparisons)

"""What a run comes to in words."""

from __future__ import annotations

import pytest

from daybreak.analysis.summary import RunSummaryRow


@pytest.mark.parametrize(
    ("failures", "missed", "words"),
    [
        (0, 0, "2 studies, 40 evaluations, 0 failed"),
        (3, 0, "2 studies, 40 evaluations, 3 failed"),
        (36, 36, "2 studies, 40 evaluations, 0 failed, 36 not reached"),
        (9, 5, "2 studies, 40 evaluations, 4 failed, 5 not reached"),
    ],
)
def test_a_missed_target_is_no_failure_to_measure(failures: int, missed: int, words: str) -> None:
    row = RunSummaryRow("r", "s", "finished", None, None, None, 2, 40, failures, missed)
    assert row.counts == words

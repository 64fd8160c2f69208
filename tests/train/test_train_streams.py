"""Random words, and threads that work together."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from daybreak_train.streams import PlainStream, below, new_streams, next_word, uniform
from daybreak_train.team import Team, shares, thread_choices

# xoshiro256++ from the state (1, 2, 3, 4): the published reference implementation's first words
REFERENCE = [
    41943041,
    58720359,
    3588806011781223,
    3591011842654386,
    9228616714210784205,
    9973669472204895162,
    14011001112246962877,
    12406186145184390807,
]


def state():
    row = np.zeros(8, dtype=np.uint64)
    row[:4] = [1, 2, 3, 4]
    return row


def test_the_compiled_generator_gives_the_published_words():
    row = state()
    assert [int(next_word(row)) for _ in REFERENCE] == REFERENCE


def test_the_plain_generator_gives_the_published_words():
    stream = PlainStream(state())
    assert [stream.word() for _ in REFERENCE] == REFERENCE


def test_indices_and_fractions_are_the_same_compiled_and_plain():
    row = new_streams([7], 1)[0]
    plain = PlainStream(row)
    for _ in range(200):
        assert below(np.uint64(next_word(row)), 1000) == plain.below(1000)
        assert uniform(np.uint64(next_word(row))) == plain.uniform()


def test_streams_of_one_seed_differ_and_repeat():
    one, again, other = new_streams([1, 2], 3), new_streams([1, 2], 3), new_streams([1, 3], 3)
    assert np.array_equal(one, again)
    assert len({tuple(row) for row in [*one, *other]}) == 6


def test_indices_cover_the_range_evenly():
    row = new_streams([3], 1)[0]
    counts = np.bincount([below(np.uint64(next_word(row)), 5) for _ in range(20_000)], minlength=5)
    # 20,000 draws: a standard deviation is 57
    assert len(counts) == 5
    assert np.abs(counts - 4000).max() < 5 * 57


@pytest.mark.parametrize(
    ("count", "threads", "expected"), [(10, 3, [4, 3, 3]), (2, 4, [1, 1, 0, 0]), (0, 2, [0, 0])]
)
def test_shares_are_even(count, threads, expected):
    assert shares(count, threads) == expected


@pytest.mark.parametrize(("most", "expected"), [(1, (1,)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_thread_choices_are_powers_of_two_and_the_most(most, expected):
    assert thread_choices(most) == expected


def test_a_team_works_at_once_and_answers_in_order():
    meeting = threading.Barrier(3, timeout=10)

    def work(number):
        meeting.wait()
        return number * number

    with Team(3) as team:
        assert team.run(work, [(1,), (2,), (3,)]) == [1, 4, 9]


def test_a_team_raises_what_a_member_raised_after_all_have_ended():
    ended = []

    def work(number):
        if number == 1:
            raise ValueError("one")
        ended.append(number)

    with Team(3) as team, pytest.raises(ValueError, match="one"):
        team.run(work, [(0,), (1,), (2,)])
    assert sorted(ended) == [0, 2]

"""How the hill climber climbs."""

from __future__ import annotations

from daybreak_example.hill_climb import HillClimb

from daybreak.testing import drive, failed, measured, problems

OPTIONS = {"start": "default", "patience": None}


def test_it_starts_at_the_default():
    problem = problems()["ordinal"]
    assert HillClimb(problem, OPTIONS).ask() == [problem.space.default()]


def test_until_it_is_stuck_it_stays_beside_its_best():
    problem = problems(seed=1)["ordinal"]
    trials = drive(HillClimb(problem, OPTIONS), problem, 6)
    best = trials[0]
    for trial in trials[1:]:
        assert trial.configuration in problem.space.neighbours(best.configuration)
        if trial.objective < best.objective:
            best = trial


def test_nothing_is_proposed_twice_and_everything_once():
    problem = problems()["ordinal"]
    count = problem.space.count()
    trials = drive(HillClimb(problem, OPTIONS), problem, count + 10)
    assert len(trials) == count
    assert len({repr(trial.configuration) for trial in trials}) == count


def test_it_finds_the_bottom_of_a_bowl():
    problem = problems(seed=2)["ordinal"]

    def bowl(_number, configuration, problem):
        distance = abs(configuration["tile_i"] - 32) + abs(configuration["tile_j"] - 4)
        return measured(configuration, problem, 1.0 + distance)

    trials = drive(HillClimb(problem, OPTIONS), problem, 40, outcome=bowl)
    assert min(trial.objective for trial in trials) == 1.0


def test_patience_ends_a_climb():
    problem = problems(seed=3)["ordinal"]

    def worse(number, configuration, problem):
        return measured(configuration, problem, 1.0 + number)

    trials = drive(HillClimb(problem, {**OPTIONS, "patience": 2}), problem, 8, outcome=worse)
    start = problem.space.neighbours(trials[0].configuration)
    assert trials[1].configuration in start
    assert trials[2].configuration in start
    # the third is the start of the next climb; its result, though worse than the very first, is
    # where that climb goes on from
    third = problem.space.neighbours(trials[3].configuration)
    assert trials[4].configuration in third


def test_a_failed_start_is_left_behind():
    problem = problems(seed=4)["ordinal"]
    trials = drive(HillClimb(problem, OPTIONS), problem, 5, outcome=lambda *_: failed(problem))
    assert len({repr(trial.configuration) for trial in trials}) == 5

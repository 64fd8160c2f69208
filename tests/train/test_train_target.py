"""The target `train` itself: its clock, its registry, what listing it costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak import (
    Benchmark,
    Curve,
    Direction,
    MeasurementProtocol,
    Metric,
    Ordinal,
    Sample,
    Space,
    UserError,
    Verdict,
)
from daybreak_train.clock import TrainingClock
from daybreak_train.plugin import daybreak_register_targets
from daybreak_train.session import TrainSession
from daybreak_train.target import TrainTarget
from daybreak_train.tasks import ENTRIES
from daybreak_train.tasks.protocol import Task


class Ticks:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_training_clock_counts_what_is_inside_with() -> None:
    ticks = Ticks()
    clock = TrainingClock(ticks)
    ticks.now += 2.0  # loading
    with clock:
        ticks.now += 3.0
        assert clock.train_s == 3.0
        ticks.now += 1.0
    ticks.now += 5.0  # a look at the model
    first = clock.event("loss", 1, step=7, epoch=0.5)
    assert (first.train_s, first.wall_s) == (4.0, 11.0)
    assert (first.metric, first.value, first.step, first.epoch) == ("loss", 1.0, 7, 0.5)
    with clock:
        ticks.now += 1.0
    assert (clock.train_s, clock.wall_s) == (5.0, 12.0)


def test_training_clock_stops_at_an_error() -> None:
    ticks = Ticks()
    clock = TrainingClock(ticks)

    def train() -> None:
        with clock:
            ticks.now += 1.0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()
    ticks.now += 1.0
    assert clock.train_s == 1.0


def test_training_clock_cannot_be_started_twice() -> None:
    clock = TrainingClock()
    clock.__enter__()
    with pytest.raises(RuntimeError, match="runs already"):
        clock.__enter__()


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e3)), max_size=30))
def test_training_is_never_ahead_of_the_wall(spells: list[tuple[bool, float]]) -> None:
    ticks = Ticks()
    clock = TrainingClock(ticks)
    events = []
    for trains, seconds in spells:
        if trains:
            with clock:
                ticks.now += seconds
        else:
            ticks.now += seconds
        events.append(clock.event("loss", 0.0))
    for event in events:
        assert 0.0 <= event.train_s <= event.wall_s + 1e-9
    for before, after in pairwise(events):
        assert before.train_s <= after.train_s
        assert before.wall_s <= after.wall_s


def test_every_entry_is_listed_with_its_options() -> None:
    spec = next(one for one in daybreak_register_targets() if one.name == "train")
    names = [entry.name for entry in ENTRIES]
    assert len(set(names)) == len(names)
    assert {"halp", "hogwild"} <= set(names)
    assert dict(spec.benchmark_options).keys() <= set(names)


def test_a_misspelt_task_is_named() -> None:
    with pytest.raises(UserError) as caught:
        TrainTarget().define("halb", {})
    assert caught.value.nearest == "halp"


def test_listing_benchmarks_imports_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from daybreak_train.target import TrainTarget\n"
        "print(len(list(TrainTarget().benchmarks())))\n"
        "TrainTarget().rehearsal()\n"
        "print(*sorted({'numba', 'scipy', 'sklearn', 'torch', 'llvmlite'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == [str(len(ENTRIES))]


@pytest.mark.parametrize("name", ["halp", "hogwild"])
def test_references_lie_in_the_space(name: str) -> None:
    benchmark = next(one for one in TrainTarget().benchmarks() if one.name == name)
    assert [one.name for one in benchmark.references] == ["default", "expert"]
    for reference in benchmark.references:
        assert reference.configuration in benchmark.space
        assert benchmark.space.settle(reference.configuration) == dict(reference.configuration)
    assert benchmark.seeded
    assert benchmark.curve is not None


class Countdown(Task):
    """A task without data whose loss falls by one at each step."""

    def define(self, options):
        return Benchmark(
            name="countdown",
            space=Space([Ordinal("start", (1, 2, 3))]),
            objectives=(Metric("loss", "1", Direction.MINIMIZE),),
            curve=Curve("loss", 0.0),
        )

    def open(self, benchmark):
        return Data()


class Data:
    def __init__(self) -> None:
        self.identity = {"data": "none"}
        self.closed = 0

    def build(self, configuration):
        return Job(configuration["start"])

    def close(self) -> None:
        self.closed += 1


class Job:
    facts: dict[str, object] = {}  # noqa: RUF012
    phases: dict[str, float] = {}  # noqa: RUF012

    def __init__(self, start: int) -> None:
        self.start = start

    def verify(self) -> Verdict:
        return Verdict(True)

    def train(self, seed: int, clock: TrainingClock) -> Iterator:
        for left in range(self.start, -1, -1):
            yield clock.event("loss", left + seed)

    def conclude(self):
        yield Sample("left", 0.0)


def test_a_session_hands_the_seed_to_the_job() -> None:
    benchmark = Countdown().define({})
    with TrainSession(Countdown(), benchmark) as session:
        assert session.identity == {"data": "none"}
        job = session.build({"start": 2})
        assert session.verify(job).correct
        events = list(session.measure(job, MeasurementProtocol(seed=10)))
        assert [event.value for event in events] == [12.0, 11.0, 10.0]
        assert list(session.conclude(job)) == [Sample("left", 0.0)]
    session.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="not open"):
        session.build({"start": 1})


def test_a_task_without_faults_or_needs_says_so() -> None:
    task = Countdown()
    assert list(task.check()) == []
    assert list(task.faults(task.define({}))) == []
    assert task.rehearsal() == {}

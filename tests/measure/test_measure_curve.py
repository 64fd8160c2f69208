"""Reading progress curves: when they end, what is read off them, and what breaks the contract."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from curve_target import ACCURACY, CURVE, HELD_OUT, LOSS, TIME, epoch
from hypothesis import given
from hypothesis import strategies as st
from measure_support import wait_until

from daybreak.errors import TrialFailed
from daybreak.measure import Bench, CurveSetting, open_bench
from daybreak.measure.curve import CurveReader
from daybreak.measure.protocol import Stop
from daybreak.plugin.specs import Isolation
from daybreak.records import (
    Curve,
    Cutoff,
    Event,
    FailureKind,
    Limits,
    MeasurementProtocol,
    Metric,
    Outcome,
    Sample,
    StopRule,
    TrialStatus,
)

METRICS = (TIME, ACCURACY, LOSS, HELD_OUT)
SETTING = CurveSetting(CURVE, METRICS)
X = {"x": 0.5}


def open_job(
    stream: str = "steady",
    isolation: str = "inline",
    *,
    objectives: tuple[Metric, ...] = (TIME,),
    curve: Curve = CURVE,
    conclude: str | None = None,
    modelled: bool = False,
    **protocol: Any,
) -> Bench:
    options: dict[str, Any] = {"stream": stream, "modelled": modelled}
    if conclude is not None:
        options["conclude"] = conclude
    return open_bench(
        factory="curve_target:Target",
        name="job",
        options=options,
        protocol=MeasurementProtocol(**{"timeout_s": 20.0, **protocol}),
        limits=Limits(),
        isolation=Isolation(isolation),
        objectives=objectives,
        curve=CurveSetting(curve, METRICS),
    )


def measured(*arguments: Any, cutoffs: Sequence[Cutoff] = (), **more: Any) -> Outcome:
    best = more.pop("best", None)
    with open_job(*arguments, **more) as bench:
        return bench.measure(X, best=best, cutoffs=cutoffs)


def accuracies(outcome: Outcome) -> list[float]:
    return [event.value for event in outcome.events if event.metric == "accuracy"]


# -- where a curve ends


def test_the_target_ends_the_curve_at_its_training_clock() -> None:
    outcome = measured()
    assert outcome.status is TrialStatus.OK
    assert outcome.objectives == {"time_to_target": 9.0}
    assert outcome.samples == (Sample("time_to_target", 9.0, 0),)
    assert accuracies(outcome) == [n / 10 for n in range(10)]
    assert [event.seq for event in outcome.events] == list(range(20))
    assert outcome.facts["stop"] == "target"
    assert outcome.facts["curve"] == {
        "metric": "accuracy",
        "target": 0.9,
        "reached": True,
        "best": 0.9,
        "last": 0.9,
        "step": 90,
        "epoch": 9.0,
        "train_s": 9.0,
        "wall_s": 18.0,
    }


def test_the_suites_target_replaces_the_benchmarks() -> None:
    outcome = measured(stop=StopRule(target=0.35))
    assert outcome.objectives == {"time_to_target": 4.0}


def test_training_on_past_the_target_still_times_it() -> None:
    outcome = measured(stop=StopRule(epochs=11.0))
    assert outcome.status is TrialStatus.OK
    assert outcome.objectives == {"time_to_target": 9.0}
    assert accuracies(outcome)[-1] == 1.1
    assert outcome.facts["stop"] == "budget"


@pytest.mark.parametrize(
    ("rule", "stop", "epochs"),
    [
        (StopRule(0.9, train_s=4.5), "budget", 5.0),
        (StopRule(0.9, epochs=4.0), "budget", 4.0),
        (StopRule(2.0), "natural", 11.0),
    ],
)
def test_a_curve_without_its_target_fails_as_not_reached(
    rule: StopRule, stop: str, epochs: float
) -> None:
    outcome = measured(stop=rule)
    assert outcome.failure_kind is FailureKind.NOT_REACHED
    assert outcome.objectives == {"time_to_target": None}
    assert outcome.facts["stop"] == stop
    assert outcome.facts["curve"]["epoch"] == epochs
    assert outcome.facts["curve"]["reached"] is False
    assert f"at best {epochs / 10:g} after {epochs:g} s" in (outcome.message or "")
    assert accuracies(outcome)[-1] == pytest.approx(epochs / 10)


def test_with_the_metric_as_objective_a_budget_is_no_failure() -> None:
    outcome = measured(objectives=(ACCURACY,), stop=StopRule(None, epochs=4.0))
    assert outcome.status is TrialStatus.OK
    assert outcome.objectives == {"accuracy": 0.4}
    assert (outcome.low, outcome.high) == (0.4, 0.4)
    both = measured(objectives=(TIME, ACCURACY))
    assert both.objectives == {"time_to_target": 9.0, "accuracy": 0.9}


def test_hopeless_is_asked_of_the_training_clock() -> None:
    outcome = measured(best=0.5, hopeless=8.0)
    assert outcome.status is TrialStatus.STOPPED
    assert outcome.objectives == {"time_to_target": 5.0}, "the clock seen: beyond 8 x 0.5 s"
    assert outcome.facts["stop"] == "hopeless"
    assert measured(best=0.5, hopeless=None).objectives == {"time_to_target": 9.0}


@pytest.mark.parametrize(
    ("cutoff", "last"),
    [
        (Cutoff("accuracy", 0.31, epoch=3.0), 0.3),
        (Cutoff("accuracy", 0.31, step=25), 0.3),
        (Cutoff("accuracy", 0.31, train_s=2.5), 0.3),
        (Cutoff("loss", 0.1, train_s=5.0), 0.4),
    ],
)
def test_a_cutoff_ends_a_curve_that_disappoints(cutoff: Cutoff, last: float) -> None:
    outcome = measured(cutoffs=[cutoff])
    assert outcome.failure_kind is FailureKind.NOT_REACHED
    assert outcome.facts["stop"] == "cutoff"
    assert outcome.facts["cutoff"]["metric"] == cutoff.metric
    assert accuracies(outcome)[-1] == last
    kept = measured(cutoffs=[cutoff], objectives=(ACCURACY,))
    assert kept.status is TrialStatus.STOPPED
    assert kept.objectives == {"accuracy": last}


def test_a_cutoff_asks_the_best_so_far_once() -> None:
    # 0.3 at epoch 3 is as good as asked for; that later ones would be worse than 0.3 is no matter
    outcome = measured(cutoffs=[Cutoff("accuracy", 0.3, epoch=3.0), Cutoff("loss", 0.9, step=1)])
    assert outcome.status is TrialStatus.OK


def test_divergence_is_no_crash() -> None:
    outcome = measured("diverges", objectives=(ACCURACY,))
    assert outcome.failure_kind is FailureKind.NOT_REACHED
    assert outcome.message == "diverged: accuracy is inf after 2 s of training"
    assert outcome.facts["curve"]["last"] is None
    assert outcome.facts["curve"]["best"] == 0.5
    first = measured("nan_first")
    assert first.failure_kind is FailureKind.NOT_REACHED
    assert math.isnan(first.events[0].value)
    assert measured("huge_value").facts["stop"] == "diverged"


def test_a_simulated_curve_costs_what_was_read_of_it() -> None:
    whole = measured(modelled=True, timeout_s=1e-9)
    assert whole.status is TrialStatus.OK, "no real time ends it"
    assert whole.phases == {"build": 5.0, "measure": 18.0}
    assert whole.simulated_s == 23.0
    cut = measured(modelled=True, cutoffs=[Cutoff("accuracy", 0.5, epoch=2.0)])
    assert cut.failure_kind is FailureKind.NOT_REACHED
    assert cut.phases == {"build": 5.0, "measure": 4.0}


def test_the_time_limit_ends_a_curve_while_it_can_still_be_judged() -> None:
    def slow() -> Iterator[Event]:
        for number in range(100):
            clock[0] += 3.0
            yield epoch(number, 0.01 * number)

    clock = [0.0]
    reader, _ = read(slow(), MeasurementProtocol(timeout_s=30.0), clock=lambda: clock[0])
    # after 27 s, half as long again as the last 3 s would be past 30 s
    assert reader.stop is Stop.TIME
    assert clock[0] == 27.0


def read(
    stream: Any,
    protocol: MeasurementProtocol,
    setting: CurveSetting = SETTING,
    objectives: tuple[Metric, ...] = (TIME,),
    best: float | None = None,
    cutoffs: Sequence[Cutoff] = (),
    clock: Any = time.perf_counter,
) -> tuple[CurveReader, list[Event]]:
    keeper = setting.keeper(protocol)
    reader = CurveReader(protocol, setting, objectives, keeper, best=best, cutoffs=cutoffs)
    reader.read(stream, cancelled=lambda: False, clock=clock)
    return reader, keeper.finish()[0]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=40),
    st.lists(st.floats(0.01, 2), min_size=40, max_size=40),
    st.one_of(st.none(), st.floats(0, 1)),
    st.one_of(st.none(), st.floats(0.1, 30)),
    st.one_of(st.none(), st.integers(1, 30).map(float)),
    st.one_of(st.none(), st.floats(0.1, 10)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40)), max_size=2),
)
def test_rules_against_a_search_through_the_whole_curve(
    values: list[float],
    laps: list[float],
    target: float | None,
    train_s: float | None,
    epochs: float | None,
    best: float | None,
    cuts: list[tuple[float, int]],
) -> None:
    clocks = [sum(laps[:i]) for i in range(len(values))]
    events = [
        Event("accuracy", value, epoch=float(i), train_s=clocks[i])
        for i, value in enumerate(values)
    ]
    cutoffs = [Cutoff("accuracy", value, epoch=float(at)) for value, at in cuts]
    protocol = MeasurementProtocol(stop=StopRule(target, train_s, epochs), timeout_s=1e9)
    reader, kept = read(iter(events), protocol, best=best, cutoffs=cutoffs)

    goal = 0.9 if target is None else target
    reached = [i for i, value in enumerate(values) if value >= goal]
    never = len(values)
    ends = {
        Stop.TARGET: reached[0] if reached and target is not None else never,
        Stop.BUDGET: min(
            [i for i, clock in enumerate(clocks) if train_s is not None and clock >= train_s]
            + [i for i in range(len(values)) if epochs is not None and i >= epochs],
            default=never,
        ),
        Stop.HOPELESS: min(
            [
                i
                for i, clock in enumerate(clocks)
                if best is not None and clock > 10 * best and not any(r <= i for r in reached)
            ],
            default=never,
        ),
        Stop.CUTOFF: min(
            [at for value, at in cuts if at < never and max(values[: at + 1]) < value],
            default=never,
        ),
    }
    last = min(ends.values())
    expected = next((stop for stop, i in ends.items() if i == last < never), Stop.NATURAL)
    assert reader.stop is expected
    assert len(kept) == min(last + 1, len(values))
    first = reached[0] if reached and reached[0] <= last else None
    assert (None if reader.reached is None else reader.reached.epoch) == first
    assert reader.best == max(values[: last + 1])


# -- contracts


@pytest.mark.parametrize(
    ("stream", "says", "events"),
    [
        ("runs_back", "at event 2 of 'accuracy' the training clock ran back from 3 to 2 s", 2),
        ("ahead", "the training clock (5 s) is ahead of the wall clock (4 s)", 1),
        ("silent", "yielded no event of the progress metric 'accuracy'", 1),
        ("own_time", "a sample of 'time_to_target', which Daybreak reads off the curve", 1),
        ("huge_step", "no number that can be recorded", 1),
        ("words", "'good', no number", 0),
        ("raises", "ZeroDivisionError in measure: in the middle", 2),
        ("stubborn", "goes on although it was closed", 1),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_broken_sessions_fail_with_their_events(stream: str, says: str, events: int) -> None:
    outcome = measured(stream)
    assert outcome.failure_kind is FailureKind.INTERNAL
    assert says in (outcome.message or "")
    assert len(outcome.events) == events


def test_samples_yielded_before_a_failure_stay() -> None:
    assert measured("raises").samples == (Sample("noise", 3.0, 0),)


def test_numpys_numbers_become_plain() -> None:
    outcome = measured("odd_numbers")
    assert outcome.objectives == {"time_to_target": 2.0}
    for event in outcome.events:
        assert type(event.value) is float
        assert type(event.step) is int
        assert type(event.train_s) is float


def test_clocks_are_asked_for_where_they_are_needed() -> None:
    bare = [Event("accuracy", 0.5), Event("accuracy", 0.6)]
    with pytest.raises(TrialFailed, match="no train_s"):
        read(iter(bare), MeasurementProtocol())
    with pytest.raises(TrialFailed, match="no epoch"):
        read(iter(bare), MeasurementProtocol(stop=StopRule(epochs=1.0)), objectives=(ACCURACY,))
    reader, _ = read(iter(bare), MeasurementProtocol(), objectives=(ACCURACY,))
    assert reader.stop is Stop.NATURAL


def test_a_curve_of_an_unlisted_metric_fails_the_trial() -> None:
    outcome = measured(curve=Curve("acuracy", 0.9))
    assert outcome.failure_kind is FailureKind.INTERNAL
    assert "'acuracy' is none of the benchmark's metrics" in (outcome.message or "")


def test_without_a_curve_events_alone_are_no_measurement() -> None:
    with open_bench(
        factory="curve_target:Target",
        name="job",
        options={},
        protocol=MeasurementProtocol(),
        limits=Limits(),
        isolation=Isolation.INLINE,
        objectives=(TIME,),
    ) as bench:
        outcome = bench.measure(X)
    assert outcome.failure_kind is FailureKind.INTERNAL
    assert outcome.message == "the session yielded no sample of the objective 'time_to_target'"
    assert len(outcome.events) == 24, "what was yielded is kept all the same"


def test_floors_hold_for_the_training_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    import curve_target

    monkeypatch.setattr(curve_target.Session, "floors", {"time_to_target": 9.5})
    outcome = measured()
    assert outcome.failure_kind is FailureKind.WRONG_RESULT
    assert "better than the hardware can be" in (outcome.message or "")


# -- the conclusion


def test_the_conclusion_is_a_phase_of_its_own() -> None:
    outcome = measured(conclude="good")
    assert outcome.status is TrialStatus.OK
    assert Sample("test_accuracy", 0.85, 0) in outcome.samples
    assert set(outcome.phases) == {"build", "verify", "measure", "conclude"}
    judged = measured(conclude="good", objectives=(TIME, HELD_OUT))
    assert judged.objectives == {"time_to_target": 9.0, "test_accuracy": 0.85}


def test_the_conclusion_comes_after_every_end_but_divergence() -> None:
    missed = measured(conclude="good", stop=StopRule(2.0))
    assert missed.failure_kind is FailureKind.NOT_REACHED
    assert Sample("test_accuracy", 0.85, 0) in missed.samples
    diverged = measured("diverges", conclude="raises")
    assert diverged.failure_kind is FailureKind.NOT_REACHED
    assert "conclude" not in diverged.phases


@pytest.mark.parametrize(
    ("how", "kind", "says"),
    [
        ("wrong", FailureKind.WRONG_RESULT, "the held-out accuracy is 0.1"),
        ("raises", FailureKind.INTERNAL, "KeyError in conclude: 'held out'"),
        ("event", FailureKind.INTERNAL, "holds Event, no Sample"),
    ],
)
@pytest.mark.parametrize("isolation", ["inline", "worker", "fork"])
def test_a_conclusion_that_fails_fails_the_trial(
    how: str, kind: FailureKind, says: str, isolation: str
) -> None:
    outcome = measured("steady", isolation, conclude=how)
    assert outcome.failure_kind is kind
    assert says in (outcome.message or "")
    assert outcome.objectives == {"time_to_target": None}
    assert accuracies(outcome)[-1] == 0.9


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_a_conclusion_that_hangs_runs_into_the_limit(isolation: str) -> None:
    outcome = measured("steady", isolation, conclude="hangs", timeout_s=1.0)
    assert outcome.failure_kind is FailureKind.TIMEOUT
    assert "conclude took longer than 1 s" in (outcome.message or "")
    assert len(outcome.events) == 20
    assert outcome.phases["conclude"] >= 1.0


# -- other processes


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_curve_cutoffs_and_seed_cross_to_the_worker(isolation: str) -> None:
    with open_job("seeded", isolation, objectives=(TIME, ACCURACY), seed=7) as bench:
        cutoff = Cutoff("accuracy", 0.5, epoch=2.0)
        cut = bench.measure(X, cutoffs=[cutoff])
        whole = bench.measure(X)
    assert cut.facts["cutoff"] == {"metric": "accuracy", "value": 0.5, "epoch": 2.0}
    assert len(cut.events) == 3
    inline = measured("seeded", objectives=(TIME, ACCURACY), seed=7)
    assert whole.events == inline.events, "the same seed draws the same"
    assert whole.objectives == inline.objectives
    other = measured("seeded", objectives=(TIME, ACCURACY), seed=8)
    assert accuracies(other) != accuracies(inline)


@pytest.mark.parametrize("isolation", ["worker", "fork"])
@pytest.mark.parametrize(
    ("stream", "kind"), [("dies", FailureKind.CRASH), ("hangs", FailureKind.TIMEOUT)]
)
def test_events_survive_the_process_that_yielded_them(
    isolation: str, stream: str, kind: FailureKind
) -> None:
    with open_job(stream, isolation, timeout_s=1.5) as bench:
        outcome = bench.measure(X)
        again = bench.measure(X)
    assert outcome.failure_kind is kind
    assert accuracies(outcome) == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert accuracies(again) == accuracies(outcome)


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_events_survive_kill_9_of_the_worker(
    isolation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "pid"
    monkeypatch.setenv("DAYBREAK_CURVE_PID", str(note))
    monkeypatch.setenv("DAYBREAK_SANDBOX", "limits")  # process numbers as they are outside
    found: list[Outcome] = []
    looked: list[float] = []
    with open_job("waits_for_killer", isolation) as bench:

        def look(events: tuple[Event, ...]) -> None:
            looked.extend(event.value for event in events if event.metric == "accuracy")

        thread = threading.Thread(target=lambda: found.append(bench.measure(X, on_events=look)))
        thread.start()
        assert wait_until(lambda: note.exists() and len(note.read_text().split()) == 2, 15.0)
        measuring, parent = map(int, note.read_text().split())
        os.kill(parent if isolation == "fork" else measuring, signal.SIGKILL)
        thread.join(15.0)
        assert not thread.is_alive()
    (outcome,) = found
    assert outcome.failure_kind is FailureKind.CRASH
    # a burst is told of at a bounded rate, so that its end may be lost with the process
    assert accuracies(outcome) == looked
    assert len(outcome.events) >= 20


def test_a_million_events_are_thinned_around_the_target() -> None:
    outcome = measured("many", timeout_s=300.0)
    assert outcome.status is TrialStatus.OK
    assert outcome.objectives == {"time_to_target": 777_777 * 1e-6}
    assert len(outcome.events) <= 20_004
    assert [event.step for event in outcome.events][-2:] == [777_776, 777_777]
    assert outcome.facts["events_dropped"] == 777_778 - len(outcome.events)

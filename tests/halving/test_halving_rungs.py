"""Who is given up, against a brute-force judge; and what the optimizer makes of trials."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytest
from halving_fakes import judge
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from daybreak import (
    Benchmark,
    Budget,
    Configuration,
    Curve,
    Cutoff,
    Direction,
    Event,
    FailureKind,
    Integer,
    Metric,
    Outcome,
    Problem,
    Space,
    Trial,
    TrialStatus,
    UserError,
)
from daybreak.testing import OptimizerConformance
from daybreak_halving.acceptance import accepts
from daybreak_halving.halving import Halving
from daybreak_halving.options import HalvingOptions

SPACE = Space([Integer("x", 0, 9999)])
ACCURACY = Metric("accuracy", "1", Direction.MAXIMIZE)
LOSS = Metric("loss", "1", Direction.MINIMIZE)


class TestHalving(OptimizerConformance):
    component_name = "halving"
    options: ClassVar[dict[str, Any]] = {"eta": 2, "clock": "step"}


def problem(metric: Metric = LOSS, **more: Any) -> Problem:
    return Problem(
        benchmark="x/y",
        space=more.pop("space", SPACE),
        objectives=(Metric("time_to_target", "s"),),
        seed=more.pop("seed", 0),
        budget=Budget(evaluations=100),
        metrics=(metric,),
        curve=Curve(metric.name, 0.5),
        **more,
    )


def options(**chosen: Any) -> dict[str, Any]:
    return HalvingOptions(**chosen).model_dump()


def told(
    number: int,
    configuration: Configuration,
    values: list[float],
    *,
    metric: str = "loss",
    stop: str = "natural",
    kind: FailureKind | None = None,
) -> Trial:
    """A trial with one event an epoch, from epoch 0 on."""
    events = tuple(
        Event(metric, value, i, step=10 * i, epoch=float(i), train_s=0.5 * i)
        for i, value in enumerate(values)
    )
    return Trial(
        number,
        configuration,
        Outcome(
            TrialStatus.OK if kind is None else TrialStatus.FAILED,
            failure_kind=kind,
            events=events,
            facts={"stop": stop},
        ),
    )


def given_up_at(curve: list[float], cutoffs: list[Cutoff], better: Any = min) -> int | None:
    """The epoch at which `cutoffs` end `curve`, by the contract's words."""
    ends = []
    for cutoff in cutoffs:
        assert cutoff.epoch is not None
        epoch = math.ceil(cutoff.epoch)
        if epoch < len(curve):
            best = better(curve[: epoch + 1])
            if best != better(best, cutoff.value):
                ends.append(epoch)
    return min(ends, default=None)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=20), min_size=1, max_size=30),
    st.integers(2, 4),
    st.integers(1, 3),
    st.sets(st.integers(0, 29)),
)
def test_exactly_those_are_given_up_whom_a_ranking_at_each_rung_finds(
    whole: list[list[int]], eta: int, first: int, reached: set[int]
) -> None:
    curves = [[float(value) for value in curve] for curve in whole]
    rungs = [first * eta**k for k in range(6)]
    expected = judge(curves, eta, rungs, reached)
    optimizer = Halving(problem(), options(eta=eta, first=first))
    for number, curve in enumerate(curves):
        (configuration,) = optimizer.ask()
        end = given_up_at(curve, optimizer.cutoffs(configuration))
        if number in reached and end == len(curve) - 1:
            end = None  # at its target it is not asked any more
        assert end == expected[number], f"trial {number}"
        seen = curve if end is None else curve[: end + 1]
        stop = "cutoff" if end is not None else "target" if number in reached else "natural"
        optimizer.tell([told(number, configuration, seen, stop=stop)])


def test_by_hand_with_eta_two() -> None:
    optimizer = Halving(problem(), options(eta=2, last=2))
    assert optimizer.cutoffs({"x": 0}) == []
    optimizer.tell([told(0, {"x": 0}, [9, 5, 4])])
    # one was there: of two, the better one goes on
    assert optimizer.cutoffs({"x": 1}) == [
        Cutoff("loss", 5.0, epoch=1.0),
        Cutoff("loss", 4.0, epoch=2.0),
    ]
    optimizer.tell([told(1, {"x": 1}, [9, 7], stop="cutoff", kind=FailureKind.NOT_REACHED)])
    # of three still one: 5 has to be reached; at the second rung nothing changed
    assert [cutoff.value for cutoff in optimizer.cutoffs({"x": 2})] == [5.0, 4.0]
    optimizer.tell([told(2, {"x": 2}, [9, 3, 6])])
    # of four two go on: the second best of 3, 5, 7; the best so far at the second rung is 3
    assert [cutoff.value for cutoff in optimizer.cutoffs({"x": 3})] == [5.0, 3.0]
    explained = optimizer.explain({"x": 3})
    assert explained == {
        "metric": "loss",
        "clock": "epoch",
        "eta": 2,
        "rungs": [
            {"at": 1.0, "trials": 3, "keep": 2, "cutoff": 5.0},
            {"at": 2.0, "trials": 2, "keep": 1, "cutoff": 3.0},
        ],
    }


def test_a_rising_metric_is_cut_from_below() -> None:
    optimizer = Halving(problem(ACCURACY), options(eta=3, rungs=[1.0]))
    for i, accuracy in enumerate([0.2, 0.9]):
        optimizer.tell([told(i, {"x": i}, [0.1, accuracy], metric="accuracy")])
    assert optimizer.cutoffs({"x": 7}) == [Cutoff("accuracy", 0.9, epoch=1.0)]
    assert given_up_at([0.1, 0.8, 0.99], optimizer.cutoffs({"x": 7}), max) == 1
    assert given_up_at([0.1, 0.9], optimizer.cutoffs({"x": 7}), max) is None


def test_who_reached_the_target_early_counts_at_later_rungs() -> None:
    optimizer = Halving(problem(), options(eta=2))
    optimizer.tell([told(0, {"x": 0}, [9, 0.4], stop="target")])
    values = {cutoff.epoch: cutoff.value for cutoff in optimizer.cutoffs({"x": 1})}
    assert values[1.0] == values[2.0] == values[4.0] == 0.4


def test_who_diverges_or_breaks_is_the_worst_at_the_next_rung() -> None:
    nan = math.nan
    for values, stop, kind in (
        ([9, nan], "diverged", FailureKind.NOT_REACHED),
        ([9], "natural", FailureKind.CRASH),
        ([1, nan, 0.1], "diverged", FailureKind.NOT_REACHED),
    ):
        optimizer = Halving(problem(), options(eta=2))
        optimizer.tell([told(0, {"x": 0}, values, stop=stop, kind=kind)])
        # whoever comes second goes on, whatever it has, and a cutoff of infinity is none
        assert optimizer.cutoffs({"x": 1}) == []
        assert optimizer.explain({"x": 1})["rungs"][0] == {
            "at": 1.0,
            "trials": 1,
            "keep": 1,
            "cutoff": None,
        }
        optimizer.tell([told(1, {"x": 1}, [9, 8])])
        assert [cutoff.value for cutoff in optimizer.cutoffs({"x": 2})] == [8.0]


def test_time_ran_out_or_it_never_trained_says_nothing() -> None:
    optimizer = Halving(problem(), options(eta=2))
    optimizer.tell([told(0, {"x": 0}, [9], stop="time", kind=FailureKind.TIMEOUT)])
    optimizer.tell([told(1, {"x": 1}, [], kind=FailureKind.BUILD)])
    assert optimizer.explain({"x": 2})["rungs"][0]["trials"] == 0


@pytest.mark.parametrize(
    ("clock", "place"),
    [
        ("epoch", {"epoch": 1.5}),
        ("step", {"step": 2}),  # the first whole step at or past it
        ("train_s", {"train_s": 1.5}),
    ],
)
def test_rungs_lie_on_the_chosen_clock(clock: str, place: dict[str, float]) -> None:
    optimizer = Halving(problem(), options(eta=2, clock=clock, rungs=[1.5]))
    optimizer.tell([told(0, {"x": 0}, [9, 8, 7, 6, 5])])
    (cutoff,) = optimizer.cutoffs({"x": 1})
    # epoch 2, step 10 and second 1.5 are the first events there
    reached = {"epoch": 7.0, "step": 8.0, "train_s": 6.0}[clock]
    assert cutoff == Cutoff("loss", reached, **place)  # type: ignore[arg-type]


def test_events_of_other_metrics_and_without_the_clock_are_passed_over() -> None:
    optimizer = Halving(problem(), options(eta=2))
    events = (
        Event("other", 0.0, 0, epoch=5.0),
        Event("loss", 0.0, 1, train_s=1.0),
        Event("loss", 3.0, 2, epoch=1.0),
    )
    optimizer.tell([Trial(0, {"x": 0}, Outcome(TrialStatus.OK, events=events))])
    assert optimizer.cutoffs({"x": 1}) == [Cutoff("loss", 3.0, epoch=1.0)]


def test_proposals_are_those_of_a_search_that_gives_nothing_up() -> None:
    with_rungs, without = Halving(problem(), options()), Halving(problem(), options(first=1e9))
    for number in range(20):
        (one,), (other,) = with_rungs.ask(), without.ask()
        assert one == other
        with_rungs.tell([told(number, one, [9.0, 9.0 - number])])


def test_a_used_up_space_is_exhausted_without_repetition() -> None:
    space = Space([Integer("x", 0, 300)])
    optimizer = Halving(problem(space=space), options())
    drawn = [one["x"] for one in optimizer.ask(400)]
    assert sorted(drawn) == list(range(301))
    assert optimizer.ask() == []


def test_earlier_trials_fill_the_rungs_and_are_not_proposed_again() -> None:
    space = Space([Integer("x", 0, 2)])
    history = [told(0, {"x": 1}, [9, 5]), told(1, {"x": 0}, [9, 6])]
    optimizer = Halving(problem(space=space, history=history), options(eta=3))
    assert optimizer.ask(5) == [{"x": 2}]
    assert optimizer.cutoffs({"x": 2}) == [Cutoff("loss", 5.0, epoch=1.0)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"eta": 1},
        {"first": 0},
        {"first": 4, "last": 2},
        {"rungs": []},
        {"rungs": [2, 2]},
        {"rungs": [1, math.inf]},
        {"rungs": [1, 2], "last": 3},
        {"rungs": [1, 2], "first": 3},
        {"clock": "wall_s"},
        {"reduction": 3},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HalvingOptions(**wrong)


def test_a_benchmark_without_a_curve_is_refused() -> None:
    plain = Benchmark("spmm", SPACE, (Metric("time", "ms"),))
    with pytest.raises(UserError, match="'spmm' has none") as refused:
        accepts(plain, {})
    assert "random" in str(refused.value.remedy)
    accepts(Benchmark("net", SPACE, (ACCURACY,), curve=Curve("accuracy")), {})

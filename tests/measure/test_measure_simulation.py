"""Sessions whose seconds are their own: recorded tables and models, wherever they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from daybreak.errors import NotRecorded, TrialFailed
from daybreak.measure import Bench, open_bench
from daybreak.plugin.contracts import Landscape
from daybreak.plugin.specs import Isolation
from daybreak.records import (
    FailureKind,
    Limits,
    MeasurementProtocol,
    Metric,
    Repeats,
    TrialStatus,
)

ISOLATIONS = ["inline", "worker", "fork"]
PROTOCOL = MeasurementProtocol(repeats=Repeats(4, 4), warmup=2)


def open_recorded(
    isolation: str,
    options: Mapping[str, Any] | None = None,
    protocol: MeasurementProtocol = PROTOCOL,
) -> Bench:
    return open_bench(
        factory="recorded_target:Target",
        name="table",
        options=options or {},
        protocol=protocol,
        limits=Limits(),
        isolation=Isolation(isolation),
        objectives=(Metric("time", "s"),),
    )


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_no_warm_up_is_dropped_and_the_seconds_are_the_sessions(isolation: str) -> None:
    with open_recorded(isolation) as bench:
        outcome = bench.measure({"values": (4.0, 1.0, 2.0, 3.0, 9.0)})
    assert outcome.status is TrialStatus.OK, (outcome.message, outcome.detail)
    assert [sample.value for sample in outcome.samples] == [4.0, 1.0, 2.0, 3.0]
    assert outcome.facts["warmup"] == 0
    assert outcome.phases == {"build": 2.0, "verify": 0.25, "build.compile": 1.5, "measure": 10.0}
    assert outcome.simulated_s == 12.25
    assert 0.0 < outcome.facts["real_s"] < 10.0


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("kind", [kind for kind in FailureKind if kind != FailureKind.CANCELLED])
def test_a_recorded_failure_keeps_its_kind_and_message(isolation: str, kind: FailureKind) -> None:
    with open_recorded(isolation) as bench:
        outcome = bench.measure({"kind": kind.value, "message": f"recorded: {kind}"})
    assert outcome.failure_kind is kind
    assert outcome.message == f"recorded: {kind}"
    assert outcome.detail == "as recorded"
    assert outcome.objectives == {"time": None}
    assert outcome.phases == {"build": 2.0}
    assert outcome.simulated_s == 2.0


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_session_cannot_cancel_the_run(isolation: str) -> None:
    with open_recorded(isolation) as bench:
        outcome = bench.measure({"kind": "cancelled", "message": "was interrupted"})
    assert outcome.failure_kind is FailureKind.INTERNAL
    assert outcome.message == "was interrupted"


def test_a_configuration_that_the_table_lacks_is_missing_and_costs_nothing() -> None:
    with open_recorded("inline") as bench:
        outcome = bench.measure({"unknown": True})
    assert outcome.failure_kind is FailureKind.MISSING
    assert outcome.message == "the table has no such configuration"
    assert (outcome.phases, outcome.simulated_s) == ({}, 0.0)


def test_hopeless_trials_still_stop_and_pay_for_one_repetition() -> None:
    with open_recorded("inline") as bench:
        outcome = bench.measure({"values": (50.0, 50.0, 50.0)}, best=1.0)
    assert outcome.status is TrialStatus.STOPPED
    assert outcome.phases["measure"] == 50.0


def test_simulated_hours_are_not_late() -> None:
    protocol = MeasurementProtocol(repeats=Repeats(1, 3, 0.0), timeout_s=1e-9)
    options = {"seconds": {"build": 7200.0, "verify": 0.0}}
    with open_recorded("inline", options, protocol) as bench:
        outcome = bench.measure({"values": (3600.0,)})
    assert outcome.status is TrialStatus.OK, outcome.message
    assert outcome.simulated_s == 10800.0


def test_a_value_beyond_the_floor_fails_in_simulated_seconds_too() -> None:
    with open_recorded("inline", {"floors": {"time": 2.0}}) as bench:
        outcome = bench.measure({"values": (1.0, 1.0)})
    assert outcome.failure_kind is FailureKind.WRONG_RESULT
    assert outcome.phases["measure"] == 2.0  # both repetitions were taken


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"broken": "raise"}, "ZeroDivisionError in simulated_phases: no time"),
        ({"seconds": {"build": -1.0}}, "-1.0 seconds of build are no duration"),
        ({"seconds": {"build": float("nan")}}, "nan seconds of build are no duration"),
        ({"seconds": {"build": "2 s"}}, "'2 s' seconds of build are no number"),
        ({"seconds": {"build": True}}, "True seconds of build are no number"),
    ],
)
def test_a_broken_clock_is_the_plugins_fault(options: Mapping[str, Any], words: str) -> None:
    with open_recorded("inline", options) as bench:
        for configuration in ({"values": (1.0,)}, {"kind": "build", "message": "refused"}):
            outcome = bench.measure(configuration)
            assert outcome.failure_kind is FailureKind.INTERNAL
            assert words in (outcome.message or "")
            assert outcome.objectives == {"time": None}
            assert (outcome.low, outcome.high, outcome.simulated_s) == (None, None, 0.0)


@pytest.mark.parametrize("isolation", ["worker", "fork"])
def test_a_trial_that_dies_has_the_walls_seconds(isolation: str) -> None:
    with open_recorded(isolation) as bench:
        died = bench.measure({"die": True})
        assert died.failure_kind is FailureKind.CRASH
        assert died.simulated_s is None
        assert bench.measure({"values": (1.0,)}).simulated_s is not None


def test_a_session_without_a_clock_of_its_own_has_the_walls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import recorded_target

    monkeypatch.delattr(recorded_target.Session, "simulated_phases")
    with open_recorded("inline") as bench:
        outcome = bench.measure({"values": (4.0, 1.0, 2.0)})
    assert outcome.simulated_s is None
    assert "real_s" not in outcome.facts
    assert [sample.value for sample in outcome.samples] == [2.0]
    assert outcome.phases["build"] < 1.0


def test_a_kind_may_be_given_as_its_word_and_must_be_one() -> None:
    assert TrialFailed("x", kind="memory").kind is FailureKind.MEMORY
    assert NotRecorded("x").kind is FailureKind.MISSING
    with pytest.raises(ValueError, match="melted"):
        TrialFailed("x", kind="melted")


def test_only_inline_sessions_are_asked_for_their_landscape() -> None:
    with open_recorded("inline") as bench:
        assert bench.landscape() == Landscape([3.0, 1.0, 2.0], 2, 4.0)
    with open_recorded("worker") as bench:
        assert bench.landscape() is None

"""The registry finds components and calls observers, each for itself."""

from __future__ import annotations

import dataclasses
import logging
import sys
import threading

import pytest

from daybreak.errors import UserError
from daybreak.plugin import Component, OptimizerSpec, Registry, TargetSpec, load_plugins
from daybreak.records import Outcome, TrialStatus

OUTCOME = Outcome(TrialStatus.OK, objectives={"time": 1.0})


def abacus(name: str = "abacus") -> TargetSpec:
    return TargetSpec(name=name, factory="abacus:Abacus", summary="Counts beads")


def test_components_are_sorted_by_name():
    registry = Registry.from_specs(abacus("b"), abacus("a"))
    assert list(registry.components("target")) == ["a", "b"]
    assert registry.components("optimizer") == {}
    assert registry.get("target", "a") == Component(abacus("a"), "local")


def test_an_unknown_kind_is_a_programmers_error():
    with pytest.raises(ValueError, match="no kind of component"):
        Registry().components("gizmo")


def test_an_unknown_name_tells_the_nearest_and_the_listing():
    registry = Registry.from_specs(abacus())
    with pytest.raises(UserError) as caught:
        registry.get("target", "abakus")
    assert caught.value.nearest == "abacus"
    assert "daybreak targets list" in (caught.value.remedy or "")


def test_an_unknown_name_points_at_the_broken_plugin_of_that_name(site):
    site("import_error")
    with pytest.raises(UserError, match="plugin 'import_error' is import-error"):
        load_plugins().get("target", "import_error")


def test_a_raising_observer_is_recorded_once_and_the_others_are_called(site, caplog):
    site("raising_observer")
    site("exiting_observer")
    site("good", distribution="aaa-good")
    registry = load_plugins()
    with caplog.at_level(logging.WARNING, "daybreak.plugin"):
        for _ in range(3):
            registry.notify("daybreak_trial_finished", study="s", trial="t")
    assert sys.modules["good"].SEEN == [("s", "t")] * 3
    failures = {failure.plugin: failure for failure in registry.observer_failures}
    assert set(failures) == {"raising_observer", "exiting_observer"}
    assert failures["raising_observer"].count == 3
    assert failures["raising_observer"].message == "ValueError: no beads left"
    assert "raising_observer.py" in failures["raising_observer"].traceback
    assert len(caplog.records) == 2


def test_observers_may_be_notified_from_several_threads(site):
    site("raising_observer")
    registry = load_plugins()
    threads = [
        threading.Thread(
            target=lambda: [
                registry.notify("daybreak_trial_finished", study=None, trial=None)
                for _ in range(50)
            ]
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.observer_failures[0].count == 200


def test_keyboard_interrupt_in_an_observer_goes_through(site):
    source = """
from daybreak.plugin import hookimpl

@hookimpl
def daybreak_run_started():
    raise KeyboardInterrupt
"""
    site("good", modules={"good.py": source})
    with pytest.raises(KeyboardInterrupt):
        load_plugins().notify("daybreak_run_started", run=None)


def test_only_observer_hooks_can_be_notified():
    with pytest.raises(ValueError, match="no observer hook"):
        Registry().notify("daybreak_register_targets")


def test_implementations_of_an_unknown_hook():
    with pytest.raises(UserError, match="did you mean: daybreak_run_started"):
        Registry().implementations("daybreak_run_startet")


class TestAroundTrial:
    def test_without_wrappers_it_is_a_plain_call(self):
        assert Registry().around_trial(None, {}, lambda: OUTCOME) is OUTCOME

    def test_a_wrapper_may_add_to_the_outcome(self, site):
        source = """
import dataclasses
from daybreak.plugin import hookimpl

@hookimpl(wrapper=True)
def daybreak_trial_protocol(study, configuration):
    outcome = yield
    return dataclasses.replace(outcome, facts={"study": study, **configuration})
"""
        site("good", modules={"good.py": source})
        outcome = load_plugins().around_trial("s", {"tile": 4}, lambda: OUTCOME)
        assert outcome == dataclasses.replace(OUTCOME, facts={"study": "s", "tile": 4})

    @pytest.mark.parametrize(
        "rule", ["raising_wrapper", "late_raising_wrapper", "forgetful_wrapper"]
    )
    def test_a_broken_wrapper_costs_nothing_but_itself(self, site, rule):
        site(rule)
        registry = load_plugins()
        calls = []

        def measure():
            calls.append(1)
            return OUTCOME

        assert registry.around_trial("s", {}, measure) is OUTCOME
        assert calls == [1], "measured once, whatever the wrapper did"
        assert [failure.plugin for failure in registry.observer_failures] == [rule]

    def test_what_the_measurement_raises_goes_through(self, site):
        site("late_raising_wrapper")
        registry = load_plugins()

        def measure():
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            registry.around_trial("s", {}, measure)
        assert registry.observer_failures == ()


def test_components_of_the_same_kind_and_name_compare_by_value():
    spec = OptimizerSpec(name="coin", factory="abacus:Coin", summary="Tosses")
    assert Component(spec, "p", "d", "1") == Component(spec, "p", "d", "1")
    assert Component(spec, "p", "d", "1").source == "d 1"

"""Every hook is documented, its example runs, and the reference page lists its signature."""

from __future__ import annotations

import inspect
import re
import textwrap
import types
from pathlib import Path

import pytest

from daybreak.plugin.hookspecs import OBSERVERS, REGISTRATION, WRAPPERS, HookSpecs, hook_names
from daybreak.plugin.markers import hookimpl
from daybreak.plugin.negotiation import check_hooks
from daybreak.plugin.reference import hooks_page
from daybreak.plugin.registry import Registry, new_manager
from daybreak.plugin.specs import Isolation, OptimizerSpec
from daybreak.plugin.validation import SPEC_TYPES, check_spec
from daybreak.records import Outcome, Trial, TrialStatus

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "hooks.md"
RUN = {"run_id": "r1", "suite": "quickstart", "status": "finished"}
STUDY = {
    "study_id": "s1",
    "benchmark": "abacus/sum",
    "optimizer": "coin",
    "seed": 0,
    "role": "optimizer",
    "status": "finished",
}


def example_of(name: str) -> types.ModuleType:
    """Execute the example in the docstring of hook `name` as a plugin module."""
    doc = inspect.getdoc(getattr(HookSpecs, name)) or ""
    _, _, example = doc.partition("Example::\n")
    module = types.ModuleType(f"example_{name}")
    exec(compile(textwrap.dedent(example), name, "exec"), module.__dict__)
    return module


def test_hook_names_are_all_there_and_nothing_else():
    specified = [name for name in vars(HookSpecs) if not name.startswith("__")]
    assert sorted(specified) == sorted(hook_names())
    assert set(REGISTRATION.values()) == set(SPEC_TYPES)


@pytest.mark.parametrize("name", hook_names())
def test_the_docstring_says_when_how_slow_and_every_argument(name):
    doc = inspect.getdoc(getattr(HookSpecs, name)) or ""
    assert "**When:**" in doc
    assert "**Slow:**" in doc
    for argument in list(inspect.signature(getattr(HookSpecs, name)).parameters)[1:]:
        assert re.search(rf"^ +{argument}: ", doc, re.MULTILINE), f"{argument} is not explained"


@pytest.mark.parametrize("name", hook_names())
def test_the_example_is_a_valid_plugin(name):
    module = example_of(name)
    manager = new_manager()
    assert check_hooks(manager, module) == []
    manager.register(module, name="example")
    manager.check_pending()


@pytest.mark.parametrize("name", REGISTRATION)
def test_the_example_returns_well_formed_specs(name):
    returned = getattr(example_of(name), name)()
    assert returned
    for spec in returned:
        assert check_spec(REGISTRATION[name], spec) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("accepts", "coins.accepts", "accepts must be a dotted path"),
        ("accepts", print, "accepts must be a dotted path"),
        ("extra", "", "extra must name an extra"),
        ("extra", ("wood",), "extra must name an extra"),
        ("isolation", Isolation.FORK, "must be Isolation.INLINE or Isolation.WORKER"),
        ("isolation", True, "must be Isolation.INLINE or Isolation.WORKER"),
    ],
)
def test_a_field_of_an_optimizer_that_is_no_such_thing(field, value, words):
    spec = OptimizerSpec(name="coin", factory="coins:Coin", summary="Tosses", **{field: value})
    (problem,) = check_spec("optimizer", spec)
    assert problem.startswith("optimizer 'coin': ")
    assert words in problem


@pytest.mark.parametrize("name", OBSERVERS)
def test_the_example_of_an_observer_can_be_notified(name, capsys):
    manager = new_manager()
    manager.register(example_of(name), name="example")
    registry = Registry(manager=manager)
    trial = Trial(0, {"tile": 1}, Outcome(TrialStatus.FAILED))
    everything = {"run": RUN, "study": STUDY, "trial": trial}
    wanted = list(inspect.signature(getattr(HookSpecs, name)).parameters)[1:]
    registry.notify(name, **{argument: everything[argument] for argument in wanted})
    assert registry.observer_failures == ()
    assert capsys.readouterr().out.strip()


def test_the_example_of_the_wrapper_adds_a_reading():
    (name,) = WRAPPERS
    manager = new_manager()
    manager.register(example_of(name), name="example")
    outcome = Registry(manager=manager).around_trial(STUDY, {}, lambda: Outcome(TrialStatus.OK))
    assert outcome.readings == {"abacus.beads": 42}


def test_an_implementation_may_leave_out_arguments():
    module = types.ModuleType("lazy")

    @hookimpl
    def daybreak_trial_finished():
        raise ValueError("reached")

    module.daybreak_trial_finished = daybreak_trial_finished
    manager = new_manager()
    assert check_hooks(manager, module) == []
    manager.register(module, name="lazy")
    registry = Registry(manager=manager)
    registry.notify("daybreak_trial_finished", study=STUDY, trial=None)
    assert registry.observer_failures[0].message == "ValueError: reached"


def test_the_reference_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == hooks_page(), (
        "run: python -m daybreak.plugin.reference > docs/reference/hooks.md"
    )


@pytest.mark.parametrize("name", hook_names())
def test_the_reference_page_holds_each_signature(name):
    signature = inspect.signature(getattr(HookSpecs, name))
    arguments = ", ".join(list(signature.parameters)[1:])
    assert f"`{name}({arguments})`" in PAGE.read_text(encoding="utf-8")

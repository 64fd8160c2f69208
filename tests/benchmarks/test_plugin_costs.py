"""What plugins cost: loading them, a listing from the shell, telling an observer, wrapping a trial."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

from daybreak.plugin import Registry, hookimpl, load_plugins
from daybreak.plugin.registry import new_manager
from daybreak.records import Outcome, TrialStatus

OUTCOME = Outcome(TrialStatus.OK)


def registry_with(**functions) -> Registry:
    module = types.ModuleType("observer")
    for name, function in functions.items():
        setattr(module, name, function)
    manager = new_manager()
    manager.register(module, name="observer")
    return Registry(manager=manager)


@hookimpl
def daybreak_trial_finished(study, trial):
    """Do nothing."""


@hookimpl(wrapper=True)
def daybreak_trial_protocol(study):
    """Do nothing around a trial."""
    return (yield)


@pytest.mark.benchmark(group="load")
def test_load_plugins_again(benchmark):
    """All entry points, with their modules already imported."""
    assert benchmark(load_plugins).components("optimizer")


@pytest.mark.benchmark(group="start-up")
@pytest.mark.parametrize(
    "code",
    [
        "import typer",
        "from daybreak.plugin import load_plugins; load_plugins()",
        "import sys; sys.argv = ['daybreak', 'plugins', 'list']; "
        "from daybreak.cli import main; main()",
        "import sys; sys.argv = ['daybreak', '--help']; from daybreak.cli import main; main()",
    ],
    ids=["import-typer", "load-plugins", "plugins-list", "help"],
)
def test_start_up(benchmark, code):
    benchmark.pedantic(
        subprocess.run,
        args=([sys.executable, "-c", code],),
        kwargs={"capture_output": True, "check": True},
        rounds=10,
        warmup_rounds=1,
    )


@pytest.mark.benchmark(group="notify")
@pytest.mark.parametrize("observers", [0, 1])
def test_notify(benchmark, observers):
    registry = (
        registry_with(daybreak_trial_finished=daybreak_trial_finished) if observers else Registry()
    )
    benchmark(registry.notify, "daybreak_trial_finished", study={}, trial=None)


@pytest.mark.benchmark(group="around-trial")
@pytest.mark.parametrize("wrappers", [0, 1])
def test_around_trial(benchmark, wrappers):
    registry = (
        registry_with(daybreak_trial_protocol=daybreak_trial_protocol) if wrappers else Registry()
    )
    assert benchmark(registry.around_trial, {}, {}, lambda: OUTCOME) is OUTCOME

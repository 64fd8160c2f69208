"""Conformance of an installed plugin without any code: see `daybreak.testing`.

``pytest --pyargs daybreak.testing --daybreak-plugin NAME`` collects one class for each component
that the plugin brings.
"""

# ruff: noqa: S101 - the kit's checks are assertions, as in any test

from __future__ import annotations

import pytest

from daybreak.plugin import KINDS, Component, PluginStatus, load_plugins
from daybreak.testing import selection
from daybreak.testing.components import ComponentConformance
from daybreak.testing.optimizers import OptimizerConformance
from daybreak.testing.targets import TargetConformance

_CLASSES: dict[str, type[ComponentConformance]] = {
    "target": TargetConformance,
    "optimizer": OptimizerConformance,
}


def _class_for(component: Component) -> type[ComponentConformance]:
    base = _CLASSES.get(component.kind, ComponentConformance)
    words = "".join(word.capitalize() for word in component.name.replace("_", "-").split("-"))
    name = f"Test{component.kind.capitalize()}{words}"
    return type(name, (base,), {"_component": component, "__module__": __name__})


if selection.plugins:
    _registry = load_plugins()
    for _kind in KINDS:
        for _found in _registry.components(_kind).values():
            if _found.plugin in selection.plugins:
                _made = _class_for(_found)
                globals()[_made.__name__] = _made


@pytest.mark.parametrize("name", selection.plugins)
def test_plugin_loads(name: str) -> None:
    """The plugin is installed, loads well and brings something."""
    records = {record.name: record for record in load_plugins().plugins}
    assert name in records, f"no plugin '{name}'; there are {', '.join(records)}"
    record = records[name]
    assert record.status is PluginStatus.OK, f"{record.status}: {record.reason} ({record.remedy})"
    assert record.hooks, f"plugin '{name}' implements no hook"

"""The conformance kit: pytest classes that hold a plugin to its contract.

Either subclass `TargetConformance` or `OptimizerConformance` in a test file, or check an installed
plugin without writing any code::

    pytest --pyargs daybreak.testing --daybreak-plugin NAME

Importing this package is cheap; the classes are loaded when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daybreak.testing.components import ComponentConformance
    from daybreak.testing.distributions import write_distribution
    from daybreak.testing.exercises import drive, failed, measured, problems
    from daybreak.testing.optimizers import OptimizerConformance
    from daybreak.testing.targets import TargetConformance

__all__ = [
    "ComponentConformance",
    "OptimizerConformance",
    "TargetConformance",
    "drive",
    "failed",
    "measured",
    "problems",
    "write_distribution",
]

_HOME = {
    "ComponentConformance": "components",
    "OptimizerConformance": "optimizers",
    "TargetConformance": "targets",
    "drive": "exercises",
    "failed": "exercises",
    "measured": "exercises",
    "problems": "exercises",
    "write_distribution": "distributions",
}


def __getattr__(name: str) -> Any:
    """Load the module that holds `name` when it is first asked for."""
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(f"daybreak.testing.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""What the listings of components share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daybreak.plugin import Component, Registry

__all__ = ["component_row", "warn_of_broken_plugins"]


def component_row(component: Component) -> dict[str, Any]:
    """Return what a listing tells about a component, as JSON values."""
    spec = component.spec
    row: dict[str, Any] = {
        "name": spec.name,
        "summary": spec.summary,
        "plugin": component.plugin,
        "distribution": component.source,
        "factory": spec.factory,
        "options": spec.options,
        "capabilities": sorted(spec.capabilities),
        "requires": list(spec.requires),
        "executables": list(spec.executables),
        "devices": list(spec.devices),
        "missing": [one.name for one in component.missing()],
    }
    for field in ("isolation", "exclusive", "max_objectives", "unit", "direction"):
        if hasattr(spec, field):
            row[field] = getattr(spec, field)
    if hasattr(spec, "parameter_types"):
        row["parameter_types"] = sorted(spec.parameter_types)
    return row


def warn_of_broken_plugins(registry: Registry) -> None:
    """Say on standard error which plugins did not load, and how to learn more."""
    from daybreak.cli.output import print_message

    for record in registry.broken:
        print_message(f"warning: plugin '{record.name}' is {record.status}: {record.reason}")
    if registry.broken:
        print_message("`daybreak plugins list` says more")

"""What is there and what is missing on this machine, for every installed component."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass

from daybreak.errors import DaybreakError
from daybreak.plugin import Registry
from daybreak.plugin.contracts import Requirement
from daybreak.plugin.requirements import check_executable, check_package

__all__ = ["Item", "diagnose"]

#: what targets most often compile with
_COMPILERS = ("cc", "c++", "cmake")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked for.

    Attributes:
        area: `daybreak`, `compilers`, `sandbox`, `noise`, `energy`, or who needs it: ``target taco``.
        name: what was looked for.
        met: whether it is there.
        needed: whether its lack keeps something from working; else it is advice.
        detail: version, place, or why it is not met.
        remedy: the command that mends it.
    """

    area: str
    name: str
    met: bool
    needed: bool
    detail: str = ""
    remedy: str = ""


def diagnose(registry: Registry) -> list[Item]:
    """Look for everything that Daybreak and the installed components need on this machine."""
    return [
        *_own_packages(),
        *_compilers(),
        *_sandbox(),
        *_noise(),
        *_energy(),
        *_plugins(registry),
        *_components(registry),
    ]


def _item(area: str, requirement: Requirement, *, needed: bool) -> Item:
    remedy = "" if requirement.met else requirement.remedy
    return Item(area, requirement.name, requirement.met, needed, requirement.detail, remedy)


def _own_packages() -> Iterator[Item]:
    try:
        requires = importlib.metadata.requires("daybreak") or []
    except importlib.metadata.PackageNotFoundError:
        return
    for text in requires:
        if "extra ==" not in text:
            yield _item("daybreak", check_package(text), needed=True)


def _compilers() -> Iterator[Item]:
    for name in _COMPILERS:
        yield _item("compilers", check_executable(name), needed=False)


def _sandbox() -> Iterator[Item]:
    from daybreak.measure.sandbox import Sandbox, choose_sandbox

    try:
        chosen = choose_sandbox()
    except DaybreakError as error:
        yield Item("sandbox", "DAYBREAK_SANDBOX", False, True, str(error), "unset it")
        return
    best = chosen is Sandbox.BUBBLEWRAP
    yield Item(
        "sandbox",
        str(chosen),
        best,
        False,
        "the strongest there is" if best else "weaker than bubblewrap, which does not work here",
        "" if best else "sudo apt install bubblewrap (and allow unprivileged user namespaces)",
    )


def _noise() -> Iterator[Item]:
    from daybreak.measure.machine import noise_warnings

    for warning in noise_warnings():
        yield Item("noise", "timing", False, False, warning)


def _energy() -> Iterator[Item]:
    from daybreak.measure.counters import find_nvml, find_rapl, has_nvidia_driver

    for found in (find_rapl(), *([find_nvml()] if has_nvidia_driver() else [])):
        for counter in found.counters:
            yield Item("energy", counter.name, True, False, f"{counter.joules():.0f} J")
        for missing in found.missing:
            yield Item("energy", missing.name, False, False, missing.reason, missing.remedy)


def _plugins(registry: Registry) -> Iterator[Item]:
    for record in registry.broken:
        detail = f"{record.status}: {record.reason}"
        yield Item(f"plugin {record.name}", "loads", False, True, detail, record.remedy)


def _components(registry: Registry) -> Iterator[Item]:
    for kind in (
        "target",
        "optimizer",
        "executor",
        "metric",
        "view",
        "importer",
        "exporter",
        "report",
    ):
        for component in registry.components(kind).values():
            area = f"{kind} {component.name}"
            needs = component.requirements()
            yield from (_item(area, one, needed=True) for one in needs)
            if kind != "target" or any(not one.met for one in needs):
                continue
            try:
                checked = list(component.create().check())
            except DaybreakError as error:
                yield Item(area, "works", False, True, str(error), "daybreak plugins doctor")
            except Exception as error:
                text = f"check() raised {type(error).__name__}: {error}"
                yield Item(area, "works", False, True, text, "daybreak plugins doctor")
            else:
                yield from (_item(area, one, needed=one.needed) for one in checked)

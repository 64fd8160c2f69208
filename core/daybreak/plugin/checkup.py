"""A thorough look at the plugins: all that their specs name is imported, each plugin's in a process
of its own with a time limit, so that a hanging or crashing import harms nothing.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from daybreak.plugin.component import Component
from daybreak.plugin.registry import KINDS, Registry
from daybreak.plugin.requirements import check_package
from daybreak.plugin.status import PluginRecord, PluginStatus

__all__ = ["Finding", "check_plugins"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    Attributes:
        plugin: name of the plugin's entry point.
        what: what was checked, e.g. ``target taco``.
        fault: what is wrong, empty if nothing is.
        remedy: what mends it.
    """

    plugin: str
    what: str
    fault: str = ""
    remedy: str = ""


def check_plugins(
    registry: Registry,
    *,
    timeout_s: float = 60.0,
    progress: Callable[[str], None] | None = None,
) -> list[Finding]:
    """Check every plugin that is not blocked, and return what was found, faults or none.

    Args:
        registry: the loaded plugins.
        timeout_s: seconds that importing one plugin's components may take.
        progress: called with the name of each plugin before it is checked.
    """
    findings: list[Finding] = []
    for record in registry.plugins:
        if record.status is PluginStatus.BLOCKED:
            continue
        if progress is not None:
            progress(record.name)
        if record.status is not PluginStatus.OK:
            findings.append(Finding(record.name, "plugin", record.reason, record.remedy))
            continue
        findings.append(Finding(record.name, "plugin"))
        findings += _check_distribution(record)
        components = [
            component
            for kind in KINDS
            for component in registry.components(kind).values()
            if component.plugin == record.name
        ]
        findings += _check_components(components, timeout_s)
    return findings


def _check_distribution(record: PluginRecord) -> list[Finding]:
    """Check the ``Requires-Dist`` of the plugin's distribution."""
    try:
        requires = importlib.metadata.requires(record.distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    findings = []
    for text in requires:
        with contextlib.suppress(ValueError):
            requirement = check_package(text)
            if not requirement.met:
                findings.append(
                    Finding(
                        record.name,
                        f"requirement {text}",
                        f"{requirement.name}: {requirement.detail}",
                        requirement.remedy,
                    )
                )
    return findings


def _check_components(components: list[Component], timeout_s: float) -> list[Finding]:
    findings: list[Finding] = []
    for component in components:
        what = f"{component.kind} {component.name}"
        findings += [
            Finding(component.plugin, what, f"{one.name}: {one.detail}", one.remedy)
            for one in component.missing()
        ]
    faults = _import_elsewhere(components, timeout_s)
    for component in components:
        what = f"{component.kind} {component.name}"
        if any(finding.what == what for finding in findings):
            continue  # its imports may well fail for lack of what is missing
        fault = faults.get(f"{component.kind}:{component.name}", "")
        remedy = f"report it to the authors of {component.source}" if fault else ""
        findings.append(Finding(component.plugin, what, fault, remedy))
    return findings


def _import_elsewhere(components: list[Component], timeout_s: float) -> dict[str, str]:
    """Import what the components name in another process; return the faults by component."""
    request = {
        f"{component.kind}:{component.name}": {
            "factory": component.spec.factory,
            "models": [
                *([component.spec.options] if component.spec.options else []),
                *(path for _, path in getattr(component.spec, "benchmark_options", ())),
            ],
            "functions": [path] if (path := getattr(component.spec, "accepts", None)) else [],
        }
        for component in components
    }
    if not request:
        return {}
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    # in a folder of its own, so that no import picks up or leaves files where the user works
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-m", __name__],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                env=environment,
                cwd=folder,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return dict.fromkeys(request, f"importing did not end within {timeout_s:g} s")
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        end = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return dict.fromkeys(request, f"importing ended the process ({done.returncode}): {end}")
    found: dict[str, str] = json.loads(lines[-1])
    return found


def _import_here(request: Mapping[str, Any]) -> dict[str, str]:
    """Import factories, models and checks and return what went wrong, by component."""
    from daybreak.plugin.specs import load_object

    faults: dict[str, str] = {}
    for name, paths in request.items():
        path = paths["factory"]
        try:
            if not callable(load_object(path)):
                faults[name] = f"factory '{path}' is not callable"
                continue
            for path in paths["functions"]:
                if not callable(load_object(path)):
                    faults[name] = f"accepts '{path}' is not callable"
            for path in paths["models"]:
                load_object(path).model_json_schema()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            faults[name] = f"'{path}': {type(error).__name__}: {error}"
    return faults


def _main() -> None:
    """Answer the request on standard input; what plugins print goes to standard error."""
    answer_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    answer = _import_here(json.load(sys.stdin))
    answer_to.write("\n" + json.dumps(answer) + "\n")
    answer_to.flush()


if __name__ == "__main__":
    _main()

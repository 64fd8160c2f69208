"""Checks of what a component needs: PEP 508 requirements and programs on PATH."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterable
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackageRequirement

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Requirement

__all__ = ["check_executable", "check_package", "check_requirements", "install_command"]

# where the usual systems keep the usual programs
_SYSTEM_PACKAGES = {
    "cc": "build-essential",
    "gcc": "build-essential",
    "g++": "build-essential",
    "c++": "build-essential",
    "make": "build-essential",
    "clang": "clang",
    "cmake": "cmake",
    "git": "git",
    "ninja": "ninja-build",
    "bwrap": "bubblewrap",
}


def check_package(text: str) -> Requirement:
    """Return whether the PEP 508 requirement `text` is met by the installed distributions.

    A requirement whose marker does not apply here counts as met.

    Raises:
        ValueError: `text` is no PEP 508 requirement.
    """
    from daybreak.plugin.contracts import Requirement

    try:
        wanted = PackageRequirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"'{text}' is no PEP 508 requirement: {error}") from error
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return Requirement(text, met=True, detail="does not apply to this machine")
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return Requirement(text, met=False, detail="not installed", remedy=install_command(wanted))
    if not wanted.specifier.contains(version, prereleases=True):
        return Requirement(
            text,
            met=False,
            detail=f"version {version} is installed",
            remedy=install_command(wanted),
        )
    return Requirement(text, met=True, detail=version)


def check_executable(name: str) -> Requirement:
    """Return whether the program `name` is on PATH."""
    from daybreak.plugin.contracts import Requirement

    found = shutil.which(name)
    if found is not None:
        return Requirement(name, met=True, detail=found)
    package = _SYSTEM_PACKAGES.get(name)
    remedy = f"install '{name}' and put it on PATH"
    if package is not None:
        remedy += f", e.g. sudo apt install {package}"
    return Requirement(name, met=False, detail="not on PATH", remedy=remedy)


def check_requirements(
    requires: Iterable[str], executables: Iterable[str] = ()
) -> list[Requirement]:
    """Return every requirement with whether it is met, packages first."""
    return [
        *(check_package(text) for text in requires),
        *(check_executable(name) for name in executables),
    ]


def install_command(requirement: PackageRequirement | str) -> str:
    """Return the command that installs a package; quoted, as specifiers hold ``>`` and ``<``."""
    if isinstance(requirement, str):
        requirement = PackageRequirement(requirement)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"pip install '{requirement.name}{extras}{requirement.specifier}'"

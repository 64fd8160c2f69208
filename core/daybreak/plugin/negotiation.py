"""Whether a plugin and this Daybreak fit together: three layers, each with a readable reason.

1. Before import: the distribution's ``Requires-Dist: daybreak...``.
2. After import: the module's constant ``DAYBREAK_API`` (missing: taken as 1.0).
3. At registration: every hook and argument that the plugin names must exist.
"""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

import pluggy
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from daybreak import __version__
from daybreak.errors import nearest
from daybreak.plugin.hookspecs import WRAPPERS, HookSpecs, hook_names
from daybreak.plugin.markers import API_VERSION, SUPPORTED_API

__all__ = ["check_api", "check_distribution", "check_hooks", "spec_arguments"]


def check_distribution(requires: list[str] | None) -> str:
    """Return why a distribution with these ``Requires-Dist`` does not fit, or an empty text."""
    for text in requires or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) != "daybreak":
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(__version__, prereleases=True):
            return f"asks for daybreak{requirement.specifier}, and {__version__} is installed"
    return ""


def check_api(module: Any) -> str:
    """Return why the module's ``DAYBREAK_API`` does not fit, or an empty text."""
    wanted = getattr(module, "DAYBREAK_API", None)
    if wanted is None:
        return ""
    try:
        version = Version(wanted) if isinstance(wanted, str) else None
    except InvalidVersion:
        version = None
    if version is None:
        return f'DAYBREAK_API is {wanted!r}; expected a version such as "{API_VERSION}"'
    if version not in SpecifierSet(SUPPORTED_API):
        return (
            f"was written for plugin API {wanted}, and daybreak {__version__} has "
            f"{API_VERSION} (it takes {SUPPORTED_API})"
        )
    return ""


def spec_arguments(hook: str) -> tuple[str, ...]:
    """Return the names of the arguments that `hook` offers."""
    return tuple(inspect.signature(getattr(HookSpecs, hook)).parameters)[1:]


def check_hooks(manager: pluggy.PluginManager, plugin: Any) -> list[str]:
    """Return what is wrong with the hooks of `plugin`, one sentence each.

    Finds names and arguments that do not exist, functions named like a hook without the marker,
    and wrappers where none is allowed. pluggy would ignore the first and the second silently.
    """
    problems: list[str] = []
    own = getattr(plugin, "__name__", None)
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is None:
            found = inspect.getattr_static(plugin, attribute)
            if (
                attribute.startswith("daybreak_")
                and isinstance(found, FunctionType)
                and found.__module__ == own
            ):
                problems.append(_unmarked(attribute))
            continue
        hook = options.get("specname") or attribute
        if hook not in hook_names():
            if not options.get("optionalhook"):
                problems.append(_unknown_hook(hook))
            continue
        function = getattr(plugin, attribute)
        problems += _check_arguments(hook, function)
        wraps = bool(options.get("wrapper") or options.get("hookwrapper"))
        if wraps and hook not in WRAPPERS:
            problems.append(f"'{hook}' is wrapped, which only {', '.join(WRAPPERS)} allows")
        if not wraps and hook in WRAPPERS:
            problems.append(f"'{hook}' must be marked @hookimpl(wrapper=True)")
    return problems


def _unmarked(name: str) -> str:
    if name in hook_names():
        return f"function '{name}' lacks the marker @hookimpl, so it would never be called"
    return _unknown_hook(name) + " (and it lacks the marker @hookimpl)"


def _unknown_hook(name: str) -> str:
    near = nearest(name, hook_names())
    hint = f"; nearest: '{near}'" if near else ""
    return f"there is no hook '{name}' in plugin API {API_VERSION}{hint}"


def _check_arguments(hook: str, function: Any) -> list[str]:
    offered = spec_arguments(hook)
    problems = []
    for name in inspect.signature(function).parameters:
        if name in offered:
            continue
        near = nearest(name, offered)
        has = f"it has {', '.join(offered)}" if offered else "it takes none"
        hint = f"; nearest: '{near}'" if near else f"; {has}"
        problems.append(
            f"'{hook}' asks for argument '{name}', which plugin API {API_VERSION} does not have{hint}"
        )
    return problems

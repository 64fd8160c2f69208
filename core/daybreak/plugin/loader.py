"""Loading the plugins: every entry point ends with a status, and a broken one stops no other."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import pluggy

from daybreak.errors import PluginError
from daybreak.plugin.component import Component
from daybreak.plugin.discovery import Found, Selection, discover
from daybreak.plugin.hookspecs import REGISTRATION, hook_names
from daybreak.plugin.markers import API_VERSION
from daybreak.plugin.negotiation import check_api, check_distribution, check_hooks
from daybreak.plugin.registry import Registry, new_manager
from daybreak.plugin.status import PluginRecord, PluginStatus
from daybreak.plugin.validation import check_spec

__all__ = ["load_plugins"]


def load_plugins(*, strict: bool | None = None) -> Registry:
    """Load every installed plugin and return what they bring.

    A plugin is in or out as a whole. When two plugins bring a component of the same kind and
    name, the later one is refused; Daybreak's own come first, then by distribution and name.

    Args:
        strict: make a broken plugin fatal; None: as ``DAYBREAK_STRICT_PLUGINS`` says.

    Raises:
        PluginError: `strict`, and a plugin is neither `ok` nor blocked.
        UserError: ``DAYBREAK_PLUGINS`` names a plugin that is not installed.
    """
    if strict is None:
        strict = os.environ.get("DAYBREAK_STRICT_PLUGINS", "").strip() not in ("", "0")
    found = discover()
    selection = Selection.from_environment()
    selection.check(found)
    loading = _Loading(new_manager())
    for one in found:
        loading.load(one, selection)
    registry = Registry(loading.records, loading.components.values(), loading.manager)
    if strict and registry.broken:
        first = registry.broken[0]
        others = len(registry.broken) - 1
        more = f" (and {others} more; see `daybreak plugins list`)" if others else ""
        raise PluginError(
            f"{first.status}: {first.reason}; remedy: {first.remedy}{more}",
            plugin=first.name,
            distribution=first.source,
        )
    return registry


class _RefusedError(Exception):
    """Ends the loading of one plugin with a status."""

    def __init__(
        self, status: PluginStatus, reason: str, remedy: str, error: BaseException | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.remedy = remedy
        self.traceback = "" if error is None else "".join(traceback.format_exception(error))


class _Loading:
    """The state of one pass over the entry points."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self.manager = manager
        self.records: list[PluginRecord] = []
        self.components: dict[tuple[str, str], Component] = {}

    def load(self, found: Found, selection: Selection) -> None:
        """Load one entry point and append its record."""
        started = time.perf_counter()
        steps = _Steps(self, found)
        status, reason, remedy, trace = PluginStatus.OK, "", "", ""
        try:
            refusal = selection.refusal(found)
            if refusal is not None:
                raise _RefusedError(PluginStatus.BLOCKED, *refusal)
            # a plugin that prints would spoil the output of --json
            with contextlib.redirect_stdout(sys.stderr):
                reason = steps.run()
        except _RefusedError as refused:
            status, reason, remedy = refused.status, refused.reason, refused.remedy
            trace = refused.traceback
        except Exception as error:
            # whatever a plugin's objects do when they are looked at, the others go on
            if self.manager.has_plugin(found.name):
                self.manager.unregister(name=found.name)
            status, remedy = PluginStatus.HOOK_ERROR, "mend the plugin"
            reason = f"taking it in raised {type(error).__name__}: {error}"
            trace = "".join(traceback.format_exception(error))
        self.records.append(
            PluginRecord(
                name=found.name,
                distribution=found.distribution,
                version=found.version,
                module=found.value,
                status=status,
                reason=reason,
                remedy=remedy,
                load_ms=(time.perf_counter() - started) * 1e3,
                hooks=steps.hooks,
                traceback=trace,
            )
        )


@dataclass
class _Steps:
    """The steps that bring one plugin in; each raises `_RefusedError`."""

    loading: _Loading
    found: Found
    hooks: tuple[str, ...] = ()

    def run(self) -> str:
        """Bring the plugin in and return a remark for its record."""
        self._check_entry()
        module = self._import()
        problem = check_api(module)
        if problem:
            self._refuse(PluginStatus.INCOMPATIBLE, problem, self._other_version())
        self._register(module)
        try:
            self._collect()
        except BaseException:
            self.loading.manager.unregister(name=self.found.name)
            raise
        if getattr(module, "DAYBREAK_API", None) is None:
            return f"has no DAYBREAK_API; taken as 1.0 of {API_VERSION}"
        return ""

    def _check_entry(self) -> None:
        found = self.found
        if found.error or found.entry_point is None:
            self._refuse(
                PluginStatus.IMPORT_ERROR,
                f"its entry_points.txt cannot be read: {found.error}",
                f"pip install --force-reinstall {found.distribution}",
            )
        twin = next((one for one in self.loading.records if one.name == found.name), None)
        if twin is not None:
            self._refuse(
                PluginStatus.HOOK_ERROR,
                f"two distributions bring a plugin '{found.name}': {twin.source} and "
                f"{found.distribution} {found.version}; names must be unique, so only the first counts",
                "uninstall one of them, or rename one entry point",
            )
        assert found.entry_point is not None  # noqa: S101 - for the type checker
        distribution = found.entry_point.dist
        try:
            problem = check_distribution(distribution.requires if distribution else None)
        except Exception as error:
            problem = f"its metadata cannot be read: {type(error).__name__}: {error}"
        if problem:
            self._refuse(PluginStatus.INCOMPATIBLE, problem, self._other_version())

    def _import(self) -> Any:
        entry = self.found.entry_point
        assert entry is not None  # noqa: S101 - for the type checker
        try:
            module = entry.load()
        except KeyboardInterrupt:
            raise
        except ModuleNotFoundError as error:
            self._refuse_missing(error)
        except SystemExit as error:
            self._refuse(
                PluginStatus.IMPORT_ERROR,
                f"called sys.exit({error.code!r}) while it was imported",
                self._block(),
                error,
            )
        except BaseException as error:
            self._refuse(
                PluginStatus.IMPORT_ERROR,
                f"importing '{entry.value}' raised {type(error).__name__}: {error}",
                self._block(),
                error,
            )
        if isinstance(module, type):
            self._refuse(
                PluginStatus.HOOK_ERROR,
                f"entry '{entry.value}' names a class; a module or an instance is needed",
                "name the module that holds the hook implementations",
            )
        return module

    def _refuse_missing(self, error: ModuleNotFoundError) -> NoReturn:
        entry = self.found.entry_point
        assert entry is not None  # noqa: S101 - for the type checker
        missing = (error.name or "").partition(".")[0]
        if not missing or missing == entry.module.partition(".")[0]:
            self._refuse(
                PluginStatus.IMPORT_ERROR,
                f"module '{entry.module}' cannot be imported: {error}",
                f"pip install --force-reinstall {self.found.distribution or self.found.name}",
                error,
            )
        self._refuse(
            PluginStatus.MISSING_REQUIREMENT,
            f"imports '{missing}', which is not installed",
            f"pip install {self._distribution_for(missing)}",
            error,
        )

    def _distribution_for(self, module: str) -> str:
        """Return the requirement of the plugin's distribution that most likely brings `module`."""
        from packaging.requirements import InvalidRequirement, Requirement

        entry = self.found.entry_point
        for text in (entry.dist.requires if entry and entry.dist else None) or []:
            with contextlib.suppress(InvalidRequirement):
                requirement = Requirement(text)
                if requirement.name.lower().replace("-", "_") == module.lower():
                    return f"'{requirement.name}{requirement.specifier}'"
        return module

    def _register(self, module: Any) -> None:
        manager = self.loading.manager
        if manager.is_registered(module):
            self._refuse(
                PluginStatus.HOOK_ERROR,
                f"plugin '{manager.get_name(module)}' names the same module '{self.found.value}'",
                "take out one of the two entry points",
            )
        problems = check_hooks(manager, module)
        if problems:
            self._refuse(PluginStatus.HOOK_ERROR, "; ".join(problems), "mend the plugin's hooks")
        try:
            manager.register(module, name=self.found.name)
            manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            if manager.get_plugin(self.found.name) is module:
                manager.unregister(name=self.found.name)
            lines = [line for line in str(error).splitlines() if line.strip()]
            self._refuse(
                PluginStatus.HOOK_ERROR, ": ".join(lines), "mend the plugin's hooks", error
            )
        callers = manager.get_hookcallers(module) or []
        implemented = {caller.name for caller in callers}
        self.hooks = tuple(name for name in hook_names() if name in implemented)

    def _collect(self) -> None:
        """Call the registration hooks and take in the components, all or none."""
        new: dict[tuple[str, str], Component] = {}
        for hook, kind in REGISTRATION.items():
            for spec in self._specs_of(hook):
                problems = check_spec(kind, spec)
                if problems:
                    self._refuse(
                        PluginStatus.HOOK_ERROR,
                        f"{hook}: {'; '.join(problems)}",
                        "mend what the hook returns",
                    )
                self._check_unique(kind, spec.name, new)
                new[kind, spec.name] = Component(
                    spec, self.found.name, self.found.distribution, self.found.version
                )
        self.loading.components.update(new)

    def _specs_of(self, hook: str) -> Iterator[Any]:
        caller = getattr(self.loading.manager.hook, hook)
        for implementation in caller.get_hookimpls():
            if implementation.plugin_name != self.found.name:
                continue
            try:
                returned = list(implementation.function())
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self._refuse(
                    PluginStatus.HOOK_ERROR,
                    f"{hook} raised {type(error).__name__}: {error}",
                    "return a list of component specs",
                    error,
                )
            yield from returned

    def _check_unique(self, kind: str, name: str, new: dict[tuple[str, str], Component]) -> None:
        if (kind, name) in new:
            self._refuse(
                PluginStatus.HOOK_ERROR,
                f"registers {kind} '{name}' twice",
                "give one of them another name",
            )
        twin = self.loading.components.get((kind, name))
        if twin is not None:
            self._refuse(
                PluginStatus.HOOK_ERROR,
                f"two distributions bring {kind} '{name}': {twin.source} (plugin "
                f"'{twin.plugin}') and {self.found.distribution} {self.found.version} (plugin "
                f"'{self.found.name}'); the first is used",
                f"uninstall one, or set DAYBREAK_DISABLE_PLUGINS={twin.plugin} to use this one",
            )

    def _refuse(
        self,
        status: PluginStatus,
        reason: str,
        remedy: str,
        error: BaseException | None = None,
    ) -> NoReturn:
        raise _RefusedError(status, reason, remedy, error) from error

    def _other_version(self) -> str:
        return f"pip install --upgrade daybreak {self.found.distribution or self.found.name}"

    def _block(self) -> str:
        return (
            f"`daybreak plugins show {self.found.name}` shows where; "
            f"DAYBREAK_DISABLE_PLUGINS={self.found.name} leaves it out"
        )

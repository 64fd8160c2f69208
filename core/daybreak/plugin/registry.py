"""What the loaded plugins brought: components by kind and name, and the observers."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pluggy

from daybreak.errors import UserError, nearest
from daybreak.plugin.component import Component
from daybreak.plugin.hookspecs import OBSERVERS, REGISTRATION, HookSpecs
from daybreak.plugin.markers import PROJECT
from daybreak.plugin.specs import ComponentSpec
from daybreak.plugin.status import PluginRecord, PluginStatus
from daybreak.records import Configuration, Outcome

__all__ = ["KINDS", "ObserverFailure", "Registry"]

#: every kind of component
KINDS: tuple[str, ...] = tuple(REGISTRATION.values())

_log = logging.getLogger("daybreak.plugin")


@dataclass(slots=True)
class ObserverFailure:
    """An observer that raised: how often, and where the first time."""

    plugin: str
    hook: str
    message: str
    traceback: str
    count: int = 1


class Registry:
    """The components and observers of all plugins that loaded well.

    Reading is thread-safe; `notify` may be called from several threads.

    Args:
        plugins: what became of each entry point.
        components: the components, unique by kind and name.
        manager: the pluggy manager that holds the hook implementations.
    """

    def __init__(
        self,
        plugins: Sequence[PluginRecord] = (),
        components: Iterable[Component] = (),
        manager: pluggy.PluginManager | None = None,
    ) -> None:
        self.plugins: tuple[PluginRecord, ...] = tuple(plugins)
        self._components: dict[str, dict[str, Component]] = {kind: {} for kind in KINDS}
        for component in components:
            self._components[component.kind][component.name] = component
        self._manager = manager if manager is not None else new_manager()
        self._failures: dict[tuple[str, str], ObserverFailure] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_specs(cls, *specs: ComponentSpec, plugin: str = "local") -> Registry:
        """Return a registry of just these components: for tests and notebooks."""
        return cls(components=[Component(spec, plugin) for spec in specs])

    def components(self, kind: str) -> dict[str, Component]:
        """Return the components of `kind` by name, sorted by name.

        Raises:
            ValueError: `kind` is none of `KINDS`.
        """
        if kind not in self._components:
            raise ValueError(f"'{kind}' is no kind of component; there are {', '.join(KINDS)}")
        return dict(sorted(self._components[kind].items()))

    def get(self, kind: str, name: str) -> Component:
        """Return the component `name` of `kind`.

        Raises:
            UserError: there is none; the message names the nearest, and a broken plugin that may
                be meant.
        """
        known = self.components(kind)
        if name in known:
            return known[name]
        broken = [
            record
            for record in self.plugins
            if record.status is not PluginStatus.OK and name in (record.name, record.distribution)
        ]
        message = f"there is no {kind} '{name}'"
        if broken:
            message += f"; plugin '{broken[0].name}' is {broken[0].status}: {broken[0].reason}"
        listing = "" if kind not in ("target", "optimizer") else f"; see `daybreak {kind}s list`"
        none = f"{kind}s come with plugins; none is installed"
        raise UserError(
            message,
            expected=f"one of {', '.join(known)}" if known else none,
            nearest=nearest(name, known),
            remedy=(broken[0].remedy if broken else f"install the plugin that brings it{listing}"),
        )

    @property
    def broken(self) -> tuple[PluginRecord, ...]:
        """The plugins that are neither `ok` nor blocked by the user."""
        fine = (PluginStatus.OK, PluginStatus.BLOCKED)
        return tuple(record for record in self.plugins if record.status not in fine)

    @property
    def observer_failures(self) -> tuple[ObserverFailure, ...]:
        """What went wrong in observers and wrappers so far, in order of first occurrence."""
        with self._lock:
            return tuple(self._failures.values())

    def notify(self, hook_name: str, **kwargs: Any) -> None:
        """Call the observers of `hook_name` one by one; a raising one never stops anything.

        What an observer raised is kept in `observer_failures` and reported once, as a warning of
        the logger ``daybreak.plugin``. KeyboardInterrupt goes through.

        Raises:
            ValueError: `hook_name` is no observer hook.
        """
        if hook_name not in OBSERVERS:
            raise ValueError(f"'{hook_name}' is no observer hook; there are {', '.join(OBSERVERS)}")
        caller = getattr(self._manager.hook, hook_name)
        for implementation in reversed(caller.get_hookimpls()):
            arguments = {name: kwargs[name] for name in implementation.argnames}
            try:
                implementation.function(**arguments)
            except (Exception, SystemExit) as error:
                self._record_failure(implementation.plugin_name, hook_name, error)

    def around_trial(
        self, study: Any, configuration: Configuration, measure: Callable[[], Outcome]
    ) -> Outcome:
        """Call `measure` inside the wrappers of `daybreak_trial_protocol` and return the outcome.

        Wrappers run in this process, outside the timed region. What `measure` raises goes
        through; what a wrapper raises is reported, and the trial keeps its own outcome.
        """
        caller = self._manager.hook.daybreak_trial_protocol
        if not caller.get_hookimpls():
            return measure()
        measured: list[Outcome] = []
        failed: list[BaseException] = []

        def once() -> Outcome:
            try:
                measured.append(measure())
            except BaseException as error:
                failed.append(error)
                raise
            return measured[0]

        try:
            # the innermost implementation is ours: pluggy calls wrappers around it
            outcome = caller.call_extra(
                [_innermost], {"study": study, "configuration": configuration, "measure": once}
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if failed:
                raise failed[0] from None
            self._record_failure(_plugin_of(caller, error), "daybreak_trial_protocol", error)
            return measured[0] if measured else measure()
        if isinstance(outcome, Outcome):
            return outcome
        self._record_failure(
            ", ".join(implementation.plugin_name for implementation in caller.get_hookimpls()),
            "daybreak_trial_protocol",
            TypeError(f"a wrapper returned {type(outcome).__name__}, not an Outcome"),
        )
        return measured[0] if measured else measure()

    def implementations(self, hook_name: str) -> list[str]:
        """Return the names of the plugins that implement `hook_name`, in calling order.

        Raises:
            UserError: there is no such hook.
        """
        hooks = [name for name in vars(HookSpecs) if name.startswith("daybreak_")]
        if hook_name not in hooks:
            raise UserError(
                f"there is no hook '{hook_name}'",
                expected=f"one of {', '.join(hooks)}",
                nearest=nearest(hook_name, hooks),
            )
        caller = getattr(self._manager.hook, hook_name)
        return [found.plugin_name for found in reversed(caller.get_hookimpls())]

    def _record_failure(self, plugin: str, hook: str, error: BaseException) -> None:
        with self._lock:
            known = self._failures.get((plugin, hook))
            if known is not None:
                known.count += 1
                return
            self._failures[plugin, hook] = ObserverFailure(
                plugin,
                hook,
                f"{type(error).__name__}: {error}",
                "".join(traceback.format_exception(error)),
            )
        _log.warning(
            "plugin '%s' failed in %s (the run goes on, further failures are only counted): %s: %s",
            plugin,
            hook,
            type(error).__name__,
            error,
        )


def new_manager() -> pluggy.PluginManager:
    """Return a pluggy manager that knows Daybreak's hooks and no plugin yet."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    return manager


def _innermost(measure: Callable[[], Outcome]) -> Outcome:
    return measure()


def _plugin_of(caller: pluggy.HookCaller, error: BaseException) -> str:
    """Return the plugin whose module is deepest in the traceback of `error`."""
    files: Mapping[str, str] = {
        implementation.function.__code__.co_filename: implementation.plugin_name
        for implementation in caller.get_hookimpls()
        if hasattr(implementation.function, "__code__")
    }
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in files:
            return files[frame.filename]
    return "unknown"

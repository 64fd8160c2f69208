"""An optimizer in a process of its own, seen from Daybreak: asked and told like any other."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from daybreak.errors import (
    DaybreakError,
    PluginError,
    RequirementError,
    SpaceError,
    StoreError,
    SuiteError,
    UserError,
)
from daybreak.measure.codec import decode_configuration, decode_cutoffs
from daybreak.measure.folders import remove_folder
from daybreak.measure.wire import GarbledError
from daybreak.plugin import Component
from daybreak.plugin.contracts import Problem
from daybreak.records import Configuration, Cutoff, Trial
from daybreak.run.optimizer_homes import Home, OptimizerHomes, describe_end, quoted
from daybreak.run.optimizer_link import Link, LinkLostError, LinkTimeoutError
from daybreak.run.optimizer_loop import OptimizerSetting
from daybreak.space import Space

__all__ = ["OptimizerProcess", "start_optimizer"]

#: Seconds that one call to an optimizer in a process of its own may take; any number if not set.
TIMEOUT = "DAYBREAK_OPTIMIZER_TIMEOUT"
#: Seconds for an optimizer's process to end by itself, so that a library can tidy up.
_PATIENCE_S = 1.0
#: Seconds for the end of a process whose channel has closed.
_PATIENCE_GONE_S = 0.2
_FIELDS = ("file", "line", "column", "field", "expected", "nearest", "remedy")
_USER_ERRORS = {
    kind.__name__: kind
    for kind in (UserError, SuiteError, SpaceError, StoreError, RequirementError)
}


def start_optimizer(
    homes: OptimizerHomes, component: Component, problem: Problem, options: dict[str, Any]
) -> OptimizerProcess:
    """Start a process and make an optimizer in it.

    Raises:
        Cancelled: the run was interrupted.
        DaybreakError: as `Component.create`; PluginError also when the process dies.
    """
    resident = _Resident(homes, component, problem.space, problem.seed)
    try:
        made = resident.call("be created", "create", (component, problem, options))
    except BaseException:
        resident.close()
        raise
    kind = _kind(*(bool(made.get(name)) for name in ("explains", "spends", "curtails")))
    return kind(resident)


class _Resident:
    """The process of one optimizer: calls, and what to say when they go wrong."""

    def __init__(
        self, homes: OptimizerHomes, component: Component, space: Space, seed: int
    ) -> None:
        self.space = space
        self._homes = homes
        self._component = component
        self._timeout_s = _timeout()
        self._folder: Path = homes.folder()
        self._setting = OptimizerSetting(seed, str(self._folder))
        try:
            self._home, self._key, self._link = self._fork()
        except BaseException:
            remove_folder(self._folder)
            raise

    def _fork(self) -> tuple[Home, str, Link]:
        # an earlier optimizer may have taken its home with it, and the host too: made anew
        for _ in range(2):
            with contextlib.suppress(LinkLostError, GarbledError):
                return self._forked()
        try:
            return self._forked()
        except (LinkLostError, GarbledError) as error:
            raise self._failed("be created", str(error)) from error

    def _forked(self) -> tuple[Home, str, Link]:
        home = self._homes.home(self._component)
        key = home.key_of(self.space)
        return home, key, self._homes.fork(home, self._setting)

    def close(self) -> None:
        """End the process; safe to call twice."""
        self._end(_PATIENCE_S)

    def call(self, what: str, operation: str, argument: Any = None) -> dict[str, Any]:
        """Call the optimizer; `what` says in a message what it failed to do.

        Raises:
            Cancelled: the run was interrupted.
            DaybreakError: what the optimizer raised, if it was one; else PluginError.
        """
        try:
            answer = self._link.call(
                operation, argument, known=(self.space, self._key), timeout_s=self._timeout_s
            )
        except LinkLostError as error:
            said = self._link.last_lines
            status, killed = self._end(_PATIENCE_GONE_S)
            why = "it closed its channel to Daybreak" if killed else describe_end(status)
            raise self._failed(what, why, said) from error
        except LinkTimeoutError as error:
            why = f"it took longer than {self._timeout_s:g} s ({TIMEOUT})"
            raise self._killed(what, why) from error
        except GarbledError as error:
            raise self._killed(what, f"it sent garbage to Daybreak ({error})") from error
        if "error" in answer:
            raise self._raised(what, answer["error"])
        if "imported" in answer:
            self._home.remember_imports(answer["imported"])
        return answer

    def garbage(self, what: str, value: Any) -> PluginError:
        """Return what to raise when an answer is not what was asked for."""
        return self._failed(what, f"it answered {value!r:.200}", self._link.last_lines)

    def _raised(self, what: str, described: Any) -> DaybreakError:
        """Return the exception that stands for one in the process."""
        said = self._link.last_lines
        if not isinstance(described, dict):
            return self._failed(what, f"it raised {described!r:.200}", said)
        kind, message = str(described.get("type")), str(described.get("message"))
        user = described.get("user")
        if isinstance(user, dict):
            fields = {name: user.get(name) for name in _FIELDS}
            return _USER_ERRORS.get(kind, UserError)(str(user.get("message")), **fields)
        if isinstance(described.get("plugin"), str):
            return self._error(described["plugin"] + quoted(said))
        return self._failed(what, f"{kind}: {message}", said)

    def _killed(self, what: str, why: str) -> PluginError:
        said = self._link.last_lines
        self._link.kill()
        self._end(_PATIENCE_GONE_S)
        return self._failed(what, why, said)

    def _end(self, patience: float) -> tuple[int | None, bool]:
        if self._link.closed:
            return None, False
        return self._homes.end(self._home, self._link, self._folder, patience)

    def _failed(self, what: str, why: str, said: str = "") -> PluginError:
        return self._error(
            f"optimizer '{self._component.name}' failed to {what}: {why}{quoted(said)}"
        )

    def _error(self, message: str) -> PluginError:
        component = self._component
        return PluginError(message, plugin=component.plugin, distribution=component.source or None)


class OptimizerProcess:
    """Passes `ask` and `tell` on to the process; what comes back is checked.

    Every method raises `Cancelled` when the run is interrupted meanwhile, and PluginError when the
    optimizer raises or its process dies; the message ends with what it printed last.
    """

    def __init__(self, resident: _Resident) -> None:
        self._resident = resident

    def ask(self, n: int = 1) -> list[Configuration]:
        """Return what the optimizer proposes."""
        proposed = self._resident.call("ask", "ask", n).get("proposed")
        if not isinstance(proposed, list) or not all(isinstance(one, dict) for one in proposed):
            raise self._resident.garbage("ask", proposed)
        return [self._restored(one) for one in proposed]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Pass finished trials on."""
        self._resident.call("tell", "tell", list(trials))

    def close(self) -> None:
        """End the process; safe to call twice."""
        self._resident.close()

    def _restored(self, proposed: dict[str, Any]) -> Configuration:
        """Give JSON values the types of their parameters; what does not fit is left to the study."""
        try:
            return self._resident.space.normalise(proposed)
        except SpaceError:
            return decode_configuration(proposed)


class _Explaining(OptimizerProcess):
    def explain(self, configuration: Configuration) -> Mapping[str, Any]:
        """Return what the optimizer says about a proposal."""
        answer = self._resident.call("explain", "explain", dict(configuration))
        explanation = answer.get("explanation")
        if not isinstance(explanation, dict):
            raise self._resident.garbage("explain", explanation)
        return explanation


class _Spending(OptimizerProcess):
    def spent(self) -> Mapping[str, float]:
        """Return totals by clock name."""
        spent = self._resident.call("say what it spent", "spent").get("spent")
        if not isinstance(spent, dict) or not all(_number(total) for total in spent.values()):
            raise self._resident.garbage("say what it spent", spent)
        return spent


class _Curtailing(OptimizerProcess):
    def cutoffs(self, configuration: Configuration) -> Sequence[Cutoff]:
        """Return when to give a proposal up."""
        answer = self._resident.call("say when to give up", "cutoffs", dict(configuration))
        try:
            return decode_cutoffs(answer.get("cutoffs"))
        except GarbledError:
            raise self._resident.garbage("say when to give up", answer.get("cutoffs")) from None


@cache
def _kind(explains: bool, spends: bool, curtails: bool) -> type[OptimizerProcess]:
    """Return the class of a proxy that has just the methods that the optimizer has."""
    parts = (_Explaining, _Spending, _Curtailing)
    bases = tuple(b for b, has in zip(parts, (explains, spends, curtails), strict=True) if has)
    if not bases:
        return OptimizerProcess
    return bases[0] if len(bases) == 1 else type("_Proxy", bases, {})


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _timeout() -> float | None:
    text = os.environ.get(TIMEOUT, "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0.0:
        raise UserError(f"{TIMEOUT} is '{text}'", expected="a number of seconds above 0")
    return seconds

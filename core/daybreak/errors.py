"""The exception tree of Daybreak.

::

    DaybreakError
    ├── UserError                 the user's input or machine must be mended: one message, exit code 2
    │   ├── SuiteError            a suite file
    │   ├── SpaceError            a search space or one of its constraints
    │   ├── StoreError            the results folder or its database
    │   └── RequirementError      a missing compiler, package or device
    ├── PluginError               a plugin broke its contract; names the plugin and its distribution
    └── TrialFailed               raised by a target's session: the trial fails, the study goes on
        ├── BuildFailed           kind `build`: a hidden constraint, e.g. the compiler refused
        ├── WrongResult           kind `wrong_result`
        ├── OutOfMemory           kind `memory`
        ├── ResourceExceeded      kind `resource`: does not fit the device
        └── NotRecorded           kind `missing`: a recorded table has no such configuration
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

from daybreak.records import FailureKind

__all__ = [
    "BuildFailed",
    "DaybreakError",
    "NotRecorded",
    "OutOfMemory",
    "PluginError",
    "RequirementError",
    "ResourceExceeded",
    "SpaceError",
    "StoreError",
    "SuiteError",
    "TrialFailed",
    "UserError",
    "WrongResult",
    "nearest",
]


class DaybreakError(Exception):
    """Base class of every exception that Daybreak raises on purpose."""


class UserError(DaybreakError):
    """Something that the user can mend: shown as one message without a traceback, exit code 2.

    Args:
        message: what is wrong, in one sentence.
        file: the file at fault, if there is one.
        line: 1-based line in `file`.
        column: 1-based column in `file`.
        field: dotted path of the field at fault, e.g. ``optimizers[1].baco.preset``.
        expected: what would have been right.
        nearest: the nearest valid name, when a name was misspelt.
        remedy: the command or the edit that mends it.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        column: int | None = None,
        field: str | None = None,
        expected: str | None = None,
        nearest: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line
        self.column = column
        self.field = field
        self.expected = expected
        self.nearest = nearest
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        """Return `file:line:column: field: message`, then a line each for what was expected."""
        place = ""
        if self.file is not None:
            place = self.file
            if self.line is not None:
                place += f":{self.line}"
                if self.column is not None:
                    place += f":{self.column}"
            place += ": "
        if self.field:
            place += f"{self.field}: "
        lines = [place + self.message]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.nearest:
            lines.append(f"  did you mean: {self.nearest}")
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


class SuiteError(UserError):
    """A suite file cannot be read or does not fit the schema."""


class SpaceError(UserError):
    """A search space, a constraint or a configuration is malformed."""


class StoreError(UserError):
    """The results folder or the database cannot be used as it is."""


class RequirementError(UserError):
    """A compiler, package, data file or device is missing."""


class PluginError(DaybreakError):
    """A plugin broke its contract.

    Args:
        message: what it did.
        plugin: name of the plugin's entry point.
        distribution: the installed distribution that it comes from, with version, if known.
    """

    def __init__(self, message: str, *, plugin: str, distribution: str | None = None) -> None:
        self.message = message
        self.plugin = plugin
        self.distribution = distribution
        source = f" (from {distribution})" if distribution else ""
        super().__init__(f"plugin '{plugin}'{source}: {message}")


class TrialFailed(DaybreakError):
    """Raised by a session to fail the trial with a kind; the study goes on.

    Args:
        message: one line for tables.
        detail: longer text, e.g. the end of the compiler's output.
        kind: the failure kind or its word; subclasses set it. A session that replays recorded
            failures gives any kind but `cancelled`, which is the user's alone and becomes
            `internal`.
        session_lost: the session is of no use after this (its device vanished, say): the next
            trial gets a new one, in a new worker.

    Raises:
        ValueError: `kind` is no failure kind.
    """

    kind: FailureKind = FailureKind.INTERNAL

    def __init__(
        self,
        message: str,
        *,
        detail: str | None = None,
        kind: FailureKind | str | None = None,
        session_lost: bool = False,
    ) -> None:
        self.message = message
        self.detail = detail
        self.session_lost = session_lost
        if kind is not None:
            self.kind = FailureKind(kind)
        super().__init__(message)


class BuildFailed(TrialFailed):
    """The configuration cannot be built: a hidden constraint."""

    kind = FailureKind.BUILD


class WrongResult(TrialFailed):
    """The candidate's result differs from the independent reference."""

    kind = FailureKind.WRONG_RESULT


class OutOfMemory(TrialFailed):
    """The candidate asked for more memory than its limit."""

    kind = FailureKind.MEMORY


class ResourceExceeded(TrialFailed):
    """The design does not fit the device; `numbers` says which resource overflowed by how much."""

    kind = FailureKind.RESOURCE

    def __init__(
        self,
        message: str,
        *,
        detail: str | None = None,
        numbers: Mapping[str, float] | None = None,
        session_lost: bool = False,
    ) -> None:
        super().__init__(message, detail=detail, session_lost=session_lost)
        self.numbers = dict(numbers or {})


class NotRecorded(TrialFailed):
    """A recorded table has no such configuration: nothing is known of it."""

    kind = FailureKind.MISSING


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the valid name most like `name`, or None when nothing comes close."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return found[0] if found else None

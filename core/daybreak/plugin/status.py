"""How loading a plugin ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["PluginRecord", "PluginStatus"]


class PluginStatus(StrEnum):
    """How a plugin ended up; only an `ok` plugin contributes components or observers."""

    OK = "ok"
    #: left out because the user said so
    BLOCKED = "blocked"
    #: asks for another version of Daybreak or of its plugin API
    INCOMPATIBLE = "incompatible"
    #: a package that it imports is not installed
    MISSING_REQUIREMENT = "missing-requirement"
    #: importing it failed
    IMPORT_ERROR = "import-error"
    #: a hook is misspelt, asks for an argument that does not exist, raised or returned nonsense
    HOOK_ERROR = "hook-error"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One entry point and what became of it.

    Attributes:
        name: name of the entry point.
        distribution: the installed distribution that brings it, empty if unknown.
        version: version of the distribution, empty if unknown.
        module: what the entry point names.
        status: how it ended.
        reason: why it did not end `ok`, in one sentence; a remark if it did; else empty.
        remedy: what mends it.
        load_ms: milliseconds spent on importing and registering it.
        hooks: names of the hooks that it implements.
        traceback: where it failed, for `daybreak plugins show`.
    """

    name: str
    distribution: str
    version: str
    module: str
    status: PluginStatus = PluginStatus.OK
    reason: str = ""
    remedy: str = ""
    load_ms: float = 0.0
    hooks: tuple[str, ...] = ()
    traceback: str = ""

    @property
    def source(self) -> str:
        """The distribution with its version, as shown to people."""
        return f"{self.distribution} {self.version}".strip() or "an unknown distribution"

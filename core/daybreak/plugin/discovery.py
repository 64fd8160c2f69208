"""Finding the entry points of installed distributions, and what the user said to leave out."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from daybreak.errors import UserError, nearest
from daybreak.plugin.markers import ENTRY_POINT_GROUP

__all__ = ["Found", "Selection", "discover"]

#: Daybreak's own distribution, whose plugins come first
OWN = "daybreak"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry point, or a distribution whose entry points cannot be read (`error` is set)."""

    name: str
    value: str
    distribution: str
    version: str
    entry_point: importlib.metadata.EntryPoint | None = None
    error: str = ""


def discover() -> list[Found]:
    """Return every entry point of the group, Daybreak's own first, then by distribution and name.

    Daybreak's own plugins come first so that no installed distribution can take over a name that
    Daybreak uses itself.
    """
    try:
        found = [
            _found(entry) for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
        ]
    except Exception:
        # one unreadable entry_points.txt fails the whole call: read them one by one
        found = list(_one_by_one())
    return sorted(found, key=lambda one: (one.distribution != OWN, one.distribution, one.name))


def _found(entry: importlib.metadata.EntryPoint) -> Found:
    name, version = _name_and_version(entry.dist)
    return Found(entry.name, entry.value, name, version, entry)


def _name_and_version(distribution: importlib.metadata.Distribution | None) -> tuple[str, str]:
    if distribution is None:
        return "", ""
    try:
        metadata = distribution.metadata
        return canonicalize_name(metadata["Name"] or ""), metadata["Version"] or ""
    except Exception:
        return "", ""


def _one_by_one() -> Iterator[Found]:
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        name, version = _name_and_version(distribution)
        if name and name in seen:
            continue
        seen.add(name)
        try:
            entries = distribution.entry_points.select(group=ENTRY_POINT_GROUP)
            found = [Found(one.name, one.value, name, version, one) for one in entries]
        except Exception as error:
            # only a distribution that mentions the group is ours to report
            if ENTRY_POINT_GROUP in (distribution.read_text("entry_points.txt") or ""):
                yield Found(name, "", name, version, None, f"{type(error).__name__}: {error}")
            continue
        yield from found


@dataclass(frozen=True, slots=True)
class Selection:
    """Which plugins the user wants, from the environment.

    ``DAYBREAK_DISABLE_PLUGINS=a,b`` blocks these; ``DAYBREAK_PLUGINS=a,b`` loads only these;
    ``DAYBREAK_DISABLE_PLUGIN_AUTOLOAD=1`` loads, of those not named in ``DAYBREAK_PLUGINS``,
    only Daybreak's own.
    """

    blocked: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    autoload: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Selection:
        """Read the selection from `environment`, by default this process's."""
        variables = os.environ if environment is None else environment
        only = _names(variables.get("DAYBREAK_PLUGINS", ""))
        return cls(
            blocked=_names(variables.get("DAYBREAK_DISABLE_PLUGINS", "")),
            only=only or None,
            autoload=variables.get("DAYBREAK_DISABLE_PLUGIN_AUTOLOAD", "").strip().lower()
            in ("", "0", "false", "no"),
        )

    def refusal(self, found: Found) -> tuple[str, str] | None:
        """Return why `found` is left out and what brings it back, or None."""
        if found.name in self.blocked:
            return (
                "named in DAYBREAK_DISABLE_PLUGINS",
                f"take '{found.name}' out of DAYBREAK_DISABLE_PLUGINS",
            )
        if self.only is not None:
            if found.name in self.only:
                return None
            return "not named in DAYBREAK_PLUGINS", f"add '{found.name}' to DAYBREAK_PLUGINS"
        if not self.autoload and found.distribution != OWN:
            return (
                "DAYBREAK_DISABLE_PLUGIN_AUTOLOAD is set",
                f"unset it, or set DAYBREAK_PLUGINS={found.name}",
            )
        return None

    def check(self, found: list[Found]) -> None:
        """Refuse a name in DAYBREAK_PLUGINS that no distribution brings.

        Raises:
            UserError: there is no such plugin.
        """
        names = {one.name for one in found}
        for name in sorted((self.only or frozenset()) - names):
            raise UserError(
                f"DAYBREAK_PLUGINS names '{name}', but no installed distribution brings it",
                expected=f"some of {', '.join(sorted(names))}" if names else None,
                nearest=nearest(name, names),
                remedy="install it, or change DAYBREAK_PLUGINS",
            )


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())

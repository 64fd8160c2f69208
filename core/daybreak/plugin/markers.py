"""The markers that tie a plugin's functions to Daybreak's hooks, and the version of that API."""

from __future__ import annotations

import pluggy

__all__ = ["API_VERSION", "ENTRY_POINT_GROUP", "PROJECT", "SUPPORTED_API", "hookimpl", "hookspec"]

#: pluggy's project name
PROJECT = "daybreak"
#: the entry-point group in which a distribution names its plugin modules
ENTRY_POINT_GROUP = "daybreak.plugins"
#: version of the hooks; a new hook or argument raises the second number, a removal the first
API_VERSION = "1.0"
#: what a plugin's `DAYBREAK_API` may say: written for this version or an earlier compatible one
SUPPORTED_API = f">=1.0,<={API_VERSION}"

#: marks a hook's specification
hookspec = pluggy.HookspecMarker(PROJECT)
#: marks a plugin's implementation of a hook
hookimpl = pluggy.HookimplMarker(PROJECT)

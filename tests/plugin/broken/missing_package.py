"""Imports a package that is not installed."""

from __future__ import annotations

import no_such_abacus  # noqa: F401

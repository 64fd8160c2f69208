"""Calls sys.exit while it is imported."""

from __future__ import annotations

import sys

DAYBREAK_API = "1.0"

sys.exit(3)

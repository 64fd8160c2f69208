"""Measuring: sandboxed workers, the measurement protocol, and what is read off the machine."""

from __future__ import annotations

from daybreak.measure.announcing import Doing
from daybreak.measure.bench import Bench, OpenReport, open_bench
from daybreak.measure.caches import flush_caches
from daybreak.measure.curve import CurveSetting

__all__ = ["Bench", "CurveSetting", "Doing", "OpenReport", "flush_caches", "open_bench"]

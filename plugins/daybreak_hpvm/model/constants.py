"""The model's constants: prices of operators in look-up tables and flip-flops, and of a clock period.

They stand in one file, `constants.json`, which `python -m daybreak_hpvm.model.calibrate` writes with
what they were fitted to. Cycles have no fitted constants: they follow the hardware's own rules.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from daybreak_hpvm.model.clock import longest_ns
from daybreak_hpvm.model.features import FF_FEATURES, LUT_FEATURES, Features

__all__ = ["FILE", "Constants", "constants_of", "file_digest"]

#: the file with the constants of all families
FILE = Path(__file__).with_name("constants.json")


@dataclass(frozen=True, slots=True)
class Constants:
    """Constants of one family of devices.

    Attributes:
        lut: look-up tables for each unit of `features.LUT_FEATURES`, and ``base`` for each design.
        ff: flip-flops for each unit of `features.FF_FEATURES`, and ``base``.
        clock_ns: `clock.CLOCK_TERMS`; None: no tool places and routes for this family, so its clock is
            taken as given.
    """

    lut: Mapping[str, float]
    ff: Mapping[str, float]
    clock_ns: Mapping[str, float] | None

    def luts(self, features: Features) -> float:
        """Return the look-up tables of a design."""
        return self.lut["base"] + sum(
            self.lut.get(name, 0.0) * features.amounts.get(name, 0.0) for name in LUT_FEATURES
        )

    def ffs(self, features: Features) -> float:
        """Return its flip-flops."""
        return self.ff["base"] + sum(
            self.ff.get(name, 0.0) * features.amounts.get(name, 0.0) for name in FF_FEATURES
        )

    def period_ns(self, features: Features) -> float | None:
        """Return its clock period in ns, or None; see `clock`."""
        if self.clock_ns is None:
            return None
        return longest_ns(features.ways, self.luts(features), features.dsp, self.clock_ns)


@lru_cache(maxsize=8)
def constants_of(family: str) -> Constants:
    """Return the constants of `family`.

    Raises:
        KeyError: there are none.
    """
    told: Mapping[str, Any] = json.loads(FILE.read_text("utf-8"))["families"][family]
    return Constants(told["lut"], told["ff"], told["clock_ns"])


@lru_cache(maxsize=1)
def file_digest() -> str:
    """Return a hash of the constants (16 hexadecimal digits), part of a session's identity."""
    told = json.loads(FILE.read_text("utf-8"))
    return hashlib.sha256(json.dumps(told["families"], sort_keys=True).encode()).hexdigest()[:16]

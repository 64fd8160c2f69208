"""The model's constants: prices of operators in look-up tables and flip-flops, and of a clock period.

They stand in one file, `constants.json`, which `python -m daybreak_hpvm.model.calibrate` writes with
what they were fitted to. Cycles have no fitted constants: they follow the hardware's own rules.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from daybreak_hpvm.model.features import FF_FEATURES, LUT_FEATURES, Features

__all__ = ["CLOCK_TERMS", "FILE", "Constants", "clock_terms", "constants_of", "file_digest"]

#: the file with the constants of all families
FILE = Path(__file__).with_name("constants.json")

#: what a clock period in ns is a sum of, see `clock_terms`
CLOCK_TERMS = ("base", "carry", "sharing", "size")


@dataclass(frozen=True, slots=True)
class Constants:
    """Constants of one family of devices.

    Attributes:
        lut: look-up tables for each unit of `features.LUT_FEATURES`, and ``base`` for each design.
        ff: flip-flops for each unit of `features.FF_FEATURES`, and ``base``.
        clock_ns: nanoseconds for each unit of `CLOCK_TERMS`; None: no tool places and routes for
            this family, so its clock is taken as given.
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
        """Return its clock period in ns, or None; see `clock_terms`."""
        if self.clock_ns is None:
            return None
        terms = clock_terms(features, self.luts(features))
        return sum(self.clock_ns.get(name, 0.0) * terms[name] for name in CLOCK_TERMS)


def clock_terms(features: Features, luts: float) -> dict[str, float]:
    """Return what the clock period grows with.

    The longest way between two registers is an operator with its carry (its bits), or the selection
    in front of a port that many share (a tree: the logarithm of their number), and all wires get
    longer in a larger design (the logarithm of its look-up tables). A law as simple as that knows
    nothing of the placer's luck.
    """
    return {
        "base": 1.0,
        "carry": float(features.chain),
        "sharing": math.log2(1 + features.shared),
        "size": math.log2(1 + luts),
    }


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

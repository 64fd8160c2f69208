"""Fits the model's constants to designs that are really built: ``python -m daybreak_hpvm.model.calibrate``.

It builds the designs of `sampling.TRAINING`, some minutes of tools' time unless they are in the
cache, and writes `constants.json`. What errors are reported of is never among them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from daybreak_hpvm.devices import DEVICES, Device
from daybreak_hpvm.model.constants import FILE
from daybreak_hpvm.model.features import FF_FEATURES, LUT_FEATURES, Features
from daybreak_hpvm.model.fit import fit_clock, fit_prices
from daybreak_hpvm.model.predict import program_features
from daybreak_hpvm.model.sampling import TRAINING, Drawn, Measured, draw, measure

__all__ = ["PRIOR", "fit_family", "main"]

#: Where training designs hold too little of an operator to tell: what it takes by construction. One
#: look-up table for each bit of a carry chain or a two-way selection; a register is a flip-flop; a
#: memory of 16 x 4 bits is six tables on ECP5 (nextpnr's count) and about three of the larger ones
#: of 7-series.
PRIOR: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "ecp5": {
        "lut": {
            "base": 30.0, "add": 1.0, "compare": 1.0, "minmax": 2.0, "mux": 1.0, "logic": 1.0, "shift": 1.0,
            "products": 1.0, "onehot": 0.7, "register_reads": 0.6, "register_writes": 1.0,
            "control": 1.0, "regions": 5.0, "lutram": 6.0, "queues": 4.0,
        },
        "ff": {
            "base": 20.0, "pipeline": 1.0, "control": 1.0, "scalars": 0.5, "register_files": 1.0,
            "ram_output": 0.5, "queues": 1.0,
        },
    },
    "xc7": {
        "lut": {
            "base": 30.0, "add": 0.8, "compare": 0.7, "minmax": 1.3, "mux": 0.6, "logic": 0.6, "shift": 0.6,
            "products": 0.8, "onehot": 0.5, "register_reads": 0.3, "register_writes": 0.7,
            "control": 0.7, "regions": 5.0, "lutram": 3.0, "queues": 4.0,
        },
        "ff": {
            "base": 20.0, "pipeline": 1.0, "control": 1.0, "scalars": 0.5, "register_files": 1.0,
            "ram_output": 0.5, "queues": 1.0,
        },
    },
}  # fmt: skip
#: how firmly prices are held to the prior
PULL = 0.03


def fit_family(
    family: str, designs: Sequence[tuple[Features, Measured]]
) -> dict[str, Mapping[str, float] | None]:
    """Return the constants of a family, fitted to `designs`."""
    prior = PRIOR[family]
    found: dict[str, Mapping[str, float] | None] = {"clock_ns": None}
    for resource, names in (("lut", LUT_FEATURES), ("ff", FF_FEATURES)):
        amounts = [{"base": 1.0, **one.amounts} for one, _ in designs]
        totals = [measured.used[resource] for _, measured in designs]
        found[resource] = _rounded(
            fit_prices(amounts, totals, ("base", *names), prior=prior[resource], pull=PULL)
        )
    placed = [(one, measured) for one, measured in designs if measured.mhz is not None]
    if placed:
        # of the design as built: the model's own counts are only used to predict
        built = [
            (one.ways, measured.used["lut"], int(measured.used["dsp"])) for one, measured in placed
        ]
        periods = [1e3 / measured.mhz for _, measured in placed if measured.mhz is not None]
        found["clock_ns"] = _rounded(fit_clock(built, periods))
    return found


def _rounded(prices: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{price:.4g}") for name, price in prices.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, fit, write; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m daybreak_hpvm.model.calibrate", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=FILE, help="the file to write")
    parser.add_argument("--most", type=int, help="designs of each sample, at most")
    parser.add_argument(
        "--unplaced", action="store_true", help="place nothing; the clock's constants stay"
    )
    parser.add_argument("--family", choices=sorted(PRIOR), action="append", help="default: all")
    options = parser.parse_args(arguments)
    designs = list(draw(TRAINING, options.most))
    told: dict[str, Any] = json.loads(options.out.read_text()) if options.out.exists() else {}
    told.setdefault("families", {})
    told.setdefault("designs", {})
    for family in options.family or sorted(PRIOR):
        device = DEVICES["ecp5-85k" if family == "ecp5" else "xc7a100t"]
        pairs = _built(designs, device, place=not options.unplaced)
        if not pairs:
            _say(f"{family}: no design could be built; its constants stay")
            continue
        before = told["families"].get(family, {}).get("clock_ns")
        told["families"][family] = fit_family(family, pairs)
        if options.unplaced:
            told["families"][family]["clock_ns"] = before
        told["designs"][family] = [
            {"kernel": m.kernel, "label": m.label, "used": m.used, "mhz": m.mhz} for _, m in pairs
        ]
    told["source"] = "python -m daybreak_hpvm.model.calibrate: " + ", ".join(
        f"{one.kernel} (seed {one.seed}, {one.count})" for one in TRAINING
    )
    options.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"written: {options.out}\n")
    return 0


def _built(
    designs: Sequence[Drawn], device: Device, *, place: bool
) -> list[tuple[Features, Measured]]:
    pairs = []
    for number, design in enumerate(designs):
        found = measure(design, device, place=place, said=_say)
        if found is not None:
            pairs.append((program_features(design.program, device.family)[1], found))
            _say(
                f"{device.name} {number + 1}/{len(designs)} {design.kernel} {design.label}: "
                f"{found.used}, {found.mhz} MHz"
            )
    return pairs


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    raise SystemExit(main())

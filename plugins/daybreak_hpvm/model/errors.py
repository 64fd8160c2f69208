"""How wrong the model is, on designs that nothing was fitted to.

``python -m daybreak_hpvm.model.errors`` builds and simulates the designs of `sampling.HELD_OUT` (many
minutes of tools' time unless they are in the cache) and prints a table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daybreak_hpvm.devices import DEVICES, RESOURCES, Device, share
from daybreak_hpvm.model.predict import Estimate, predict
from daybreak_hpvm.model.sampling import HELD_OUT, TRAINING, Drawn, Measured, draw, measure

__all__ = ["Compared", "compared", "main", "rank_correlation", "table"]

#: what is compared; a count that both say is nothing has no relative error
_METRICS = ("cycles", "clock", "seconds", *RESOURCES, "area")


@dataclass(frozen=True, slots=True)
class Compared:
    """Predicted and measured values of one design, by metric."""

    group: str
    kernel: str
    label: str
    predicted: Mapping[str, float]
    measured: Mapping[str, float]

    def error(self, metric: str) -> float | None:
        """Return predicted over measured, minus one; None where there is nothing to compare."""
        if metric not in self.measured or not self.measured[metric]:
            return None
        return self.predicted[metric] / self.measured[metric] - 1.0


def compared(group: str, design: Drawn, found: Measured, device: Device) -> Compared:
    """Put what was predicted beside what was measured."""
    guess: Estimate = predict(design.program, device, mhz=None if found.mhz else 100.0)
    predicted = {"cycles": float(guess.cycles), "area": guess.area}
    predicted |= {name: float(guess.used[name]) for name in RESOURCES}
    measured = {name: float(found.used[name]) for name in RESOURCES}
    measured["area"] = share(found.used, device)
    if found.cycles:
        measured["cycles"] = float(found.cycles)
    if found.mhz is not None:
        measured["clock"] = found.mhz
        predicted["clock"] = guess.mhz
    if found.cycles and found.mhz is not None:
        measured["seconds"] = found.cycles / (found.mhz * 1e6)
        predicted["seconds"] = guess.seconds
    return Compared(group, design.kernel, design.label, predicted, measured)


def rank_correlation(rows: Sequence[Compared], metric: str) -> float | None:
    """Return Spearman's rank correlation of predicted and measured: 1 is the same order."""
    pairs = [(r.predicted[metric], r.measured[metric]) for r in rows if metric in r.measured]
    if len(pairs) < 3:
        return None
    first, second = (_ranks([pair[side] for pair in pairs]) for side in (0, 1))
    try:
        return statistics.correlation(first, second)
    except statistics.StatisticsError:  # all the same
        return None


def _ranks(values: Sequence[float]) -> list[float]:
    """Return ranks, equal values sharing the mean of theirs."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def table(rows: Sequence[Compared]) -> list[dict[str, Any]]:
    """Return errors by group, kernel and metric: median and largest size, bias, rank correlation."""
    found: list[dict[str, Any]] = []
    groups: dict[tuple[str, str], list[Compared]] = {}
    for row in rows:
        groups.setdefault((row.group, row.kernel), []).append(row)
    for (group, kernel), own in groups.items():
        for metric in _METRICS:
            errors = [e for e in (row.error(metric) for row in own) if e is not None]
            if not errors:
                continue
            sizes = sorted(abs(e) for e in errors)
            found.append(
                {
                    "group": group,
                    "kernel": kernel,
                    "metric": metric,
                    "designs": len(errors),
                    "median": statistics.median(sizes),
                    "largest": sizes[-1],
                    "bias": statistics.median(errors),
                    "rank correlation": rank_correlation(own, metric),
                }
            )
    return found


def _markdown(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = [
        "| held out | kernel | metric | designs | median error | largest | bias | rank correlation |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        rank = row["rank correlation"]
        lines.append(
            f"| {row['group']} | {row['kernel']} | {row['metric']} | {row['designs']} | "
            f"{row['median']:.1%} | {row['largest']:.1%} | {row['bias']:+.1%} | "
            f"{'' if rank is None else f'{rank:.2f}'} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, compare, print; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m daybreak_hpvm.model.errors", description=__doc__
    )
    parser.add_argument("--device", default="ecp5-85k", choices=sorted(DEVICES))
    parser.add_argument(
        "--unplaced", action="store_true", help="neither place nor simulate: resources alone"
    )
    parser.add_argument("--most", type=int, help="designs of each sample, at most")
    parser.add_argument("--kernel", action="append", help="only these; may be repeated")
    parser.add_argument("--json", type=Path, help="also write every design's numbers to this file")
    options = parser.parse_args(arguments)
    device = DEVICES[options.device]
    fitted: dict[str, list[Mapping[str, Any]]] = {}
    for one in draw(TRAINING):
        fitted.setdefault(one.kernel, []).append(one.configuration)
    rows: list[Compared] = []
    for group, samples in HELD_OUT.items():
        for design in draw(samples, options.most, but=fitted):
            if options.kernel and design.kernel not in options.kernel:
                continue
            whole = not options.unplaced
            found = measure(design, device, place=whole, simulate=whole, said=_say)
            if found is not None:
                rows.append(compared(group, design, found, device))
                _say(f"{group}: {design.kernel} {design.label}")
    if options.json:
        listed = [
            {"group": r.group, "kernel": r.kernel, "label": r.label, "predicted": r.predicted,
             "measured": r.measured}
            for r in rows
        ]  # fmt: skip
        options.json.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(_markdown(table(rows)) + "\n")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    raise SystemExit(main())

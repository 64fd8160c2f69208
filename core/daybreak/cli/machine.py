"""`daybreak machine`: what this machine is, and how fast it can be."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["register"]

_Results = Annotated[Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder with results.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_COLUMNS = ("ceiling", "processors", "median", "interval", "repeats", "measured")


def register(app: typer.Typer) -> None:
    """Add the `machine` commands to `app`."""
    group = typer.Typer(
        name="machine",
        help="What this machine is, and how fast it can be.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("show")(_show)
    group.command("measure")(_measure)
    app.add_typer(group)


def _show(results: _Results = Path("results"), as_json: _Json = False) -> None:
    """Show this machine's identity, its energy counters and its measured roofline.

    Example: daybreak machine show
    """
    from daybreak.analysis.machines import newest_ceilings
    from daybreak.measure.counters import find_nvml, find_rapl, has_nvidia_driver
    from daybreak.measure.machine import machine_identity

    machine_id, identity = machine_identity()
    found = [find_rapl(), *([find_nvml()] if has_nvidia_driver() else [])]
    counters = [counter.name for one in found for counter in one.counters]
    missing = {one.name: one.reason for each in found for one in each.missing}
    ceilings = newest_ceilings(results, machine_id) if results.is_dir() else []
    if as_json:
        print_json(
            {
                "machine_id": machine_id,
                "identity": identity,
                "energy_counters": counters,
                "energy_counters_missing": missing,
                "ceilings": [asdict(ceiling) for ceiling in ceilings],
            }
        )
        return
    rows = [{"": name, "value": _words(value)} for name, value in identity.items()]
    rows.append({"": "energy", "value": ", ".join(counters) or "; ".join(missing.values())})
    print_table(rows, ["", "value"], title=f"machine {machine_id}")
    if ceilings:
        _print_ceilings([asdict(ceiling) for ceiling in ceilings])
    else:
        print_message("its roofline is not measured: daybreak machine measure")


def _measure(
    results: _Results = Path("results"),
    repeats: Annotated[
        int, typer.Option(min=1, max=1000, help="Repetitions of each; six or more for 95 %.")
    ] = 11,
    triad: Annotated[
        str, typer.Option(help="What moves the bytes: numba, numpy, or auto: numba if it is there.")
    ] = "auto",
    as_json: _Json = False,
) -> None:
    """Measure the bandwidth of memory and caches and the peak of f64 and f32 arithmetic.

    With one processor and with all (DAYBREAK_CPUS chooses). Takes about half a minute; nothing
    else should run. The view percent_of_peak compares trials with the newest measurement.

    Example: daybreak machine measure --results results
    """
    from daybreak.run.rooflines import measure_machine

    measured = measure_machine(
        results,
        repeats=repeats,
        triad=triad,
        progress=None if as_json else lambda text: print_message(f"measuring {text}"),
    )
    if as_json:
        print_json(asdict(measured))
        return
    for warning in measured.warnings:
        print_message(f"warning: {warning}")
    _print_ceilings(
        [
            {**asdict(one), "ceiling": one.name, "repeats": len(one.samples)}
            for one in measured.ceilings
        ]
    )
    print_message(f"recorded as {measured.run_id}")


def _print_ceilings(rows: Sequence[Mapping[str, Any]]) -> None:
    shown = []
    for row in sorted(rows, key=lambda row: (row["kind"], row["ceiling"], row["threads"])):
        scale = f"G{row['unit']}"
        when = row.get("measured_at")
        shown.append(
            {
                "ceiling": row["ceiling"],
                "processors": row["threads"],
                "median": f"{row['value'] / 1e9:.4g} {scale}",
                "interval": _interval(row["low"], row["high"]),
                "repeats": row["repeats"],
                "measured": None if when is None else f"{when:%Y-%m-%d %H:%M}",
            }
        )
    columns = _COLUMNS if any(row["measured"] for row in shown) else _COLUMNS[:-1]
    print_table(shown, columns, right=("processors", "median", "interval", "repeats"))


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low / 1e9:.4g} to {high / 1e9:.4g}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value) or "none"
    return "unknown" if value is None else str(value)

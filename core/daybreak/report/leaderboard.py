"""The leaderboard of a run for the terminal, or as a picture of the same."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from daybreak.report.units import readable_unit

if TYPE_CHECKING:
    from daybreak.analysis.summary import BenchmarkSummary, OptimizerSummary, RunOverview

__all__ = ["leaderboard_svg", "print_leaderboard"]


def print_leaderboard(overview: RunOverview, console: Console | None = None) -> None:
    """Print a table for each benchmark: the references, then the optimizers."""
    console = console or Console()
    for benchmark in overview.benchmarks:
        table = _table(benchmark)
        # rather a line that the terminal breaks than a number cut off
        endless = console.options.update(max_width=100_000)
        needed = Measurement.get(console, endless, table).minimum
        console.width = max(console.width, needed)
        console.print(table)
        console.print()


def leaderboard_svg(overview: RunOverview) -> str:
    """Return the leaderboard as an SVG picture of a terminal."""
    console = Console(record=True, file=io.StringIO(), width=88, force_terminal=True)
    print_leaderboard(overview, console)
    run = overview.run
    picture = console.export_svg(title=f"{run.suite or 'run'}: {run.counts}")
    # fonts come from the reader's machine: a picture fetches nothing
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)


def _table(benchmark: BenchmarkSummary) -> Table:
    # without a front, of references alone say, the first objective is better than nothing
    return _fronts(benchmark) if benchmark.front else _bests(benchmark)


def _fronts(benchmark: BenchmarkSummary) -> Table:
    """Return the table of a benchmark with several objectives: who covers how much of the front.

    Thresholds are of the first objective alone, and say nothing here.
    """
    names = [one.name for one in benchmark.references if one.beaten is not None]
    rows: list[list[Any]] = [
        [
            reference.name,
            reference.trials,
            _number(reference.share, 1.0),
            None if reference.beaten is None else f"is {'' if reference.beaten else 'not '}beaten",
            None,
            f"{reference.failures} failed" if reference.failures else None,
        ]
        for reference in benchmark.references
    ]
    rows += [
        [
            optimizer.optimizer,
            optimizer.studies,
            _interval(optimizer.share_median, optimizer.share_low, optimizer.share_high, 1.0),
            ", ".join(f"{optimizer.beats.get(name, 0)}/{optimizer.studies}" for name in names),
            optimizer.evaluations,
            _failures(optimizer),
        ]
        for optimizer in benchmark.optimizers
    ]
    columns = ["", "n", "share of front", f"beats {', '.join(names)}", "evals", "failures"]
    if not names:
        columns, rows = _without(3, columns), [_without(3, row) for row in rows]
    front = f", {benchmark.front} point{'s' * (benchmark.front != 1)}" if benchmark.front else ""
    title = f"{benchmark.benchmark} ({' x '.join(benchmark.objectives)}{front})"
    return _compact(title, columns, rows)


def _without(i: int, row: list[Any]) -> list[Any]:
    return [*row[:i], *row[i + 1 :]]


def _bests(benchmark: BenchmarkSummary) -> Table:
    """Return the table of a benchmark with one objective: the best results."""
    values = [reference.median for reference in benchmark.references]
    values += [optimizer.best_median for optimizer in benchmark.optimizers]
    factor, unit = readable_unit(values, benchmark.unit)
    targets = sorted({t.name for o in benchmark.optimizers for t in o.targets})
    rows: list[dict[str, Any]] = [
        {
            "name": reference.name,
            "runs": reference.trials,
            "value": _interval(reference.median, reference.lowest, reference.highest, factor),
            "failures": f"{reference.failures} failed" if reference.failures else None,
        }
        for reference in benchmark.references
    ]
    expert = next((r.median for r in benchmark.references if r.name == "expert"), None)
    for reference, row in zip(benchmark.references, rows, strict=True):
        if expert and reference.median and expert > 0 and reference.median > 0:
            ratio = expert / reference.median
            row["expert"] = _ratio(1 / ratio if benchmark.direction == "maximize" else ratio)
    for optimizer in benchmark.optimizers:
        row = {
            "name": optimizer.optimizer,
            "runs": optimizer.studies,
            "value": _interval(
                optimizer.best_median, optimizer.best_low, optimizer.best_high, factor
            ),
            "expert": _ratio(optimizer.versus_expert),
            "evaluations": optimizer.evaluations,
            "failures": _failures(optimizer),
        }
        for target in optimizer.targets:
            row[f"to {target.name}"] = (
                f"{'-' if target.evaluations is None else f'{target.evaluations:g}'} "
                f"({target.reached}/{target.studies})"
            )
        rows.append(row)
    columns = ["name", "runs", "value", "expert", "evaluations"]
    columns += [f"to {name}" for name in targets]
    columns.append("failures")
    titles = {
        "name": "",
        "runs": "n",
        "value": f"{benchmark.objective or 'objective'}" + (f" ({unit})" if unit else ""),
        "expert": "vs expert",
        "evaluations": "evals",
    }
    title = benchmark.benchmark
    if benchmark.direction == "maximize":
        title += " (more is better)"
    return _compact(title, [titles.get(name, name) for name in columns], [
        [row.get(name) for name in columns] for row in rows
    ])  # fmt: skip


def _compact(title: str, columns: list[str], rows: list[list[Any]]) -> Table:
    """Return a table without rules, so that it fits into 80 columns; only the last one wraps."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for i, column in enumerate(columns):
        last = i == len(columns) - 1
        table.add_column(
            Text(column),
            justify="right" if i > 0 and not last else "left",
            no_wrap=not last,
            overflow="fold",
            # a cell that does not wrap needs all of its width
            min_width=None if last else max(len(str(row[i] or "")) for row in [columns, *rows]),
        )
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return table


def _failures(optimizer: OptimizerSummary) -> str | None:
    words = [f"{kind} {count}" for kind, count in optimizer.failures.items()]
    if optimizer.failed_studies:
        words.append(f"{optimizer.failed_studies} studies failed")
    if optimizer.open_studies:
        words.append(f"{optimizer.open_studies} studies open")
    return ", ".join(words) or None


def _number(value: float | None, factor: float) -> str | None:
    if value is None:
        return None
    scaled = value * factor
    return f"{scaled:.0f}" if 1000 <= abs(scaled) < 1e6 else f"{scaled:.3g}"


def _interval(
    middle: float | None, low: float | None, high: float | None, factor: float
) -> str | None:
    if low == high:  # a single value, or none
        return _number(middle, factor)
    ends = f"{_number(low, factor) or '?'}, {_number(high, factor) or '?'}"
    return f"{_number(middle, factor) or '?'} [{ends}]"


def _ratio(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}x"

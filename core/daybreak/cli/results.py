"""`daybreak show` and `daybreak runs`: what came out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.output import print_json, print_message, print_table
from daybreak.cli.sql import problems_told

if TYPE_CHECKING:
    from daybreak.analysis.summary import BenchmarkSummary, OptimizerSummary, RunOverview

__all__ = ["register", "show_run"]

_Results = Annotated[Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder with results.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def register(app: typer.Typer) -> None:
    """Add `show` and `runs` to `app`."""
    app.command("show")(_show)
    group = typer.Typer(
        name="runs", help="The runs in a results folder.", no_args_is_help=True,
        rich_markup_mode=None,
    )  # fmt: skip
    group.command("list")(_list)
    app.add_typer(group)


def _show(
    run: Annotated[
        str | None,
        typer.Argument(help="A run's id or its beginning, or a suite's name; else the newest."),
    ] = None,
    results: _Results = Path("results"),
    as_json: _Json = False,
) -> None:
    """Show a run's leaderboard: each optimizer against the references.

    Example: daybreak show quickstart --results results
    """
    show_run(results, run, as_json=as_json)


def _list(results: _Results = Path("results"), as_json: _Json = False) -> None:
    """List the runs, newest first.

    Example: daybreak runs list --results results
    """
    from daybreak.analysis.summary import list_run_rows

    with problems_told():
        rows = [asdict(row) for row in list_run_rows(results)]
    if not as_json:
        for row in rows:
            started = row["started_at"]
            row["started"] = None if started is None else f"{started:%Y-%m-%d %H:%M}"
            row["machine"] = (row["machine_id"] or "")[:8] or None
            row["evals"], row["failed"] = row["evaluations"], row["failures"]
    columns = ("run_id", "status", "started", "studies", "evals", "failed", "machine")
    print_table(rows, columns, as_json=as_json, right=("studies", "evals", "failed"))
    if not rows and not as_json:
        print_message("there are no runs yet; begin with: daybreak run quickstart")


def show_run(results: Path, run: str | None = None, *, as_json: bool = False) -> None:
    """Print the leaderboard of `run`, or of the newest run.

    Raises:
        StoreError: there is no such run.
    """
    from daybreak.analysis.summary import summarize_run

    with problems_told():
        overview = summarize_run(results, run)
    if as_json:
        print_json(asdict(overview))
        return
    _print_head(overview)
    for benchmark in overview.benchmarks:
        _print_benchmark(benchmark)
    for warning in overview.warnings:
        print_message(f"warning: {warning}")
    _print_next(results, overview)


def _print_head(overview: RunOverview) -> None:
    run = overview.run
    words = [f"{run.suite or 'run'}: {run.run_id}, {run.status}"]
    if run.started_at is not None:
        words.append(f"begun {run.started_at:%Y-%m-%d %H:%M} UTC")
    words.append(f"{run.studies} studies, {run.evaluations} evaluations, {run.failures} failed")
    print_message("; ".join(words))


def _print_benchmark(benchmark: BenchmarkSummary) -> None:
    values = [reference.median for reference in benchmark.references]
    values += [optimizer.best_median for optimizer in benchmark.optimizers]
    factor, unit = _scale(values, benchmark.unit)
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
    _print_compact(title, [titles.get(name, name) for name in columns], [
        [row.get(name) for name in columns] for row in rows
    ])  # fmt: skip


def _print_compact(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table without rules, so that it fits into 80 columns; only the last one wraps."""
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for i, column in enumerate(columns):
        last = i == len(columns) - 1
        table.add_column(
            Text(column),
            justify="right" if i > 0 and not last else "left",
            no_wrap=not last,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console = Console()
    # rather a line that the terminal breaks than a number cut off
    console.width = max(console.width, Measurement.get(console, console.options, table).minimum)
    console.print(table)
    console.print()


def _failures(optimizer: OptimizerSummary) -> str | None:
    words = [f"{kind} {count}" for kind, count in optimizer.failures.items()]
    if optimizer.failed_studies:
        words.append(f"{optimizer.failed_studies} studies failed")
    if optimizer.open_studies:
        words.append(f"{optimizer.open_studies} studies open")
    return ", ".join(words) or None


def _print_next(results: Path, overview: RunOverview) -> None:
    where = "" if results == Path("results") else f" --results {results}"
    if overview.run.status == "interrupted":
        print_message(f"go on with it: daybreak run {overview.run.suite or 'SUITE'}{where}")
    names = sorted({o.optimizer for b in overview.benchmarks for o in b.optimizers})
    if len(names) > 1:
        print_message(f"is one better? daybreak compare {names[0]} {names[1]}{where}")
    print_message(f"ask anything: daybreak sql{where} 'FROM leaderboard'")


def _scale(values: list[float | None], unit: str | None) -> tuple[float, str | None]:
    """Return a factor and a unit in which times are easily read; other units stay."""
    known = [abs(value) for value in values if value]
    if unit != "s" or not known:
        return 1.0, unit
    smallest = min(known)
    for size, name in _SCALES:
        if smallest >= size:
            return 1 / size, name
    return 1e9, "ns"


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

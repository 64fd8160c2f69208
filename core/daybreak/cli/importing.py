"""`daybreak import`: another tool's file becomes a benchmark, or a run in the results."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.completion import complete_files, complete_importers
from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    from daybreak.plugin import Registry
    from daybreak.plugin.exchange import Remark
    from daybreak.run.importing import Imported

__all__ = ["list_kinds", "register"]

#: remarks that are printed; `--json` has all of them
_MOST_REMARKS = 12
_MOST_BENCHMARKS = 12


def register(app: typer.Typer) -> None:
    """Add `import` to `app`."""
    app.command("import")(_import)


def _import(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="The file's format; `daybreak import --list` names them.",
            autocompletion=complete_importers,
        ),
    ] = None,
    path: Annotated[
        str | None,
        typer.Argument(
            help="The file or folder to read; for some formats a URL.",
            autocompletion=complete_files,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What to call it; else after the file.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", "-o", metavar="NAME=VALUE", help="An option of the importer; repeatable."
        ),
    ] = None,
    suite: Annotated[
        Path | None, typer.Option(help="Write a suite that uses it to this file.")
    ] = None,
    results: Annotated[
        Path,
        typer.Option(envvar="DAYBREAK_RESULTS", help="Where files that hold whole studies go."),
    ] = Path("results"),
    listing: Annotated[
        bool, typer.Option("--list", help="List the formats; with one named, its options.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read another tool's file: recorded measurements become a benchmark, studies become results.

    Without --suite, a suite to run next is printed.

    Example: daybreak import t4 gemm.json.gz --name gemm > gemm.yaml
    """
    from daybreak.errors import UserError
    from daybreak.plugin import load_plugins

    registry = load_plugins()
    if listing or kind is None:
        list_kinds(registry, "importer", kind, as_json=as_json)
        return
    registry.get("importer", kind)  # an unknown kind is said before a missing path
    if path is None:
        raise UserError(
            "no file is named",
            expected=f"daybreak import {kind} PATH",
            remedy=f"its options: daybreak import {kind} --list",
        )
    from daybreak.run.importing import import_file

    with _progress() as progress:
        done = import_file(
            registry,
            kind,
            path,
            name=name,
            options=option or (),
            results=results,
            progress=progress,
        )
    written = _write_suite(done, suite)
    if as_json:
        print_json(_row(done, suite if written else None))
        return
    _tell(done, results)
    if written:
        print_message(f"run it: daybreak run {shlex.quote(str(suite))}")
    elif done.report.suite is not None:
        print_message("a suite to run next:")
        typer.echo(done.report.suite, nl=not done.report.suite.endswith("\n"))


def list_kinds(registry: Registry, kind: str, name: str | None, *, as_json: bool) -> None:
    """Print the importers or exporters, or the options of the one called `name`.

    Raises:
        UserError: there is none of that name.
    """
    from daybreak.cli.components import component_row, warn_of_broken_plugins

    if name is not None:
        schema = registry.get(kind, name).options_schema()
        options = [{"option": option, **about} for option, about in schema["properties"].items()]
        if not as_json:
            options = [{**row, "default": _default(row)} for row in options]
        print_table(options, ["option", "default", "description"], as_json=as_json)
        return
    rows = [component_row(component) for component in registry.components(kind).values()]
    if not as_json:
        rows = [{**row, "missing": ", ".join(row["missing"])} for row in rows]
    print_table(rows, ["name", "summary", "distribution", "missing"], as_json=as_json)
    if not rows and not as_json:
        print_message(f"{kind}s come with plugins; none is installed")
    if rows and not as_json:
        word = kind.removesuffix("er")
        print_message(f"options of one: daybreak {word} {rows[0]['name']} --list")
    warn_of_broken_plugins(registry)


def _default(option: Mapping[str, Any]) -> str | None:
    """Return an option's default as it is typed; None: there is none, or it is nothing."""
    default = option.get("default")
    return default if default is None or isinstance(default, str) else json.dumps(default)


def _write_suite(done: Imported, suite: Path | None) -> bool:
    """Write the suite that the importer gave; False when there is none or none is wanted."""
    from daybreak.errors import UserError

    if suite is None:
        return False
    if done.report.suite is None:
        print_message(f"warning: the importer '{done.kind}' gives no suite; nothing is written")
        return False
    try:
        suite.write_text(done.report.suite, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=suite) from error
    return True


def _row(done: Imported, suite: Path | None) -> dict[str, Any]:
    report = done.report
    return {
        "kind": done.kind,
        "path": done.url or str(done.path),
        "rows": report.rows,
        "kept": report.kept,
        "left_out": dict(report.left_out),
        "place": None if report.place is None else str(report.place),
        "benchmarks": list(report.benchmarks),
        "run_id": done.run_id,
        "known": done.known,
        "runs": [] if done.run_id is None else list(_runs(done)),
        "studies": None
        if done.collected is None
        else {
            "added": done.collected.added,
            "changed": done.collected.changed,
            "known": done.collected.known,
        },
        "notes": list(report.notes),
        "remarks": [
            {"file": remark.file, "line": remark.line, "what": remark.what}
            for remark in report.remarks
        ],
        "suite": report.suite,
        "suite_file": None if suite is None else str(suite),
    }


def _tell(done: Imported, results: Path) -> None:
    report = done.report
    words = f"{done.url or done.path}: {report.kept} of {report.rows} rows kept"
    reasons = [f"{count} {reason}" for reason, count in report.left_out.items() if count]
    print_message(words + (f"; left out: {', '.join(reasons)}" if reasons else ""))
    for note in report.notes:
        print_message(f"note: {note}")
    if report.place is not None:
        print_message(f"put in {report.place}")
    for benchmark in report.benchmarks[:_MOST_BENCHMARKS]:
        print_message(f"benchmark: {benchmark}")
    if len(report.benchmarks) > _MOST_BENCHMARKS:
        more = len(report.benchmarks) - _MOST_BENCHMARKS
        print_message(f"... and {more} more benchmarks (all of them: --json)")
    _tell_remarks(report.remarks)
    if done.run_id is None:
        return
    where = "" if results == Path("results") else f" --results {shlex.quote(str(results))}"
    had = "recorded before" if done.known else "recorded"
    runs = list(_runs(done))
    for run_id in runs[:3]:
        print_message(f"{had} as run {run_id}: daybreak show {run_id}{where}")
    if len(runs) > 3:
        print_message(f"... and {len(runs) - 3} more runs: daybreak runs list{where}")
    if done.collected is not None:
        counts = done.collected
        print_message(
            f"{counts.added} {'study' if counts.added == 1 else 'studies'} added, "
            f"{counts.changed} changed, {counts.known} known before"
        )


def _runs(done: Imported) -> list[str]:
    if done.collected is not None:
        return list(done.collected.runs)
    return [] if done.run_id is None else [done.run_id]


def _tell_remarks(remarks: Sequence[Remark]) -> None:
    """Say what was odd: how much of each kind, and the first of them by file and line."""
    if not remarks:
        return
    kinds: dict[str, list[Remark]] = {}
    for remark in remarks:
        kinds.setdefault(remark.what.partition(":")[0], []).append(remark)
    print_message(f"{len(remarks)} remarks (all of them: --json):")
    each = max(1, _MOST_REMARKS // len(kinds))
    for kind, found in kinds.items():
        print_message(f"  {len(found)} x {kind}")
        for remark in found[:each]:
            place = remark.file if remark.line is None else f"{remark.file}:{remark.line}"
            rest = remark.what.partition(":")[2].strip()
            print_message(f"    {place}" + (f": {rest}" if rest else ""))


@contextmanager
def _progress() -> Iterator[Callable[[float | None, str], None]]:
    """Show a bar on standard error where that is a terminal, at most ten times a second."""
    from rich.console import Console

    def silent(fraction: float | None, what: str) -> None:
        del fraction, what

    console = Console(stderr=True)
    if not console.is_terminal:
        yield silent
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        shown = 0.0

        def tell(fraction: float | None, what: str) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown >= 0.1:
                shown = now
                total = None if fraction is None else 1.0
                text = what if len(what) <= 48 else "..." + what[-45:]
                bar.update(task, description=text, total=total, completed=fraction or 0.0)

        yield tell

"""`daybreak run`: run a suite, or go on with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daybreak.cli.completion import complete_suites
from daybreak.cli.output import print_message

if TYPE_CHECKING:
    from daybreak.run import RunSummary

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `run` to `app`."""
    app.command("run")(_run)


def _run(
    suite: Annotated[
        str,
        typer.Argument(
            help="Name of a shipped suite, or path of a YAML file.", autocompletion=complete_suites
        ),
    ],
    results: Annotated[
        Path, typer.Option(envvar="DAYBREAK_RESULTS", help="Folder for results.")
    ] = Path("results"),
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="Benchmarks worked on at a time.")
    ] = 1,
    executor: Annotated[str, typer.Option(help="Where studies run.")] = "local",
    only: Annotated[
        str | None, typer.Option(help="Run only studies that match, e.g. 'taco/spmm*'.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start a new run, resume nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print events as JSON lines instead of a live picture.")
    ] = False,
    strict_plugins: Annotated[
        bool, typer.Option("--strict-plugins", help="A broken plugin stops the run.")
    ] = False,
) -> None:
    """Run a suite. A run that was interrupted is continued.

    Example: daybreak run quickstart --results results

    Exit codes: 0 done, 1 some studies failed, 2 input or machine must be mended,
    130 interrupted with everything kept.
    """
    from daybreak.plugin import load_plugins
    from daybreak.run import JsonListener, run_suite
    from daybreak.run.progress import TerminalListener

    registry = load_plugins(strict=strict_plugins)
    if executor != "local":
        registry.get("executor", executor)
        raise typer.BadParameter(f"executor '{executor}' cannot be used by this version")
    listener = JsonListener(sys.stdout, _reader_gone) if as_json else TerminalListener()
    try:
        summary = run_suite(
            suite,
            results=results,
            jobs=jobs,
            only=only,
            fresh=fresh,
            listener=listener,
            registry=registry,
        )
    finally:
        listener.close()
    if not as_json:
        _closing_words(summary)
    raise typer.Exit(summary.exit_code)


def _reader_gone() -> None:
    """Stop the run as Ctrl-C does: nobody reads on, and everything finished is kept."""
    import os
    import signal

    # what standard output still holds must not fail once more when it is flushed at the end
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # a shell's background job is started deaf to it, until the run listens for itself
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def _closing_words(summary: RunSummary) -> None:
    if summary.status == "interrupted":
        print_message(f"interrupted; everything finished is kept in {summary.results}")
        print_message("the same command goes on from here")
        return
    from daybreak.cli.results import show_run

    show_run(summary.results, summary.run_id)

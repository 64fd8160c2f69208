"""The typer application: puts the commands of the sibling modules together."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    name="daybreak",
    help="Benchmark any optimizer on any target.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# each module has `register(app)`, which adds its commands; none imports anything heavy
_MODULES = (
    "run",
    "plan",
    "results",
    "compare",
    "analyze",
    "report",
    "sql",
    "db",
    "importing",
    "exporting",
    "suites",
    "benchmarks",
    "targets",
    "optimizers",
    "plugins",
    "space",
    "machine",
    "doctor",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from daybreak import __version__

        typer.echo(f"daybreak {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Benchmark any optimizer on any target."""


for _name in _MODULES:
    if importlib.util.find_spec(f"daybreak.cli.{_name}") is not None:
        importlib.import_module(f"daybreak.cli.{_name}").register(app)

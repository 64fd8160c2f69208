"""`daybreak optimizers`: which there are, what they take, their options."""

from __future__ import annotations

from typing import Annotated

import typer

from daybreak.cli.completion import complete_optimizers
from daybreak.cli.output import print_json, print_table

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the group `optimizers` to `app`."""
    optimizers = typer.Typer(
        help="List and show optimizers.", no_args_is_help=True, rich_markup_mode=None
    )
    optimizers.command("list")(_list)
    optimizers.command("show")(_show)
    app.add_typer(optimizers, name="optimizers")


def _list(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the optimizers that the installed plugins bring.

    Example: daybreak optimizers list
    """
    from daybreak.cli.components import component_row, warn_of_broken_plugins
    from daybreak.plugin import load_plugins

    registry = load_plugins()
    rows = [component_row(component) for component in registry.components("optimizer").values()]
    for row in rows:
        row["objectives"] = row["max_objectives"] or "any"
        row["takes"] = ", ".join(row["parameter_types"])
    columns = ["name", "summary", "takes", "objectives", "isolation", "distribution"]
    print_table(rows, columns, as_json=as_json)
    warn_of_broken_plugins(registry)


def _show(
    name: Annotated[
        str, typer.Argument(help="Name of an optimizer.", autocompletion=complete_optimizers)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show an optimizer: what it takes and its options.

    Example: daybreak optimizers show random
    """
    from daybreak.cli.components import component_row
    from daybreak.cli.details import print_options, print_record
    from daybreak.plugin import load_plugins

    component = load_plugins().get("optimizer", name)
    row = component_row(component)
    schema = component.options_schema()
    if as_json:
        print_json({**row, "options_schema": schema})
        return
    print_record(row)
    print_options(schema)

"""`daybreak targets`: which there are, what they need, and setting one up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.completion import complete_targets
from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    from daybreak.plugin.contracts import Installable, Requirement, Target

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the group `targets` to `app`."""
    targets = typer.Typer(
        help="List, show and set up targets.", no_args_is_help=True, rich_markup_mode=None
    )
    targets.command("list")(_list)
    targets.command("show")(_show)
    targets.command("setup")(_setup)
    app.add_typer(targets, name="targets")


def _list(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the targets that the installed plugins bring.

    Example: daybreak targets list
    """
    from daybreak.cli.components import component_row, warn_of_broken_plugins
    from daybreak.plugin import load_plugins

    registry = load_plugins()
    rows = [component_row(component) for component in registry.components("target").values()]
    shown = [{**row, "missing": ", ".join(row["missing"])} for row in rows] if not as_json else rows
    columns = ["name", "summary", "isolation", "distribution", "missing"]
    print_table(shown, columns, as_json=as_json)
    warn_of_broken_plugins(registry)


def _show(
    name: Annotated[str, typer.Argument(help="Name of a target.", autocompletion=complete_targets)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a target: its benchmarks, and what it needs and finds on this machine.

    Example: daybreak targets show taco
    """
    from daybreak.cli.components import component_row
    from daybreak.cli.details import print_record
    from daybreak.plugin import load_plugins
    from daybreak.plugin.contracts import Installable

    component = load_plugins().get("target", name)
    target: Target = component.create()
    needs = [*component.requirements(), *target.check()]
    benchmarks = [
        {"benchmark": f"{name}/{one.name}", "instance": one.instance, "summary": one.summary}
        for one in target.benchmarks()
    ]
    row = component_row(component)
    row["setup"] = f"daybreak targets setup {name}" if isinstance(target, Installable) else None
    if as_json:
        needed = [_requirement_row(one) for one in needs]
        print_json({**row, "requirements": needed, "benchmarks": benchmarks})
        return
    print_record(row)
    typer.echo()
    print_table(benchmarks, ["benchmark", "instance", "summary"])
    if needs:
        print_table([_requirement_row(one) for one in needs], ["needs", "met", "detail", "remedy"])


def _requirement_row(requirement: Requirement) -> dict[str, Any]:
    return {
        "needs": requirement.name,
        "met": "yes"
        if requirement.met
        else "no"
        if requirement.needed
        else "no, not always needed",
        "detail": requirement.detail,
        "remedy": requirement.remedy if not requirement.met else "",
    }


def _setup(
    name: Annotated[str, typer.Argument(help="Name of a target.", autocompletion=complete_targets)],
    force: Annotated[
        bool, typer.Option("--force", help="Install it again even if it is there.")
    ] = False,
) -> None:
    """Install a target's toolchain into your cache; a second call finds it there.

    Example: daybreak targets setup taco
    """
    from daybreak.errors import UserError
    from daybreak.plugin import load_plugins
    from daybreak.plugin.contracts import Installable

    registry = load_plugins()
    target: Target = registry.get("target", name).create()
    if not isinstance(target, Installable):
        unmet = [one for one in target.check() if one.needed and not one.met]
        if not unmet:
            print_message(f"{name} needs no setting up")
            return
        raise UserError(
            f"target '{name}' cannot set itself up; missing: "
            + "; ".join(f"{one.name}: {one.detail}" for one in unmet),
            remedy="; ".join(one.remedy for one in unmet),
        )
    typer.echo(_install(target, force))


def _install(target: Installable, force: bool) -> str:
    """Run the setup under a progress bar (on a terminal) or with a line for each step."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        said: list[str] = []

        def tell(_fraction: float | None, message: str) -> None:
            if message and (not said or said[-1] != message):
                said.append(message)
                print_message(message)

        return target.setup(tell, force=force)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("setting up", total=None)

        def show(fraction: float | None, message: str) -> None:
            progress.update(
                task,
                total=None if fraction is None else 1.0,
                completed=0.0 if fraction is None else fraction,
                description=message or "setting up",
            )

        return target.setup(show, force=force)

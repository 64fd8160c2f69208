"""`daybreak plugins`: which are installed and how loading them ended; checking; a new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    from daybreak.plugin import PluginRecord, Registry

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the group `plugins` to `app`."""
    plugins = typer.Typer(
        help="List, show, check and make plugins.", no_args_is_help=True, rich_markup_mode=None
    )
    plugins.command("list")(_list)
    plugins.command("show")(_show)
    plugins.command("doctor")(_doctor)
    plugins.command("new")(_new)
    app.add_typer(plugins, name="plugins")


def _list(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the ones that you have blocked.")
    ] = False,
    hook: Annotated[
        str | None,
        typer.Option("--hook", metavar="NAME", help="Only those that implement this hook."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict-plugins", help="A broken plugin is an error.")
    ] = False,
) -> None:
    """List the installed plugins, how loading each ended, and why.

    Example: daybreak plugins list --all
    """
    from daybreak.plugin import PluginStatus, load_plugins

    registry = load_plugins(strict=strict)
    chosen = list(registry.plugins)
    if hook is not None:
        implementing = registry.implementations(hook)
        chosen = [record for record in chosen if record.name in implementing]
    if not everything:
        chosen = [record for record in chosen if record.status is not PluginStatus.BLOCKED]
    rows = [_row(record, registry) for record in chosen]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["brings"] = ", ".join(
            f"{kind} {name}" for kind, names in row["components"].items() for name in names
        )
        row["load_ms"] = f"{row['load_ms']:.1f}"
    columns = ["name", "status", "distribution", "version", "brings", "load_ms"]
    print_table(rows, columns, right=("load_ms",))
    for row in rows:
        if row["reason"] and row["status"] != PluginStatus.OK:
            print_message(f"{row['name']}: {row['reason']}\n  remedy: {row['remedy']}")


def _row(record: PluginRecord, registry: Registry) -> dict[str, Any]:
    from daybreak.plugin import KINDS

    components = {
        kind: [
            name
            for name, component in registry.components(kind).items()
            if component.plugin == record.name
        ]
        for kind in KINDS
    }
    return {
        "name": record.name,
        "status": record.status,
        "distribution": record.distribution,
        "version": record.version,
        "module": record.module,
        "reason": record.reason,
        "remedy": record.remedy,
        "load_ms": round(record.load_ms, 3),
        "hooks": list(record.hooks),
        "components": {kind: names for kind, names in components.items() if names},
    }


def _show(
    name: Annotated[str, typer.Argument(help="Name of a plugin.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a plugin: its hooks and components, or where it failed.

    Example: daybreak plugins show taco
    """
    from daybreak.cli.components import component_row
    from daybreak.cli.details import print_record
    from daybreak.errors import UserError, nearest
    from daybreak.plugin import load_plugins

    registry = load_plugins()
    records = {record.name: record for record in registry.plugins}
    if name not in records:
        raise UserError(
            f"there is no plugin '{name}'",
            expected=f"one of {', '.join(records)}",
            nearest=nearest(name, records),
            remedy="see `daybreak plugins list --all`",
        )
    record = records[name]
    row = _row(record, registry)
    components = [
        {"kind": kind, **component_row(registry.get(kind, one))}
        for kind, names in row.pop("components").items()
        for one in names
    ]
    if as_json:
        print_json({**row, "components": components, "traceback": record.traceback})
        return
    print_record(row)
    for component in components:
        typer.echo()
        print_record(component)
    if record.traceback:
        typer.echo()
        typer.echo(record.traceback.rstrip())


def _doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    timeout: Annotated[
        float, typer.Option(help="Seconds that importing one plugin's components may take.")
    ] = 60.0,
) -> None:
    """Check every plugin: import its factories and options models, look for what it requires.

    Example: daybreak plugins doctor

    Exit codes: 0 all is well, 1 something is broken.
    """
    from daybreak.plugin import load_plugins
    from daybreak.plugin.checkup import check_plugins

    findings = check_plugins(
        load_plugins(),
        timeout_s=timeout,
        progress=None if as_json else lambda name: print_message(f"checking {name} ..."),
    )
    rows = [
        {
            "plugin": one.plugin,
            "checked": one.what,
            "result": one.fault or "ok",
            "ok": not one.fault,
            "remedy": one.remedy,
        }
        for one in findings
    ]
    print_table(rows, ["plugin", "checked", "result", "remedy"], as_json=as_json)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)


def _new(
    kind: Annotated[str, typer.Argument(metavar="target|optimizer", help="What it brings.")],
    path: Annotated[Path, typer.Argument(help="Folder of the new project; named after it.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the component; default: the folder's name.")
    ] = None,
) -> None:
    """Write a complete plugin project: package, options, tests with the conformance kit, README.

    Example: daybreak plugins new optimizer ./daybreak-annealing
    """
    from daybreak.plugin.scaffold import write_project

    project = write_project(kind, path, name=name)
    for file in project.files:
        typer.echo(str(file))
    print_message(
        f"\nNext:\n  pip install -e '{project.folder}[test]'\n"
        f"  pytest {project.folder}\n  daybreak {kind}s show {project.component}"
    )

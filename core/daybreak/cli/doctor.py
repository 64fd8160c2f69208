"""`daybreak doctor`: what is missing on this machine, and the command for each."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from daybreak.cli.output import print_message, print_table

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add `doctor` to `app`."""
    app.command("doctor")(_doctor)


def _doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also show what is there.")] = False,
) -> None:
    """Say what is missing on this machine for each installed component, and how to get it.

    Example: daybreak doctor --all

    Exit codes: 0 nothing that is needed is missing, 2 something is.
    """
    from daybreak.cli.diagnosis import diagnose
    from daybreak.plugin import load_plugins

    items = diagnose(load_plugins())
    if as_json:
        print_table([asdict(item) for item in items], (), as_json=True)
    else:
        shown = items if everything else [item for item in items if not item.met]
        rows = [
            {
                "for": item.area,
                "what": item.name,
                "status": "ok" if item.met else "missing" if item.needed else "advice",
                "detail": item.detail,
                "remedy": item.remedy,
            }
            for item in shown
        ]
        if rows:
            print_table(rows, ["for", "what", "status", "detail", "remedy"])
    missing = [item for item in items if item.needed and not item.met]
    if missing:
        print_message(
            f"{len(missing)} needed thing{'s are' if len(missing) > 1 else ' is'} missing"
        )
        raise typer.Exit(2)
    print_message(f"{len(items)} things looked for; nothing that is needed is missing")

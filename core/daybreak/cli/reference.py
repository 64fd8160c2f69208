"""The command reference in Markdown, made from the commands themselves.

``python -m daybreak.cli.reference > docs/reference/cli.md`` writes it; a test compares.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

__all__ = ["reference"]

_HEAD = """# Command line

Made from the commands' own help by `python -m daybreak.cli.reference`.

Exit codes: 0 done, 1 some studies failed (or a check found something broken), 2 the user's input or machine must be
mended, 130 interrupted with everything kept.
"""


def reference() -> str:
    """Return the reference of all commands as Markdown."""
    import typer

    from daybreak.cli.app import app

    root: Any = typer.main.get_command(app)
    parts = [_HEAD]
    for name, command in sorted(root.commands.items()):
        parts.extend(_describe(f"daybreak {name}", command))
    return "\n".join(parts).rstrip() + "\n"


def _describe(path: str, command: Any) -> list[str]:
    if command.hidden:
        return []
    commands = getattr(command, "commands", None)
    if commands:
        parts: list[str] = []
        for name, sub in sorted(commands.items()):
            parts.extend(_describe(f"{path} {name}", sub))
        return parts
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join(
        [path, *(_argument(a) for a in arguments), *(["[OPTIONS]"] if options else [])]
    )
    parts = [f"## {path}", "", f"`{usage}`", "", inspect.cleandoc(command.help or ""), ""]
    rows = [(_argument(a), a.help or "") for a in arguments]
    rows += [(", ".join([*o.opts, *o.secondary_opts]), o.help or "") for o in options]
    rows = [(name, text) for name, text in rows if name != "-h, --help"]
    if rows:
        parts += ["| argument or option | meaning |", "|---|---|"]
        parts += [f"| `{name}` | {' '.join(text.split())} |" for name, text in rows]
        parts.append("")
    return parts


def _argument(argument: Any) -> str:
    name = str(argument.name).upper()
    name += "..." if argument.nargs != 1 else ""
    return name if argument.required else f"[{name}]"


if __name__ == "__main__":
    sys.stdout.write(reference())

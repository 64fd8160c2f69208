"""The reference of the hooks in Markdown, made from the specifications themselves.

``python -m daybreak.plugin.reference > docs/reference/hooks.md`` writes it; a test compares.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap

from daybreak.plugin.hookspecs import OBSERVERS, REGISTRATION, WRAPPERS, HookSpecs
from daybreak.plugin.markers import API_VERSION, SUPPORTED_API

__all__ = ["hooks_page"]

_HEAD = f"""# Hooks

Made from the hook specifications by `python -m daybreak.plugin.reference`. How to write a plugin
is told in [Writing a plugin](../plugins.md).

A plugin is a module that an entry point of the group `daybreak.plugins` names. It implements hooks
as functions of the same name, marked with `@hookimpl`; it may leave out arguments that it does not
need. This is version {API_VERSION} of the API; a module says in `DAYBREAK_API` which version it was
written for (supported: `{SUPPORTED_API}`).
"""

_SECTIONS = (
    (
        "Registration",
        "Called once while plugins are loaded, for every listing too: return specs, import "
        "nothing heavy. A component's name is unique among its kind.",
        tuple(REGISTRATION),
    ),
    (
        "Observers",
        "Told what happens while a run goes on. One that raises is reported once and counted; it "
        "changes neither the run nor the other observers.",
        OBSERVERS,
    ),
    (
        "Around a trial",
        "Wrappers, in the process that runs the study and outside of the timed region.",
        WRAPPERS,
    ),
)


def hooks_page() -> str:
    """Return the reference of all hooks as Markdown."""
    parts = [_HEAD]
    for title, about, names in _SECTIONS:
        parts += [f"## {title}\n", f"{about}\n"]
        parts += [_describe(name) for name in names]
    return "\n".join(parts).rstrip() + "\n"


def _describe(name: str) -> str:
    function = getattr(HookSpecs, name)
    arguments = list(inspect.signature(function).parameters)[1:]
    doc, _, example = (inspect.getdoc(function) or "").partition("Example::\n")
    summary, _, rest = doc.partition("\n\n")
    body = [_prose(summary)]
    for block in rest.strip().split("\n\n"):
        heading, _, content = block.partition("\n")
        if heading == "Args:":
            body.append(_arguments(textwrap.dedent(content)))
        elif heading == "Returns:":
            body.append(
                f"Returns {_prose(textwrap.dedent(content))[:1].lower()}"
                f"{_prose(textwrap.dedent(content))[1:]}"
            )
        else:
            body.append(_prose(block))
    code = textwrap.dedent(example).strip()
    text = "\n\n".join(body)
    return f"### `{name}({', '.join(arguments)})`\n\n{text}\n\n```python\n{code}\n```\n"


def _arguments(text: str) -> str:
    items = re.split(r"\n(?=\S)", text.strip())
    lines = []
    for item in items:
        name, _, meaning = item.partition(": ")
        lines.append(f"- `{name}`: {_prose(meaning)}")
    return "\n".join(lines)


def _prose(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


if __name__ == "__main__":
    sys.stdout.write(hooks_page())

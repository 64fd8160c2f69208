"""Printing one thing in detail: its fields, and the options of a JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["options_rows", "print_options", "print_record"]


def print_record(record: Mapping[str, Any]) -> None:
    """Print the fields of `record` that hold something, one a line, names aligned."""
    shown = {name: value for name, value in record.items() if value not in (None, "", [], {}, ())}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        lines = text.splitlines() or [""]
        print_line(f"{name:<{width}}  {lines[0]}")
        for line in lines[1:]:
            print_line(f"{'':<{width}}  {line}")


def options_rows(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each option of a pydantic model's JSON schema."""
    required = set(schema.get("required", ()))
    definitions = schema.get("$defs", {})
    return [
        {
            "option": name,
            "type": _type(option, definitions),
            "default": "(required)" if name in required else json.dumps(option.get("default")),
            "meaning": " ".join(str(option.get("description", "")).split()),
        }
        for name, option in schema.get("properties", {}).items()
    ]


def print_options(schema: Mapping[str, Any]) -> None:
    """Print the options that a JSON schema describes."""
    from daybreak.cli.output import print_table

    rows = options_rows(schema)
    if not rows:
        print_line("\nIt takes no options.")
        return
    print_line("")
    print_table(rows, ["option", "type", "default", "meaning"])


def print_line(text: str) -> None:
    """Print a line on standard output, as it is."""
    import typer

    typer.echo(text)


def _type(option: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in option:
        return _type(definitions.get(str(option["$ref"]).rpartition("/")[2], {}), definitions)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in option:
            kinds = [_type(one, definitions) for one in option[key]]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in option:
        return " | ".join(json.dumps(value) for value in option["enum"])
    if "const" in option:
        return json.dumps(option["const"])
    kind = str(option.get("type", "anything"))
    if kind == "array" and isinstance(option.get("items"), Mapping):
        kind = f"list of {_type(option['items'], definitions)}"
    bounds = [
        f"{sign} {option[key]}"
        for key, sign in (
            ("minimum", ">="),
            ("exclusiveMinimum", ">"),
            ("maximum", "<="),
            ("exclusiveMaximum", "<"),
        )
        if key in option
    ]
    return " ".join([kind, *bounds])

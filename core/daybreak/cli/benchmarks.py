"""`daybreak benchmarks`: every benchmark of every target, and one of them in detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.completion import complete_benchmarks
from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    from pydantic import ValidationError

    from daybreak.errors import UserError
    from daybreak.plugin import Component
    from daybreak.plugin.contracts import Benchmark

__all__ = ["define_benchmark", "register"]


def register(app: typer.Typer) -> None:
    """Add the group `benchmarks` to `app`."""
    benchmarks = typer.Typer(
        help="List and show benchmarks.", no_args_is_help=True, rich_markup_mode=None
    )
    benchmarks.command("list")(_list)
    benchmarks.command("show")(_show)
    app.add_typer(benchmarks, name="benchmarks")


def _list(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every benchmark of every installed target, with its default options.

    Example: daybreak benchmarks list
    """
    from daybreak.cli.components import warn_of_broken_plugins
    from daybreak.errors import DaybreakError
    from daybreak.plugin import load_plugins

    registry = load_plugins()
    rows: list[dict[str, Any]] = []
    for name, component in registry.components("target").items():
        try:
            rows += [_row(name, benchmark) for benchmark in component.create().benchmarks()]
        except DaybreakError as error:
            print_message(f"warning: target '{name}' lists no benchmarks: {error}")
        except Exception as error:
            print_message(
                f"warning: target '{name}' lists no benchmarks: {type(error).__name__}: {error}"
            )
    columns = ["benchmark", "instance", "parameters", "objectives", "references", "summary"]
    shown = rows if as_json else [_flat(row) for row in rows]
    print_table(shown, columns, as_json=as_json, right=("parameters",))
    warn_of_broken_plugins(registry)


def _show(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="TARGET/BENCHMARK",
            help="Full name of a benchmark.",
            autocompletion=complete_benchmarks,
        ),
    ],
    options: Annotated[
        list[str] | None,
        typer.Option("-o", "--option", metavar="KEY=VALUE", help="An option; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a benchmark: its search space, objectives, references, notes and options.

    Example: daybreak benchmarks show taco/spmm -o columns=64
    """
    from daybreak.cli.details import print_options, print_record

    component, made = define_benchmark(benchmark, options or [])
    schema = component.options_schema(made.name)
    row = {**_row(component.name, made), "options": dict(made.options), "notes": list(made.notes)}
    space = made.space
    row["configurations"] = space.size
    row["feasible"] = _count(space)
    if as_json:
        references = [
            {
                "name": one.name,
                "configuration": dict(one.configuration),
                "in_space": one.in_space,
                "note": one.note,
                "source": one.source,
            }
            for one in made.references
        ]
        described = {"references": references, "space": space.to_dict(), "options_schema": schema}
        print_json({**row, **described})
        return
    summary = _flat(row)
    summary["options"] = ", ".join(f"{key}={value}" for key, value in row["options"].items())
    summary["notes"] = "\n".join(made.notes)
    print_record(summary)
    typer.echo()
    print_table(
        [_parameter_row(parameter) for parameter in space.parameters],
        ["parameter", "type", "values", "default", "when"],
    )
    for constraint in space.constraints:
        typer.echo(f"constraint: {constraint}")
    for reference in made.references:
        values = ", ".join(f"{key}={value}" for key, value in reference.configuration.items())
        outside = "" if reference.in_space else " (outside the space)"
        typer.echo(f"reference {reference.name}{outside}: {values}")
        if reference.note or reference.source:
            typer.echo(f"  {'; '.join(filter(None, (reference.note, reference.source)))}")
    print_options(schema)


def define_benchmark(full_name: str, options: list[str]) -> tuple[Component, Benchmark]:
    """Return the target's component and the benchmark, for options of the form ``key=value``.

    Values are read as YAML, as in a suite.

    Raises:
        UserError: there is no such target or benchmark, or an option is wrong.
    """
    from pydantic import ValidationError

    from daybreak.errors import UserError, nearest
    from daybreak.plugin import load_plugins

    target_name, separator, rest = full_name.partition("/")
    registry = load_plugins()
    component = registry.get("target", target_name)
    target = component.create()
    known = [benchmark.name for benchmark in target.benchmarks()]
    name = rest.partition(":")[0]
    if not separator or name not in known:
        raise UserError(
            f"target '{target_name}' has no benchmark '{name}'",
            expected="one of " + ", ".join(f"{target_name}/{one}" for one in known),
            nearest=f"{target_name}/{near}" if (near := nearest(name, known)) else None,
            remedy="see `daybreak benchmarks list`",
        )
    given = dict(_parse_option(text) for text in options)
    try:
        validated = component.validate(given, benchmark=name)
    except ValidationError as error:
        schema = component.options_schema(name).get("properties", {})
        see = f"see `daybreak benchmarks show {target_name}/{name}`"
        raise _option_error(error, list(schema), see) from error
    return component, target.define(name, validated)


def _option_error(error: ValidationError, known: list[str], remedy: str) -> UserError:
    """Return what pydantic found first, in the words of the suite's messages."""
    from daybreak.errors import UserError, nearest

    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return UserError(
            f"unknown option '{field}'",
            expected=f"one of {', '.join(known)}" if known else "no options",
            nearest=nearest(field, known),
            remedy=remedy,
        )
    if first["type"] == "value_error":  # a validator's own words, which say what is expected
        message = str(first.get("ctx", {}).get("error") or first["msg"])
    else:
        message = f"{first['msg']} (got {first['input']!r})"
    return UserError(message, field=f"option {field}", remedy=remedy)


def _parse_option(text: str) -> tuple[str, Any]:
    import yaml

    from daybreak.errors import UserError

    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise UserError(f"option '{text}' is not of the form KEY=VALUE")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"option '{key}': '{value}' is no YAML value") from error


def _row(target: str, benchmark: Benchmark) -> dict[str, Any]:
    instance = f":{benchmark.instance}" if benchmark.instance else ""
    return {
        "benchmark": f"{target}/{benchmark.name}",
        "full_name": f"{target}/{benchmark.name}{instance}",
        "instance": benchmark.instance,
        "summary": benchmark.summary,
        "parameters": len(benchmark.space.parameters),
        "objectives": [
            {"name": one.name, "unit": one.unit, "direction": one.direction}
            for one in benchmark.objectives
        ],
        "metrics": [
            {"name": one.name, "unit": one.unit, "direction": one.direction}
            for one in benchmark.metrics
        ],
        "references": [reference.name for reference in benchmark.references],
        "hidden_constraints": benchmark.hidden_constraints,
        **_training(benchmark),
    }


def _training(benchmark: Benchmark) -> dict[str, Any]:
    """Return what is said of a training job; nothing of any other benchmark."""
    from dataclasses import asdict

    if benchmark.curve is None:
        return {}
    return {"curve": asdict(benchmark.curve), "seeded": benchmark.seeded}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat = dict(row)
    for key in ("objectives", "metrics"):
        flat[key] = ", ".join(
            f"{one['direction']} {one['name']} [{one['unit']}]" for one in row[key]
        )
    flat["references"] = ", ".join(row["references"])
    if "curve" in row:
        curve = row["curve"]
        target = "no target of its own" if curve["target"] is None else f"to {curve['target']:g}"
        flat["curve"] = f"{curve['metric']}, {target}"
    return flat


def _count(space: Any) -> int | None:
    from daybreak.errors import SpaceError

    try:
        count: int | None = space.count()
    except SpaceError:
        return None
    return count


def _parameter_row(parameter: Any) -> dict[str, Any]:
    values = getattr(parameter, "values", None)
    if values is not None:
        shown = ", ".join(map(str, values))
    elif hasattr(parameter, "low"):
        shown = f"{parameter.low} .. {parameter.high}"
    elif hasattr(parameter, "length"):
        shown = f"orders of 0 .. {parameter.length - 1}"
    else:
        shown = f"{parameter.language or 'source'} text"
    return {
        "parameter": parameter.name,
        "type": parameter.type + (" (log)" if getattr(parameter, "log", False) else ""),
        "values": shown if len(shown) <= 60 else shown[:57] + "...",
        "default": parameter.default,
        "when": parameter.when,
    }

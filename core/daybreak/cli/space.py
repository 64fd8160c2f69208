"""`daybreak space count|sample|check`: look into the search space of a benchmark or of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.output import print_json, print_message, print_table

if TYPE_CHECKING:
    from daybreak.space import Parameter, Space

__all__ = ["register"]

#: Longer lists of values are cut in the middle.
_SHOWN = 30
_SOURCE = typer.Argument(
    metavar="BENCHMARK-or-FILE",
    help="A benchmark such as taco/spmm, or a YAML file that describes a search space.",
)
_DATASET = typer.Option("--dataset", help="Which space of a file that holds several.")
_OPTION = typer.Option(
    "--option", "-o", metavar="KEY=VALUE", help="An option of the benchmark; may be repeated."
)
_JSON = typer.Option("--json", help="Print JSON on standard output.")


def register(app: typer.Typer) -> None:
    """Add `daybreak space` to `app`."""
    space_app = typer.Typer(
        name="space",
        help="Count, sample and check search spaces.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    space_app.command("count", epilog="Example: daybreak space count taco/spmm")(_count)
    space_app.command(
        "sample", epilog="Example: daybreak space sample space.yaml -n 10 --seed 1 --method path"
    )(_sample)
    space_app.command("check", epilog="Example: daybreak space check space.yaml '{\"tile\": 8}'")(
        _check
    )
    app.add_typer(space_app)


def _count(
    source: Annotated[str, _SOURCE],
    dataset: Annotated[str | None, _DATASET] = None,
    option: Annotated[list[str] | None, _OPTION] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Count the configurations that satisfy the known constraints, exactly."""
    space = _find_space(source, dataset, option)
    summary = _summary(space)
    if as_json:
        print_json(summary)
        return
    for line in _sizes(summary):
        print_message(line)
    typer.echo("infinite" if summary["feasible"] is None else summary["feasible"])


def _sample(
    source: Annotated[str, _SOURCE],
    n: Annotated[int, typer.Option("-n", min=1, help="How many configurations.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draw.")] = 0,
    method: Annotated[
        str,
        typer.Option(
            "--method", help="uniform: all equally likely; path: a random walk down each tree."
        ),
    ] = "uniform",
    unique: Annotated[bool, typer.Option("--unique", help="Draw without replacement.")] = False,
    dataset: Annotated[str | None, _DATASET] = None,
    option: Annotated[list[str] | None, _OPTION] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Draw feasible configurations; prints one JSON object per line."""
    space = _find_space(source, dataset, option)
    drawn = space.sample(n, seed, method=method, unique=unique)
    if len(drawn) < n:
        print_message(f"there are only {len(drawn)} feasible configurations")
    if as_json:
        print_json(drawn)
        return
    for configuration in drawn:
        typer.echo(json.dumps(configuration))


def _check(
    source: Annotated[str, _SOURCE],
    configuration: Annotated[
        str | None,
        typer.Argument(
            metavar="CONFIGURATION-JSON",
            help="A configuration to check, e.g. '{\"tile\": 8}', or @FILE with one in it.",
        ),
    ] = None,
    dataset: Annotated[str | None, _DATASET] = None,
    option: Annotated[list[str] | None, _OPTION] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Check a search space and its references, or one configuration (exit code 2 if infeasible)."""
    space = _find_space(source, dataset, option)
    if configuration is not None:
        space.check(space_configuration(configuration))
        if as_json:
            print_json({"feasible": True})
        else:
            typer.echo("feasible")
        return
    summary = _summary(space)
    summary["parameters"] = [parameter.to_dict() for parameter in space.parameters]
    summary["constraints"] = [constraint.text for constraint in space.constraints]
    summary["references"] = {
        name: {"configuration": dict(given), "violations": space.violations(given)}
        for name, given in space.references.items()
    }
    summary["notes"] = list(space.notes)
    if as_json:
        print_json(summary)
        return
    _print_summary(space, summary)


def space_configuration(text: str) -> Any:
    """Read a configuration from JSON text, or from the file named after `@`.

    Raises:
        SpaceError: no JSON object, or an unreadable file.
    """
    from daybreak.errors import SpaceError

    file = None
    if text.startswith("@"):
        file = text[1:]
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpaceError(f"cannot be read: {error}", file=file) from error
    try:
        given = json.loads(text)
    except ValueError as error:
        raise SpaceError(
            f"the configuration is not JSON: {error}",
            file=file,
            expected='an object such as {"tile": 8, "order": [0, 1, 2]}',
        ) from error
    if not isinstance(given, dict):
        raise SpaceError("the configuration is not a JSON object", file=file)
    return given


def _find_space(source: str, dataset: str | None, options: list[str] | None) -> Space:
    """Return the space of a file, if `source` is one or looks like one, else of a benchmark."""
    from daybreak.errors import SpaceError
    from daybreak.space import Space, load_space

    path = Path(source)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if options:
            raise SpaceError("--option is for benchmarks; this is a file", file=source)
        return load_space(path, dataset)
    if dataset is not None:
        raise SpaceError("--dataset is for files; use --option for a benchmark", field=source)
    _, slash, name = source.partition("/")
    if not slash or not name:
        raise SpaceError(
            f"'{source}' is neither a file nor a benchmark",
            expected="a YAML file, or TARGET/BENCHMARK such as taco/spmm",
            remedy="daybreak benchmarks list",
        )
    from daybreak.cli.benchmarks import define_benchmark

    _, benchmark = define_benchmark(source, options or [])
    space = benchmark.space
    return Space(
        space.parameters,
        space.constraints,
        space.name or source,
        references={
            **space.references,
            **{r.name: r.configuration for r in benchmark.references if r.in_space},
        },
        published=space.published,
        notes=(*space.notes, *benchmark.notes),
    )


def _summary(space: Space) -> dict[str, Any]:
    return {
        "name": space.name,
        "size": space.size,
        "feasible": space.count(),
        "trees": [
            {"parameters": list(names), "leaves": leaves}
            for names, leaves in space.leaf_counts().items()
        ],
        "published": space.published,
        "fingerprint": space.fingerprint(),
    }


def _sizes(summary: dict[str, Any]) -> list[str]:
    size = summary["size"]
    lines = ["size: not countable" if size is None else f"size: {size:,} without constraints"]
    lines += [
        f"tree: {', '.join(tree['parameters'])}: {tree['leaves']:,} feasible combinations"
        for tree in summary["trees"]
    ]
    return lines


def _print_summary(space: Space, summary: dict[str, Any]) -> None:
    rows = [
        {
            "parameter": parameter.name,
            "type": parameter.type,
            "values": _values(parameter),
            "scale": "log" if getattr(parameter, "log", False) else "",
            "default": parameter.default,
            "when": parameter.when,
        }
        for parameter in space.parameters
    ]
    print_table(rows, ["parameter", "type", "values", "scale", "default", "when"])
    for constraint in space.constraints:
        typer.echo(f"constraint: {constraint.text}")
    for line in _sizes(summary):
        typer.echo(line)
    feasible = summary["feasible"]
    typer.echo(f"feasible: {'not countable' if feasible is None else f'{feasible:,}'}")
    for name, reference in summary["references"].items():
        found = reference["violations"]
        typer.echo(f"reference {name}: {'not feasible' if found else 'feasible'}")
        for violation in found:
            typer.echo(f"  - {violation}")


def _values(parameter: Parameter) -> str:
    described = parameter.to_dict()
    match parameter.type:
        case "real" | "integer":
            return f"{described['low']} .. {described['high']}"
        case "ordinal" | "categorical":
            values = list(map(str, described["values"]))
            if len(values) > _SHOWN:
                values = [*values[: _SHOWN - 2], "...", values[-1], f"({len(values)} values)"]
            return ", ".join(values)
        case "permutation":
            return f"orders of {described['length']}"
        case _:
            return described.get("language") or "source text"

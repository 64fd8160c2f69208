"""Prints what becomes of a configuration: ``python -m daybreak_rise show mm-gpu``."""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from daybreak import BuildFailed, Configuration, Parameter, Permutation, UserError, nearest

if TYPE_CHECKING:
    from daybreak_rise.benchmarks import Workload

__all__ = ["main"]

#: what is no longer is no size
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
#: steps that only tidy up; shown by --all
_TIDYING = ("beta_reduction", "eta_abstraction", "first_of_pair", "second_of_pair", "pair_of_parts")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 2 when the user's input must be mended."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_rise", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser(
        "show", help="print the program, its rewriting step by step, and the kernel"
    )
    show.add_argument("benchmark", help="scal, asum, kmeans, harris, stencil, mm-gpu or mm-cpu")
    show.add_argument(
        "--configuration", help="JSON object of parameters; others are the reference's"
    )
    show.add_argument("--reference", default="expert", help="default or expert (default: expert)")
    show.add_argument(
        "--option", action="append", default=[], metavar="NAME=NUMBER", help="a size, e.g. n=64"
    )
    show.add_argument("--language", choices=("opencl", "cuda", "c"), help="of the kernel")
    show.add_argument("--only", choices=("program", "steps", "lowered", "kernel"))
    show.add_argument("--all", action="store_true", help="also the steps that only tidy up")
    chosen = parser.parse_args(arguments)
    try:
        text = _show(chosen)
    except (UserError, BuildFailed) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    print(text)  # noqa: T201
    return 0


def _show(chosen: argparse.Namespace) -> str:
    from daybreak_rise.benchmarks import WORKLOADS
    from daybreak_rise.elevate.trace import trace
    from daybreak_rise.generation import generate_program
    from daybreak_rise.printer import show_lines

    workload = WORKLOADS.get(chosen.benchmark)
    if workload is None:
        raise UserError(
            f"no benchmark '{chosen.benchmark}'",
            expected="one of " + ", ".join(WORKLOADS),
            nearest=nearest(chosen.benchmark, WORKLOADS),
        )
    sizes = _sizes(workload, chosen.option)
    configuration = _configuration(workload, sizes, chosen.reference, chosen.configuration)
    parts = {"program": show_lines(workload.program(sizes))}
    steps = trace(workload.strategy(sizes, configuration), workload.program(sizes))
    parts["steps"] = (steps if chosen.all else steps.without(*_TIDYING)).text()
    lowered = workload.lower(sizes, configuration)
    parts["lowered"] = show_lines(lowered)
    language = chosen.language or workload.language
    made, seconds = generate_program(workload, sizes, configuration, language)
    parts["kernel"] = made.source
    if chosen.only:
        return parts[chosen.only]
    kernels = "; ".join(
        f"{one.name}: {list(one.global_size)} work-items in groups of {list(one.local_size)}, "
        f"{one.local_bytes} bytes of local memory"
        for one in made.kernels
    )
    titles = {
        "program": "what is computed",
        "steps": "rewriting",
        "lowered": "how it is computed",
        "kernel": "kernel",
    }
    lines = [f"{workload.name} {json.dumps(dict(configuration))}", kernels]
    lines.append(
        f"rewritten in {1e3 * seconds['rewrite']:.1f} ms, generated in "
        f"{1e3 * seconds['generate']:.1f} ms"
    )
    for key, text in parts.items():
        lines += ["", f"== {titles[key]}", "", text.rstrip()]
    return "\n".join(lines)


def _sizes(workload: Workload, given: list[str]) -> dict[str, int]:
    """Return the published sizes, changed as `given` says, checked as a suite's options are."""
    from pydantic import ValidationError

    from daybreak_rise.benchmarks import sizes_in
    from daybreak_rise.options import options_of

    known, asked = workload.published, {}
    for word in given:
        name, _, value = word.partition("=")
        if name not in known:
            raise UserError(
                f"no size '{name}'",
                field="--option",
                expected=", ".join(known),
                nearest=nearest(name, known),
            )
        if not _NUMBER.fullmatch(value):
            raise UserError(
                f"'{value}' is no size", field=f"--option {name}", expected=f"{name}=NUMBER"
            )
        asked[name] = int(value)
    try:
        return dict(sizes_in(workload, options_of(workload.name)(**asked).model_dump()))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(
            str(first["msg"]).removeprefix("Value error, "), field=f"--option {place}".rstrip()
        ) from None


def _configuration(
    workload: Workload, sizes: dict[str, int], reference: str, text: str | None
) -> Configuration:
    references = workload.configurations(sizes)
    if reference not in references:
        raise UserError(
            f"no reference '{reference}'",
            field="--reference",
            expected=" or ".join(references),
            nearest=nearest(reference, references),
        )
    found = dict(references[reference])
    if text is None:
        return found
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"no JSON: {error}", field="--configuration", expected='an object, e.g. {"ls0": 16}'
        ) from None
    if not isinstance(given, dict):
        raise UserError("no object", field="--configuration", expected='e.g. {"ls0": 16}')
    parameters = {one.name: one for one in workload.parameters(sizes)}
    for name, value in given.items():
        if name not in parameters:
            raise UserError(
                f"no parameter '{name}'",
                field="--configuration",
                expected=", ".join(parameters),
                nearest=nearest(name, parameters),
            )
        found[name] = _value(parameters[name], value)
    return found


def _value(parameter: Parameter, value: Any) -> int | tuple[int, ...]:
    """Return a parameter's value; whole numbers may lie outside the search space, to see why not."""
    if isinstance(parameter, Permutation):
        return parameter.normalise(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 1 << 31:
        raise UserError(
            f"{json.dumps(value)[:60]} is no value",
            field=f"--configuration {parameter.name}",
            expected="a whole number from 1",
        )
    return value


if __name__ == "__main__":
    sys.exit(main())

"""Prints what becomes of a configuration: ``python -m daybreak_rise show mm-gpu``."""

from __future__ import annotations

import argparse
import json
import sys

from daybreak import BuildFailed, Configuration, UserError, nearest

__all__ = ["main"]

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
    sizes = _sizes(dict(workload.published), chosen.option)
    configuration = _configuration(
        workload.configurations(sizes), chosen.reference, chosen.configuration
    )
    parts = {"program": show_lines(workload.program(sizes))}
    strategy = workload.strategy(sizes, configuration)
    if strategy is None:
        parts["steps"] = "none: the low-level form of this benchmark is written by hand"
    else:
        steps = trace(strategy, workload.program(sizes))
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


def _sizes(sizes: dict[str, int], given: list[str]) -> dict[str, int]:
    for word in given:
        name, _, value = word.partition("=")
        if name not in sizes:
            raise UserError(
                f"no size '{name}'",
                expected=", ".join(sizes),
                nearest=nearest(name, sizes),
            )
        if not value.isdigit() or int(value) < 1:
            raise UserError(f"--option {word}: '{value}' is no size", expected=f"{name}=NUMBER")
        sizes[name] = int(value)
    return sizes


def _configuration(
    references: dict[str, Configuration], reference: str, text: str | None
) -> Configuration:
    if reference not in references:
        raise UserError(
            f"no reference '{reference}'",
            expected=" or ".join(references),
            nearest=nearest(reference, references),
        )
    found = dict(references[reference])
    if text is None:
        return found
    try:
        given = json.loads(text)
    except ValueError as error:
        raise UserError(
            f"--configuration is no JSON: {error}", expected='an object, e.g. {"ls0": 16}'
        ) from None
    if not isinstance(given, dict):
        raise UserError("--configuration is no object", expected='e.g. {"ls0": 16}')
    for name, value in given.items():
        if name not in found:
            raise UserError(
                f"no parameter '{name}'", expected=", ".join(found), nearest=nearest(name, found)
            )
        found[name] = tuple(value) if isinstance(value, list) else value
    return found


if __name__ == "__main__":
    sys.exit(main())

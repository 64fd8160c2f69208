"""Fetches and lists data: ``python -m daybreak_taco.data fetch suitesparse:cage12``."""

from __future__ import annotations

import argparse
import sys

from daybreak import UserError
from daybreak_taco.data.declared import MATRICES, TENSORS
from daybreak_taco.data.fetching import FROSTT, SUITESPARSE, fetch, place
from daybreak_taco.data.source import PYAMG, parse_source

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 2 when the user's input or machine must be mended."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_taco.data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch", help="fetch matrices and tensors into the cache")
    fetching.add_argument(
        "source", nargs="+", help="suitesparse:NAME, suitesparse:GROUP/NAME, frostt:NAME"
    )
    fetching.add_argument("--server", help="another server with the same paths")
    commands.add_parser("list", help="list what can be named")
    chosen = parser.parse_args(arguments)
    if chosen.command == "list":
        _list()
        return 0
    for source in chosen.source:
        try:
            parsed = parse_source(source, tensor=source.startswith("frostt:"))
            if parsed.kind not in ("suitesparse", "frostt"):
                raise UserError(f"'{source}' needs no fetching")
            path = fetch(parsed.kind, parsed.name, _progress, server=chosen.server)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201
            return 2
        print(f"{source}: {path}")  # noqa: T201
    return 0


def _progress(fraction: float | None, what: str) -> None:
    if sys.stderr.isatty():
        done = "" if fraction is None else f"{100 * fraction:3.0f} % "
        print(f"\r\033[K{done}{what}", end="" if fraction != 1 else "\n", file=sys.stderr)  # noqa: T201


def _list() -> None:
    for collection, names in (("suitesparse", SUITESPARSE), ("frostt", FROSTT)):
        for name in names:
            state = "cached" if place(collection, name).exists() else "not fetched"
            print(f"{collection}:{name}  ({state})")  # noqa: T201
    for name, (rows, entries) in PYAMG.items():
        print(f"pyamg:{name}  ({rows} rows, {entries} entries)")  # noqa: T201
    for what, generators in (("matrix", MATRICES), ("tensor", TENSORS)):
        for name, generator in generators.items():
            inside = ", ".join(generator.arguments)
            print(f"generate:{name}({inside})  {what}: {generator.summary}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())

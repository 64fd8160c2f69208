"""Lists and fetches image data: ``python -m daybreak_train.data fetch fashion-mnist``."""

from __future__ import annotations

import argparse
import sys

from daybreak import UserError
from daybreak_train.data.catalogue import DATA_SETS, data_set
from daybreak_train.data.fetching import fetch
from daybreak_train.data.places import presence

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 2 when the user's input or machine must be mended."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_train.data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch", help="fetch data sets into the cache")
    fetching.add_argument("name", nargs="+", help="fashion-mnist")
    fetching.add_argument("--server", help="URL of another folder with the same files")
    fetching.add_argument("--force", action="store_true", help="fetch again what is there")
    commands.add_parser("list", help="list the data sets, their licences, and where they are")
    chosen = parser.parse_args(arguments)
    if chosen.command == "list":
        _list()
        return 0
    for name in chosen.name:
        try:
            path = fetch(data_set(name), _progress, server=chosen.server, force=chosen.force)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201
            return 2
        print(f"{name}: {path}")  # noqa: T201
    return 0


def _progress(fraction: float | None, what: str) -> None:
    if sys.stderr.isatty():
        done = "" if fraction is None else f"{100 * fraction:3.0f} % "
        print(f"\r\033[K{done}{what}", end="" if fraction != 1 else "\n", file=sys.stderr)  # noqa: T201


def _list() -> None:
    for data in DATA_SETS.values():
        print(f"{data.name}: {data.summary}")  # noqa: T201
        for what, text in (
            ("licence", data.licence),
            ("source", data.source),
            ("", presence(data)),
        ):
            print(f"    {what + ': ' if what else ''}{text}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())

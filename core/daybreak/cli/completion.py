"""Tab completion: names of suites, components and runs."""

from __future__ import annotations

import contextlib
import os

__all__ = [
    "complete_benchmarks",
    "complete_exporters",
    "complete_files",
    "complete_importers",
    "complete_optimizers",
    "complete_suites",
    "complete_targets",
]


def complete_suites(incomplete: str) -> list[str]:
    """Return the shipped suites that begin with `incomplete`."""
    with contextlib.suppress(Exception):  # completion must never print a traceback
        from daybreak.suite import list_suites

        return [s.name for s in list_suites() if s.name.startswith(incomplete)]
    return []


def _components(kind: str, incomplete: str) -> list[str]:
    with contextlib.suppress(Exception):
        from daybreak.plugin import load_plugins

        return [n for n in load_plugins().components(kind) if n.startswith(incomplete)]
    return []


def complete_targets(incomplete: str) -> list[str]:
    """Return the targets that begin with `incomplete`."""
    return _components("target", incomplete)


def complete_optimizers(incomplete: str) -> list[str]:
    """Return the optimizers that begin with `incomplete`."""
    return _components("optimizer", incomplete)


def complete_importers(incomplete: str) -> list[str]:
    """Return the importers that begin with `incomplete`."""
    return _components("importer", incomplete)


def complete_exporters(incomplete: str) -> list[str]:
    """Return the exporters that begin with `incomplete`."""
    return _components("exporter", incomplete)


def complete_files(incomplete: str) -> list[str]:
    """Return the files and folders whose path begins with `incomplete`."""
    with contextlib.suppress(Exception):
        folder, _, start = incomplete.rpartition("/")
        before = f"{folder}/" if "/" in incomplete else ""
        return sorted(
            before + entry.name + ("/" if entry.is_dir() else "")
            for entry in os.scandir(before or ".")
            if entry.name.startswith(start)
        )
    return []


def complete_benchmarks(incomplete: str) -> list[str]:
    """Return the benchmarks, `target/name`, that begin with `incomplete`."""
    with contextlib.suppress(Exception):
        from daybreak.plugin import load_plugins

        names = [
            f"{name}/{benchmark.name}"
            for name, target in load_plugins().components("target").items()
            for benchmark in target.create().benchmarks()
        ]
        return [name for name in names if name.startswith(incomplete)]
    return []

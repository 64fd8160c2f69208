"""Registers the importers with Daybreak; imports nothing heavy."""

from __future__ import annotations

from daybreak import ImporterSpec, hookimpl

__all__ = ["DAYBREAK_API", "daybreak_register_importers"]

#: the version of Daybreak's hooks that this module is written for
DAYBREAK_API = "1.0"

_OPTIONS = "daybreak_importers.options:"


@hookimpl
def daybreak_register_importers() -> list[ImporterSpec]:
    """Return the importers: what they read becomes studies in the results."""
    return [
        ImporterSpec(
            name="dawnbench",
            factory="daybreak_importers.dawnbench.importer:DawnbenchImporter",
            summary="DAWNBench entries (a clone, or part of one): learning curves and latencies",
            options=_OPTIONS + "DawnbenchOptions",
        ),
        ImporterSpec(
            name="mllog",
            factory="daybreak_importers.mllog.importer:MllogImporter",
            summary="MLPerf training logs of any round (a file, a folder, a clone)",
            options=_OPTIONS + "MllogOptions",
        ),
        ImporterSpec(
            name="pytest-benchmark",
            factory="daybreak_importers.pytest_benchmark.importer:PytestBenchmarkImporter",
            summary="JSON files of pytest-benchmark (a file, or a folder of them)",
            options=_OPTIONS + "PytestBenchmarkOptions",
        ),
        ImporterSpec(
            name="optuna",
            factory="daybreak_importers.optuna_storage.importer:OptunaImporter",
            summary="Optuna studies: an SQLite file, a journal file, or a storage URL",
            options=_OPTIONS + "OptunaOptions",
            capabilities=frozenset({"url"}),
        ),
    ]

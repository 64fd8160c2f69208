"""Registers the target with Daybreak; imports nothing heavy."""

from __future__ import annotations

from daybreak import ExporterSpec, ImporterSpec, Isolation, TargetSpec, hookimpl

__all__ = [
    "DAYBREAK_API",
    "daybreak_register_exporters",
    "daybreak_register_importers",
    "daybreak_register_targets",
]

#: the version of Daybreak's hooks that this module is written for
DAYBREAK_API = "1.0"

_OPTIONS = "daybreak_replay.options:"


@hookimpl
def daybreak_register_targets() -> list[TargetSpec]:
    """Return the one target of this plugin."""
    return [
        TargetSpec(
            name="replay",
            factory="daybreak_replay.target:ReplayTarget",
            summary="recorded measurements, looked up: no hardware, a simulated clock",
            options=_OPTIONS + "RecordedOptions",
            capabilities=frozenset({"verifies", "simulates", "surveyed"}),
            isolation=Isolation.INLINE,
            exclusive=False,
            benchmark_options=(("table", _OPTIONS + "TableOptions"),),
        )
    ]


@hookimpl
def daybreak_register_importers() -> list[ImporterSpec]:
    """Return the importers: a file becomes a benchmark of the target."""
    return [
        ImporterSpec(
            name="t4",
            factory="daybreak_replay.importer:T4Importer",
            summary="T4 results or a Kernel Tuner cache (.json, .json.gz): becomes replay/NAME",
            options=_OPTIONS + "ImportOptions",
        ),
        ImporterSpec(
            name="table",
            factory="daybreak_replay.importer:TableImporter",
            summary="CSV, Parquet or a folder of Daybreak results: becomes replay/NAME",
            options=_OPTIONS + "ImportOptions",
        ),
    ]


@hookimpl
def daybreak_register_exporters() -> list[ExporterSpec]:
    """Return the exporters."""
    return [
        ExporterSpec(
            name="t4",
            factory="daybreak_replay.exporter:T4Exporter",
            summary="the auto-tuning community's results format T4",
            options=_OPTIONS + "ExportOptions",
            suffix=".t4.json",
        ),
        ExporterSpec(
            name="kernel-tuner",
            factory="daybreak_replay.exporter:CacheExporter",
            summary="a cache that Kernel Tuner reads, also for its simulation mode",
            options=_OPTIONS + "ExportOptions",
            suffix=".cache.json",
        ),
    ]

"""Makes a benchmark `replay/NAME` of a file: validates it and keeps it in the user's data folder."""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from daybreak import ImportReport, ImportRequest, UserError
from daybreak_replay.catalogue import (
    DESCRIPTION,
    check_name,
    read_imported,
    table_name,
    write_description,
)
from daybreak_replay.defining import Defined, define_table, plan_of
from daybreak_replay.loading import format_of
from daybreak_replay.store import read_table, write_table

__all__ = ["T4Importer", "TableImporter"]

_TABLE = "table.parquet"
#: An option as it stands in a suite, in a remedy: the command line has it as ``-o NAME=VALUE``.
_OPTION = re.compile(r"(?:option )?`(\w+): ([^`]+)`")


class _Importer:
    """Imports a file whose format is one of `formats`."""

    formats: Sequence[str] = ()

    def read(self, request: ImportRequest) -> ImportReport:
        """Read and validate the file, keep its table, and describe the benchmark.

        Raises:
            UserError: the file, its space or the options are wrong, or the name is taken.
        """
        try:
            return self._read(request)
        except UserError as error:
            if error.remedy:
                error.remedy = _OPTION.sub(_as_typed, error.remedy)
            raise

    def _read(self, request: ImportRequest) -> ImportReport:
        options = dict(request.options)
        replace = bool(options.pop("replace", False))
        if options.get("format", "auto") not in ("auto", *self.formats):
            raise UserError(
                f"this importer does not read the format '{options['format']}'",
                field="format",
                expected="one of " + ", ".join(("auto", *self.formats)),
                remedy="daybreak import --list",
            )
        if options.get("format", "auto") == "auto":
            self._check_format(request.path)
        name = request.name or table_name(request.path.resolve().name)
        check_name(name)
        plan = plan_of("table", {**options, "path": str(request.path)}, None)
        defined = define_table(plan)
        folder = request.data / "replay" / name
        digest = defined.opened.table.digest
        _check_place(folder, digest, replace=replace)
        _keep(folder, defined, _description(defined, options, request.path))
        table = defined.opened.table
        kept = len(defined.opened.coverage.rows)
        left_out = {}
        if kept < len(table):
            left_out["not feasible in the space"] = len(table) - kept
        if table.outside:
            left_out["recorded as violating a constraint"] = len(table.outside)
        return ImportReport(
            rows=len(table) + len(table.outside),
            kept=kept,
            left_out=left_out,
            place=folder,
            benchmarks=(f"replay/{name}",),
            suite=_suite(name, defined),
            notes=tuple(defined.benchmark.notes),
        )

    def _check_format(self, path: Path) -> None:
        """Refuse a file whose name says that another importer reads it."""
        found = format_of(path)
        if found != "json" and found not in self.formats:
            raise UserError(
                f"this importer does not read the format '{found}'",
                file=path,
                expected="one of " + ", ".join(self.formats),
                remedy=f"daybreak import table {shlex.quote(str(path))}",
            )


class T4Importer(_Importer):
    """Imports T4 results and Kernel Tuner's caches."""

    formats = ("t4", "cache")


class TableImporter(_Importer):
    """Imports files with columns and Daybreak's own results."""

    formats = ("csv", "parquet", "results", "t4", "cache")


def _as_typed(found: re.Match[str]) -> str:
    return f"`-o {shlex.quote(f'{found[1]}={found[2]}')}`"


def _check_place(folder: Path, digest: str, *, replace: bool) -> None:
    if not folder.exists() or replace:
        return
    same = False
    with suppress(UserError):  # what is damaged is not the same
        same = read_table(read_imported(folder / DESCRIPTION).path).digest == digest
    if not same:
        raise UserError(
            f"there is an imported table '{folder.name}' of another file",
            file=folder,
            field="--name",
            remedy="give this one another name with --name, or replace it: -o replace=true",
        )


def _description(defined: Defined, options: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return what is written beside the table: all that its definition was made of."""
    benchmark, opened = defined.benchmark, defined.opened
    references = {
        one.name: {k: list(v) if isinstance(v, tuple) else v for k, v in one.configuration.items()}
        for one in benchmark.references
        if one.name != "optimum"
    }
    table = opened.table
    facts = [f"{name} {value}" for name, value in table.facts.items() if name == "device_name"]
    return {
        "file": _TABLE,
        "summary": f"imported from {path.name}" + "".join(f", {fact}" for fact in facts),
        "source": str(path.absolute()),
        "digest": table.digest,
        "objectives": [metric.name for metric in benchmark.objectives],
        "space": opened.declared.to_dict(),
        "missing": options.get("missing") or "refuse",
        "references": references,
    }


def _keep(folder: Path, defined: Defined, description: Mapping[str, Any]) -> None:
    """Write table and description into `folder`, all or nothing."""
    scratch = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        write_table(defined.opened.table, scratch / _TABLE)
        write_description(scratch / DESCRIPTION, description)
        if folder.exists():
            shutil.rmtree(folder)
        scratch.rename(folder)
    except OSError as error:
        raise UserError(
            f"the table cannot be kept: {error.strerror or error}",
            file=folder,
            remedy="set DAYBREAK_DATA to a folder that can be written",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _suite(name: str, defined: Defined) -> str:
    """Return a suite that runs on the benchmark at once."""
    count = len(defined.opened.coverage.rows)
    budget = max(1, min(60, count))
    lines = [
        "suite: 1",
        f"name: {name}",
        "benchmarks:",
        f"  - replay/{name}",
        "optimizers:",
        "  - random",
        "  - baco",
        "seeds: 10",
        f"budget: {{evaluations: {budget}}}",
        "protocol: {interleave: 0}",
    ]
    return "\n".join(lines) + "\n"

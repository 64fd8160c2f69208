"""The contracts of importers and exporters: other tools' files in, Daybreak's results out.

An importer's or exporter's factory takes no argument. `daybreak import KIND PATH` calls the first,
`daybreak export KIND` the second; options come validated by the component's options model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from daybreak.records import Trial

__all__ = [
    "ExportReport",
    "Exporter",
    "ImportReport",
    "ImportRequest",
    "Importer",
    "RecordedStudy",
]


@dataclass(frozen=True, slots=True)
class RecordedStudy:
    """A study with all that was recorded of it: what exporters get, and importers may give.

    Attributes:
        run: the run: `run_id`, `suite`, `started_at`, `machine` (identity of the hardware),
            `environment` (lock of the software) and more, as far as known.
        benchmark: the benchmark as it was opened: `benchmark` (full name), `target`, `name`,
            `instance`, `summary`, `options`, `space` (give it to `Space.from_dict`), `objectives`
            and `metrics` (lists of `name`, `unit`, `direction`, `summary`), `references`
            (`name`, `configuration`, ...), `identity`, `notes`.
        study: `study_id`, `optimizer`, `component`, `seed`, `role` (`optimizer` or `reference`),
            `budget`, `options`, `protocol`, `status`, `started_at`.
        trials: in order, with samples, events and phases.
    """

    run: Mapping[str, Any]
    benchmark: Mapping[str, Any]
    study: Mapping[str, Any]
    trials: Sequence[Trial]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What `daybreak import` asks for.

    Attributes:
        path: the file or folder to read; it exists.
        name: what to call it, from `--name`; None: the importer makes one of the path.
        data: the importer's plugin may keep data here: the folder of `data_folder()`.
        options: the importer's options, validated.
    """

    path: Path
    name: str | None
    data: Path
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import. It puts data in the user's data folder, gives studies, or both.

    Attributes:
        rows: how many rows (measurements) the file has.
        kept: how many of them were kept.
        left_out: number of rows left out, by reason (a phrase such as ``outside the space``).
        place: where the data was put, if anywhere.
        benchmarks: full names of the benchmarks that exist now because of it.
        suite: text of a suite that uses them, to run next.
        studies: what is to be recorded as a finished run in the results; the command does that.
        notes: sentences for the reader, e.g. assumptions that were made.
    """

    rows: int
    kept: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    place: Path | None = None
    benchmarks: tuple[str, ...] = ()
    suite: str | None = None
    studies: Iterable[RecordedStudy] = ()
    notes: tuple[str, ...] = ()


class Importer(Protocol):
    """A reader of somebody else's format."""

    def read(self, request: ImportRequest) -> ImportReport:
        """Read and validate ``request.path``; change nothing unless all of it can be used.

        Raises:
            UserError: the file is not of this format, cut short, or contradicts itself; names file
                and line or row.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What came of an export: the files written, trials in them, trials left out by reason."""

    files: tuple[Path, ...]
    trials: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Exporter(Protocol):
    """A writer of somebody else's format."""

    def write(
        self, studies: Sequence[RecordedStudy], out: Path, options: Mapping[str, Any]
    ) -> ExportReport:
        """Write `studies` (at least one, all of one benchmark) to `out`, a file or a folder.

        Raises:
            UserError: the format cannot hold these studies, or `out` cannot be written.
        """
        ...

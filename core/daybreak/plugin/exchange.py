"""The contracts of importers and exporters: other tools' files in, Daybreak's results out.

An importer's or exporter's factory takes no argument. `daybreak import KIND PATH` calls the first,
`daybreak export KIND` the second; options come validated by the component's options model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    "Remark",
]


@dataclass(frozen=True, slots=True)
class RecordedStudy:
    """A study with all that was recorded of it: what exporters get, and importers may give.

    Attributes:
        run: the run: `run_id`, `suite`, `started_at`, `machine` (identity of the hardware),
            `environment` (lock of the software) and more, as far as known. An importer may give it
            a `name`: then it is a collection that later imports of that name add to.
        benchmark: the benchmark as it was opened: `benchmark` (full name), `target`, `name`,
            `instance`, `summary`, `options`, `space` (give it to `Space.from_dict`), `objectives`
            and `metrics` (lists of `name`, `unit`, `direction`, `summary`), `references`
            (`name`, `configuration`, ...), `identity`, `notes`.
        study: `study_id`, `optimizer`, `component`, `seed`, `role` (`optimizer` or `reference`),
            `budget`, `options`, `protocol`, `status`, `started_at`. In a collection `study_key` is
            mandatory: what the study is known by when it is imported again.
        trials: in order, with samples, events and phases.
    """

    run: Mapping[str, Any]
    benchmark: Mapping[str, Any]
    study: Mapping[str, Any]
    trials: Sequence[Trial]


def _silent(fraction: float | None, what: str) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What `daybreak import` asks for.

    Attributes:
        path: the file or folder to read; it exists, unless there is a `url`.
        name: what to call it, from `--name`; None: the importer makes one of the path.
        data: the importer's plugin may keep data here: the folder of `data_folder()`.
        options: the importer's options, validated.
        progress: to be called with the fraction done (or None) and what is going on, as often as
            convenient.
        url: what was named, where that is a URL (``sqlite:///study.db``); only importers with the
            capability `url` get one.
    """

    path: Path
    name: str | None
    data: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[float | None, str], None] = _silent
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something odd in a file that was read, and what was made of it.

    Attributes:
        file: the file, relative to what was imported where that is a folder.
        line: 1-based line or row; None: the file as a whole.
        what: what is odd and what was done: ``negative hours: the row has no clock``. Remarks of
            one kind share the words before the first colon.
    """

    file: str
    line: int | None
    what: str


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
        studies: what is to be recorded as a finished run in the results; the command does that. An
            iterator is taken from once: nothing need be in memory as a whole.
        notes: sentences for the reader, e.g. assumptions that were made.
        remarks: what was odd, by file and line: every row left out, and every row kept with doubts.
        final: asked once all `studies` have been taken, for a report whose numbers, notes and
            remarks are only known then; its `studies` are not looked at. None: this one is final.
    """

    rows: int
    kept: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    place: Path | None = None
    benchmarks: tuple[str, ...] = ()
    suite: str | None = None
    studies: Iterable[RecordedStudy] = ()
    notes: tuple[str, ...] = ()
    remarks: Sequence[Remark] = ()
    final: Callable[[], ImportReport] | None = None


class Importer(Protocol):
    """A reader of somebody else's format."""

    def read(self, request: ImportRequest) -> ImportReport:
        """Read and validate ``request.path``; change nothing unless all of it can be used.

        Of a collection of files, what is good is used, and the rest reported in `remarks`.

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

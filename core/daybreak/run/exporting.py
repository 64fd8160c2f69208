"""Exporting: recorded studies, chosen by the user, handed to a plugin's exporter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from daybreak.errors import PluginError, StoreError, UserError, nearest
from daybreak.plugin import Registry
from daybreak.plugin.exchange import ExportReport, RecordedStudy
from daybreak.store import RunInfo, StudyRow, find_runs, read_run
from daybreak.store.reader import read_records, study_row
from daybreak.suite.benchmarks import guarded
from daybreak.suite.options import typed_options
from daybreak.suite.selection import matches_benchmark

__all__ = ["Choice", "choose_studies", "export_studies"]

#: How many names a message lists.
_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which studies are meant; what is None chooses all.

    Attributes:
        study: a study's id, or the beginning of it.
        run: a run's id, the beginning of it, or a suite's name.
        benchmark: a benchmark's full name, or a pattern with ``*``.
        optimizer: an optimizer's label.
        seed: a seed.
        references: also the studies that measured the references.
    """

    study: str | None = None
    run: str | None = None
    benchmark: str | None = None
    optimizer: str | None = None
    seed: int | None = None
    references: bool = False

    def takes_run(self, info: RunInfo) -> bool:
        """Whether a run is among those meant."""
        return self.run is None or self.run == info.suite or info.run_id.startswith(self.run)

    def takes(self, row: StudyRow) -> bool:
        """Whether a study is meant."""
        if self.study is not None:
            return row.study_id.startswith(self.study)
        return (
            (self.benchmark is None or matches_benchmark(self.benchmark, row.benchmark))
            and (self.optimizer is None or self.optimizer == row.optimizer)
            and (self.seed is None or self.seed == row.seed)
            and (self.references or row.role == "optimizer")
        )


def choose_studies(results: Path, choice: Choice) -> list[RecordedStudy]:
    """Return the studies of the newest run that has any of those meant.

    Raises:
        StoreError: there are no results.
        UserError: no study is meant, or studies of several benchmarks are; says which there are.
    """
    if not results.is_dir():
        raise StoreError(
            "there are no results here",
            file=results,
            expected="a results folder",
            remedy="name it with --results DIR, or make one: daybreak run quickstart",
        )
    infos = find_runs(results)
    runs = [info for info in infos if choice.takes_run(info)]
    if not runs:
        names = [name for info in infos for name in (info.run_id, info.suite)]
        raise UserError(
            f"there is no run '{choice.run}'" if infos else "there are no runs yet",
            nearest=nearest(choice.run or "", names),
            remedy="list them: daybreak runs list",
        )
    seen: list[StudyRow] = []
    for info in runs:
        rows = list(_rows(info))
        meant = [row for row in rows if choice.takes(row)]
        seen += rows
        if not meant:
            continue
        benchmarks = sorted({row.benchmark for row in meant})
        if len(benchmarks) > 1:
            raise UserError(
                f"studies of {len(benchmarks)} benchmarks are meant, and a file holds one",
                expected=f"--benchmark with one of {_some(benchmarks)}",
            )
        return _read(results, info, {row.study_id for row in meant})
    raise _nothing(choice, seen)


def export_studies(
    registry: Registry,
    kind: str,
    studies: Sequence[RecordedStudy],
    out: Path | None = None,
    *,
    options: Sequence[str] = (),
) -> ExportReport:
    """Have the exporter `kind` write `studies`; without `out`, to a file named after the benchmark.

    Raises:
        UserError: no such exporter, a wrong option, or the format cannot hold the studies.
        PluginError: the exporter broke its contract.
    """
    component = registry.get("exporter", kind)
    checked = typed_options(component, options)
    if out is None:
        name = str(studies[0].benchmark["benchmark"])
        words = "".join(c if c.isalnum() or c in "._-" else "-" for c in name)
        out = Path(f"{words}{getattr(component.spec, 'suffix', '')}")
    elif not out.absolute().parent.is_dir():
        raise UserError("there is no such folder", file=out.parent, remedy="make it first")
    exporter = component.create()
    try:
        report = guarded(component, "write(...)", lambda: exporter.write(studies, out, checked))
    except PluginError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise UserError(
                f"cannot be written: {cause.strerror}", file=cause.filename or out
            ) from cause
        raise
    if not isinstance(report, ExportReport):
        raise PluginError(
            f"exporter '{kind}' returned {type(report).__name__}, not an ExportReport",
            plugin=component.plugin,
            distribution=component.source or None,
        )
    return report


def _rows(info: RunInfo) -> Iterator[StudyRow]:
    """Yield the rows of a run's studies without reading its trials."""
    for record in read_records(info.folder, trials=False):
        if isinstance(record, dict) and record["type"] == "study":
            yield study_row(record["row"])


def _read(results: Path, info: RunInfo, wanted: set[str]) -> list[RecordedStudy]:
    record = read_run(results, info.run_id)
    run = {
        **info.row,
        "run_id": info.run_id,
        "suite": info.suite,
        "status": info.status,
        "started_at": info.started_at,
        "finished_at": info.finished_at,
        "machine_id": info.machine_id,
        "environment_id": info.environment_id,
        "machine": dict(record.machine),
        "environment": dict(record.environment),
    }
    return [
        RecordedStudy(
            run=run,
            # a study without a recorded benchmark was cut off before its bench opened
            benchmark=record.benchmarks.get(
                study.row.benchmark,
                {"benchmark": study.row.benchmark, "target": study.row.target},
            ),
            study=asdict(study.row),
            # a trial that was recorded again under its number replaces the earlier one
            trials=tuple({trial.number: trial for trial in study.trials}.values()),
        )
        for study in record.studies.values()
        if study.row.study_id in wanted
    ]


def _nothing(choice: Choice, rows: Sequence[StudyRow]) -> UserError:
    """Return what to tell the user whose choice no study fits: the first part that fits none."""
    parts: tuple[tuple[str, Choice, Callable[[StudyRow], str]], ...] = (
        ("study", Choice(study=choice.study), lambda row: row.study_id),
        ("benchmark", Choice(benchmark=choice.benchmark), lambda row: row.benchmark),
        ("optimizer", Choice(optimizer=choice.optimizer), lambda row: row.optimizer),
        ("seed", Choice(seed=choice.seed), lambda row: str(row.seed)),
    )
    for what, alone, name_of in parts:
        given = getattr(choice, what)
        if given is None or any(replace(alone, references=True).takes(row) for row in rows):
            continue
        names = sorted({name_of(row) for row in rows})
        return UserError(
            f"there is no study {'' if what == 'study' else f'of {what} '}'{given}'",
            expected=f"one of {_some(names)}" if names else None,
            nearest=nearest(str(given), names),
            remedy="list them: daybreak sql 'FROM studies'",
        )
    return UserError(
        "no study fits all that was asked for" if rows else "these runs have no studies yet",
        remedy="ask for less, or look at: daybreak sql 'FROM studies'",
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more

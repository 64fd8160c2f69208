"""An importer and an exporter of a made-up format: one trial a line, ``a b value``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from daybreak import (
    ExporterSpec,
    ExportReport,
    ImporterSpec,
    ImportReport,
    ImportRequest,
    Outcome,
    RecordedStudy,
    Sample,
    Trial,
    TrialStatus,
    UserError,
)

SUITE = "suite: 1\nname: after-import\nbenchmarks: [ledger/{name}]\noptimizers: [random]\n"


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    unit: Literal["ms", "s"] = "ms"
    most: int = Field(1000, ge=1, description="rows to read")
    into: Literal["data", "results", "nothing", "nonsense", "raise"] = "data"


def _number(text: str, path: Path, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(
            f"'{text}' is no number", file=path, line=line, expected="a b value"
        ) from None


class LedgerImporter:
    def read(self, request: ImportRequest) -> ImportReport:
        into = request.options["into"]
        if into == "raise":
            raise ZeroDivisionError("no beads")
        if into == "nonsense":
            return {"rows": 3}  # type: ignore[return-value]
        lines = request.path.read_text().splitlines()[: request.options["most"]]
        kept = []
        for number, line in enumerate(lines, start=1):
            a, b, value = (_number(text, request.path, number) for text in line.split())
            if value > 0:
                kept.append((int(a), int(b), value))
        name = request.name or request.path.stem
        report: dict[str, Any] = {
            "rows": len(lines),
            "kept": len(kept),
            "left_out": {"without a time": len(lines) - len(kept), "torn": 0},
            "notes": (f"times are taken as {request.options['unit']}",),
        }
        if into == "data":
            place = request.data / "ledgers" / f"{name}.txt"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("\n".join(f"{a} {b} {v}" for a, b, v in kept))
            report |= {
                "place": place,
                "benchmarks": (f"ledger/{name}",),
                "suite": SUITE.format(name=name),
            }
        if into == "results":
            report["studies"] = (self._study(name, kept, request.options["unit"]),)
        return ImportReport(**report)

    @staticmethod
    def _study(name: str, rows: list[tuple[int, int, float]], unit: str) -> RecordedStudy:
        trials = [
            Trial(
                number=i,
                configuration={"a": a, "b": b},
                outcome=Outcome(
                    TrialStatus.OK, objectives={"time": v}, samples=(Sample("time", v),)
                ),
                elapsed_s=float(i + 1),
            )
            for i, (a, b, v) in enumerate(rows)
        ]
        return RecordedStudy(
            run={
                "suite": "old-ledger",
                "started_at": "2020-01-02T03:04:05.000000+00:00",
                "machine": {"cpu": "abacus"},
            },
            benchmark={
                "benchmark": f"ledger/{name}",
                "target": "ledger",
                "objectives": [{"name": "time", "unit": unit, "direction": "minimize"}],
            },
            study={"optimizer": "clerk", "seed": 7},
            trials=trials,
        )


class LedgerExporter:
    def write(
        self, studies: Sequence[RecordedStudy], out: Path, options: Mapping[str, Any]
    ) -> ExportReport:
        if options["into"] == "nothing":
            raise UserError("a ledger holds no such trials")
        written = left = 0
        with out.open("w") as file:
            for study in studies:
                for trial in study.trials:
                    if trial.objective is None:
                        left += 1
                        continue
                    values = [*trial.configuration.values(), trial.objective]
                    file.write(" ".join(map(str, values)) + "\n")
                    written += 1
        return ExportReport((out,), written, {"failed": left})


IMPORTER = ImporterSpec(
    name="ledger",
    factory="exchange_parts:LedgerImporter",
    summary="Reads a clerk's ledger",
    options="exchange_parts:Options",
)
EXPORTER = ExporterSpec(
    name="ledger",
    factory="exchange_parts:LedgerExporter",
    summary="Writes a clerk's ledger",
    options="exchange_parts:Options",
    suffix=".txt",
)

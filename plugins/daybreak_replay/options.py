"""Options of the benchmarks, as a suite may set them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = [
    "ExportOptions",
    "FileOptions",
    "ImportOptions",
    "MetricOptions",
    "RecordedOptions",
    "TableOptions",
    "TimeOptions",
]

Value = bool | int | float | str | list[int]


class MetricOptions(BaseModel):
    """A metric: its unit and direction, and where a file with columns has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str | None = Field(None, min_length=1, description="unit; '1' for a plain number")
    direction: Literal["minimize", "maximize"] | None = Field(
        None, description="which way it gets better"
    )
    column: str | None = Field(
        None, description="the column, where it is not called like the metric"
    )


class TimeOptions(BaseModel):
    """A column with the time that a phase took."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = Field(description="name of the column")
    unit: str = Field(description="unit of its times: s, ms, us, ns, min, h")


class RecordedOptions(BaseModel):
    """What every recorded benchmark takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    missing: Literal["refuse", "failed", "exclude"] | None = Field(
        None,
        description="feasible configurations that the table lacks: refuse the suite (default, "
        "unless the table says otherwise), let such trials fail as 'missing', or exclude them "
        "from the space",
    )
    seed: Annotated[int, Field(ge=0)] | None = Field(
        0, description="draws the order in which repetitions are replayed; null: as recorded"
    )
    objectives: list[str] | dict[str, MetricOptions | None] | None = Field(
        None,
        description="the objectives by name, the first one ranks; with unit and direction where "
        "the file does not say them; default: what the file says",
    )
    references: dict[str, dict[str, Value]] = Field(
        default_factory=dict,
        description="named configurations: {expert: {...}, default: {...}}",
    )

    @field_validator("objectives")
    @classmethod
    def _some(cls, objectives: Any) -> Any:
        if objectives is not None and not objectives:
            raise ValueError("name at least one objective")
        return objectives

    @field_validator("references")
    @classmethod
    def _names(cls, references: dict[str, Any]) -> dict[str, Any]:
        if "optimum" in references:
            raise ValueError("'optimum' is found in the table and cannot be given")
        return references


class FileOptions(RecordedOptions):
    """How a file is to be read."""

    format: Literal["auto", "t4", "cache", "csv", "parquet", "results"] = Field(
        "auto", description="format of the file; auto: by its name and content"
    )
    space: str | None = Field(
        None,
        description="where the search space is described: a T1 file or a space in YAML; 'rows': "
        "just the rows, whatever the file declares; default: what the file declares, else the rows",
    )
    constraints: list[str] = Field(
        default_factory=list, description="known constraints, where no file states them"
    )
    constants: dict[str, int | float] = Field(
        default_factory=dict, description="numbers that conditions call by name"
    )
    time_unit: str | None = Field(
        None, description="unit of the file's times, where the file does not say it: s, ms, us, ns"
    )
    bad_rows: Literal["refuse", "drop", "failed"] = Field(
        "refuse",
        description="rows that neither succeeded nor failed (a time of NaN or zero): refuse the "
        "file, drop them, or count them as failed",
    )
    incomplete: Literal["refuse", "prefix"] = Field(
        "refuse", description="a file that was cut short: refuse it, or use its whole rows"
    )
    parameters: list[str] | None = Field(
        None, description="CSV, Parquet: the columns that are parameters"
    )
    status: str | None = Field(
        None, description="CSV, Parquet: the column that says whether a row is valid"
    )
    valid: list[Value] = Field(
        default_factory=list,
        description="CSV, Parquet: what the status column holds for a valid row; default: true, "
        "1, yes, ok, valid, correct",
    )
    failed_values: list[float | str] = Field(
        default_factory=list,
        description="CSV, Parquet: values of an objective that mean a failure, e.g. 2147483647",
    )
    failures: dict[str, str] = Field(
        default_factory=dict,
        description="CSV, Parquet: the kind of failure that each other word of the status column "
        "means: {OOM: memory}",
    )
    metrics: dict[str, MetricOptions] = Field(
        default_factory=dict,
        description="CSV, Parquet: further metrics that are no objectives, with unit and direction",
    )
    times: dict[Literal["build", "verify", "measure", "framework"], TimeOptions] = Field(
        default_factory=dict,
        description="CSV, Parquet: the time of each phase: {build: {column: compile, unit: ms}}",
    )
    benchmark: str | None = Field(
        None, description="results: which benchmark, if there are several"
    )
    run: str | None = Field(None, description="results: one run only; default: all of them")


class TableOptions(FileOptions):
    """What `replay/table` takes: a file, and how to read it."""

    path: str = Field(
        description="the file: T4 or a Kernel Tuner cache (.json, .json.gz), CSV (.csv, .csv.gz), "
        "Parquet (.parquet), or a folder of Daybreak results",
    )

    @field_validator("path")
    @classmethod
    def _path(cls, path: str) -> str:
        if not path.strip():
            raise ValueError("name a file")
        return path


class ImportOptions(FileOptions):
    """What the importers take."""

    replace: bool = Field(False, description="replace an imported table of the same name")


class ExportOptions(BaseModel):
    """What the exporters take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indent: bool = Field(False, description="one value per line, for people to read")

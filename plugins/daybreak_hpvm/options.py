"""Options of the benchmarks, as a suite may set them."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["AudioOptions", "BfsOptions", "EdgeOptions", "PreEulerOptions"]

Size = Annotated[int, Field(ge=1, le=1 << 20)]


class _Common(BaseModel):
    """What every benchmark of the target takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fidelity: Literal["model", "rtl"] = Field(
        "model",
        description="model: worked out in milliseconds; rtl: Verilog that is simulated, synthesised, "
        "placed and routed, in seconds to minutes",
    )
    device: Literal["ecp5-25k", "ecp5-45k", "ecp5-85k", "xc7a35t", "xc7a100t"] = Field(
        "ecp5-85k", description="the device that a design must fit"
    )
    objectives: Literal["seconds", "area", "both"] = Field(
        "seconds", description="what optimizers see: time, area, or both with `seconds` first"
    )
    clock_mhz: Annotated[float, Field(gt=0, le=2000)] | None = Field(
        None,
        description="a clock taken as given, in place of what placing and routing would give; "
        "100 on xc7, for which there is no free router here",
    )
    tool_seconds: Annotated[float, Field(gt=0)] = Field(
        600.0, description="wall seconds for each tool's run, at fidelity rtl"
    )
    tool_memory_mib: Annotated[int, Field(ge=512)] = Field(
        4096,
        description="memory that a tool may fill, in MiB, at fidelity rtl; loading it takes 300",
    )
    netlist: Literal["auto", "always", "never"] = Field(
        "auto",
        description="whether, at fidelity rtl, the synthesised netlist is simulated too (ecp5); auto: "
        "where that takes seconds",
    )
    data_seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        1, description="seed of the random inputs that results are verified on"
    )
    verify: bool = Field(
        True,
        description="whether, at fidelity model, the transformed program is interpreted and its value "
        "compared; too slow for large sizes. At rtl the simulated hardware always is",
    )
    survey: Annotated[int, Field(ge=0)] = Field(
        1000,
        description="at fidelity model, spaces of at most so many configurations are worked out as a "
        "whole, so that the optimum is known",
    )
    candidates: str | None = Field(
        None,
        description="a file of configurations that become references, from "
        "`python -m daybreak_hpvm.candidates`",
    )

    @field_validator("candidates")
    @classmethod
    def _candidates(cls, path: str | None) -> str | None:
        return path and os.path.abspath(os.path.expanduser(path))

    @model_validator(mode="after")
    def _clock(self) -> _Common:
        if self.device.startswith("xc7") and self.clock_mhz is None:
            object.__setattr__(self, "clock_mhz", 100.0)
        return self


class BfsOptions(_Common):
    """Options of `hpvm/bfs`."""

    vertices: Size = Field(64, description="vertices of the graph, 4 to 4096")
    degree: Size = Field(4, description="most predecessors of a vertex, 1 to 64")
    levels: Size = Field(8, description="levels that are searched, 1 to 254")


class AudioOptions(_Common):
    """Options of `hpvm/audio`."""

    sources: Size = Field(4, description="sound sources, 1 to 64")
    channels: Size = Field(16, description="channels of the sound field, 1 to 64")
    samples: Size = Field(16, description="samples in a block, 1 to 4096")
    delay_line: Size = Field(16, description="earlier samples that are kept, 2 to 4096")


class PreEulerOptions(_Common):
    """Options of `hpvm/preeuler`."""

    cells: Size = Field(40, description="cells of the grid, 4 to 4096")


class EdgeOptions(_Common):
    """Options of `hpvm/edge`."""

    height: Size = Field(20, description="rows of the image, 4 to 512")
    width: Size = Field(20, description="columns of the image, 4 to 512")

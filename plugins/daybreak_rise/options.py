"""Options of the benchmarks, as a suite may set them."""

from __future__ import annotations

import os
import shlex
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = [
    "AsumOptions",
    "DeviceOptions",
    "HarrisOptions",
    "KmeansOptions",
    "MmCpuOptions",
    "MmGpuOptions",
    "ScalOptions",
    "StencilOptions",
    "options_of",
]

#: the largest array that a kernel may have: it counts in 32 bits
_MOST_ELEMENTS = 2**31 - 1

Length = Annotated[int, Field(ge=1, le=1 << 28)]
Edge = Annotated[int, Field(ge=1, le=1 << 15)]


def _words(text: str | None) -> str | None:
    if text is not None:
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise ValueError(f"'{text}' cannot be split into words: {error}") from None
        if not words:
            raise ValueError("an empty command")
    return text


class _Common(BaseModel):
    """What every benchmark of the target takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Literal["embedded", "shine"] = Field(
        "embedded", description="the compiler: the embedded one, or a Shine checkout"
    )
    shine: str | None = Field(
        None, description="the command that starts Shine's experiment; for 'backend: shine'"
    )
    shine_folder: str | None = Field(
        None, description="the Shine checkout, where that command runs; else the present folder"
    )
    shine_mode: Literal["pipe", "spawns"] = Field(
        "spawns",
        description="whether the command answers requests on its standard input, or starts the "
        "tuner itself (named by $HYPERMAPPER), as Shine does",
    )
    shine_timeout: Annotated[float, Field(gt=0)] = Field(
        120.0, description="seconds that Shine may take to start, and for each answer"
    )

    @field_validator("shine")
    @classmethod
    def _shine(cls, shine: str | None) -> str | None:
        return _words(shine)

    @field_validator("shine_folder")
    @classmethod
    def _folder(cls, folder: str | None) -> str | None:
        # the worker has a home and a working folder of its own
        return folder and os.path.abspath(os.path.expanduser(folder))

    @model_validator(mode="after")
    def _named(self) -> _Common:
        if self.backend == "shine" and not self.shine:
            raise ValueError("'backend: shine' needs 'shine', the command that starts it")
        return self


class DeviceOptions(_Common):
    """Where kernels run."""

    runtime: Literal["auto", "opencl", "cuda"] = Field(
        "auto", description="OpenCL, or CUDA where an NVIDIA GPU has no OpenCL"
    )
    platform: str | None = Field(
        None, description="part of the OpenCL platform's name or version, e.g. 'pocl' or 'PoCL 3.1'"
    )
    device: str | None = Field(
        None, description="part of the device's name, or its kind: 'gpu', 'cpu', 'accelerator'"
    )
    limits: Literal["device", "published"] = Field(
        "device",
        description="known constraints on work-groups and local memory: the published ones made "
        "stricter where the device has less, or the published ones alone",
    )


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        raise ValueError(f"{value} is no power of two")
    return value


class ScalOptions(DeviceOptions):
    """Options of `rise/scal`."""

    n: Length = Field(33554432, ge=16, description="elements, a power of two")

    _check = field_validator("n")(_power_of_two)


class AsumOptions(DeviceOptions):
    """Options of `rise/asum`."""

    n: Length = Field(16777216, ge=256, description="elements, a power of two")

    _check = field_validator("n")(_power_of_two)


class KmeansOptions(DeviceOptions):
    """Options of `rise/kmeans`."""

    points: Length = Field(524288, description="points to assign to clusters")
    clusters: Annotated[int, Field(ge=1, le=4096)] = 10
    features: Annotated[int, Field(ge=1, le=4096)] = 34

    @model_validator(mode="after")
    def _fits(self) -> KmeansOptions:
        _check_elements("features of points", self.points, self.features)
        return self


class HarrisOptions(DeviceOptions):
    """Options of `rise/harris`."""

    height: Edge = Field(1024, ge=8, description="rows of the result; the input has four more")
    width: Edge = Field(1024, ge=8, description="columns of the input, a multiple of four")

    @field_validator("width")
    @classmethod
    def _width(cls, width: int) -> int:
        if width % 4:
            raise ValueError(f"{width} is no multiple of 4")
        return width

    @model_validator(mode="after")
    def _fits(self) -> HarrisOptions:
        _check_elements("the image", 3, self.height + 4, self.width)
        return self


class StencilOptions(DeviceOptions):
    """Options of `rise/stencil`: sizes of the room, without its walls."""

    o: Edge = Field(1024, ge=2, description="planes")
    n: Edge = Field(1024, ge=2, description="rows")
    m: Edge = Field(64, ge=2, description="columns")

    @model_validator(mode="after")
    def _fits(self) -> StencilOptions:
        _check_elements("the room", self.o + 2, self.n + 2, self.m + 2)
        return self


class MmGpuOptions(DeviceOptions):
    """Options of `rise/mm-gpu`."""

    n: Edge = Field(1024, ge=16, description="rows and columns of all matrices, a power of two")

    _check = field_validator("n")(_power_of_two)


class MmCpuOptions(_Common):
    """Options of `rise/mm-cpu`."""

    n: Edge = Field(1024, ge=4, description="rows and columns of all matrices, a power of two")
    compiler: str | None = Field(
        None, description="the C compiler; else $DAYBREAK_CC, $CC, gcc, clang or cc"
    )
    flags: str = Field("-O3 -march=native", description="its optimisation flags")

    _check = field_validator("n")(_power_of_two)

    @field_validator("compiler")
    @classmethod
    def _compiler(cls, compiler: str | None) -> str | None:
        return _words(compiler)

    @field_validator("flags")
    @classmethod
    def _flags(cls, flags: str) -> str:
        bad = [word for word in shlex.split(_words(flags) or "") if not word.startswith("-")]
        if bad:
            raise ValueError(f"'{bad[0]}' is no flag: every word must begin with '-'")
        return flags


def options_of(name: str) -> type[_Common]:
    """Return the options' model of benchmark `name`."""
    found: type[_Common] = globals()["".join(map(str.capitalize, name.split("-"))) + "Options"]
    return found


def _check_elements(what: str, *sizes: int) -> None:
    count = 1
    for size in sizes:
        count *= size
    if count > _MOST_ELEMENTS:
        raise ValueError(
            f"{what}: {' x '.join(map(str, sizes))} are more elements than a kernel counts"
        )

"""Options of the benchmarks, as a suite may set them."""

from __future__ import annotations

import os
import shlex
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from daybreak import UserError
from daybreak_taco.ccompiler import DEFAULT_FLAGS

__all__ = [
    "MttkrpOptions",
    "SddmmOptions",
    "SpmmOptions",
    "SpmvOptions",
    "TtvOptions",
]

_MATRIX = (
    "a matrix: a file (.mtx, .mtx.gz), 'suitesparse:NAME' from the local cache, 'pyamg:NAME', or "
    "'generate:NAME(key=value, ...)'"
)
_TENSOR = (
    "a tensor: a file (.tns, .tns.gz), 'frostt:NAME' from the local cache, or "
    "'generate:NAME(key=value, ...)'"
)

Columns = Annotated[int, Field(ge=1, le=1 << 20)]


class _Common(BaseModel):
    """What every benchmark of the target takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: Annotated[int, Field(ge=1, le=4096)] | None = Field(
        None, description="upper bound on omp_num_threads; all usable processors if not given"
    )
    flags: str = Field(DEFAULT_FLAGS, description="optimisation flags of the C compiler")
    compiler: str | None = Field(
        None, description="the C compiler; else $DAYBREAK_CC, $CC, cc, gcc or clang"
    )
    taco: str | None = Field(
        None, description="the taco program; else $DAYBREAK_TACO, PATH, the user's cache"
    )

    @field_validator("taco")
    @classmethod
    def _taco(cls, taco: str | None) -> str | None:
        return taco and os.path.expanduser(taco)

    @field_validator("flags")
    @classmethod
    def _flags(cls, flags: str) -> str:
        try:
            words = shlex.split(flags)
        except ValueError as error:
            raise ValueError(f"these flags cannot be split into words: {error}") from None
        bad = [word for word in words if not word.startswith("-")]
        if bad:
            raise ValueError(f"'{bad[0]}' is no flag: every word must begin with '-'")
        return flags


def _check(source: str, tensor: bool) -> str:
    """Return the source, `~` replaced: the worker has a home folder of its own."""
    from daybreak_taco.data.source import parse_source

    try:
        parsed = parse_source(source, tensor=tensor)
    except UserError as error:
        raise ValueError(str(error)) from None
    return os.path.expanduser(source) if parsed.kind == "file" else source


class _MatrixOptions(_Common):
    matrix: str = Field("generate:power-law(rows=8000, nnz=2e5, seed=1)", description=_MATRIX)

    @field_validator("matrix")
    @classmethod
    def _matrix(cls, matrix: str) -> str:
        return _check(matrix, tensor=False)


class SpmvOptions(_MatrixOptions):
    """Options of `taco/spmv`."""

    matrix: str = Field("generate:power-law(rows=20000, nnz=1.4e6, seed=1)", description=_MATRIX)


class SpmmOptions(_MatrixOptions):
    """Options of `taco/spmm`."""

    columns: Columns = Field(256, description="columns of the dense matrix; 256 as published")


class SddmmOptions(_MatrixOptions):
    """Options of `taco/sddmm`."""

    matrix: str = Field("generate:power-law(rows=2000, nnz=5e4, seed=1)", description=_MATRIX)
    columns: Columns = Field(256, description="inner size of the dense product; 256 as published")


class TtvOptions(_Common):
    """Options of `taco/ttv`."""

    tensor: str = Field(
        "generate:skewed(dims=1000x1000x1000, nnz=5e5, seed=1)", description=_TENSOR
    )

    @field_validator("tensor")
    @classmethod
    def _tensor(cls, tensor: str) -> str:
        return _check(tensor, tensor=True)


class MttkrpOptions(_Common):
    """Options of `taco/mttkrp`."""

    tensor: str = Field(
        "generate:skewed(dims=200x100x200x400, nnz=2e4, seed=1)", description=_TENSOR
    )
    columns: Columns = Field(256, description="columns of the factors; 2560 as published")
    orders: Literal["stored", "published"] = Field(
        "stored", description="loop orders: those that the storage allows, or all, as published"
    )

    @field_validator("tensor")
    @classmethod
    def _tensor(cls, tensor: str) -> str:
        return _check(tensor, tensor=True)

"""Small benchmarks for the tests of target `taco`."""

from __future__ import annotations

from typing import Any

from daybreak import Benchmark
from daybreak_taco import options as models
from daybreak_taco.target import TacoTarget

#: data small enough for hundreds of kernels, with empty rows, and sizes that no block divides
SMALL: dict[str, dict[str, Any]] = {
    "spmv": {"matrix": "generate:power-law(rows=101, nnz=900, skew=3)"},
    "spmm": {"matrix": "generate:power-law(rows=101, nnz=900, skew=3)", "columns": 33},
    "sddmm": {"matrix": "generate:power-law(rows=101, nnz=900, skew=3)", "columns": 33},
    "ttv": {"tensor": "generate:skewed(dims=61x50x70, nnz=3001)"},
    "mttkrp": {"tensor": "generate:skewed(dims=21x15x16x17, nnz=301)", "columns": 33},
}


def define(name: str, **options: Any) -> Benchmark:
    """Return benchmark `name`, compiled without optimisation unless the options say otherwise."""
    given = {"flags": "-O0", **SMALL[name], **options}
    model = getattr(models, f"{name.capitalize()}Options")
    return TacoTarget().define(name, model(**given).model_dump())

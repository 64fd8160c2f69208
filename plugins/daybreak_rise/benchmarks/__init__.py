"""The seven benchmarks: `WORKLOADS` by name; a module each."""

from __future__ import annotations

from daybreak_rise.benchmarks.asum import Asum
from daybreak_rise.benchmarks.base import Workload
from daybreak_rise.benchmarks.harris import Harris
from daybreak_rise.benchmarks.kmeans import Kmeans
from daybreak_rise.benchmarks.mm_cpu import MmCpu
from daybreak_rise.benchmarks.mm_gpu import MmGpu
from daybreak_rise.benchmarks.scal import Scal
from daybreak_rise.benchmarks.stencil import Stencil

__all__ = ["WORKLOADS", "Workload", "sizes_in"]

#: in the order of the paper's table
WORKLOADS: dict[str, Workload] = {
    made.name: made for made in (MmCpu(), MmGpu(), Asum(), Scal(), Kmeans(), Harris(), Stencil())
}


def sizes_in(workload: Workload, options: dict[str, object]) -> dict[str, int]:
    """Return the sizes that a benchmark's options hold."""
    return {name: int(str(options[name])) for name in workload.published}

"""The benchmarks of the target, one module per kernel."""

from __future__ import annotations

from daybreak_taco.kernels.base import Kernel
from daybreak_taco.kernels.mttkrp import Mttkrp
from daybreak_taco.kernels.sddmm import Sddmm
from daybreak_taco.kernels.spmm import Spmm
from daybreak_taco.kernels.spmv import Spmv
from daybreak_taco.kernels.ttv import Ttv

__all__ = ["KERNELS", "Kernel"]

#: every kernel by the name of its benchmark
KERNELS: dict[str, Kernel] = {
    kernel.name: kernel for kernel in (Spmv(), Spmm(), Sddmm(), Ttv(), Mttkrp())
}

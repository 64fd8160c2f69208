"""Target `taco`: sparse tensor kernels compiled by the Tensor Algebra Compiler, run on this CPU.

The target drives the real `taco` command-line compiler: a configuration becomes scheduling
commands, `taco` emits C, the system's C compiler builds it, and the kernel runs on real data with
OpenMP. It uses only Daybreak's public interface, as any third-party plugin would.
"""

from __future__ import annotations

__all__: list[str] = []

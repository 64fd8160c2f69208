"""From a low-level RISE expression to kernels in OpenCL C, C or CUDA C++.

    program = generate(expression, local_size=(16, 16), global_size=(1024, 1024))
    print(program.kernels[0].source)

How it translates is told in docs/targets/rise-codegen.md. The passes, in order: `translate` (views,
loops, memory), `tidy`, `registers.keep_own`, `kernels.cut`, `barriers`, `registers.plan`, and
`printing` with a `dialect`.
"""

from __future__ import annotations

from daybreak_rise.codegen.generate import Target, generate, lower
from daybreak_rise.codegen.lowered import Lowered
from daybreak_rise.codegen.program import SCALAR_BYTES, Argument, Kernel, Program, fit

#: names the generator in the identity of what was measured: code of another one is another matter
GENERATOR = "rise-2"

__all__ = [
    "GENERATOR",
    "SCALAR_BYTES",
    "Argument",
    "Kernel",
    "Lowered",
    "Program",
    "Target",
    "fit",
    "generate",
    "lower",
]

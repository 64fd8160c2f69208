"""From a configuration to kernels: the strategy is applied, the generator does the rest."""

from __future__ import annotations

import re
import time
from dataclasses import replace

from daybreak import BuildFailed, Configuration, UserError
from daybreak_rise.benchmarks.base import Launch, Sizes, Workload
from daybreak_rise.codegen import Kernel, Program, generate

__all__ = ["generate_program"]


_GROUP_SIZE = re.compile(r"reqd_work_group_size\(([^)]*)\)|__launch_bounds__\(([^)]*)\)")


def generate_program(
    workload: Workload, sizes: Sizes, configuration: Configuration, language: str
) -> tuple[Program, dict[str, float]]:
    """Return the kernels of a configuration, and the seconds of `rewrite` and `generate`.

    Raises:
        BuildFailed: the strategy does not apply, or the generator refuses what it gave.
    """
    began = time.perf_counter()
    launch = workload.launch(configuration)
    try:
        lowered = workload.lower(sizes, configuration)
        rewritten = time.perf_counter()
        made = generate(
            lowered,
            target=language,
            name=workload.name.replace("-", "_"),
            local_size=launch.local_size if launch else 1,
            global_size=launch.global_size if launch else 1,
        )
    except UserError as error:
        # of a person who writes a program it would be a mistake; of a configuration it is that
        # its strategy does not apply
        raise BuildFailed(error.message, detail=str(error)) from None
    if launch is not None and workload.repeats:
        made = replace(made, kernels=tuple(_repeated(one, launch) for one in made.kernels))
    done = time.perf_counter()
    return made, {"rewrite": rewritten - began, "generate": done - rewritten}


def _repeated(kernel: Kernel, launch: Launch) -> Kernel:
    """Return a kernel run with all work-items asked for, also in dimensions that it does not use.

    The generator leaves such work-items out. Where the published benchmark has them do the same
    work again, they are part of what is tuned; all of them write equal values.
    """
    local = tuple(
        max(one, asked)
        for one, asked in zip(kernel.local_size, (*launch.local_size, 1, 1), strict=False)
    )
    whole = tuple(
        max(one, asked)
        for one, asked in zip(kernel.global_size, (*launch.global_size, 1, 1), strict=False)
    )
    first, second, third = local
    across, down, deep = whole

    def changed(found: re.Match[str]) -> str:
        if found.group(1) is not None:
            return f"reqd_work_group_size({first}, {second}, {third})"
        return f"__launch_bounds__({first * second * third})"

    return replace(
        kernel,
        source=_GROUP_SIZE.sub(changed, kernel.source, count=1),
        local_size=(first, second, third),
        global_size=(across, down, deep),
    )

"""One process of a crew: prepares a kernel, then runs it when told to.

Started as ``python -P -m daybreak.measure.roofline.worker CPUS``; requests and answers are lines of
JSON on standard input and output:

* ``{"kernel": "triad" | "gemm", ...}`` -> ``{"details": {...}}`` or ``{"error": text}``
* ``{"times": n, "at": t}`` -> ``{"began": t, "ended": t}`` on the monotonic clock, which all
  processes of a machine share; the run begins at ``at``.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from daybreak.measure.processes import die_with_parent
from daybreak.measure.roofline.kernels import Kernel, gemm, triad_numba, triad_numpy

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Serve requests until standard input ends; return the exit status."""
    die_with_parent()
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setaffinity(0, {int(cpu) for cpu in argv[0].split(",")})
    run: Kernel | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if "kernel" in request:
            run = None  # the arrays of the one before go first
            gc.collect()
            try:
                run, details = _prepare(request)
                answer: dict[str, Any] = {"details": details}
            except (ImportError, MemoryError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
        else:
            assert run is not None  # noqa: S101 - the crew prepares before it runs
            answer = _timed(run, request["times"], request["at"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


def _prepare(request: Mapping[str, Any]) -> tuple[Kernel, dict[str, Any]]:
    if request["kernel"] == "gemm":
        return gemm(request["size"], request["precision"])
    triad = triad_numba if request["with"] == "numba" else triad_numpy
    return triad(request["elements"])


def _timed(run: Kernel, times: int, at: float) -> dict[str, float]:
    while (ahead := at - time.monotonic()) > 0:
        if ahead > 1e-3:
            time.sleep(ahead - 1e-3)
    began = time.monotonic()
    run(times)
    return {"began": began, "ended": time.monotonic()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

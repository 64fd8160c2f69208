"""Matrix multiplication beside others in one run: ``python -m daybreak_rise.tables mm``.

Tuned results of all benchmarks against their references come from a suite: ``daybreak run rise``.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from daybreak import BuildFailed, Configuration, ResourceExceeded, UserError
from daybreak_rise.benchmarks.mm_cpu import MmCpu
from daybreak_rise.benchmarks.mm_gpu import MmGpu
from daybreak_rise.codegen import Kernel, Program
from daybreak_rise.generation import generate_program
from daybreak_rise.handwritten import TILINGS, naive, tiled
from daybreak_rise.runtime.base import Array, Compiled, Runtime
from daybreak_rise.runtime.native import NativeRuntime
from daybreak_rise.runtime.opencl import OpenClRuntime

__all__ = ["Row", "main", "products"]

#: contender, best and median milliseconds, GFLOP/s of the median, whether the result was right
Row = tuple[str, float, float, float, bool]
_Contender = tuple[str, Callable[[], float], Callable[[], bool]]


def products(
    n: int,
    rounds: int,
    runtime: OpenClRuntime,
    native: NativeRuntime,
    gpu: Sequence[tuple[str, Configuration]],
    cpu: Sequence[tuple[str, Configuration]],
) -> Iterable[Row]:
    """Yield a row for each way to multiply two n x n matrices, all of them run in turns.

    The ways: NumPy (its BLAS, with the threads that it takes), the kernels written by hand, and
    the generated ones of the configurations `gpu` (of mm-gpu) and `cpu` (of mm-cpu); each list has
    names with configurations.
    """
    sizes = {"n": n}
    rng = np.random.default_rng()
    at, b = MmGpu().draw(sizes, rng)
    a = np.ascontiguousarray(at.T)
    expected = MmGpu().expected(sizes, {}, (at, b))

    def prepared(name: str, opened: Runtime, program: Program, transposed: bool) -> _Contender:
        made: Compiled = opened.compile(program)
        made.load((at if transposed else a, b))
        made.run()
        return name, made.run, lambda: expected.compare(made.result()).correct

    contenders: list[_Contender] = [
        ("numpy", lambda: _timed(a, b), lambda: expected.compare(a @ b).correct)
    ]
    for name, make in _by_hand(n):
        try:
            contenders.append(prepared(name, runtime, make(), transposed=True))
        except (BuildFailed, ResourceExceeded) as error:
            print(f"{name}: {error}", file=sys.stderr)  # noqa: T201
    for name, configuration in gpu:
        program, _ = generate_program(MmGpu(), sizes, configuration, runtime.language)
        contenders.append(prepared(f"mm-gpu {name}", runtime, program, transposed=True))
    for name, configuration in cpu:
        program, _ = generate_program(MmCpu(), sizes, configuration, native.language)
        contenders.append(prepared(f"mm-cpu {name}", native, program, transposed=False))
    taken: dict[str, list[float]] = {name: [] for name, _, _ in contenders}
    for _ in range(rounds):
        for name, run, _ in contenders:
            taken[name].append(run())
    for name, _, right in contenders:
        median = statistics.median(taken[name])
        yield name, 1e3 * min(taken[name]), 1e3 * median, 2e-9 * n**3 / median, right()


def _by_hand(n: int) -> Iterator[tuple[str, Callable[[], Program]]]:
    """Yield names of the kernels written by hand, and what makes them or says why it cannot."""

    def program(kernel: Kernel) -> Program:
        *inputs, output = kernel.arguments
        return Program("opencl", (kernel,), tuple(inputs), (output,), ())

    yield "naive by hand", lambda: program(naive(n, n, n))
    for one in TILINGS:
        name = f"tiled by hand {one.tile_n}x{one.tile_m}x{one.tile_k}, {one.block_n}x{one.block_m}"
        yield name, functools.partial(lambda tiling: program(tiled(n, n, n, tiling)), one)


def _timed(a: Array, b: Array) -> float:
    began = time.perf_counter()
    np.matmul(a, b)
    return time.perf_counter() - began


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns 0, or 2 when the user's input or machine must be mended."""
    parser = argparse.ArgumentParser(prog="python -m daybreak_rise.tables", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    mm = commands.add_parser("mm", help="NumPy, kernels by hand, generated kernels")
    mm.add_argument("-n", type=int, default=1024, help="rows and columns, a power of two")
    mm.add_argument("--rounds", type=int, default=20)
    mm.add_argument("--platform")
    mm.add_argument("--device")
    mm.add_argument("--gpu", action="append", default=[], help="JSON configuration of mm-gpu")
    mm.add_argument("--cpu", action="append", default=[], help="JSON configuration of mm-cpu")
    chosen = parser.parse_args(arguments)
    try:
        _print(chosen)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _print(chosen: argparse.Namespace) -> None:
    gpu = [*MmGpu().configurations({"n": chosen.n}).items(), *_given(chosen.gpu)]
    cpu = [*MmCpu().configurations({"n": chosen.n}).items(), *_given(chosen.cpu)]
    with (
        OpenClRuntime(chosen.platform, chosen.device) as runtime,
        NativeRuntime(None, "-O3 -march=native") as native,
    ):
        print(f"{runtime.identity['device']}, {runtime.identity['platform']}")  # noqa: T201
        print(f"{'':44}{'best ms':>10}{'median ms':>11}{'GFLOP/s':>9}")  # noqa: T201
        for name, best, median, rate, right in products(
            chosen.n, chosen.rounds, runtime, native, gpu, cpu
        ):
            wrong = "" if right else "  WRONG RESULT"
            print(f"{name:44}{best:10.3f}{median:11.3f}{rate:9.1f}{wrong}")  # noqa: T201


def _given(texts: Sequence[str]) -> list[tuple[str, Configuration]]:
    found: list[tuple[str, Configuration]] = []
    for number, text in enumerate(texts, 1):
        try:
            given = json.loads(text)
        except ValueError as error:
            raise UserError(
                f"no JSON: {error}", expected='an object, e.g. {"v3": 4, ...}'
            ) from None
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        found.append((f"tuned {number}" if len(texts) > 1 else "tuned", values))
    return found


if __name__ == "__main__":
    sys.exit(main())

"""The target `taco`: lists and defines the benchmarks, checks and installs the toolchain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from daybreak import (
    Benchmark,
    Configuration,
    Direction,
    FailureKind,
    Metric,
    Requirement,
    RequirementError,
    UserError,
    nearest,
)
from daybreak_taco.data.presence import check_present
from daybreak_taco.install import Progress, build_tools, setup
from daybreak_taco.kernels import KERNELS
from daybreak_taco.session import TacoSession
from daybreak_taco.toolchain import SETUP, find_taco

__all__ = ["TacoTarget"]

_TIME = Metric(
    "time", "ms", Direction.MINIMIZE, "one call of the compute function, monotonic clock"
)
_THROUGHPUT = Metric(
    "throughput",
    "GFLOP/s",
    Direction.MAXIMIZE,
    "useful operations, not those of the loop, per time",
)


class TacoTarget:
    """The Tensor Algebra Compiler on this machine's processors."""

    def benchmarks(self) -> Iterable[Benchmark]:
        """List every benchmark with its default options."""
        from daybreak_taco import options

        for name in KERNELS:
            model = getattr(options, f"{name.capitalize()}Options")
            yield self.define(name, model().model_dump())

    def define(self, name: str, options: Mapping[str, Any]) -> Benchmark:
        """Return benchmark `name`; looks whether its data is there, but opens no file.

        Raises:
            UserError: there is no such benchmark, or no such file.
            RequirementError: the matrix or tensor has to be fetched first.
        """
        kernel = KERNELS.get(name)
        if kernel is None:
            raise UserError(
                f"target 'taco' has no benchmark '{name}'",
                expected="one of " + ", ".join(KERNELS),
                nearest=nearest(name, KERNELS),
            )
        if kernel.tensor:
            check_present(options["tensor"], tensor=True)
        else:
            check_present(options["matrix"], tensor=False)
        space = kernel.space(options)
        return Benchmark(
            name=name,
            space=space,
            objectives=(_TIME,),
            instance=kernel.instance(options),
            references=kernel.references(space, options),
            metrics=(_THROUGHPUT,),
            summary=kernel.summary,
            options=dict(options),
            hidden_constraints=kernel.hidden_constraints,
            notes=(
                *kernel.notes,
                "omp_num_threads is clipped to the processors that the process may use, or to the "
                "option 'threads'.",
            ),
        )

    def check(self) -> Iterable[Requirement]:
        """Say whether TACO and a C compiler with OpenMP are there."""
        from daybreak_taco.ccompiler import INSTALL_COMPILER, find_compiler, supports_openmp

        try:
            compiler = find_compiler()
            fine = supports_openmp(compiler)
            detail = compiler.version if fine else f"{compiler.version} has no OpenMP"
            yield Requirement("C compiler", fine, detail, "" if fine else INSTALL_COMPILER)
        except RequirementError as error:
            yield Requirement("C compiler", False, error.message, error.remedy or "")
        try:
            taco = find_taco()
            yield Requirement("taco", True, f"{taco.version}, {taco.path} ({taco.found})")
        except RequirementError as error:
            yield Requirement("taco", False, error.message, error.remedy or "")
            try:
                tools = build_tools()
                yield Requirement("build tools", True, ", ".join(tools.values()))
            except RequirementError as missing:
                yield Requirement(
                    "build tools", False, f"{missing.message}; needed for `{SETUP}`",
                    missing.remedy or "",
                )  # fmt: skip

    def open(self, benchmark: Benchmark) -> TacoSession:
        """Return a session, not yet entered."""
        return TacoSession(benchmark)

    def rehearsal(self) -> Mapping[str, Mapping[str, Any]]:
        """Return options with data so small that a trial takes about a second."""
        return {name: dict(kernel.rehearsal) for name, kernel in KERNELS.items()}

    def faults(self, benchmark: Benchmark) -> Iterable[tuple[FailureKind, Configuration]]:
        """Return schedules that must fail, whatever the data.

        One that TACO or the C compiler refuses, for every benchmark; and those known to compile to
        code that computes something else, among them `precompute` with a new variable.
        """
        kernel = KERNELS[benchmark.name]
        for kind, schedules in (
            (FailureKind.BUILD, kernel.refused),
            (FailureKind.WRONG_RESULT, kernel.miscompiled),
        ):
            for commands in schedules:
                yield kind, {"schedule": commands, "omp_num_threads": 1}

    def setup(self, progress: Progress, *, force: bool = False) -> str:
        """Build TACO for this user; see `daybreak_taco.install.setup`."""
        return setup(progress, force=force)

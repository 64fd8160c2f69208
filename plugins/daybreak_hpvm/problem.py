"""A benchmark's program with its inputs and what must come out: the same for every fidelity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from daybreak import Benchmark, Verdict
from daybreak_hpvm import benchmarks
from daybreak_hpvm.devices import DEVICES, Device
from daybreak_hpvm.ir import Loop, Program, Stmt, fingerprint
from daybreak_hpvm.ir.walk import map_body
from daybreak_hpvm.transforms import Applied, apply

__all__ = ["Problem", "compare", "sizes_of", "without_hardware"]


@dataclass(frozen=True)
class Problem:
    """What a session works on.

    Attributes:
        program: with nothing applied.
        inputs: nested lists of integers, by array.
        expected: flat lists, by output: from an algorithm that is independent of the program.
        device: what designs must fit.
        options: the benchmark's.
    """

    program: Program
    inputs: Mapping[str, Any]
    expected: Mapping[str, tuple[int, ...]]
    device: Device
    options: Mapping[str, Any]

    @classmethod
    def of(cls, benchmark: Benchmark) -> Problem:
        """Return the problem of `benchmark`: draws its inputs, works out what must come out."""
        options = benchmark.options
        sizes = sizes_of(benchmark.name, options)
        inputs = benchmarks.draw_inputs(benchmark.name, sizes, int(options["data_seed"]))
        solved = benchmarks.solve(benchmark.name, sizes, inputs)
        return cls(
            benchmarks.define(benchmark.name, sizes).program,
            inputs,
            {name: tuple(map(int, values)) for name, values in solved.items()},
            DEVICES[options["device"]],
            options,
        )

    @property
    def identity(self) -> dict[str, str]:
        """What makes trials comparable at any fidelity."""
        drawn = hashlib.sha256(repr(sorted(self.inputs.items())).encode()).hexdigest()[:16]
        return {"program": fingerprint(self.program)[:16], "inputs": drawn}

    def applied(self, configuration: Mapping[str, Any]) -> Applied:
        """Return the transformed program, and what could not be done."""
        return apply(self.program, configuration)


def sizes_of(name: str, options: Mapping[str, Any]) -> dict[str, int]:
    """Return the options that are sizes of benchmark `name`."""
    return {
        size.name: int(options[size.name])
        for size in benchmarks.sizes(name)
        if options.get(size.name) is not None
    }


def compare(found: Mapping[str, Any], expected: Mapping[str, tuple[int, ...]]) -> Verdict:
    """Compare outputs, element by element: integers are equal or wrong."""
    for name, values in expected.items():
        got = tuple(found.get(name, ()))
        if len(got) != len(values):
            return Verdict(False, message=f"'{name}' has {len(got)} elements, not {len(values)}")
        wrong = [i for i, (a, b) in enumerate(zip(got, values, strict=True)) if a != b]
        if wrong:
            first = wrong[0]
            return Verdict(
                False,
                error=float(max(abs(got[i] - values[i]) for i in wrong)),
                tolerance=0.0,
                message=f"{len(wrong)} of {len(values)} elements of '{name}' are wrong; element "
                f"{first} is {got[first]} instead of {values[first]}",
            )
    return Verdict(True, error=0.0, tolerance=0.0)


def without_hardware(program: Program) -> Program:
    """Return `program` without what the interpreter takes no notice of: unrolling, streams."""

    def plain(stmt: Stmt) -> tuple[Stmt, ...]:
        return (replace(stmt, unroll=1) if isinstance(stmt, Loop) else stmt,)

    nodes = tuple(replace(n, body=map_body(n.body, stmt=plain)) for n in program.nodes)
    return replace(program, nodes=nodes, concurrent=False, streams=())

"""What every runtime offers: it compiles a program, and a compiled program runs on arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from daybreak import ResourceExceeded
from daybreak_rise.codegen import Argument, Kernel, Program
from daybreak_rise.runtime.limits import DeviceLimits

__all__ = ["Array", "Compiled", "Plan", "Runtime", "check_fits", "dtype_of"]

Array = np.ndarray[Any, Any]

_DTYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "bool": np.uint8}


class Compiled(Protocol):
    """A program that was compiled, with its buffers on the device.

    `facts` are JSON values and `phases` seconds, recorded with the trial.
    """

    facts: Mapping[str, Any]
    phases: Mapping[str, float]

    def touch(self) -> None:
        """Launch once on zeros: every page of the buffers is touched, every kernel loaded."""
        ...

    def load(self, inputs: Sequence[Array]) -> None:
        """Copy the inputs to the device and fill the output with what no result holds."""
        ...

    def run(self) -> float:
        """Run once and return the seconds that the device took, nothing else in its queue."""
        ...

    def result(self) -> Array:
        """Return a copy of the output, in its shape."""
        ...

    def close(self) -> None:
        """Free the buffers; safe to call twice."""
        ...


class Runtime(Protocol):
    """A device with its compiler. `identity` names whatever makes times incomparable."""

    identity: dict[str, str]
    limits: DeviceLimits

    @property
    def language(self) -> str:
        """Return the language of the programs that it takes: `opencl`, `cuda` or `c`."""
        ...

    @property
    def kind(self) -> str:
        """Return what the device is: `cpu`, `gpu`, `accelerator` or `custom`."""
        ...

    @property
    def threads(self) -> int | None:
        """Return how many processors a program may use, where that is fewer than there are."""
        ...

    def compile(self, program: Program) -> Compiled:
        """Compile a program and take memory for its buffers.

        Raises:
            BuildFailed: the compiler refuses it; the detail holds its log.
            ResourceExceeded: it asks for more than the device has.
            OutOfMemory: the buffers do not fit.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Plan:
    """The buffers of a program, and which array goes where.

    Attributes:
        bytes: size of each buffer by name.
        output: the one result; pairs have no place in a benchmark's result.
    """

    def __init__(self, program: Program) -> None:
        if len(program.outputs) != 1:
            raise ValueError("a program with one result is expected")
        self._inputs = program.inputs
        self.output = program.outputs[0]
        self.bytes = {
            one.name: max(one.bytes, 1)
            for one in (*program.inputs, *program.outputs, *program.temporaries)
            if not one.by_value
        }

    def inputs(self, values: Sequence[Array]) -> Iterator[tuple[Argument, Array]]:
        """Yield every input with its array, contiguous and of the kernel's element type."""
        for argument in self._inputs:
            value = np.asarray(values[argument.parameter])
            if value.shape != argument.shape:
                raise ValueError(f"{argument.name} is {value.shape}, not {argument.shape}")
            yield argument, np.ascontiguousarray(value, dtype_of(argument))

    def zeros(self) -> list[Array]:
        """Return inputs for `touch`; by place of the expression's parameter."""
        return [np.zeros(one.shape, dtype_of(one)) for one in self._inputs]

    def poison(self) -> Array:
        """Return an output that no result equals: NaN, or the least integer."""
        dtype = dtype_of(self.output)
        worst = np.nan if dtype.kind == "f" else np.iinfo(dtype).min
        return np.full(self.output.shape, worst, dtype)


def dtype_of(argument: Argument) -> np.dtype[Any]:
    """Return NumPy's type of an argument's elements."""
    return np.dtype(_DTYPES[argument.scalar])


@dataclass(frozen=True, slots=True)
class _Need:
    what: str
    asked: int
    limit: int


def check_fits(kernel: Kernel, limits: DeviceLimits) -> None:
    """Refuse a kernel that the device cannot hold.

    Raises:
        ResourceExceeded: too many work-items in a group, or too much local memory; `numbers` holds
            what was asked for and what there is.
    """
    needs = [
        _Need("work_items", math.prod(kernel.local_size), limits.work_group),
        _Need("local_bytes", kernel.local_bytes, limits.local_bytes),
        *(
            _Need(f"work_items_{dimension}", size, limits.work_items[dimension])
            for dimension, size in enumerate(kernel.local_size)
        ),
    ]
    for need in needs:
        if need.asked > need.limit:
            raise ResourceExceeded(
                f"{need.what} of a group: {need.asked} asked for, the device has {need.limit}",
                numbers={need.what: need.asked, f"{need.what}_limit": need.limit},
            )

"""What code generation returns: sources, kernels and what they are to be called with."""

from __future__ import annotations

from dataclasses import dataclass

from daybreak import ResourceExceeded

__all__ = ["SCALAR_BYTES", "Argument", "Kernel", "Program", "fit"]

#: bytes of a scalar in memory
SCALAR_BYTES = {"f32": 4, "f64": 8, "i32": 4, "bool": 1}


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter of a kernel.

    Attributes:
        name: as in the source; the same buffer has the same name in every kernel of a program.
        role: "input", "output" or "temporary" (global memory that only kernels see).
        scalar: "f32", "f64", "i32" or "bool" (one byte each).
        shape: sizes, outermost first; row-major, no padding. `()` is a single element.
        by_value: a scalar that is passed itself, not a buffer.
        parameter: for an input, the place of the expression's parameter; else 0.
        path: which part of a parameter or result of pairs this is: "0" the first, "10" the first
            of the second, "" the whole. An array of pairs is a pair of arrays in memory.
    """

    name: str
    role: str
    scalar: str
    shape: tuple[int, ...]
    by_value: bool = False
    parameter: int = 0
    path: str = ""

    @property
    def length(self) -> int:
        """How many scalars."""
        total = 1
        for size in self.shape:
            total *= size
        return total

    @property
    def bytes(self) -> int:
        """How much memory."""
        return self.length * SCALAR_BYTES[self.scalar]


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel, to be called with `arguments` in this order.

    Attributes:
        source: the whole source of this kernel, to be compiled by itself.
        name: the function's name.
        arguments: its parameters in order.
        global_size: work-items in three dimensions; dimensions that the kernel does not use are 1.
        local_size: work-items of a group.
        local_bytes: local memory of a group, in bytes; what exceeds a device's is `resource`.
        registers: scalars of private memory that were named by unrolled code, for a work-item.
        private_bytes: private arrays that remain, in bytes, for a work-item.
        barriers: barriers in the source.
    """

    source: str
    name: str
    arguments: tuple[Argument, ...]
    global_size: tuple[int, int, int]
    local_size: tuple[int, int, int]
    local_bytes: int
    registers: int
    private_bytes: int
    barriers: int

    @property
    def work_items(self) -> int:
        """Work-items of a group."""
        first, second, third = self.local_size
        return first * second * third


@dataclass(frozen=True, slots=True)
class Program:
    """Kernels to run one after another.

    `inputs`, `outputs` and `temporaries` are what to make buffers for, in the order of the
    expression's parameters and parts; an input that no kernel reads is in `inputs` all the same.
    """

    dialect: str
    kernels: tuple[Kernel, ...]
    inputs: tuple[Argument, ...]
    outputs: tuple[Argument, ...]
    temporaries: tuple[Argument, ...]

    @property
    def source(self) -> str:
        """All sources, for reading and hashing."""
        return "\n".join(kernel.source for kernel in self.kernels)


def fit(program: Program, *, local_bytes: int, work_items: int) -> None:
    """Check a program against a device.

    Args:
        program: the program.
        local_bytes: the device's local memory for a group, in bytes.
        work_items: the most work-items that the device takes in a group.

    Raises:
        ResourceExceeded: a kernel needs more; the numbers say how much of which.
    """
    for kernel in program.kernels:
        if kernel.local_bytes > local_bytes:
            raise ResourceExceeded(
                f"{kernel.name} needs {kernel.local_bytes} bytes of local memory, "
                f"the device has {local_bytes}",
                numbers={"local_bytes": kernel.local_bytes, "local_bytes_limit": local_bytes},
            )
        if kernel.work_items > work_items:
            raise ResourceExceeded(
                f"{kernel.name} has groups of {kernel.work_items} work-items, "
                f"the device takes {work_items}",
                numbers={"work_items": kernel.work_items, "work_items_limit": work_items},
            )

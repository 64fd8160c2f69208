"""OpenCL C 1.2."""

# ruff: noqa: ARG002 - a language need not use all that a dialect is told

from __future__ import annotations

from daybreak_rise.codegen.dialect import Dialect
from daybreak_rise.codegen.ir import Barrier, Buffer, Level, Space

__all__ = ["OpenCL"]

_PLACES = {
    Level.GLOBAL: "get_global_id",
    Level.GROUP: "get_group_id",
    Level.LOCAL: "get_local_id",
}
_FENCES = {
    (True, False): "CLK_LOCAL_MEM_FENCE",
    (False, True): "CLK_GLOBAL_MEM_FENCE",
    (True, True): "CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE",
}
_SPACES = {Space.GLOBAL: "global", Space.LOCAL: "local", Space.PRIVATE: "private"}
_FLOAT = {"mod": "fmod", "min": "fmin", "max": "fmax", "abs": "fabs"}


class OpenCL(Dialect):
    """OpenCL C, with vectors of 2, 4, 8 and 16."""

    name = "OpenCL C"
    scalars = {"f32": "float", "f64": "double", "i32": "int", "bool": "uchar"}  # noqa: RUF012

    def type(self, scalar: str, width: int = 1) -> str:
        """Return the name of a scalar or vector type."""
        if scalar == "f64":
            self.prelude["f64"] = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable"
        return super().type(scalar, width)

    def vector(self, scalar: str, width: int) -> str:
        """Return `float4` and the like."""
        self.widths(scalar, width, (2, 4, 8, 16))
        return f"{self.scalars[scalar]}{width}"

    def place(self, level: Level, dimension: int) -> str:
        """Return `get_local_id(0)` and the like."""
        return f"{_PLACES[level]}({dimension})"

    def parameter(self, buffer: Buffer, written: bool) -> str:
        """Return a pointer to global memory."""
        self.type(buffer.scalar)
        constant = "" if written else "const "
        return f"{constant}global {self.scalars[buffer.scalar]}* restrict {buffer.name}"

    def header(self, name: str, parameters: list[str], local: tuple[int, int, int]) -> str:
        """Return the kernel's head with its group size."""
        size = ", ".join(map(str, local))
        return (
            f"kernel __attribute__((reqd_work_group_size({size})))\n"
            f"void {name}({', '.join(parameters)})"
        )

    def local(self, buffer: Buffer) -> str:
        """Return an array in local memory."""
        kind = self.scalars[buffer.scalar]
        return f"local {kind} {buffer.name}[{buffer.length}] __attribute__((aligned(64)));"

    def table(self, buffer: Buffer, numbers: str) -> str:
        """Return an array in constant memory."""
        kind = self.scalars[buffer.scalar]
        return f"constant {kind} {buffer.name}[{buffer.length}] = {{{numbers}}};"

    def barrier(self, barrier: Barrier) -> str:
        """Return a barrier with its fences."""
        return f"barrier({_FENCES[barrier.local, barrier.global_]});"

    def load(self, buffer: Buffer, offset: str, width: int, aligned: bool) -> str:
        """Return a vector through a pointer where it is aligned, else by vloadN."""
        kind = self.vector(buffer.scalar, width)
        if aligned and buffer.space is not Space.PRIVATE:
            return f"*(const {_SPACES[buffer.space]} {kind}*)({buffer.name} + {offset})"
        return f"vload{width}(0, {buffer.name} + {offset})"

    def store(self, buffer: Buffer, offset: str, value: str, width: int, aligned: bool) -> str:
        """Return a store through a pointer where it is aligned, else by vstoreN."""
        kind = self.vector(buffer.scalar, width)
        if aligned and buffer.space is not Space.PRIVATE:
            return f"*({_SPACES[buffer.space]} {kind}*)({buffer.name} + {offset}) = {value};"
        return f"vstore{width}({value}, 0, {buffer.name} + {offset});"

    def lane(self, vector: str, lane: int) -> str:
        """Return `v.s3`."""
        return f"{vector}.s{lane:x}"

    def lane_at(self, vector: str, lane: str, scalar: str, width: int) -> str:
        """Return a lane by way of memory: OpenCL has no computed lanes."""
        name = self.scalars[scalar]
        if vector.isidentifier():
            return f"((private const {name}*)&{vector})[{lane}]"
        # what is computed has no address: a literal that holds it has
        held = f"union {{ {self.vector(scalar, width)} v; {name} s[{width}]; }}"
        return f"(({held}){{{vector}}}).s[{lane}]"

    def copies(self, value: str, scalar: str, width: int) -> str:
        """Return `(float4)(x)`."""
        return f"({self.vector(scalar, width)})({value})"

    def pack(self, lanes: list[str], scalar: str) -> str:
        """Return `(float4)(a, b, c, d)`."""
        return f"({self.vector(scalar, len(lanes))})({', '.join(lanes)})"

    def call(self, name: str, arguments: list[str], scalar: str, width: int) -> str:
        """Return a built-in function applied; they all take vectors."""
        given = ", ".join(arguments)
        if scalar == "i32":
            if name == "mod":
                return f"({arguments[0]} % {arguments[1]})"
            if name == "abs":
                return f"max({given}, -{given})"
            return f"{name}({given})"
        return f"{_FLOAT.get(name, name)}({given})"

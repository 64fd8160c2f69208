"""C with GCC's vectors, for one thread or (on request) OpenMP."""

# ruff: noqa: ARG002 - a language need not use all that a dialect is told

from __future__ import annotations

from daybreak_rise.codegen.dialect import Dialect
from daybreak_rise.codegen.ir import Barrier, Buffer, Level

__all__ = ["C"]

_MATH = {"mod": "fmod", "abs": "fabs", "sqrt": "sqrt", "exp": "exp"}


class C(Dialect):
    """C99 with GCC's vector extension: vectors of any power of two."""

    name = "C"

    def __init__(self, openmp: bool = False) -> None:
        super().__init__()
        self.openmp = openmp

    def vector(self, scalar: str, width: int) -> str:
        """Return `f32x8` and the like, defined with an unaligned twin `f32x8u`."""
        self.widths(scalar, width, tuple(2**n for n in range(1, 11)))
        name, kind = f"{scalar}x{width}", self.scalars[scalar]
        size = width * {"f64": 8, "bool": 1}.get(scalar, 4)
        self.prelude.setdefault(
            name,
            f"typedef {kind} {name} __attribute__((vector_size({size})));\n"
            f"typedef {kind} {name}u __attribute__((vector_size({size}), "
            f"aligned(__alignof__({kind})), may_alias));",
        )
        return name

    def place(self, level: Level, dimension: int) -> str:
        """Return 0: there is one work-item."""
        return "0"

    def parameter(self, buffer: Buffer, written: bool) -> str:
        """Return a restricted pointer."""
        constant = "" if written else "const "
        return f"{constant}{self.scalars[buffer.scalar]}* restrict {buffer.name}"

    def header(self, name: str, parameters: list[str], local: tuple[int, int, int]) -> str:
        """Return the function's head."""
        return f"void {name}({', '.join(parameters)})"

    def local(self, buffer: Buffer) -> str:
        """Return an array on the stack."""
        return self.array(buffer)

    def array(self, buffer: Buffer) -> str:
        """Return an array on the stack, aligned for vectors."""
        kind = self.scalars[buffer.scalar]
        return f"{kind} {buffer.name}[{buffer.length}] __attribute__((aligned(64)));"

    def table(self, buffer: Buffer, numbers: str) -> str:
        """Return a constant array."""
        kind = self.scalars[buffer.scalar]
        return f"static const {kind} {buffer.name}[{buffer.length}] = {{{numbers}}};"

    def barrier(self, barrier: Barrier) -> str:
        """Return nothing: there is one work-item."""
        return ""

    def load(self, buffer: Buffer, offset: str, width: int, aligned: bool) -> str:
        """Return a vector from anywhere in memory."""
        return f"*(const {self.vector(buffer.scalar, width)}u*)({buffer.name} + {offset})"

    def store(self, buffer: Buffer, offset: str, value: str, width: int, aligned: bool) -> str:
        """Return a store to anywhere in memory."""
        return f"*({self.vector(buffer.scalar, width)}u*)({buffer.name} + {offset}) = {value};"

    def lane(self, vector: str, lane: int) -> str:
        """Return `v[3]`."""
        return f"{vector}[{lane}]"

    def copies(self, value: str, scalar: str, width: int) -> str:
        """Return the scalar minus a vector of zeros, which is exact."""
        return f"({value} - ({self.vector(scalar, width)}){{0}})"

    def pack(self, lanes: list[str], scalar: str) -> str:
        """Return `(f32x4){a, b, c, d}`."""
        return f"({self.vector(scalar, len(lanes))}){{{', '.join(lanes)}}}"

    def call(self, name: str, arguments: list[str], scalar: str, width: int) -> str:
        """Return a function applied; on vectors one that goes lane by lane."""
        if width > 1:
            return f"{self._lanewise(name, len(arguments), scalar, width)}({', '.join(arguments)})"
        if name in ("min", "max") or (name == "abs" and scalar == "i32"):
            return f"{self._small(name, scalar)}({', '.join(arguments)})"
        if scalar == "i32":
            return f"({arguments[0]} % {arguments[1]})"
        self.prelude.setdefault("math", "#include <math.h>")
        return f"{_MATH[name]}{'f' if scalar == 'f32' else ''}({', '.join(arguments)})"

    def _small(self, name: str, scalar: str) -> str:
        kind, function = self.scalars[scalar], f"{name}_{scalar}"
        if name == "abs":
            text = f"static inline int {function}(int a) {{ return a < 0 ? -a : a; }}"
        else:
            sign = "<" if name == "min" else ">"
            text = (
                f"static inline {kind} {function}({kind} a, {kind} b) "
                f"{{ return a {sign} b ? a : b; }}"
            )
        self.prelude.setdefault(function, text)
        return function

    def _lanewise(self, name: str, count: int, scalar: str, width: int) -> str:
        vector, function = self.vector(scalar, width), f"{name}_{scalar}x{width}"
        taken = ["a", "b"][:count]
        one = self.call(name, [f"{t}[i]" for t in taken], scalar, 1)
        self.prelude.setdefault(
            function,
            f"static inline {vector} {function}({', '.join(f'{vector} {t}' for t in taken)}) {{\n"
            f"  {vector} r;\n"
            f"  for (int i = 0; i < {width}; ++i) r[i] = {one};\n"
            "  return r;\n"
            "}",
        )
        return function

    def unroll(self, count: int) -> str:
        """Return GCC's request."""
        return f"#pragma GCC unroll {min(count, 65534)}"

    def threads(self) -> str | None:
        """Return OpenMP's request, if OpenMP is wanted."""
        return "#pragma omp parallel for schedule(static)" if self.openmp else None

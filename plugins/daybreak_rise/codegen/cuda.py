"""CUDA C++, as NVRTC and nvcc take it."""

# ruff: noqa: ARG002 - a language need not use all that a dialect is told

from __future__ import annotations

from daybreak_rise.codegen.dialect import Dialect
from daybreak_rise.codegen.ir import Barrier, Buffer, Level

__all__ = ["Cuda"]

_AXES = "xyz"
_FLOAT = {"mod": "fmod", "min": "fmin", "max": "fmax", "abs": "fabs", "sqrt": "sqrt", "exp": "exp"}

# vectors with operators, lane by lane; aligned ones are moved by one instruction
_VECTOR = """\
template <typename T, int N> struct alignas(sizeof(T) * N > 16 ? 16 : sizeof(T) * N) vec {
  T s[N];
  __device__ T& operator[](int i) { return s[i]; }
  __device__ const T& operator[](int i) const { return s[i]; }
};
#define VEC_OPERATOR(op) \\
  template <typename T, int N> __device__ inline vec<T, N> operator op(vec<T, N> a, vec<T, N> b) { \\
    vec<T, N> r; \\
    _Pragma("unroll") for (int i = 0; i < N; ++i) r.s[i] = a.s[i] op b.s[i]; \\
    return r; \\
  } \\
  template <typename T, int N> __device__ inline void operator op##=(vec<T, N>& a, vec<T, N> b) { \\
    a = a op b; \\
  }
VEC_OPERATOR(+)
VEC_OPERATOR(-)
VEC_OPERATOR(*)
VEC_OPERATOR(/)
template <typename T, int N> __device__ inline vec<T, N> operator-(vec<T, N> a) {
  vec<T, N> r;
  #pragma unroll
  for (int i = 0; i < N; ++i) r.s[i] = -a.s[i];
  return r;
}
template <typename T, int N> __device__ inline vec<T, N> copies(T a) {
  vec<T, N> r;
  #pragma unroll
  for (int i = 0; i < N; ++i) r.s[i] = a;
  return r;
}
template <int N, typename T> __device__ inline vec<T, N> load(const T* p) {
  vec<T, N> r;
  #pragma unroll
  for (int i = 0; i < N; ++i) r.s[i] = p[i];
  return r;
}
template <int N, typename T> __device__ inline void store(T* p, vec<T, N> a) {
  #pragma unroll
  for (int i = 0; i < N; ++i) p[i] = a.s[i];
}"""


class Cuda(Dialect):
    """CUDA C++ without its library of vectors: a small template with operators instead."""

    name = "CUDA C++"

    def vector(self, scalar: str, width: int) -> str:
        """Return `vec<float, 4>` and the like."""
        self.widths(scalar, width, (2, 4, 8, 16))
        self.prelude.setdefault("vec", _VECTOR)
        return f"vec<{self.scalars[scalar]}, {width}>"

    def place(self, level: Level, dimension: int) -> str:
        """Return `threadIdx.x` and the like."""
        axis = _AXES[dimension]
        if level is Level.LOCAL:
            return f"threadIdx.{axis}"
        if level is Level.GROUP:
            return f"blockIdx.{axis}"
        return f"blockIdx.{axis} * blockDim.{axis} + threadIdx.{axis}"

    def parameter(self, buffer: Buffer, written: bool) -> str:
        """Return a restricted pointer."""
        constant = "" if written else "const "
        return f"{constant}{self.scalars[buffer.scalar]}* __restrict__ {buffer.name}"

    def header(self, name: str, parameters: list[str], local: tuple[int, int, int]) -> str:
        """Return the kernel's head with the size of a block."""
        count = local[0] * local[1] * local[2]
        return (
            f'extern "C" __global__ void __launch_bounds__({count})\n'
            f"{name}({', '.join(parameters)})"
        )

    def local(self, buffer: Buffer) -> str:
        """Return an array in shared memory."""
        return f"__shared__ __align__(16) {self.scalars[buffer.scalar]} {buffer.name}[{buffer.length}];"

    def array(self, buffer: Buffer) -> str:
        """Return a private array, aligned for vectors."""
        return f"__align__(16) {self.scalars[buffer.scalar]} {buffer.name}[{buffer.length}];"

    def table(self, buffer: Buffer, numbers: str) -> str:
        """Return an array in constant memory."""
        kind = self.scalars[buffer.scalar]
        return f"__constant__ {kind} {buffer.name}[{buffer.length}] = {{{numbers}}};"

    def barrier(self, barrier: Barrier) -> str:
        """Return a block's barrier, which fences all memory."""
        return "__syncthreads();"

    def load(self, buffer: Buffer, offset: str, width: int, aligned: bool) -> str:
        """Return a vector through a pointer where it is aligned, else lane by lane."""
        kind = self.vector(buffer.scalar, width)
        if aligned:
            return f"*reinterpret_cast<const {kind}*>({buffer.name} + {offset})"
        return f"load<{width}>({buffer.name} + {offset})"

    def store(self, buffer: Buffer, offset: str, value: str, width: int, aligned: bool) -> str:
        """Return a store through a pointer where it is aligned, else lane by lane."""
        kind = self.vector(buffer.scalar, width)
        if aligned:
            return f"*reinterpret_cast<{kind}*>({buffer.name} + {offset}) = {value};"
        return f"store<{width}>({buffer.name} + {offset}, {value});"

    def lane(self, vector: str, lane: int) -> str:
        """Return `v.s[3]`."""
        return f"{vector}.s[{lane}]"

    def copies(self, value: str, scalar: str, width: int) -> str:
        """Return `copies<float, 4>(x)`."""
        self.vector(scalar, width)
        return f"copies<{self.scalars[scalar]}, {width}>({value})"

    def pack(self, lanes: list[str], scalar: str) -> str:
        """Return `vec<float, 4>{{a, b, c, d}}`."""
        return f"{self.vector(scalar, len(lanes))}{{{{{', '.join(lanes)}}}}}"

    def call(self, name: str, arguments: list[str], scalar: str, width: int) -> str:
        """Return a function applied; on vectors one that goes lane by lane."""
        if width > 1:
            return f"{self._lanewise(name, len(arguments), scalar)}({', '.join(arguments)})"
        if scalar == "i32":
            if name == "mod":
                return f"({arguments[0]} % {arguments[1]})"
            return f"{name}({', '.join(arguments)})"
        return f"{_FLOAT[name]}{'f' if scalar == 'f32' else ''}({', '.join(arguments)})"

    def _lanewise(self, name: str, count: int, scalar: str) -> str:
        taken = ["a", "b"][:count]
        kind, function = self.scalars[scalar], f"{name}_{scalar}"
        one = self.call(name, [f"{t}.s[i]" for t in taken], scalar, 1)
        given = ", ".join(f"vec<{kind}, N> {t}" for t in taken)
        self.prelude.setdefault(
            function,
            f"template <int N> __device__ inline vec<{kind}, N> {function}({given}) {{\n"
            f"  vec<{kind}, N> r;\n"
            "  #pragma unroll\n"
            f"  for (int i = 0; i < N; ++i) r.s[i] = {one};\n"
            "  return r;\n"
            "}",
        )
        return function

"""Arithmetic in narrow integers inside compiled kernels.

Numba, like NumPy, widens integers to 64 bits, which leaves an eighth of a vector register's lanes
for 8-bit data. These operations stay in the width that they are named after and wrap around; the
ones named `sat` stop at the ends of the range instead. Compilers turn loops of them into vector
instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "add16",
    "add32",
    "dot8",
    "dot16",
    "mul16",
    "mul32",
    "prefetch",
    "sadd16",
    "shr16",
    "shr32",
    "ssub16",
    "sub32",
]


def _binary(bits: int, operation: str) -> Any:
    kind, width = getattr(types, f"int{bits}"), ir.IntType(bits)
    saturating = operation.startswith("llvm.")

    def operate(_typing: Any, _a: Any, _b: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            if not saturating:
                return getattr(builder, operation)(*arguments)
            shape = ir.FunctionType(width, [width, width])
            called = builder.module.declare_intrinsic(operation, [width], shape)
            return builder.call(called, arguments)

        return kind(kind, kind), emit

    return intrinsic(operate)


def _multiply_add(data: Any, total: Any, width: int) -> Callable[..., Any]:
    def operate(_typing: Any, _sum: Any, _a: Any, _b: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            product, wide = ir.IntType(32), ir.IntType(width)
            left, right = (builder.sext(value, product) for value in arguments[1:])
            term = builder.mul(left, right)
            if width > 32:
                term = builder.sext(term, wide)
            return builder.add(arguments[0], term)

        return total(total, data, data), emit

    made: Callable[..., Any] = intrinsic(operate)
    return made


add16 = _binary(16, "add")
mul16 = _binary(16, "mul")
#: arithmetic shift to the right
shr16 = _binary(16, "ashr")
sadd16 = _binary(16, "llvm.sadd.sat")
ssub16 = _binary(16, "llvm.ssub.sat")
add32 = _binary(32, "add")
sub32 = _binary(32, "sub")
mul32 = _binary(32, "mul")
shr32 = _binary(32, "ashr")
#: sum + a * b, of bytes in 32 bits; exact for at most 2^17 terms
dot8 = _multiply_add(types.int8, types.int32, 32)
#: sum + a * b, of 16-bit numbers in 64 bits
dot16 = _multiply_add(types.int16, types.int64, 64)

#: bytes of a cache line
_LINE = 64


@intrinsic
def _prefetch(_typing: Any, array: Any, _place: Any) -> Any:
    """Ask for the cache line of an element of a flat array, to read it soon."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, arguments[0])
        place = cgutils.get_item_pointer(context, builder, kind, view, [arguments[1]])
        flag, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        shape = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
        called = builder.module.declare_intrinsic("llvm.prefetch", [pointer], shape)
        # for reading, to keep in all caches, data
        builder.call(called, [builder.bitcast(place, pointer), flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


@njit(nogil=True)
def prefetch(array, begin, end):  # type: ignore[no-untyped-def]
    """Ask for the cache lines of the elements begin..end of a flat C-contiguous array.

    They come in while the kernel goes on with something else; nothing waits for them.
    """
    for place in range(begin, end, _LINE // array.itemsize):
        _prefetch(array, place)

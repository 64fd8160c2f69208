"""What is known of an expression's value in all lanes at once.

Lanes are axes of NumPy arrays, so that an unrolled statement is looked at once however many copies
it stands for. Copies that are equal whatever the data are told apart by *classes*: the number of
classes is the number of operators that the hardware has for the expression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from daybreak_hpvm.ir import IntType

__all__ = ["Form", "Value", "classes", "common", "spread"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Form:
    """``constants + sum(factor * variable)``; `constants` have the value's axes."""

    terms: tuple[tuple[str, int], ...]
    constants: Ints


@dataclass(eq=False, slots=True)
class Value:
    """An expression within lanes.

    Attributes:
        type: of the expression.
        axes: variables of the lanes that it differs by, in the order of the region's lanes.
        ids: class of each copy, one axis for each of `axes`; from 0.
        count: number of classes.
        first: cycle in which the first copy may be used.
        last: cycle in which the last one may.
        fixed: the copies' values where all are constants.
        form: the copies as affine forms of loop variables, where they are.
        since: for a scalar that the value depends on from before the iteration: cycles from its
            register to here.
        registered: the value stands in a register of its own (else it is made of wires).
        stable: the same throughout the region.
        used: last cycle in which it is used.
        wires: the value that this one only renames, if it does.
        width: bits of what is left after a shift to the right; 0: as the type has.
        port: the array outside that the value is loaded from: in the cycle in which it comes it
            stands on wires that all elements of that array share.
    """

    type: IntType
    axes: tuple[str, ...]
    ids: Ints
    count: int
    first: int
    last: int
    fixed: Ints | None = None
    form: Form | None = None
    since: Mapping[str, int] = field(default_factory=dict)
    registered: bool = False
    stable: bool = False
    used: int = 0
    wires: tuple[Value, ...] = ()
    width: int = 0
    port: str = ""

    @property
    def bits(self) -> int:
        """Bits that say something: those above only repeat the sign, or are 0."""
        return min(self.width or self.type.bits, self.type.bits)

    @property
    def source(self) -> Value:
        """The value whose bits this one has, if it is that of another type."""
        found = self
        while len(found.wires) == 1 and found.wires[0].width == found.width:
            found = found.wires[0]
        return found

    def ready(self) -> Ints:
        """Return the cycle from which each copy may be used; between `first` and `last` evenly."""
        steps = max(self.count - 1, 1)
        return self.first + (self.ids * (self.last - self.first) + steps // 2) // steps

    def use(self, cycle: int) -> None:
        """Note a use in `cycle`; wires are traced back to what drives them."""
        if self.wires:
            for one in self.wires:
                one.use(cycle)
        self.used = max(self.used, cycle)


def common(values: Sequence[Value], order: Sequence[str]) -> tuple[str, ...]:
    """Return the axes that any of `values` has, in `order`."""
    present = {axis for value in values for axis in value.axes}
    return tuple(axis for axis in order if axis in present)


def spread(array: Ints, axes: Sequence[str], onto: Sequence[str]) -> Ints:
    """Return `array`, whose axes are `axes`, ready to be broadcast over the axes `onto`."""
    sizes = dict(zip(axes, array.shape, strict=True))
    return array.reshape([sizes.get(axis, 1) for axis in onto])


def classes(keys: Sequence[Ints], sizes: Sequence[int]) -> tuple[Ints, int]:
    """Return the classes of tuples of `keys` (each ready to be broadcast to `sizes`), and how many."""
    shape = tuple(sizes)
    if not shape:
        return np.zeros((), dtype=np.int64), 1
    total: Ints = np.zeros(shape, dtype=np.int64)
    for key in keys:
        if key.size == 1:
            continue
        low = int(key.min())
        width = int(key.max()) - low + 1
        if int(total.max()) > (1 << 60) // max(width, 1):
            total = np.unique(total, return_inverse=True)[1].reshape(shape).astype(np.int64)
        total = total * width + (key - low)
    found, inverse = np.unique(total, return_inverse=True)
    return np.asarray(inverse, dtype=np.int64).reshape(shape), len(found)

"""Accesses of a region to its arrays: their addresses, their ports, and the cycles that they take.

Accesses of one port follow one another: each takes the next cycle that is free. Banks and replicas of
a memory are those of the hardware (`rtl.storage`).
"""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from daybreak_hpvm.ir import IntType, Load, Store
from daybreak_hpvm.model.nest import Lane
from daybreak_hpvm.model.operators import Operators, tree_levels
from daybreak_hpvm.model.values import Form, Ints, Value, classes, common, spread
from daybreak_hpvm.rtl.costs import EXTERNAL_LATENCY, RAM_LATENCY, signed_digits
from daybreak_hpvm.rtl.storage import Storage

__all__ = ["Access", "Accesses", "Queue"]

_LOAD_CYCLES: Final = {
    "external": EXTERNAL_LATENCY,
    "stream": 1,
    "ram": RAM_LATENCY,
    "registers": 1,
}


@dataclass(slots=True)
class Access:
    """Accesses that a region makes to one array in an iteration, in one statement or expression.

    `places` are constants of their row-major positions where these are affine, else None. Where lanes
    have the array to themselves there are `copies` of it, which share the accesses.
    """

    array: str
    store: bool
    count: int
    places: Ints | None
    ready: int
    first: int
    address: Value
    copies: int = 1


class Queue:
    """Which cycles of a port are taken: stretches [begin, end) in order, none touching another."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int]] = []

    def take(self, first: int, last: int, count: int) -> tuple[int, int]:
        """Take `count` free cycles, the first from `first` on and the last from `last` on.

        Returns:
            The first and the last of them.
        """
        begin, left, at = -1, count, first
        stretches: list[tuple[int, int]] = []
        for busy, free in [*self.taken, (1 << 40, 1 << 40)]:
            if left and at < busy:
                number = min(left, busy - at)
                stretches.append((at, at + number))
                begin = at if begin < 0 else begin
                left -= number
            at = max(at, free)
            if not left:
                break
        end = stretches[-1][1] - 1
        self.taken = _merged([*self.taken, *stretches])
        return begin, max(end, last)


def _merged(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    done: list[tuple[int, int]] = []
    for begin, end in sorted(stretches):
        if done and begin <= done[-1][1]:
            done[-1] = (done[-1][0], max(done[-1][1], end))
        else:
            done.append((begin, end))
    return done


class Accesses:
    """The accesses of a region, noted as its statements are walked over.

    Attributes:
        listed: all of them.
        private: copies of local arrays that lanes have to themselves.
    """

    def __init__(self, storage: Mapping[str, Storage], operators: Operators) -> None:
        self._storage = storage
        self._operators = operators
        self._lines: dict[tuple[str, str], Queue] = {}
        self._bases: dict[tuple[object, ...], Value] = {}
        # when each element came that was loaded since its array was last stored to, and as part of
        # which value; by array, by what its address is made of, and by the constant in that
        self._loaded: dict[str, dict[object, dict[int, tuple[int, Value]]]] = {}
        self.listed: list[Access] = []
        self.private: dict[str, int] = {}

    # -- loads and stores

    def load(self, expr: Load, indices: Sequence[Value], context: Sequence[Lane]) -> Value:
        """Return the element that `expr` loads; `indices` are its indices' values."""
        where = self._storage[expr.array]
        operators = self._operators
        address, places, count = self._address(expr.array, indices, context)
        address, copies = self._own_copies(expr.array, address, context)
        count *= copies
        constant = places is not None and address.form is not None and not address.form.terms
        if constant and where.array.values is not None and places is not None:
            table: Ints = np.asarray(where.array.values, dtype=np.int64)
            values = table[places]
            return Value(expr.type, address.axes, address.ids, count, 0, 0, fixed=values)
        latency = _LOAD_CYCLES[where.kind]
        if where.kind == "registers" and constant:
            latency = 0
        known: dict[int, tuple[int, Value]] = {}
        wanted: list[int] = []
        new: list[int] = []
        if places is not None and address.form is not None and copies == 1:
            known = self._loaded.setdefault(expr.array, {}).setdefault(address.form.terms, {})
            wanted = np.unique(places).tolist()
            new = [one for one in wanted if one not in known]
            places, count = np.asarray(new, dtype=np.int64), len(new)
        begin, end = address.first, address.last
        if count and where.kind != "registers":
            share = -(-_busiest(where, places, count // copies) // where.replicas)
            begin, end = self._line(expr.array, "load").take(begin, end, share)
        address.use(end)
        # what comes from outside stands on the port's own register, which all its elements share
        port = expr.array if where.kind == "external" else ""
        value = Value(
            expr.type, address.axes, address.ids, int(address.ids.max()) + 1,
            begin + latency, end + latency, registered=not port and latency > 0, port=port,
        )  # fmt: skip
        for turn, one in enumerate(new):
            known[one] = begin + latency + (end - begin) * turn // max(count - 1, 1), value
        if wanted:
            cycles = [known[one][0] for one in wanted]
            value.first, value.last = min(cycles), max(cycles)
        if not count:
            value.wires = tuple({id(known[one][1]): known[one][1] for one in wanted}.values())
            return value
        self.listed.append(Access(expr.array, False, count, places, end, begin, address, copies))
        operators.values.append(value)
        operators.amounts["loaded"] += count * expr.type.bits
        if where.kind == "registers" and not constant:
            operators.amounts["register_reads"] += count * where.array.bits
        return value

    def store(
        self,
        stmt: Store,
        indices: Sequence[Value],
        value: Value,
        enable: Value | None,
        context: Sequence[Lane],
    ) -> tuple[int, int]:
        """Note stores of `value`.

        Returns:
            The cycle of the last one, and the cycles from a load of what it may overwrite to there,
            as many as an iteration has to come after the one before it; 0 if there is none.
        """
        where = self._storage[stmt.array]
        amounts = self._operators.amounts
        address, places, count = self._address(stmt.array, indices, context)
        address, copies = self._own_copies(stmt.array, address, context)
        lanes = math.prod(len(lane.offsets) for lane in context)
        count = max(count * copies, lanes if places is None else count)
        ready = max(address.last, value.last, enable.last if enable else 0)
        first = max(address.first, value.first, enable.first if enable else 0)
        share = _busiest(where, places, count // copies)
        if where.kind != "registers":
            first, ready = self._line(stmt.array, "store").take(first, ready, share)
        for one in (address, value, *([enable] if enable else ())):
            one.use(ready)
        self._loaded.pop(stmt.array, None)
        self.listed.append(Access(stmt.array, True, count, places, ready, first, address, copies))
        amounts["stored"] += count * where.array.type.bits
        if where.kind == "registers":
            amounts["register_writes"] += count * where.array.size
        recurrence = 0
        for load in self.listed:
            if not load.store and load.array == stmt.array and not _same_place(load, places):
                recurrence = max(recurrence, ready - load.first + 1)
        return ready, recurrence

    def _line(self, array: str, side: str) -> Queue:
        """Return the accesses to one side of an array that have a cycle already."""
        return self._lines.setdefault((array, side), Queue())

    # -- addresses

    def _address(
        self, array: str, indices: Sequence[Value], context: Sequence[Lane]
    ) -> tuple[Value, Ints | None, int]:
        """Return the place, constants of the positions where affine, and how many differ."""
        where, operators = self._storage[array], self._operators
        kind = IntType(where.address_bits)
        if where.kind == "stream":  # the next element, wherever it belongs
            axes = tuple(lane.var for lane in context if len(lane.offsets) > 1)
            shape = operators.sizes(axes)
            each: Ints = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
            return Value(kind, axes, each, each.size, 0, 0), None, each.size
        axes = common(indices, operators.order)
        sizes = operators.sizes(axes)
        if all(value.form is not None for value in indices):
            constants: Ints = np.zeros(sizes, dtype=np.int64)
            terms: Tally[str] = Tally()
            stride = 1
            for value, extent in zip(reversed(indices), reversed(where.array.shape), strict=True):
                assert value.form is not None  # noqa: S101 - narrows the type
                constants = constants + stride * spread(value.form.constants, value.axes, axes)
                for name, factor in value.form.terms:
                    terms[name] += factor * stride
                stride *= extent
            listed = tuple(sorted((n, f) for n, f in terms.items() if f))
            return self._affine_address(array, kind, axes, Form(listed, constants))
        parts = []
        stride = 1
        for value, extent in zip(reversed(indices), reversed(where.array.shape), strict=True):
            ready = operators.made(value)
            if stride != 1:
                wide = IntType(ready.type.bits + stride.bit_length())
                ready = operators.scaled(ready, stride, wide)
            parts.append(ready)
            stride *= extent
        total = parts[0]
        for part in parts[1:]:
            total = operators.operate("add", kind, (part, total))
        return total, None, total.count

    def _affine_address(
        self, array: str, kind: IntType, axes: tuple[str, ...], form: Form
    ) -> tuple[Value, Ints | None, int]:
        where, operators = self._storage[array], self._operators
        constants = form.constants
        ids, count = classes([constants], operators.sizes(axes))
        digits = sum(len(signed_digits(by // where.banks or by)) for _, by in form.terms)
        levels = tree_levels(digits)
        key = (where.depth, form.terms, array if where.kind == "registers" else "")
        base = self._bases.get(key)
        if base is None:
            one: Ints = np.zeros((), dtype=np.int64)
            base = Value(kind, (), one, 1, levels, levels, registered=levels > 0)
            if digits > 1:
                operators.count("add", kind, kind, kind, digits - 1)
            operators.values.append(base)
            self._bases[key] = base
        if not form.terms:
            fixed = Value(kind, axes, ids, count, 0, 0, fixed=constants)
            fixed.form = form
            return fixed, constants, count
        shifted = constants // where.banks if where.banks > 1 else constants
        moved = int(np.count_nonzero(np.unique(shifted)))
        last = levels + (1 if moved else 0)
        found = Value(kind, axes, ids, count, levels, last, registered=last > 0)
        found.form = form
        if moved:
            operators.count("add", kind, kind, kind, moved)
            operators.values.append(found)
        else:
            found.wires = (base,)
        return found, constants, count

    def _own_copies(self, array: str, value: Value, context: Sequence[Lane]) -> tuple[Value, int]:
        """Return a value that also differs by the lanes which have the array to themselves."""
        own = [x for x in context if array in x.arrays and len(x.offsets) > 1]
        if not own:
            return value, 1
        copies = math.prod(len(lane.offsets) for lane in own)
        self.private[array] = max(self.private.get(array, 1), copies)
        vars_ = {*value.axes, *(lane.var for lane in own)}
        axes = tuple(axis for axis in self._operators.order if axis in vars_)
        keys = [spread(value.ids, value.axes, axes)]
        keys += [spread(np.arange(len(x.offsets)), (x.var,), axes) for x in own]
        ids, count = classes(keys, self._operators.sizes(axes))
        moved = Value(value.type, axes, ids, count, value.first, value.last, wires=(value,))
        moved.form = value.form
        return moved, copies


def _same_place(load: Access, places: Ints | None) -> bool:
    """Whether a load and a store meet only in the same iteration."""
    return (
        places is not None
        and load.places is not None
        and load.address.form is not None
        and np.array_equal(np.unique(load.places), np.unique(places))
        and bool(load.address.form.terms)
    )


def _busiest(where: Storage, places: Ints | None, count: int) -> int:
    """Return how many of `count` accesses the busiest port of an array takes."""
    if where.kind == "registers" or count == 0:
        return 1
    if where.kind == "ram" and where.banks > 1 and places is not None:
        return int(np.bincount(np.unique(places) % where.banks).max())
    return count

"""What a region costs: its operators, its accesses, and the cycles of its pipeline.

The same rules as the hardware's (docs/targets/hpvm-rtl.md), but without a schedule: each value is
ready as early as its operands allow; accesses that share a port follow one another; the initiation
interval is the larger one of what ports and recurrences ask for.
"""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from daybreak_hpvm.ir import (
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    If,
    Index,
    IntType,
    Load,
    Reduce,
    Scalar,
    Select,
    Stmt,
    Store,
    Unary,
)
from daybreak_hpvm.model.nest import Item, Lane, Region
from daybreak_hpvm.model.values import Form, Ints, Value, classes, common, spread
from daybreak_hpvm.rtl.costs import (
    CONSTANT_DIGITS,
    EXTERNAL_LATENCY,
    LIMB_BITS,
    MAX_REPLICAS,
    RAM_LATENCY,
    mul_latency,
    signed_digits,
)
from daybreak_hpvm.rtl.storage import Storage

__all__ = ["Access", "RegionCost", "cost_of"]

Axes = tuple[str, ...]

_COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_LOGIC = frozenset({"and", "or", "xor"})
#: operators whose delay grows with their width
_CARRIES = _COMPARISONS | {"add", "sub", "neg", "abs", "min", "max"}


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


@dataclass(slots=True)
class RegionCost:
    """What one region needs.

    Attributes:
        iterations: how often it runs through.
        interval: cycles between two iterations.
        depth: cycles of one iteration.
        amounts: how much of each kind of operator it has: see `resources.FEATURES`.
        multipliers: widths of products, and how many of each.
        private: copies of local arrays that lanes have to themselves.
        ports: accesses in an iteration, by array and side.
        chain: bits of the widest operator with a carry.
        replicas: copies of a memory's banks with which its loads do not set the pace.
    """

    iterations: int
    interval: int
    depth: int
    amounts: Tally[str] = field(default_factory=Tally)
    multipliers: Tally[tuple[int, int]] = field(default_factory=Tally)
    replicas: dict[str, int] = field(default_factory=dict)
    private: dict[str, int] = field(default_factory=dict)
    ports: Tally[str] = field(default_factory=Tally)
    chain: int = 0

    @property
    def cycles(self) -> int:
        """Cycles from its start to its end."""
        return (self.iterations - 1) * self.interval + self.depth


def cost_of(region: Region, storage: Mapping[str, Storage]) -> RegionCost:
    """Return what `region` costs, given where each array is kept."""
    return _Walk(region, storage).run()


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


class _Walk:
    def __init__(self, region: Region, storage: Mapping[str, Storage]) -> None:
        self.region = region
        self.storage = storage
        self.lanes: dict[str, Lane] = {}
        for item in region.items:
            for lane in item.lanes:
                known = self.lanes.get(lane.var)
                if known is None or len(lane.offsets) > len(known.offsets):
                    self.lanes[lane.var] = lane
        self.order = tuple(self.lanes)
        self.counters = {counter.var for counter in region.counters}
        self.cost = RegionCost(region.iterations, 1, 0)
        self.env: dict[str, Value] = {}
        self.trees: dict[str, tuple[str, Value | None, int, int, int]] = {}
        self.epoch: Tally[str] = Tally()
        self.memo: dict[tuple[object, ...], Value] = {}
        self.accesses: list[Access] = []
        self.lines: dict[tuple[str, str], Queue] = {}
        self.values: list[Value] = []
        self.recurrence = 1
        self.end = 0
        self.written = _written(region.items)
        self.context: tuple[Lane, ...] = ()

    # ---- the whole --------------------------------------------------------------------------

    def run(self) -> RegionCost:
        # ports first: how far accesses of one port are apart decides when values are ready, and
        # that is known once all of them have been seen
        for item in self.region.items:
            self.context = item.lanes
            self.stmt(item.stmt, None)
        interval = max(self.recurrence, self.bound())
        self.cost.interval = interval if self.region.iterations > 1 else 1
        self.cost.depth = max(self.end, 1)
        self.registers()
        return self.cost

    def bound(self) -> int:
        """Return the interval that ports ask for, and note how many replicas memories had better have."""
        loads, stores = self.by_bank()
        found = 1
        for name, banks in stores.items():
            if self.storage[name].kind != "registers":
                found = max(found, *banks.values())
        for name, banks in loads.items():
            if self.storage[name].kind in ("external", "stream"):
                found = max(found, *banks.values())
        pace = max(found, self.recurrence)
        for name, banks in loads.items():
            if self.storage[name].kind == "ram":
                most = max(banks.values())
                if self.region.iterations > 1:
                    self.cost.replicas[name] = min(MAX_REPLICAS, -(-most // pace))
                found = max(found, -(-most // self.storage[name].replicas))
        return found

    def by_bank(self) -> tuple[dict[str, Tally[int]], dict[str, Tally[int]]]:
        found: tuple[dict[str, Tally[int]], dict[str, Tally[int]]] = ({}, {})
        for access in self.accesses:
            tally = found[int(access.store)].setdefault(access.array, Tally())
            banks = self.storage[access.array].banks
            if access.places is None or banks == 1:
                tally[0] += -(-access.count // access.copies)
                continue
            for bank in (np.unique(access.places) % banks).tolist():
                tally[bank] += 1
        return found

    def registers(self) -> None:
        """Count the registers that carry values to where they are used."""
        # what runs through once keeps every value in one register for as long as it takes
        interval = self.cost.interval if self.region.iterations > 1 else self.cost.depth
        bits = 0
        for value in self.values:
            if value.fixed is not None or value.stable or value.wires:
                continue
            made = value.last - 1 if value.registered else value.last
            stages = -(-max(0, value.used - made) // interval)
            bits += value.count * value.type.bits * stages
        self.cost.amounts["pipeline"] += bits
        self.cost.amounts["valid"] += 2 * (self.cost.depth - 1)
        for counter in self.region.counters:
            last = counter.start + counter.step * (counter.trips - 1)
            self.cost.amounts["counters"] += last.bit_length() + counter.trips.bit_length()
        if self.cost.interval > 1:
            self.cost.amounts["counters"] += self.cost.interval.bit_length()
        self.cost.amounts["regions"] += 1
        for access in self.accesses:
            where = self.storage[access.array]
            if where.kind == "registers":
                continue
            width = where.address_bits + (where.array.type.bits if access.store else 0)
            self.cost.amounts["onehot"] += access.count * width
            side = "store" if access.store else "load"
            self.cost.ports[f"{access.array} {side}"] += access.count

    # ---- statements -------------------------------------------------------------------------

    def stmt(self, stmt: Stmt, enable: Value | None) -> None:
        if isinstance(stmt, Assign):
            self.assign(stmt, enable)
        elif isinstance(stmt, Reduce):
            self.reduce(stmt, enable)
        elif isinstance(stmt, Store):
            self.store(stmt, enable)
        elif isinstance(stmt, If):
            self.branch(stmt, enable)

    def branch(self, stmt: If, enable: Value | None) -> None:
        condition = self.expr(stmt.condition)
        inner = condition if enable is None else self.operate("and", _BIT, (enable, condition))
        for one in stmt.then:
            self.stmt(one, inner)
        if stmt.otherwise:
            for one in stmt.otherwise:
                self.stmt(one, inner)

    def assign(self, stmt: Assign, enable: Value | None) -> None:
        value = self.renamed(self.expr(stmt.value), stmt.target.type)
        if enable is not None:
            value = self.operate(
                "select", stmt.target.type, (enable, value, self.scalar(stmt.target))
            )
        self.put(stmt.target, value)

    def put(self, target: Scalar, value: Value) -> None:
        name = target.name
        self.trees.pop(name, None)
        repeats = math.prod(len(lane.offsets) for lane in self.context if lane.ordered)
        if name in value.since:
            self.recurrence = max(self.recurrence, value.since[name] * repeats)
            value.last += value.since[name] * (repeats - 1)
        self.env[name] = value
        self.end = max(self.end, value.last if value.registered else value.last + 1)

    def reduce(self, stmt: Reduce, enable: Value | None) -> None:
        name, kind = stmt.target.name, stmt.target.type
        value = self.renamed(self.expr(stmt.value), kind)
        if enable is not None:
            neutral = self.constant(0, kind)
            value = self.operate("select", kind, (enable, value, neutral))
        shared = [
            lane for lane in self.context if name not in lane.scalars and len(lane.offsets) > 1
        ]
        total = math.prod(len(lane.offsets) for lane in shared)
        own = tuple(axis for axis in value.axes if axis not in {lane.var for lane in shared})
        latency = mul_latency(kind.bits, kind.bits) if stmt.op == "mul" else 1
        known = self.trees.get(name)
        if known is not None and known[0] == stmt.op and self.env.get(name) is not None:
            _, base, leaves, first, last = known
            leaves, last = leaves + total, max(last, value.last)
        else:
            base = self.env.get(name) or self.scalar(stmt.target)
            leaves, first, last = total, value.first, value.last
        copies = math.prod(len(self.lanes[axis].offsets) for axis in own) if own else 1
        # copies that are equal are worked out once
        copies = min(copies, value.count) if own else 1
        levels = math.ceil(math.log2(leaves)) if leaves > 1 else 0
        ready = last + levels * latency
        self.count(stmt.op, kind, kind, kind, max(total - 1, 0) * copies)
        value.use(value.last)
        since: dict[str, int] = {}
        merged = base is not None and base.fixed is None
        if merged and base is not None:
            base.use(max(ready, base.last))
            ready = max(ready, base.last) + latency
            self.count(stmt.op, kind, kind, kind, copies)
            since = {key: cycles + latency for key, cycles in base.since.items()}
        axes = own
        shape = tuple(len(self.lanes[axis].offsets) for axis in axes)
        ids = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
        # copies whose elements come first are done first
        early = ready if copies == 1 else ready - (last - first) + (last - first) // copies
        result = Value(
            kind, axes, ids, max(1, int(ids.size)), early, ready, since=since, registered=True
        )
        self.values.append(result)
        self.put(stmt.target, result)
        self.trees[name] = (stmt.op, base, leaves, first, last)

    def store(self, stmt: Store, enable: Value | None) -> None:
        value = self.expr(stmt.value)
        kind = self.storage[stmt.array].array.type
        value = self.renamed(value, kind)
        address, places, count = self.address(stmt.array, stmt.indices)
        address, copies = self.own_copies(stmt.array, address)
        lanes = math.prod(len(lane.offsets) for lane in self.context)
        count = max(count * copies, lanes if places is None else count)
        ready = max(address.last, value.last, enable.last if enable else 0)
        first = max(address.first, value.first, enable.first if enable else 0)
        where = self.storage[stmt.array]
        share = self.share(where, places, count // copies)
        if where.kind != "registers":
            first, ready = self.line(stmt.array, "store").take(first, ready, share)
        for one in (address, value, *([enable] if enable else ())):
            one.use(ready)
        self.accesses.append(Access(stmt.array, True, count, places, ready, first, address, copies))
        self.cost.amounts["stored"] += count * kind.bits
        if where.kind == "registers":
            self.cost.amounts["register_writes"] += count * where.array.size
        for load in self.accesses:
            if not load.store and load.array == stmt.array and not self.same_place(load, places):
                self.recurrence = max(self.recurrence, ready - load.first + 1)
        self.epoch[stmt.array] += 1
        self.end = max(self.end, ready + 1)

    def line(self, array: str, side: str) -> Queue:
        """Return the accesses to one side of an array that have a cycle already."""
        return self.lines.setdefault((array, side), Queue())

    def same_place(self, load: Access, places: Ints | None) -> bool:
        """Whether a load and a store meet only in the same iteration."""
        return (
            places is not None
            and load.places is not None
            and load.address.form is not None
            and np.array_equal(np.unique(load.places), np.unique(places))
            and bool(load.address.form.terms)
        )

    def share(self, where: Storage, places: Ints | None, count: int) -> int:
        """Return how many of `count` accesses the busiest port of an array takes."""
        if where.kind == "registers" or count == 0:
            return 1
        if where.kind == "ram" and where.banks > 1 and places is not None:
            return int(np.bincount(np.unique(places) % where.banks).max())
        return count

    # ---- addresses and memories -------------------------------------------------------------

    def address(self, array: str, indices: Sequence[Expr]) -> tuple[Value, Ints | None, int]:
        """Return the place, constants of the positions where affine, and how many differ."""
        where = self.storage[array]
        kind = IntType(where.address_bits)
        if where.kind == "stream":  # the next element, wherever it belongs
            axes = tuple(lane.var for lane in self.context if len(lane.offsets) > 1)
            shape = tuple(len(self.lanes[axis].offsets) for axis in axes)
            each: Ints = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
            return Value(kind, axes, each, each.size, 0, 0), None, each.size
        found = [self.expr(index, lazy=True) for index in indices]
        axes = common(found, self.order)
        sizes = tuple(len(self.lanes[axis].offsets) for axis in axes)
        if all(value.form is not None for value in found):
            constants: Ints = np.zeros(sizes, dtype=np.int64)
            terms: Tally[str] = Tally()
            stride = 1
            for value, extent in zip(reversed(found), reversed(where.array.shape), strict=True):
                assert value.form is not None  # noqa: S101 - narrows the type
                constants = constants + stride * spread(value.form.constants, value.axes, axes)
                for name, factor in value.form.terms:
                    terms[name] += factor * stride
                stride *= extent
            listed = tuple(sorted((n, f) for n, f in terms.items() if f))
            return self.affine_address(array, kind, axes, sizes, listed, constants)
        parts = []
        stride = 1
        for value, extent in zip(reversed(found), reversed(where.array.shape), strict=True):
            ready = self.made(value)
            if stride != 1:
                ready = self.scaled(ready, stride, IntType(ready.type.bits + stride.bit_length()))
            parts.append(ready)
            stride *= extent
        total = parts[0]
        for part in parts[1:]:
            total = self.operate("add", kind, (part, total))
        return total, None, total.count

    def own_copies(self, array: str, value: Value) -> tuple[Value, int]:
        """Return a value that also differs by the lanes which have the array to themselves."""
        own = [x for x in self.context if array in x.arrays and len(x.offsets) > 1]
        if not own:
            return value, 1
        copies = math.prod(len(lane.offsets) for lane in own)
        self.cost.private[array] = max(self.cost.private.get(array, 1), copies)
        axes = tuple(axis for axis in self.order if axis in {*value.axes, *(x.var for x in own)})
        sizes = tuple(len(self.lanes[axis].offsets) for axis in axes)
        keys = [spread(value.ids, value.axes, axes)]
        keys += [spread(np.arange(len(x.offsets)), (x.var,), axes) for x in own]
        ids, count = classes(keys, sizes)
        moved = Value(value.type, axes, ids, count, value.first, value.last, wires=(value,))
        moved.form = value.form
        return moved, copies

    def affine_address(
        self,
        array: str,
        kind: IntType,
        axes: tuple[str, ...],
        sizes: tuple[int, ...],
        terms: tuple[tuple[str, int], ...],
        constants: Ints,
    ) -> tuple[Value, Ints | None, int]:
        ids, count = classes([constants], sizes)
        where = self.storage[array]
        digits = sum(len(signed_digits(factor // where.banks or factor)) for _, factor in terms)
        levels = math.ceil(math.log2(digits)) if digits > 1 else 0
        key = ("address", where.depth, terms, array if where.kind == "registers" else "")
        base = self.memo.get(key)
        if base is None:
            one = np.zeros((), dtype=np.int64)
            base = Value(kind, (), one, 1, levels, levels, registered=levels > 0)
            if digits > 1:
                self.count("add", kind, kind, kind, digits - 1)
            self.values.append(base)
            self.memo[key] = base
        if not terms:
            fixed = Value(kind, axes, ids, count, 0, 0, fixed=constants)
            fixed.form = Form(terms, constants)
            return fixed, constants, count
        shifted = constants // where.banks if where.banks > 1 else constants
        moved = int(np.count_nonzero(np.unique(shifted)))
        last = levels + (1 if moved else 0)
        found = Value(kind, axes, ids, count, levels, last, registered=last > 0)
        found.form = Form(terms, constants)
        if moved:
            self.count("add", kind, kind, kind, moved)
            self.values.append(found)
        else:
            found.wires = (base,)
        return found, constants, count

    def load(self, expr: Load) -> Value:
        where = self.storage[expr.array]
        address, places, count = self.address(expr.array, expr.indices)
        address, copies = self.own_copies(expr.array, address)
        count *= copies
        constant = places is not None and address.form is not None and not address.form.terms
        if constant and where.array.values is not None and places is not None:
            table = np.asarray(where.array.values, dtype=np.int64)
            values = table[places]
            return Value(expr.type, address.axes, address.ids, count, 0, 0, fixed=values)
        latency = _LOAD_CYCLES[where.kind]
        if where.kind == "registers" and constant:
            latency = 0
        share = -(-self.share(where, places, count // copies) // where.replicas)
        begin, end = address.first, address.last
        if where.kind != "registers":
            begin, end = self.line(expr.array, "load").take(begin, end, share)
        first, last = begin + latency, end + latency
        address.use(end)
        # what comes from outside stands on the port's own register
        kept = where.kind != "external" and latency > 0
        value = Value(expr.type, address.axes, address.ids, count, first, last, registered=kept)
        access = Access(
            expr.array, False, count, places, last - latency, first - latency, address, copies
        )
        self.accesses.append(access)
        self.values.append(value)
        self.cost.amounts["loaded"] += count * expr.type.bits
        if where.kind == "registers" and not constant:
            self.cost.amounts["register_reads"] += count * where.array.bits
        return value

    # ---- expressions ------------------------------------------------------------------------

    def expr(self, expr: Expr, *, lazy: bool = False) -> Value:
        versions = tuple((lane.var, len(lane.offsets)) for lane in self.context)
        state = tuple(sorted((n, id(self.env[n])) for n in _names(expr) if n in self.env))
        stores = tuple(sorted((n, self.epoch[n]) for n in _arrays(expr)))
        key = (expr, versions, state, stores)
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self.evaluate(expr)
        return found if lazy else self.made(found)

    def made(self, value: Value) -> Value:
        """Return `value`, with the additions that an affine form takes."""
        form = value.form
        if form is None or value.fixed is not None or value.registered or not form.terms:
            return value
        adds = len(form.terms) - 1 + sum(len(signed_digits(f)) - 1 for _, f in form.terms)
        nonzero = int(np.count_nonzero(np.unique(form.constants)))
        if adds == 0 and nonzero == 0:
            return value
        key = ("made", form.terms, form.constants.tobytes(), value.type)
        found = self.memo.get(key)
        if found is None:
            cycles = adds + (1 if nonzero else 0)
            self.count("add", value.type, value.type, value.type, adds + nonzero)
            found = Value(
                value.type, value.axes, value.ids, value.count, cycles, cycles, registered=True
            )
            self.values.append(found)
            self.memo[key] = found
        return found

    def constant(self, number: int, kind: IntType) -> Value:
        array = np.asarray(number, dtype=np.int64)
        return Value(kind, (), np.zeros((), np.int64), 1, 0, 0, fixed=array, form=Form((), array))

    def evaluate(self, expr: Expr) -> Value:
        if isinstance(expr, Const):
            return self.constant(expr.value, expr.type)
        if isinstance(expr, Index):
            return self.index(expr)
        if isinstance(expr, Scalar):
            return self.scalar(expr)
        if isinstance(expr, Load):
            return self.load(expr)
        if isinstance(expr, Cast):
            return self.renamed(self.expr(expr.operand), expr.type)
        if isinstance(expr, Unary):
            operand = self.expr(expr.operand)
            if expr.op == "not":
                return self.renamed(operand, expr.type)
            return self.operate(expr.op, expr.type, (operand,))
        if isinstance(expr, Select):
            condition = self.expr(expr.condition)
            yes, no = self.expr(expr.yes), self.expr(expr.no)
            if condition.fixed is not None and condition.fixed.ndim == 0:
                return yes if condition.fixed.item() else no
            return self.operate("select", expr.type, (condition, yes, no))
        if isinstance(expr, Binary):
            return self.binary(expr)
        raise TypeError(f"{type(expr).__name__} is no expression")

    def index(self, expr: Index) -> Value:
        lane = next((one for one in self.context if one.var == expr.name), None)
        if lane is None:
            form = Form(((expr.name, 1),), np.asarray(0, dtype=np.int64))
            moving = expr.name in self.counters
            value = Value(expr.type, (), np.zeros((), np.int64), 1, 0, 0, form=form)
            value.stable = not moving
            return value
        offsets = np.asarray(lane.offsets, dtype=np.int64)
        if len(lane.offsets) == 1:
            offsets = offsets.reshape(())
        axes = (expr.name,) if offsets.ndim else ()
        ids = np.arange(offsets.size, dtype=np.int64).reshape(offsets.shape)
        if lane.fixed:
            form = Form((), offsets)
            return Value(expr.type, axes, ids, offsets.size, 0, 0, fixed=offsets, form=form)
        form = Form(((expr.name, 1),), offsets)
        return Value(expr.type, axes, ids, offsets.size, 0, 0, form=form)

    def scalar(self, expr: Scalar) -> Value:
        found = self.env.get(expr.name)
        if found is None:
            since = {expr.name: 0} if expr.name in self.written else {}
            found = Value(expr.type, (), np.zeros((), np.int64), 1, 0, 0, since=since)
            found.stable = expr.name not in self.written
            self.env[expr.name] = found
        return found

    def renamed(self, value: Value, kind: IntType) -> Value:
        """Return `value` as wires of another type."""
        if kind == value.type:
            return value
        form = value.form if value.form is not None and kind.bits >= value.type.bits else None
        return Value(
            kind, value.axes, value.ids, value.count, value.first, value.last, fixed=value.fixed,
            form=form, since=value.since, registered=value.registered, stable=value.stable,
            wires=(value,), width=value.width,
        )  # fmt: skip

    def binary(self, expr: Binary) -> Value:
        affine = expr.op in ("add", "sub", "mul", "shl")
        left = self.expr(expr.left, lazy=affine)
        right = self.expr(expr.right, lazy=affine)
        if affine and left.form is not None and right.form is not None:
            found = self.affine(expr, left.form, right.form, (left.axes, right.axes))
            if found is not None:
                return found
        left, right = self.made(left), self.made(right)
        op = expr.op
        if op in ("shl", "shr") and right.fixed is not None and right.fixed.ndim == 0:
            amount = int(right.fixed)
            return self.shifted(left, amount if op == "shl" else -amount, expr.type)
        if op == "mul" and left.fixed is not None:
            left, right = right, left
        if op == "mul" and right.fixed is not None and right.fixed.ndim == 0:
            return self.scaled(left, int(right.fixed), expr.type)
        zero = right.fixed is not None and not right.fixed.any()
        if zero and op in ("add", "sub", "or", "xor"):
            return self.renamed(left, expr.type)
        if op in ("min", "max"):
            for one, other in ((left, right), (right, left)):
                if _never(op, one, other):
                    return self.renamed(other, expr.type)
        return self.operate(op, expr.type, (left, right))

    def shifted(self, value: Value, amount: int, kind: IntType) -> Value:
        """Return ``value * 2**amount``, rounded down: wires."""
        found = self.renamed(value, kind)
        if found is value:
            found = replace(value, wires=(value,))
        found.form = None
        found.width = max(1, value.bits + amount)
        return found

    def affine(
        self, expr: Binary, left: Form, right: Form, axes: tuple[Axes, Axes]
    ) -> Value | None:
        """Return an affine combination of affine forms; None where it is none."""
        order = tuple(axis for axis in self.order if axis in {*axes[0], *axes[1]})
        sizes = tuple(len(self.lanes[axis].offsets) for axis in order)
        a, b = spread(left.constants, axes[0], order), spread(right.constants, axes[1], order)
        terms: Tally[str] = Tally()
        if expr.op in ("add", "sub"):
            sign = 1 if expr.op == "add" else -1
            constants = a + sign * b
            for name, factor in left.terms:
                terms[name] += factor
            for name, factor in right.terms:
                terms[name] += sign * factor
        else:
            moving, still = (right, left) if right.terms else (left, right)
            if still.terms or (moving.terms and still.constants.ndim):
                return None
            if expr.op == "shl" and (right.terms or right.constants.ndim):
                return None
            by = 1 << int(right.constants) if expr.op == "shl" else 1
            constants = a * by if expr.op == "shl" else a * b
            factor = by if expr.op == "shl" else int(still.constants.flat[0])
            for name, each in moving.terms:
                terms[name] += each * factor
        constants = np.broadcast_to(constants, sizes).astype(np.int64)
        listed = tuple(sorted((n, f) for n, f in terms.items() if f))
        ids, count = classes([constants], sizes)
        fixed = None if listed else constants
        form = Form(listed, constants)
        value = Value(expr.type, order, ids, count, 0, 0, fixed=fixed, form=form)
        value.stable = all(name not in self.counters for name, _ in listed)
        return value

    def scaled(self, value: Value, factor: int, kind: IntType) -> Value:
        digits = signed_digits(factor)
        if not digits:
            return self.constant(0, kind)
        if len(digits) == 1 and digits[0][0] > 0:
            return self.shifted(value, digits[0][1], kind)
        if len(digits) <= CONSTANT_DIGITS:
            return self.operate("add" if len(digits) > 1 else "neg", kind, (value,))
        constant = self.constant(factor, IntType(factor.bit_length() + (factor < 0), factor < 0))
        return self.operate("mul", kind, (value, constant))

    def operate(self, op: str, kind: IntType, operands: tuple[Value, ...]) -> Value:
        """Return the value of an operation, and count its operators."""
        if all(one.fixed is not None for one in operands) and op != "select":
            fixed = self.folded(op, kind, operands)
            if fixed is not None:
                return fixed
        axes = common(operands, self.order)
        sizes = tuple(len(self.lanes[axis].offsets) for axis in axes)
        keys = [spread(one.ids, one.axes, axes) for one in operands]
        ids, count = classes(keys, sizes)
        types = [one.type for one in operands]
        latency = 1
        if op == "mul":
            latency = mul_latency(types[0].bits, types[-1].bits)
        first = max(one.first for one in operands)
        last = max(one.last for one in operands)
        for one in operands:
            one.use(last)
        self.count(op, kind, types[0], types[-1], count, (operands[0].bits, operands[-1].bits))
        since: dict[str, int] = {}
        for one in operands:
            for name, cycles in one.since.items():
                since[name] = max(since.get(name, 0), cycles + latency)
        value = Value(kind, axes, ids, count, first + latency, last + latency, since=since)
        value.registered = True
        self.values.append(value)
        return value

    def folded(self, op: str, kind: IntType, operands: tuple[Value, ...]) -> Value | None:
        fold = _FOLDS.get(op)
        if fold is None or len(operands) != 2:
            return None
        axes = common(operands, self.order)
        a, b = (spread(one.fixed, one.axes, axes) for one in operands if one.fixed is not None)
        values = np.asarray(fold(a, b), dtype=np.int64)
        ids, count = classes([values], values.shape)
        form = Form((), values)
        return Value(kind, axes, ids, count, 0, 0, fixed=values, form=form)

    def count(
        self,
        op: str,
        kind: IntType,
        left: IntType,
        right: IntType,
        number: int,
        bits: tuple[int, int] | None = None,
    ) -> None:
        """Note `number` operators; `bits` of a product's operands, if fewer than their types'."""
        if number <= 0:
            return
        amounts = self.cost.amounts
        if op in _CARRIES:
            longest = max(kind.bits, left.bits, right.bits)
            self.cost.chain = max(self.cost.chain, longest)
        wide = max(left.bits, right.bits)
        if op in ("add", "sub", "neg"):
            amounts["add"] += number * kind.bits
        elif op == "abs":
            amounts["add"] += number * kind.bits
            amounts["mux"] += number * kind.bits
        elif op in _COMPARISONS:
            amounts["compare"] += number * wide
        elif op in ("min", "max"):
            amounts["minmax"] += number * wide
        elif op == "select":
            amounts["mux"] += number * kind.bits
        elif op in _LOGIC:
            amounts["logic"] += number * kind.bits
        elif op in ("shl", "shr"):
            amounts["shift"] += number * kind.bits * max(1, right.bits)
        elif op == "mul":
            self.cost.multipliers[bits or (left.bits, right.bits)] += number
            if mul_latency(left.bits, right.bits) > 1:
                cuts = [max(1, -(-(one.bits - 1) // LIMB_BITS)) for one in (left, right)]
                amounts["products"] += number * kind.bits * (cuts[0] * cuts[1] - 1)


_BIT = IntType(1)
_LOAD_CYCLES = {"external": EXTERNAL_LATENCY, "stream": 1, "ram": RAM_LATENCY, "registers": 1}
_FOLDS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def _never(op: str, bound: Value, other: Value) -> bool:
    """Whether the constant `bound` never is the smaller (larger) one."""
    if bound.fixed is None:
        return False
    if op == "min":
        return int(bound.fixed.min()) >= other.type.high
    return int(bound.fixed.max()) <= other.type.low


def _written(items: Sequence[Item]) -> frozenset[str]:
    from daybreak_hpvm.ir.walk import statements

    return frozenset(
        one.target.name
        for item in items
        for one in statements((item.stmt,))
        if isinstance(one, Assign | Reduce)
    )


def _names(expr: Expr) -> frozenset[str]:
    return _parts(expr)[0]


def _arrays(expr: Expr) -> frozenset[str]:
    return _parts(expr)[1]


_CACHE: dict[Expr, tuple[frozenset[str], frozenset[str]]] = {}


def _parts(expr: Expr) -> tuple[frozenset[str], frozenset[str]]:
    """Return the scalars and the arrays that `expr` reads."""
    found = _CACHE.get(expr)
    if found is None:
        from daybreak_hpvm.ir.walk import subexpressions

        parts = list(subexpressions(expr))
        found = (
            frozenset(p.name for p in parts if isinstance(p, Scalar)),
            frozenset(p.array for p in parts if isinstance(p, Load)),
        )
        if len(_CACHE) > 20_000:
            _CACHE.clear()
        _CACHE[expr] = found
    return found

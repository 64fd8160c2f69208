"""Memories of a node: on-chip RAM in banks and replicas, registers, and ports to what is outside."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Array, Module, Signal, Value, unsigned
from amaranth.lib.memory import Memory

from daybreak_hpvm.rtl.storage import Storage
from daybreak_hpvm.rtl.values import any_of, one_hot, shape

__all__ = ["Bank", "External", "Registers", "Stream", "gated"]

#: an access: when it takes place, where, and what is stored
_Load = tuple[Value, Value]
_Store = tuple[Value, Value, Value]


class Bank:
    """One bank of a RAM: copies of a memory with one write port, each with one read port."""

    def __init__(self, storage: Storage, number: int, name: str) -> None:
        self._storage = storage
        self._number = number
        self._name = name
        self.data = [
            Signal(shape(storage.array.type), name=f"{name}_q{copy}")
            for copy in range(storage.replicas)
        ]
        self._loads: list[list[_Load]] = [[] for _ in self.data]
        self._stores: list[_Store] = []

    def load(self, replica: int, when: Value, place: Value) -> Signal:
        """Load in cycle `when`; the element is there in the cycle after it."""
        self._loads[replica].append((when, place))
        return self.data[replica]

    def store(self, when: Value, place: Value, value: Value) -> None:
        """Store at the end of cycle `when`."""
        self._stores.append((when, place, value))

    def build(self, m: Module) -> None:
        """Add the memories to `m`."""
        storage = self._storage
        values = storage.array.values
        init = [] if values is None else list(values[self._number :: storage.banks])
        for copy, loads in enumerate(self._loads):
            if not loads:
                continue
            memory = Memory(shape=shape(storage.array.type), depth=storage.depth, init=init)
            m.submodules[f"{self._name}_{copy}"] = memory
            read = memory.read_port()
            m.d.comb += [read.addr.eq(one_hot(loads)), self.data[copy].eq(read.data)]
            if values is None:
                write = memory.write_port()
                m.d.comb += _write(self._stores, write.addr, write.data, write.en)


def _write(stores: Sequence[_Store], addr: Signal, data: Signal, en: Signal) -> list[object]:
    if not stores:
        return []
    return [
        addr.eq(one_hot([(when, place) for when, place, _ in stores])),
        data.eq(one_hot([(when, value) for when, _, value in stores])),
        en.eq(any_of([when for when, _, _ in stores])),
    ]


class Registers:
    """A small array in registers, or a small table in logic."""

    def __init__(self, storage: Storage, name: str) -> None:
        array = storage.array
        values = array.values
        self.elements = [
            Signal(shape(array.type), name=f"{name}_{k}", init=0 if values is None else values[k])
            for k in range(array.size)
        ]
        self._table = values is not None
        self._array = Array(self.elements)

    def load(self, place: int | Value) -> Value:
        """Return the element as it is now."""
        if isinstance(place, int):
            return self.elements[place]
        return Value.cast(self._array[place])

    def store(self, m: Module, when: Value, place: int | Value, value: Value) -> None:
        """Store at the end of cycle `when`."""
        if isinstance(place, int):
            with m.If(when):
                m.d.sync += self.elements[place].eq(value)
            return
        for number, element in enumerate(self.elements):
            with m.If(when & (place == number)):
                m.d.sync += element.eq(value)


class External:
    """A node's port to an array outside: signals, and the accesses that share them."""

    def __init__(self, storage: Storage, name: str, *, store: bool) -> None:
        self.storage = storage
        self.store = store
        self.addr = Signal(unsigned(storage.address_bits), name=f"{name}_addr")
        self.data = Signal(shape(storage.array.type), name=f"{name}_data")
        self.enable = Signal(name=f"{name}_en")
        self.accesses: list[_Store] = []

    def build(self, m: Module, go: Value) -> None:
        """Drive the port; `go` is 0 in cycles in which the node stands still."""
        if not self.accesses:
            return
        m.d.comb += self.addr.eq(one_hot([(when, place) for when, place, _ in self.accesses]))
        m.d.comb += self.enable.eq(any_of([when for when, _, _ in self.accesses]) & go)
        if self.store:
            m.d.comb += self.data.eq(one_hot([(when, v) for when, _, v in self.accesses]))


class Stream:
    """A node's end of a queue. `want`: the node takes, or gives, an element in this cycle."""

    def __init__(self, storage: Storage, name: str, *, push: bool) -> None:
        self.push = push
        self.data = Signal(shape(storage.array.type), name=f"{name}_data")
        self.want = Signal(name=f"{name}_want")
        self.ready = Signal(name=f"{name}_ready")
        self._accesses: list[tuple[Value, Value]] = []

    def access(self, when: Value, value: Value) -> None:
        """Give `value` (a push), or take the element in front, in cycle `when`."""
        self._accesses.append((when, value))

    def build(self, m: Module) -> None:
        """Drive the queue's end."""
        m.d.comb += self.want.eq(any_of([when for when, _ in self._accesses]))
        if self.push and self._accesses:
            m.d.comb += self.data.eq(one_hot(self._accesses))


def gated(when: Value, condition: Value | None) -> Value:
    """Return `when`, if `condition` holds."""
    return when if condition is None else Value.cast(when & condition)

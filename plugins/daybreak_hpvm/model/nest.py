"""From a node's statements to the parts of its controller, without writing unrolled loops out.

The parts are those of the hardware: regions, sequences, loops, branches. What unrolling copies is
told by *lanes* instead: a statement within lanes stands for one copy for each combination of their
offsets. So the work does not grow with the unroll factors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Union

from daybreak_hpvm.ir import Array, Expr, If, Index, Loop, Node, Stmt
from daybreak_hpvm.ir.walk import loops, map_body
from daybreak_hpvm.transforms import Parallel, parallel

__all__ = ["Branch", "Counter", "Item", "Lane", "Part", "Region", "Repeat", "Series", "parts_of"]


@dataclass(frozen=True, slots=True)
class Lane:
    """Copies made of a loop's body.

    Attributes:
        var: the loop's variable.
        offsets: what each copy adds to it; its values themselves where `fixed`.
        fixed: the loop is unrolled completely: its variable is a constant in each copy.
        scalars: scalars of which each copy has its own.
        arrays: local arrays of which each copy has its own.
        ordered: a copy needs what the one before it leaves behind.
    """

    var: str
    offsets: tuple[int, ...]
    fixed: bool = False
    scalars: frozenset[str] = frozenset()
    arrays: frozenset[str] = frozenset()
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A statement that holds no loop, within lanes (outermost first)."""

    stmt: Stmt
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """A loop that remains: its variable takes `trips` values from `start` in steps of `step`."""

    var: str
    trips: int
    start: int
    step: int


@dataclass(frozen=True, slots=True)
class Region:
    """A pipeline: `items` for every combination of its `counters`; straight-line code has none."""

    counters: tuple[Counter, ...]
    items: tuple[Item, ...]

    @property
    def iterations(self) -> int:
        """How often it runs through."""
        found = 1
        for counter in self.counters:
            found *= counter.trips
        return found


@dataclass(frozen=True, slots=True)
class Series:
    """Parts one after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A loop around parts; `copies`: so many controllers, each run once (`counter` is None then)."""

    counter: Counter | None
    copies: int
    body: Part


@dataclass(frozen=True, slots=True)
class Branch:
    """An `if` that holds loops."""

    condition: Region
    then: Part
    otherwise: Part


Part = Union[Region, Series, Repeat, Branch]  # noqa: UP007 - a forward reference


@dataclass(frozen=True, slots=True)
class _Nest:
    counter: Counter
    inside: tuple[_Element, ...]


@dataclass(frozen=True, slots=True)
class _Copied:
    """Copies of code with loops that must follow one another."""

    count: int
    inside: tuple[_Element, ...]


@dataclass(frozen=True, slots=True)
class _Fork:
    condition: Item
    then: tuple[_Element, ...]
    otherwise: tuple[_Element, ...]


_Element = Union[Item, _Nest, _Copied, _Fork]  # noqa: UP007 - a forward reference


def parts_of(node: Node) -> Part:
    """Return the parts of `node`'s controller."""
    return _assemble(tuple(_flatten(node.body, (), node)))


def _flatten(body: Iterable[Stmt], lanes: tuple[Lane, ...], node: Node) -> Iterable[_Element]:
    for stmt in body:
        if isinstance(stmt, Loop):
            yield from _loop(stmt, lanes, node)
        elif isinstance(stmt, If) and any(True for _ in loops((stmt,))):
            then = tuple(_flatten(stmt.then, lanes, node))
            otherwise = tuple(_flatten(stmt.otherwise, lanes, node))
            fork = _Fork(Item(If(stmt.condition, ()), lanes), then, otherwise)
            # loops in an `if` are not joined over lanes: each lane has a branch of its own
            count = 1
            for lane in lanes:
                count *= len(lane.offsets)
            yield fork if count == 1 else _Copied(count, (_alone(fork, lanes),))
        else:
            yield Item(stmt, lanes)


def _alone(fork: _Fork, lanes: tuple[Lane, ...]) -> _Fork:
    """Return the branch of a single lane."""
    names = {lane.var for lane in lanes}

    def strip(item: Item) -> Item:
        kept = tuple(
            Lane(lane.var, lane.offsets[:1], lane.fixed) if lane.var in names else lane
            for lane in item.lanes
        )
        return Item(item.stmt, kept)

    (found,) = _each((fork,), strip)
    assert isinstance(found, _Fork)  # noqa: S101 - narrows the type
    return found


def _each(elements: Sequence[_Element], change: Callable[[Item], Item]) -> tuple[_Element, ...]:
    """Return `elements` with every item in them changed."""
    done: list[_Element] = []
    for one in elements:
        if isinstance(one, Item):
            done.append(change(one))
        elif isinstance(one, _Fork):
            then, otherwise = _each(one.then, change), _each(one.otherwise, change)
            done.append(_Fork(change(one.condition), then, otherwise))
        else:
            done.append(replace(one, inside=_each(one.inside, change)))
    return tuple(done)


def _renamed(item: Item, var: str, name: str) -> Item:
    """Return an item with another name for a variable."""

    def change(expr: Expr) -> Expr:
        return replace(expr, name=name) if isinstance(expr, Index) and expr.name == var else expr

    (stmt,) = map_body((item.stmt,), expr=change)
    lanes = tuple(replace(x, var=name) if x.var == var else x for x in item.lanes)
    return Item(stmt, lanes)


@lru_cache(maxsize=4096)
def _verdict(loop: Loop, local: tuple[Array, ...], body: tuple[Stmt, ...]) -> Parallel:
    return parallel(loop, local, body)


def _loop(loop: Loop, lanes: tuple[Lane, ...], node: Node) -> Iterable[_Element]:
    factor = min(loop.unroll, loop.trips)
    if factor == 1:
        counter = Counter(loop.var, loop.trips, loop.start, loop.step)
        if loop.trips == 1:
            yield from _flatten(loop.body, (*lanes, Lane(loop.var, (loop.start,), True)), node)
        else:
            yield _Nest(counter, tuple(_flatten(loop.body, lanes, node)))
        return
    whole, rest = divmod(loop.trips, factor)
    verdict = _verdict(loop, node.locals, node.body)
    steps = tuple(k * loop.step for k in range(factor))
    fixed = whole == 1
    lane = Lane(
        loop.var,
        tuple(loop.start + k for k in steps) if fixed else steps,
        fixed,
        frozenset(verdict.scalars),
        frozenset(verdict.arrays),
        not verdict.legal,
    )
    if verdict.legal or not any(True for _ in loops(loop.body)):
        inside = tuple(_flatten(loop.body, (*lanes, lane), node))
    else:
        alone = Lane(loop.var, lane.offsets[:1], fixed)
        inside = (_Copied(factor, tuple(_flatten(loop.body, (*lanes, alone), node))),)
    if fixed:
        # copies of two loops that take the same values are told apart by nothing: what both compute
        # is computed once
        name = f"{len(lanes)}:{loop.start}:{loop.step}:{factor}"
        yield from _each(inside, lambda item: _renamed(item, loop.var, name))
    else:
        yield _Nest(Counter(loop.var, whole, loop.start, loop.step * factor), inside)
    if rest:
        start = loop.start + whole * factor * loop.step
        if rest == 1:
            yield from _flatten(loop.body, (*lanes, Lane(loop.var, (start,), True)), node)
        else:
            counter = Counter(loop.var, rest, start, loop.step)
            yield _Nest(counter, tuple(_flatten(loop.body, lanes, node)))


def _assemble(elements: tuple[_Element, ...]) -> Part:
    parts: list[Part] = []
    straight: list[Item] = []

    def flush() -> None:
        if straight:
            parts.append(Region((), tuple(straight)))
            straight.clear()

    for one in elements:
        if isinstance(one, Item):
            straight.append(one)
            continue
        flush()
        if isinstance(one, _Nest):
            parts.append(_nest(one))
        elif isinstance(one, _Copied):
            parts.append(Repeat(None, one.count, _assemble(one.inside)))
        else:
            parts.append(
                Branch(Region((), (one.condition,)), _assemble(one.then), _assemble(one.otherwise))
            )
    flush()
    return parts[0] if len(parts) == 1 else Series(tuple(parts))


def _nest(nest: _Nest) -> Part:
    """Return a region where the nest is perfect, else a loop."""
    counters = [nest.counter]
    inside = nest.inside
    while len(inside) == 1 and isinstance(inside[0], _Nest):
        counters.append(inside[0].counter)
        inside = inside[0].inside
    if all(isinstance(one, Item) for one in inside):
        items = tuple(one for one in inside if isinstance(one, Item))
        return Region(tuple(counters), items)
    body = _assemble(inside)
    for counter in reversed(counters):
        body = Repeat(counter, 1, body)
    return body

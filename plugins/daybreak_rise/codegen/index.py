"""Index arithmetic with ranges: what lets views of memory cost nothing.

An `Index` is a sum of integer multiples of atoms plus a constant, normalised: two equal sums are
equal objects. An atom is a loop's variable, a quotient, a remainder, a clamped index or a number
read from memory; each has a range, so that `(4*i + j) // 4` with `0 <= j < 4` is `i`, and a
quotient and a remainder of the same index are put together again. All sizes are known numbers.
The rules are those of Steuwer et al. (CGO 2017, "Lift", section 5.3), with intervals.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from math import gcd
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from daybreak_rise.codegen.values import Value

__all__ = ["Atom", "Clamp", "Index", "Quotient", "Read", "Remainder", "Variable", "constant"]

_numbers = itertools.count()


class Atom:
    """What an index is made of; `low <= value <= high`."""

    __slots__ = ("high", "low", "number")
    #: its place among atoms of one number
    kind: ClassVar[int] = 2
    low: int
    high: int
    number: int


class Variable(Atom):
    """A loop's counter, or a work-item's place: 0 <= value < size."""

    __slots__ = ("name", "size")
    kind = 0

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self.low = 0
        self.high = size - 1
        self.number = next(_numbers)

    def __repr__(self) -> str:
        return f"{self.name}<{self.size}"


class _Over(Atom):
    """An atom over another index, equal to others of the same kind over an equal index."""

    __slots__ = ("_hash", "of")
    of: Index

    def _key(self) -> tuple[object, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return self._hash

    def _number(self, size: int) -> None:
        # the order of terms must be the same in every process: by creation of the newest variable
        self.number = self.of.newest
        self._hash = hash((type(self).__name__, self.of, size))


class Quotient(_Over):
    """of // by, rounded down; by > 0."""

    __slots__ = ("by",)
    kind = 1

    def __init__(self, of: Index, by: int) -> None:
        self.of = of
        self.by = by
        self.low = of.low // by
        self.high = of.high // by
        self._number(by)

    def _key(self) -> tuple[object, ...]:
        return self.by, self.of


class Remainder(_Over):
    """of % by, never negative; by > 0."""

    __slots__ = ("by",)

    def __init__(self, of: Index, by: int) -> None:
        self.of = of
        self.by = by
        self.low = 0
        self.high = by - 1
        self._number(by)

    def _key(self) -> tuple[object, ...]:
        return self.by, self.of


class Clamp(_Over):
    """The nearest number to `of` from `low` to `high`."""

    __slots__ = ()

    def __init__(self, of: Index, low: int, high: int) -> None:
        self.of = of
        self.low = low
        self.high = high
        self._number(high)

    def _key(self) -> tuple[object, ...]:
        return self.low, self.high, self.of


class Read(Atom):
    """A number that is computed or read from memory: 0 <= value < size."""

    __slots__ = ("value",)

    def __init__(self, value: Value, size: int) -> None:
        self.value = value
        self.low = 0
        self.high = size - 1
        self.number = next(_numbers)


def _order(term: tuple[Atom, int]) -> tuple[int, int, int, int]:
    atom, factor = term
    return atom.number, atom.kind, -factor, getattr(atom, "by", 0)


class Index:
    """`sum(factor * atom) + rest`."""

    __slots__ = ("_hash", "_reads", "high", "low", "rest", "terms")
    terms: tuple[tuple[Atom, int], ...]
    rest: int
    _reads: tuple[Value, ...] | None

    def __init__(self, terms: tuple[tuple[Atom, int], ...], rest: int) -> None:
        self.terms = terms
        self.rest = rest
        low = high = rest
        for atom, factor in terms:
            if factor > 0:
                low += factor * atom.low
                high += factor * atom.high
            else:
                low += factor * atom.high
                high += factor * atom.low
        self.low = low
        self.high = high
        self._hash: int | None = None
        self._reads = None

    @property
    def known(self) -> bool:
        """Whether it is a constant (`rest`)."""
        return not self.terms

    @property
    def newest(self) -> int:
        """The largest number among its atoms."""
        return max((atom.number for atom, _ in self.terms), default=-1)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Index) and self.rest == other.rest and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.terms, self.rest))
        return self._hash

    def __repr__(self) -> str:
        parts = [f"{f}*{a!r}" for a, f in self.terms]
        return " + ".join([*parts, str(self.rest)])

    def __add__(self, other: Index | int) -> Index:
        if isinstance(other, int):
            return self if other == 0 else Index(self.terms, self.rest + other)
        if not other.terms:
            return self if other.rest == 0 else Index(self.terms, self.rest + other.rest)
        if not self.terms:
            return other if self.rest == 0 else Index(other.terms, self.rest + other.rest)
        total = dict(self.terms)
        for atom, factor in other.terms:
            total[atom] = total.get(atom, 0) + factor
        return _collect(total, self.rest + other.rest)

    def __sub__(self, other: Index | int) -> Index:
        return self + (other * -1)

    def __mul__(self, factor: int) -> Index:
        if factor == 1:
            return self
        if factor == 0:
            return ZERO
        return Index(tuple((a, f * factor) for a, f in self.terms), self.rest * factor)

    def __floordiv__(self, by: int) -> Index:
        if by == 1:
            return self
        whole, rest = self._parted(by)
        if rest.low >= 0 and rest.high < by:
            return whole
        if rest.low // by == rest.high // by:
            return whole + rest.low // by
        return whole + _quotient(rest, by)

    def __mod__(self, by: int) -> Index:
        if by == 1:
            return ZERO
        _, rest = self._parted(by)
        if rest.low // by == rest.high // by:
            return rest - (rest.low // by) * by
        return _remainder(rest, by)

    def _parted(self, by: int) -> tuple[Index, Index]:
        """Return (q, r) with self = q*by + r, and by dividing none of r's terms."""
        whole, kept = [], []
        for atom, factor in self.terms:
            if factor % by == 0:
                whole.append((atom, factor // by))
            else:
                kept.append((atom, factor))
        quotient, rest = divmod(self.rest, by)
        return Index(tuple(whole), quotient), Index(tuple(kept), rest)

    def clamped(self, low: int, high: int) -> Index:
        """Return the nearest index from `low` to `high`."""
        if low <= self.low and self.high <= high:
            return self
        if self.high <= low:
            return constant(low)
        if self.low >= high:
            return constant(high)
        return Index(((Clamp(self, low, high), 1),), 0)

    def replaced(self, values: Mapping[Variable, Index]) -> Index:
        """Return the index with variables replaced, simplified anew."""
        if not values:
            return self
        found = Index((), self.rest)
        plain: list[tuple[Atom, int]] = []
        for atom, factor in self.terms:
            new = _replaced(atom, values)
            if new is None:
                plain.append((atom, factor))
            else:
                found = found + new * factor
        if len(plain) == len(self.terms):
            return self
        return found + Index(tuple(plain), 0) if plain else found

    def variables(self) -> Iterator[Variable]:
        """Yield the variables it depends on, some perhaps twice."""
        for atom, _ in self.terms:
            if isinstance(atom, Variable):
                yield atom
            elif isinstance(atom, _Over):
                yield from atom.of.variables()
            elif isinstance(atom, Read):
                yield from atom.value.variables()

    def reads(self) -> tuple[Value, ...]:
        """Return the values that it reads from memory."""
        if self._reads is None:
            found: list[Value] = []
            for atom, _ in self.terms:
                if isinstance(atom, _Over):
                    found += atom.of.reads()
                elif isinstance(atom, Read):
                    found.append(atom.value)
            self._reads = tuple(found)
        return self._reads

    def evaluate(self, values: Mapping[Variable, int], read: Callable[[Value], int]) -> int:
        """Return its number; `read` gives the number of a value."""
        total = self.rest
        for atom, factor in self.terms:
            total += factor * _evaluated(atom, values, read)
        return total


ZERO = Index((), 0)


def constant(number: int) -> Index:
    """Return the index that is always `number`."""
    return Index((), number) if number else ZERO


def of(variable: Atom, factor: int = 1) -> Index:
    """Return `factor * variable`; a variable that can only be 0 is 0."""
    if variable.low == variable.high:
        return constant(variable.low * factor)
    return Index(((variable, factor),), 0)


def _collect(total: dict[Atom, int], rest: int) -> Index:
    """Return the sum with by*(e // by) + e % by put together."""
    quotients = [(atom, f) for atom, f in total.items() if type(atom) is Quotient]
    for atom, factor in quotients:
        if factor and factor % atom.by == 0:
            scale = factor // atom.by
            remainder = atom.of % atom.by
            if remainder.terms and all(total.get(a) == f * scale for a, f in remainder.terms):
                for a, f in ((atom, atom.by), *remainder.terms):
                    total[a] -= f * scale
                rest -= remainder.rest * scale
                kept = {a: f for a, f in total.items() if f}
                return Index(tuple(sorted(kept.items(), key=_order)), rest) + atom.of * scale
    return Index(tuple(sorted(((a, f) for a, f in total.items() if f), key=_order)), rest)


def _quotient(top: Index, by: int) -> Index:
    if len(top.terms) == 1 and top.rest == 0:
        atom, factor = top.terms[0]
        if factor == 1 and isinstance(atom, Quotient):
            return atom.of // (atom.by * by)
    # (g*e + r) // (g*c) = e // c where 0 <= r < g
    common = by
    for _, factor in top.terms:
        common = gcd(common, factor)
    if common > 1:
        less = Index(tuple((a, f // common) for a, f in top.terms), top.rest // common)
        return less // (by // common)
    # terms that together stay below a common divisor of the others and of `by` do not matter
    for bound in sorted({gcd(by, f) for _, f in top.terms if gcd(by, f) > 1}):
        big = tuple((a, f) for a, f in top.terms if f % bound == 0)
        small = Index(tuple((a, f) for a, f in top.terms if f % bound), top.rest % bound)
        if small.terms and small.low >= 0 and small.high < bound:
            return Index(big, top.rest - top.rest % bound) // by
    return Index(((Quotient(top, by), 1),), 0)


def _remainder(top: Index, by: int) -> Index:
    if len(top.terms) == 1 and top.rest == 0:
        atom, factor = top.terms[0]
        if factor == 1 and isinstance(atom, Remainder) and atom.by % by == 0:
            return atom.of % by
    common = by
    for _, factor in top.terms:
        common = gcd(common, factor)
    if common > 1:
        less = Index(tuple((a, f // common) for a, f in top.terms), top.rest // common)
        return (less % (by // common)) * common + top.rest % common
    for bound in sorted({gcd(by, f) for _, f in top.terms if gcd(by, f) > 1}):
        big = tuple((a, f) for a, f in top.terms if f % bound == 0)
        small = Index(tuple((a, f) for a, f in top.terms if f % bound), top.rest % bound)
        if small.terms and small.low >= 0 and small.high < bound:
            return Index(big, top.rest - top.rest % bound) % by + small
    return Index(((Remainder(top, by), 1),), 0)


def _replaced(atom: Atom, values: Mapping[Variable, Index]) -> Index | None:
    """Return what the atom becomes, None where it stays."""
    match atom:
        case Variable():
            return values.get(atom)
        case Quotient():
            new = atom.of.replaced(values)
            return None if new is atom.of else new // atom.by
        case Remainder():
            new = atom.of.replaced(values)
            return None if new is atom.of else new % atom.by
        case Clamp():
            new = atom.of.replaced(values)
            return None if new is atom.of else new.clamped(atom.low, atom.high)
        case Read():
            value = atom.value.replaced(values)
            return None if value is atom.value else of(Read(value, atom.high + 1))
    raise AssertionError(atom)


def _evaluated(atom: Atom, values: Mapping[Variable, int], read: Callable[[Value], int]) -> int:
    match atom:
        case Variable():
            return values[atom]
        case Quotient():
            return atom.of.evaluate(values, read) // atom.by
        case Remainder():
            return atom.of.evaluate(values, read) % atom.by
        case Clamp():
            return min(max(atom.of.evaluate(values, read), atom.low), atom.high)
        case Read():
            return read(atom.value)
    raise AssertionError(atom)
